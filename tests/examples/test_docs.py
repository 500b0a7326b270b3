"""What the pages say runs, and what they show exists."""

import re
import runpy
import shutil
from pathlib import Path

import pytest
from examples.running import ROOT, run
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


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page: str, tmp_path: Path) -> None:
    """A page's blocks, one after the other, run with a model and a file of the names they use."""
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / page).read_text())
    shutil.copy(ROOT / "examples" / "demo_model.keras", tmp_path / "model.keras")
    shutil.copy(
        str(get_testdata_file("examples_overlay.dcm", download=False)), tmp_path / "chest.dcm"
    )
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks))

    run(script, folder=tmp_path)

    assert list(tmp_path.glob("*.png"))


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


def test_the_reference_is_up_to_date() -> None:
    """``scripts/make_reference.py`` would write the page and the stub as they are."""
    module = runpy.run_path(str(ROOT / "scripts" / "make_reference.py"))

    assert module["PAGE"].read_text() == module["page"]()
    assert module["STUB"].read_text() == module["stub"]()


def test_pictures_stay_small() -> None:
    """Pictures of the pages take less than 800 kB together: a clone stays small."""
    assert sum(path.stat().st_size for path in (ROOT / "docs/images").glob("*")) < 800_000
