"""What the pages say runs, and what they show exists."""

import re
import runpy
import shutil
import tomllib
from pathlib import Path

import pytest
from examples.running import ROOT, run_each
from pydicom.data import get_testdata_file

PAGES = ("README.md", "docs/start.md", "docs/write-an-explainer.md")
LINKING = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{page.name}" for page in ROOT.glob("docs/*.md")),
    *(f"docs/explainers/{page.name}" for page in ROOT.glob("docs/explainers/*.md")),
    *(f"docs/decisions/{page.name}" for page in ROOT.glob("docs/decisions/*.md")),
    *(f"benchmarks/{page.name}" for page in ROOT.glob("benchmarks/*.md")),
)
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


@pytest.mark.slow
@pytest.mark.spread
def test_the_code_of_the_pages_runs(tmp_path: Path) -> None:
    """A page's blocks, one after the other, run with a model and a file of the names they use."""
    scripts = [script_of(page, tmp_path / page.replace("/", "-")) for page in PAGES]

    run_each(*scripts)

    assert all(list(script.parent.glob("*.png")) for script in scripts)


def script_of(page: str, folder: Path) -> Path:
    """Write a page's blocks as one script beside a model and a file."""
    folder.mkdir()
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / page).read_text())
    shutil.copy(ROOT / "examples" / "demo_model.keras", folder / "model.keras")
    file = get_testdata_file("examples_overlay.dcm", download=False)
    shutil.copy(str(file), folder / "chest.dcm")
    script = folder / "page.py"
    script.write_text("\n".join(blocks))
    return script


def test_readme_starts_with_what_to_do() -> None:
    """The commands come first, code comes before line 30."""
    lines = README.splitlines()

    assert "make demo" in "\n".join(lines[:6])
    assert "make test" in "\n".join(lines[:6])
    assert "```python" in lines[:30]


@pytest.mark.parametrize("page", LINKING)
def test_links_lead_somewhere(page: str) -> None:
    """Relative links of a page, to pages and pictures, exist."""
    text = (ROOT / page).read_text()
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)

    assert all(((ROOT / page).parent / target).exists() for target in targets), targets


def test_contributing_shows_the_tree() -> None:
    """Its picture has the folders of the package, each with what lies in it, and no other."""
    tree = CONTRIBUTING.partition("\nsaliency/\n")[2].partition("\n```")[0]
    shown, room = set(), ""
    for indent, name in re.findall(r"^( +)(\w+)/ ", tree, re.MULTILINE):
        room = name if len(indent) == 2 else room
        shown.add(name if len(indent) == 2 else f"{room}/{name}")

    package = ROOT / "saliency"
    folders = {
        file.parent.relative_to(package).as_posix() for file in package.rglob("*.py")
    }
    assert shown == folders - {"."}


def test_contributing_shows_the_stair() -> None:
    """In the order that the linter checks."""
    shown = re.search(r"^__main__ > .*\n> .*", CONTRIBUTING, re.MULTILINE)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]
    layers = settings["contracts"][0]["layers"]

    assert shown is not None
    assert shown[0].replace("\n", " ") == " > ".join(layers)


def test_the_reference_is_up_to_date() -> None:
    """``scripts/make_reference.py`` would write the page and the stub as they are."""
    module = runpy.run_path(str(ROOT / "scripts" / "make_reference.py"))

    assert module["PAGE"].read_text() == module["page"]()
    assert module["STUB"].read_text() == module["stub"]()


def test_pictures_stay_small() -> None:
    """Pictures of the pages, two sheets among them, stay below 1.2 MB: a clone stays small."""
    sizes = [path.stat().st_size for path in (ROOT / "docs/images").glob("*")]
    assert sum(sizes) < 1_200_000
