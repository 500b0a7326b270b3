"""Names at the edge."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from saliency.cli import main as shell
from saliency.errors import ExplainerError
from saliency.explainers import catalogue as module
from saliency.explainers.catalogue import DEMANDING, ENTRIES, catalogue, resolve
from saliency.explainers.propagation.lrp import COMPOSITES
from saliency.explainers.registry import ALIASES, called_like

PAGES = Path(__file__).parents[2] / "docs" / "explainers"


def test_reading_names_loads_nothing():
    """Listing explainers loads neither TensorFlow nor numpy, so that a command line is quick."""
    code = (
        "import sys; from saliency.explainers.catalogue import catalogue; list(catalogue());"
        "print([m for m in ('tensorflow', 'keras', 'numpy') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_every_row_leads_to_a_frozen_recipe():
    """Each name has a class that works without arguments, and a line that says what it costs."""
    assert set(catalogue()) == {*ENTRIES, *DEMANDING}
    for name, entry in {**ENTRIES, **DEMANDING}.items():
        made = resolve(name)
        assert type(made).__dataclass_params__.frozen
        assert entry.where.endswith(f":{type(made).__name__}")
        assert entry.summary
        assert entry.cost
        assert entry.needs or entry.summary.startswith("Control")


def test_a_slip_is_answered_with_near_names():
    """An unknown name is refused with the names that are like it."""
    with pytest.raises(ExplainerError, match=r"'gradcamm'.*gradcam"):
        resolve("gradcamm")
    with pytest.raises(ExplainerError, match="expected a name or a callable"):
        resolve(17)


@dataclasses.dataclass
class Point:
    """An entry point, as importlib has it."""

    name: str
    load: object
    package: str = "theirs"

    @property
    def dist(self):
        """The package, by its name."""
        return type("Distribution", (), {"name": self.package})


class Told:
    """Halves of the gradient."""

    cost = "1 F + 1 B"
    needs = "gradient"

    def __call__(self, probe, inputs):
        return probe.gradient(inputs) / 2


def plain(probe, inputs):
    """Twice the gradient.

    And more words.
    """
    return probe.gradient(inputs) * 2


def fails():
    msg = "no module\nnamed so"
    raise ImportError(msg)


@pytest.fixture
def offered(monkeypatch):
    """Packages that offer good explainers, a broken one, one under our name, and a pair."""
    points = [
        Point("told", lambda: Told),
        Point("plain", lambda: plain),
        Point("broken", fails),
        Point("number", lambda: 17),
        Point("gradcam", lambda: plain, "copycat"),
        Point("IG", lambda: plain, "copycat"),
        Point("twice", lambda: plain, "one"),
        Point("twice", lambda: plain, "other"),
    ]
    asked = []

    def entry_points(*, group):
        asked.append(group)
        return points

    monkeypatch.setattr(module, "entry_points", entry_points)
    return asked


def test_plugins_are_looked_up_last(offered):
    """An installed entry point is found by its name, and never hides one of ours."""
    assert type(resolve("gradcam")).__name__ == "GradCAM"
    assert offered == []
    assert resolve("plain") is plain
    assert offered == ["saliency.explainers"]


def test_the_catalogue_holds_plugins_too(offered):
    """Those that may be used, behind ours; each value is called for the explainer."""
    names = list(catalogue())
    assert names == [*ENTRIES, *DEMANDING, "told", "plain", "broken", "number"]
    assert len(catalogue()) == len(names)
    values = dict(catalogue())
    assert isinstance(values["told"](), Told)
    assert values["plain"]() is resolve(values["plain"]) is plain
    assert resolve(values["gradient"]) == resolve("gradient")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "broken",
            "'broken' of theirs cannot be loaded: ImportError: no module named so$",
        ),
        ("number", "'number' of theirs is a int, which cannot be called"),
        ("twice", "two packages have that name"),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why(offered, name, said):
    """In one line, which names the package."""
    with pytest.raises(ExplainerError, match=said) as raised:
        resolve(name)
    assert "\n" not in str(raised.value)


def test_the_shell_lists_plugins_with_what_they_say(offered, capsys):
    """Cost and needs where they give them; what is broken or refused is one line."""
    assert shell(["explainers"]) == 0
    printed = capsys.readouterr().out
    assert re.search(
        r"^told +Halves of the gradient\. \(theirs\)$", printed, re.MULTILINE
    )
    assert "costs 1 F + 1 B; needs gradient\n" in printed
    assert re.search(
        r"^plain +Twice the gradient\. \(theirs\)\n +costs unknown; needs unknown",
        printed,
        re.MULTILINE,
    )
    assert "'broken' of theirs cannot be loaded" in printed
    assert "'gradcam' of copycat is refused: the name is ours." in printed
    assert (
        "'IG' of copycat is refused: the name is what 'integrated_gradients' is called too."
        in printed
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("GradCAM", "gradcam"),
        ("Grad-CAM", "gradcam"),
        ("grad_cam", "gradcam"),
        ("gradcam++", "gradcam_plus_plus"),
        ("Grad-CAM++", "gradcam_plus_plus"),
        ("gradcampp", "gradcam_plus_plus"),
        ("ig", "integrated_gradients"),
        ("IntegratedGradients", "integrated_gradients"),
        ("saliency", "gradient"),
        ("shap", "kernel_shap"),
        ("guided-backprop", "guided_backprop"),
        ("GradientTimesInput", "gradient_x_input"),
        ("Score CAM", "scorecam"),
        ("FASTCAM", "fastcam"),
    ],
)
def test_names_are_known_as_the_field_writes_them(said, meant):
    """Case, hyphens and pluses do not count, and aliases and classes will do."""
    assert resolve(said) == resolve(meant)


def test_each_alias_is_one_explainer_s_and_in_the_documents():
    """None is another explainer's name or class; docs/explainers/coming-from.md lists them all."""
    ours = {**ENTRIES, **DEMANDING}
    plain = {called_like(alias): alias for alias in ALIASES}
    assert all(called_like(alias) == name for alias, name in ALIASES.items())
    assert plain.keys() <= ours.keys()
    for name, row in ours.items():
        assert called_like(name) == called_like(row.where.partition(":")[2]) == name
    page = (PAGES / "coming-from.md").read_text("utf-8")
    rows = dict(
        re.findall(
            r"^\| (.+) \| `(\w+)` \|$", page.partition("## Names")[2], re.MULTILINE
        )
    )
    listed = {
        alias: name for aliases, name in rows.items() for alias in aliases.split(", ")
    }
    assert listed == dict(ALIASES)


