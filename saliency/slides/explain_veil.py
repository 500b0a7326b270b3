"""Whether a model's answer depends on the tissue at all: tiles without content are asked.

A single image is compared with its own mean and its own pixels in disorder. On a slide colour
alone may tell tissue apart, and rightly so. Tiles are therefore compared with the mean of all
tissue, and with the pixels in disorder of the tissue that is not of the class: a few pixels of a
lesion would make a lesion of their own.
"""

from typing import Any, Final

import numpy as np
import tensorflow as tf

from saliency.pipeline.answer import Answer
from saliency.pipeline.indifference import raised
from saliency.probe.batch_probe import About
from saliency.probe.keras_probe import BoundProbe
from saliency.slides.explain_setup import THUMBNAIL, Setting
from saliency.slides.result_grid import cells_at
from saliency.values.arrays import Array

#: Share of the tissue that must not be of the class, so that it alone stands for what is not.
LEAST_REST: Final = 0.05


def indifferent_to_tissue(
    bound_probe: Any, given: Setting, answer: Answer, cutoff: float, sure_at: Array
) -> bool:
    """Say whether a tile of the slide's mean colour, or of its pixels in disorder, gets the class.

    Parameters
    ----------
    answer
        Of the tile of greatest score; a class that it does not get is not asked about.
    cutoff
        As in a SlideExplanation; 0: nothing is asked.
    sure_at
        float32 (tile rows, tile columns): the probability of the class in each tile.
    """
    sure = answer.probability
    if (
        not isinstance(bound_probe, BoundProbe)
        or sure is None
        or sure < max(cutoff, 1e-9)
    ):
        return False
    pixels, of_class = _tissue_pixels(given, sure_at >= cutoff)
    others = pixels[~of_class]
    rest = others if len(others) >= LEAST_REST * len(pixels) else pixels
    made = [
        given.read.made(tile) for tile in (_even(pixels, given), _disorder(rest, given))
    ]
    batch = tf.constant(np.concatenate([each.array for each in made]))
    empty = np.asarray(About(bound_probe, batch).probability, np.float64)
    return not bool(raised(np.full(len(empty), sure, np.float64), empty).all())


def _tissue_pixels(given: Setting, of_class: Array) -> tuple[Array, Array]:
    """Return tissue on the thumbnail, uint8 (n, 3), and which of it lies in tiles of the class."""
    shown = given.slide.thumbnail(THUMBNAIL).display
    size = shown.shape[:2]
    grid, scale = given.grid, np.divide(size, given.grid.size)
    inside = np.zeros(size, np.bool_)
    for row, column in np.argwhere(of_class):
        down = _pixels(grid.down[row].start, grid.tile[0], scale[0])
        across = _pixels(grid.across[column].start, grid.tile[1], scale[1])
        inside[down, across] = True
    tissue = given.slide.tissue
    if tissue is None:
        return shown.reshape(-1, 3), inside.ravel()
    there = cells_at(tissue, tissue.shape, size)
    return shown[there], inside[there]


def _pixels(start: int, side: int, scale: float) -> slice:
    """Return the pixels of a thumbnail's axis that a tile meets."""
    return slice(int(start * scale), int(np.ceil((start + side) * scale)))


def _even(pixels: Array, given: Setting) -> Array:
    mean = np.rint(pixels.mean(axis=0)).astype(np.uint8)
    return np.broadcast_to(mean, (*given.grid.tile, 3)).copy()


def _disorder(pixels: Array, given: Setting) -> Array:
    chosen = np.random.default_rng(0).integers(len(pixels), size=given.grid.tile)
    found: Array = pixels[chosen]
    return found
