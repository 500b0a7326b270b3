"""Names at the edge."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from saliency.errors import ExplainerError
from saliency.explainers import catalogue as module
from saliency.explainers.catalogue import DEMANDING, ENTRIES, catalogue, resolve
from saliency.explainers.propagation.lrp import COMPOSITES

PAGES = Path(__file__).parents[2] / "docs" / "explainers"


def test_reading_names_loads_nothing():
    """Listing explainers loads neither TensorFlow nor numpy, so that a command line is quick."""
    code = (
        "import sys; from saliency.explainers.catalogue import catalogue; list(catalogue());"
        "print([m for m in ('tensorflow', 'keras', 'numpy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_row_leads_to_a_frozen_recipe():
    """Each name has a class that works without arguments, and a line that says what it costs."""
    assert set(catalogue()) == set(ENTRIES)
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


def test_plugins_are_looked_up_last(monkeypatch):
    """An installed entry point is found by its name, and never hides one of ours."""
    asked = []

    class Plugin:
        name = "theirs"

        def load(self):
            return len

    def installed(*, group):
        asked.append(group)
        return [Plugin()]

    monkeypatch.setattr(module, "entry_points", installed)
    resolve("gradient")
    assert asked == []
    assert resolve("theirs") is len
    assert asked == ["saliency.explainers"]


@pytest.mark.parametrize("name", [*ENTRIES, *DEMANDING])
def test_every_name_has_its_page(name):
    """A page says what the name stands for, number by number, and when the method misleads."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert f"`{resolve(name)!r}`" in page
    assert all(f"## {part}" in page for part in ("Formula", "When it misleads", "Reference"))


def test_pages_say_what_the_catalogue_says():
    """The tables of methods, and the cost on each page, are what scripts/make_methods.py writes."""
    code = (
        "from make_methods import written\n"
        "print([path.name for path, text in written() if path.read_text('utf-8') != text])"
    )
    folder = PAGES.parents[1] / "scripts"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_what_other_libraries_methods_are_called_here_is_here():
    """Each name in the right column is of an explainer, of a number of one, or of a composite."""
    page = (PAGES / "coming-from.md").read_text("utf-8")
    rows = re.findall(r"^\|.*\| (.*) \|$", page, re.MULTILINE)
    said = {word for row in rows for word in re.findall(r"`([a-z_0-9]+)`", row)}
    names = {*ENTRIES, *DEMANDING}
    numbers = {field.name for name in names for field in dataclasses.fields(resolve(name))}
    assert said - names - numbers == {"explain_layers"}
    assert len(said & names) > 30
    composites = {word for row in rows for word in re.findall(r'"([a-z_0-9]+)"', row)}
    assert composites < {*COMPOSITES}