@pytest.mark.parametrize("name", [*ENTRIES, *DEMANDING])
def test_every_name_has_its_page(name):
    """A page says what the name stands for, number by number, and when the method misleads."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert f"`{resolve(name)!r}`" in page
    assert all(
        f"## {part}" in page for part in ("Formula", "When it misleads", "Reference")
    )


def test_pages_say_what_the_catalogue_says():
    """The tables of methods, and the cost on each page, are what scripts/make_methods.py writes."""
    code = (
        "from make_methods import written\n"
        "print([path.name for path, text in written() if path.read_text('utf-8') != text])"
    )
    folder = PAGES.parents[1] / "scripts"
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"


def test_what_other_libraries_methods_are_called_here_is_here():
    """Each name in the right column is of an explainer, of a number of one, or of a composite."""
    page = (PAGES / "coming-from.md").read_text("utf-8").partition("## Names")[0]
    rows = re.findall(r"^\|.*\| (.*) \|$", page, re.MULTILINE)
    said = {word for row in rows for word in re.findall(r"`([a-z_0-9]+)`", row)}
    names = {*ENTRIES, *DEMANDING}
    numbers = {
        field.name for name in names for field in dataclasses.fields(resolve(name))
    }
    assert said - names - numbers == {"explain_layers"}
    assert len(said & names) > 30
    composites = {word for row in rows for word in re.findall(r'"([a-z_0-9]+)"', row)}
    assert composites < {*COMPOSITES}
