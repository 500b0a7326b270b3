"""The numbers of an explanation, in a file."""

import json

import numpy as np
import pytest

from saliency import explain
from saliency.errors import InputError


def test_the_file_holds_the_numbers(model, image, tmp_path):
    """What is read back, without pickle, is what was explained."""
    result = explain(model, image, "integrated_gradients", target=1)
    with np.load(result.save(tmp_path / "a.npz"), allow_pickle=False) as found:
        assert np.array_equal(found["values"], result.heatmap.values)
        assert found["values"].dtype == np.float32
        assert np.array_equal(found["diagnostic"], image.diagnostic)
        assert float(found["score"]) == np.float32(result.score)
        assert int(found["target"]) == 1
        assert float(found["gap"]) == result.gap
        assert str(found["recipe"]) == result.recipe
        assert str(found["digest"]) == image.digest
        assert json.loads(str(found["versions"])) == result.versions


def test_no_gap_is_no_number(model, image, tmp_path):
    """A method that promises no completeness leaves NaN, not 0."""
    place = explain(model, image, "gradcam").save(tmp_path / "a.npz")

    assert np.isnan(np.load(place)["gap"])


def test_the_same_explanation_is_the_same_file(model, image, tmp_path):
    """No time and no name is in the file; a second save replaces the first, without a draft."""
    result = explain(model, image, "gradient")
    first = result.save(tmp_path / "a.npz").read_bytes()

    assert result.save(tmp_path / "a.npz").read_bytes() == first
    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    ("name", "words"), [("a.jpg", r"\.npz"), ("gone/a.npz", "folder")]
)
def test_other_places_are_refused(model, image, tmp_path, name, words):
    """An ending without a writer names those that have one; folders are not made up."""
    with pytest.raises(InputError, match=words):
        explain(model, image, "gradient").save(tmp_path / name)
