"""Values that were pickled by an earlier release."""

import pickle
from pathlib import Path

import numpy as np

import saliency as sal
from saliency.render.paint import paint

WRITTEN = Path(__file__).with_name("before_the_move.pickle")


def test_values_of_an_earlier_release_load():
    """A pickle written before the rooms were rearranged gives equal values."""
    found = pickle.loads(WRITTEN.read_bytes())  # noqa: S301 - our own file

    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    heatmap = sal.Heatmap(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4))
    assert np.array_equal(found["image"].pixels, pixels)
    assert np.array_equal(
        found["image"].display, sal.DicomImage.from_array(pixels).display
    )
    assert np.array_equal(found["heatmap"].values, heatmap.values)
    assert np.array_equal(
        found["overlay"].rgb, paint(found["image"].display, heatmap).rgb
    )
    assert np.array_equal(found["mask"].values, sal.top_fraction(heatmap, 0.25).values)
