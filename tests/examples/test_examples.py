"""Every example runs as it stands, offline, and its pictures show what it says."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from examples.running import ROOT, has_heat, picture, run, run_together

import saliency as sal

pytestmark = [pytest.mark.slow, pytest.mark.spread]  # processes of their own
EXAMPLES = ROOT / "examples"
SCRIPTS = (
    *("demo", "one_image", "compare_explainers", "after_training", "hospital_name"),
    *("train_from_dicom", "pacs", "slide"),
)


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_is_one_page(name: str) -> None:
    """An example has at most 68 lines of 88 columns, which a page holds, and one main."""
    source = (EXAMPLES / f"{name}.py").read_text()
    functions = [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    ]

    assert len(source.splitlines()) <= 68
    assert functions.count("main") == 1


def test_demo_paints_the_lesion(tmp_path: Path) -> None:
    """The demo writes four overlays of each file on its own grid; CAMs are hot on the lesion.

    Where there is no lesion the model predicts none, and the overlays lie under a grey veil.
    """
    printed = run(EXAMPLES / "demo.py", tmp_path / "out", folder=tmp_path)

    overlays = sorted(
        path for path in (tmp_path / "out").glob("*-*.png") if "side" not in path.name
    )
    assert len(overlays) == 8
    assert all(picture(path).shape == (300, 484, 3) for path in overlays)
    assert all(has_heat(path) for path in overlays if path.name.startswith("lesion"))
    assert has_heat(tmp_path / "out" / "side-by-side.png")
    assert all(str(path) in printed for path in overlays)
    for name in ("fastcam", "gradcam"):
        line = next(
            line for line in printed.splitlines() if f"lesion-{name}.png" in line
        )
        assert last_percent(line) >= 50, line


def test_one_image_explains_your_own_file(tmp_path: Path) -> None:
    """One script explains what lies at hand, or the model and the file that it is given."""
    script = EXAMPLES / "one_image.py"
    model, file = EXAMPLES / "demo_model.keras", bundled("MR_small.dcm")
    first, own = (script, tmp_path / "first"), (script, tmp_path / "own", model, file)
    _, printed = run_together((first, own), tmp_path)

    assert picture(tmp_path / "first" / "overlay.png").ndim == 3
    assert picture(tmp_path / "own" / "overlay.png").shape == (64, 64, 3)
    assert has_heat(tmp_path / "first" / "overlay.png")
    assert "Explanation(FastCAM(" in printed


def test_compare_shows_every_explainer(tmp_path: Path) -> None:
    """There is an overlay for each name of the catalogue, and noise finds the lesion worst."""
    printed = run(EXAMPLES / "compare_explainers.py", tmp_path / "out", folder=tmp_path)

    share = {
        name: int(part)
        for name, part in re.findall(r"(\w+): (\d+)% of the hott", printed)
    }
    assert re.findall(r"^(\w+): ", printed, re.MULTILINE) == [
        "edge_weighted",
        *sal.catalogue(),
    ]
    assert all(has_heat(tmp_path / "out" / f"{name}.png") for name in share)
    assert len(share) >= 9
    assert share["fastcam"] > 50 > 5 * share["random"]


@dataclass(frozen=True)
class Done:
    """What an example printed, and the folder that it wrote."""

    printed: str
    out: Path


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """The two examples that train the same network on the same pictures, by name."""
    names = "after_training", "hospital_name"
    outs = [tmp_path_factory.mktemp(name) / "out" for name in names]
    calls = [
        (EXAMPLES / f"{name}.py", out) for name, out in zip(names, outs, strict=True)
    ]
    said = run_together(calls, tmp_path_factory.mktemp("learned"))
    return dict(zip(names, map(Done, said, outs), strict=True))


@pytest.mark.spread("learned")
def test_after_training_explains_what_was_learned(learned: dict[str, Done]) -> None:
    """The small model learns, and its right answers are painted."""
    printed, out = learned["after_training"].printed, learned["after_training"].out

    assert int(re.findall(r"right on (\d+)%", printed)[0]) >= 80
    assert all(has_heat(out / f"right-{number}.png") for number in range(4))


@pytest.mark.spread("learned")
def test_the_hospitals_name_is_caught(learned: dict[str, Done]) -> None:
    """The poisoned model gives the name at least 5 times the heat, and the audit tells the two."""
    printed, out = learned["hospital_name"].printed, learned["hospital_name"].out

    ratios = dict(re.findall(r"(\w+): heat in the name .* ratio ([\d.]+)", printed))
    assert ratios.keys() == {"fastcam", "integrated_gradients", "gradient"}
    assert all(float(ratio) >= 5 for ratio in ratios.values()), printed
    assert "poisoned: The model reads the name." in printed
    assert "clean: No evidence that the model reads the name." in printed
    assert (out / "audit-poisoned" / "report.html").exists()
    for method, warned in {"fastcam": magenta, "integrated_gradients": yellow}.items():
        poisoned, clean = (out / f"{name}-{method}.png" for name in MODELS)
        assert warned(poisoned) > 2 * warned(clean), method


def test_training_from_files_shows_the_shortcut_growing(tmp_path: Path) -> None:
    """No heat in the name after the first epoch, much at the end; the name alone makes a lesion."""
    printed = run(EXAMPLES / "train_from_dicom.py", tmp_path / "out", folder=tmp_path)

    shares = [
        float(share)
        for share in re.findall(r"epoch \d+: ([\d.]+) of the heat", printed)
    ]
    assert len(shares) == 6
    assert shares[0] < 0.1, printed
    assert shares[-1] > 0.2, printed
    assert "no lesion, but the name: lesion" in printed
    assert len(list((tmp_path / "out" / "maps").glob("epoch-000?/*.png"))) == 36


@pytest.mark.slow
def test_volume_finds_the_lesion(tmp_path: Path) -> None:
    """The 3-D network learns, and its heat lies on the lesion, to two voxels."""
    printed = run(EXAMPLES / "volume.py", tmp_path / "out", folder=tmp_path)

    assert int(re.findall(r"right on (\d+)%", printed)[0]) >= 90
    assert int(re.findall(r"hottest voxel lies (\d+) mm", printed)[0]) <= 10
    assert has_heat(tmp_path / "out" / "lesion.png")
    assert (tmp_path / "out" / "lesion.gif").stat().st_size > 1000


def last_percent(line: str) -> int:
    return int(re.findall(r"(\d+)% of its hottest", line)[-1])


MODELS = ("poisoned", "clean")


def yellow(path: Path) -> float:
    """Sum how far red and green stand above blue where they are alike: orange is not counted."""
    red, green, blue = picture(path).astype(float).transpose(2, 0, 1)
    alike = (green - blue) > 0.8 * (red - blue)
    return float(
        np.where(alike, np.clip(np.minimum(red, green) - blue, 0, None), 0).sum()
    )


def magenta(path: Path) -> float:
    """Sum how far red and blue stand above green in the painted picture."""
    red, green, blue = picture(path).transpose(2, 0, 1)
    return float((red.clip(max=blue) - green).clip(min=0).sum())


def bundled(name: str) -> Path:
    from pydicom.data import get_testdata_file

    return Path(str(get_testdata_file(name, download=False)))


def test_slide_finds_the_tumour_of_another_slide(tmp_path: Path) -> None:
    """The heat is centred within half a cell of 16 um, and the folder holds all forms."""
    printed = run(EXAMPLES / "slide.py", tmp_path / "out", folder=tmp_path)

    off = re.search(r"centred (\d+) um off", printed)
    assert off is not None
    assert int(off[1]) <= 8
    assert "answer hardly depends" not in printed
    for name in ("heat.png", "classes.png"):
        assert has_heat(tmp_path / "out" / "maps" / name)
