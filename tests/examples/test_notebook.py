"""The notebook runs from its first cell to its last, and shows pictures."""

from typing import Any

import jupytext
import pytest
from examples.running import ROOT, environment
from nbclient import NotebookClient

NOTEBOOKS = ROOT / "docs" / "notebooks"


@pytest.mark.slow
@pytest.mark.spread
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_first_explanation_shows_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value that ends a cell comes out as a PNG with a line of text, and nothing fails."""
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    notebook = jupytext.read(NOTEBOOKS / "first_explanation.py")
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(
        notebook,
        timeout=300,
        startup_timeout=120,
        kernel_name="python3",
        resources=resources,
    )

    done = client.execute()

    shown = [
        output.data
        for output in outputs(done)
        if output.output_type == "execute_result"
    ]
    assert len(shown) == 6
    assert all("image/png" in data and "text/plain" in data for data in shown)
    assert not [output for output in outputs(done) if output.output_type == "error"]


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]
