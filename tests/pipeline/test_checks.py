"""What leaves an explainer is checked, and its channels are summed."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from saliency.errors import ExplainerError, InputError, NotFiniteError
from saliency.pipeline.checks import check_input, collapsed

SHAPE = (2, 5, 7, 3)


def test_channels_are_summed():
    """The sum over the picture is the sum of the attribution: completeness survives."""
    attribution = np.random.default_rng(0).normal(size=SHAPE)
    maps = collapsed(attribution, SHAPE, "Recipe()")

    assert maps.dtype == np.float32
    assert np.allclose(maps, attribution.sum(3))


def test_a_collapsed_map_passes():
    """An explainer may collapse channels by its own rule."""
    attribution = np.ones(SHAPE[:3], np.float32)

    assert (collapsed(attribution, SHAPE, "Recipe()") == attribution).all()


@pytest.mark.parametrize(
    "shape",
    [(1, 5, 7, 3), (2, 7, 5, 3), (5, 7), (2, 5, 7, 1)],
    ids=["batch lost", "transposed", "rank 2", "channels lost"],
)
def test_other_shapes_are_refused_by_name(shape):
    """Only the inputs' shape, with or without channels, passes; the error names the recipe."""
    attribution = np.ones(shape, np.float32)
    with pytest.raises(ExplainerError, match=r"Recipe\(\): expected shape"):
        collapsed(attribution, SHAPE, "Recipe()")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_enough(bad):
    """NaN is never painted."""
    attribution = np.zeros(SHAPE, np.float32)
    attribution[1, 2, 3, 0] = bad

    with pytest.raises(NotFiniteError, match="1 of 210"):
        collapsed(attribution, SHAPE, "Recipe()")


def test_whole_numbers_are_refused():
    """An integer map has been rounded, or wrapped, before it came here."""
    with pytest.raises(ExplainerError, match="floating"):
        collapsed(np.ones(SHAPE, np.uint8), SHAPE, "Recipe()")


@pytest.mark.parametrize(
    ("low", "high", "fits"),
    [(0, 255, True), (0, 1, True), (0, 0.5, False), (-1, 9, False), (0, 256, False)],
)
def test_an_input_of_bytes_takes_whole_numbers_from_0_to_255(low, high, fits):
    """Fractions would be cut off: 0..1 is a black image to a model of bytes."""
    given = np.array([[[[low], [high]]]], np.float32)
    check_input(SimpleNamespace(input_dtype="float32"), given)
    with nullcontext() if fits else pytest.raises(InputError, match="scale='pixel'"):
        check_input(SimpleNamespace(input_dtype="uint8"), given)
