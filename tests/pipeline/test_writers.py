"""One table of forms: the ending of a name finds the writer."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saliency import explain
from saliency.pipeline.writers import WRITERS, save_explanation


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_every_ending_of_the_table_is_saved(model, image, tmp_path, ending):
    """``Explanation.save`` knows each row of the table, in any case of letters."""
    result = explain(model, image, "gradient")
    place = result.save(tmp_path / f"a{ending.upper()}")

    assert place.stat().st_size
    assert [each.name for each in tmp_path.iterdir()] == [place.name]


def test_every_form_is_in_the_documents():
    """docs/shell.md lists what ``--save`` takes."""
    page = (Path(__file__).parents[2] / "docs" / "shell.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `--save` |"))

    assert all(f"`{ending.lstrip('.')}` (" in row for ending in WRITERS)


def test_a_new_form_is_one_row(model, image, tmp_path, monkeypatch):
    """Nothing else decides about endings."""
    monkeypatch.setitem(
        WRITERS, ".txt", lambda result, look: f"{result.target} {look}".encode()
    )
    result = explain(model, image, "gradient", target=1)

    assert result.save(tmp_path / "a.txt").read_text() == "1 {}"


def test_the_look_reaches_the_painter(model, image, tmp_path):
    """What the caller says of palettes and strength is what is painted."""
    result = explain(model, image, "gradient")
    look = {"palette": "hot", "strength": 0.9, "caption": False}
    place = save_explanation(result, tmp_path / "a.png", look)
    with Image.open(place) as found:
        painted = np.asarray(found.convert("RGB"))

    assert np.array_equal(painted, result.overlay(palette="hot", strength=0.9).rgb)
