"""Whether a model's answer depends on the tissue at all.

A single image is compared with its own mean and its own pixels in disorder. On a slide other tiles
tell more: where some tissue gets the class and other tissue clearly does not, the answer depends on
the tissue, by its colour alone perhaps. Where all of it gets the class, tiles without content are
asked: one of the tissue's mean colour, and one of its pixels in disorder.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from saliency.pipeline.answer import Answer
from saliency.pipeline.indifference import raised
from saliency.probe.batch_probe import About
from saliency.probe.keras_probe import BoundProbe
from saliency.slides.explain_setup import THUMBNAIL, Setting
from saliency.slides.result_grid import cells_at
from saliency.values.arrays import Array


def indifferent_to_tissue(
    bound_probe: Any, given: Setting, answer: Answer, cutoff: float, sure_at: Array
) -> bool:
    """Say whether the class is given to all tissue, and to tiles without content as well.

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
    if not isinstance(bound_probe, BoundProbe) or sure is None:
        return False
    if not cutoff or sure < cutoff:
        return False
    if raised(np.asarray(sure), np.asarray(np.nanmin(sure_at), np.float64)):
        return False
    pixels = _tissue_pixels(given)
    tiles = (_even(pixels, given), _disorder(pixels, given))
    batch = tf.constant(np.concatenate([given.read.made(each).array for each in tiles]))
    empty = np.asarray(About(bound_probe, batch).probability, np.float64)
    return not bool(raised(np.full(len(empty), sure, np.float64), empty).all())


def _tissue_pixels(given: Setting) -> Array:
    """Return uint8 (pixels, 3): those of tissue on the thumbnail."""
    shown = given.slide.thumbnail(THUMBNAIL).display
    tissue = given.slide.tissue
    if tissue is None:
        return shown.reshape(-1, 3)
    return shown[cells_at(tissue, tissue.shape, shown.shape[:2])]


def _even(pixels: Array, given: Setting) -> Array:
    mean = np.rint(pixels.mean(axis=0)).astype(np.uint8)
    return np.broadcast_to(mean, (*given.grid.tile, 3)).copy()


def _disorder(pixels: Array, given: Setting) -> Array:
    chosen = np.random.default_rng(0).integers(len(pixels), size=given.grid.tile)
    found: Array = pixels[chosen]
    return found
