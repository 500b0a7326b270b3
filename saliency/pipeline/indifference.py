"""Whether a model's answer depends on the picture at all: the model is asked about others.

A network with shuffled weights gives most pictures one and the same answer, and its maps look as
good as any. ``benchmarks/fooled.py`` counts how often this is seen.
"""

from typing import Final

import numpy as np
import tensorflow as tf

from saliency.probe.batch_probe import About
from saliency.probe.protocol import Tensor
from saliency.values.arrays import Array

#: A picture that matters raises the probability of its class by this much, and its odds this
#: many times, above that of the picture with other content.
RISE: Final = 0.1
TIMES: Final = 8.0
#: Times that each pixel's distance from the mean is multiplied.
CONTRAST: Final = 2.5


def indifferent(probe: About, batch: Tensor, cutoff: float) -> Array:
    """Return bool (N,): whether the class is given whatever the content.

    The model is asked about two pictures without content, the picture's mean, spread evenly, and
    the picture with its pixels shuffled; then about one of more content, with 2.5 times the
    contrast: "no lesion" is what a good model says of no content, too, but not of any content.
    Each is asked about only where those before it get the class, so that most answers cost one
    forward pass more.

    Parameters
    ----------
    probe
        Settled on the batch, with a probability for each sample.
    batch
        float32 (N, ..., C).
    cutoff
        Classes of less probability are not asked about: they are not predicted anyway.
    """
    sure = np.asarray(probe.probability, np.float64)
    asked = sure >= cutoff
    for changed in (even, pixels_shuffled, more_contrast):
        if not asked.any():
            break
        other = np.asarray(probe.probability_of(changed(batch)), np.float64)
        asked = asked & ~raised(sure, other)
    return asked


def raised(sure: Array, other: Array) -> Array:
    """Say where a probability lies clearly above another: in points, and in odds."""
    in_odds = sure * (1 - other) >= TIMES * other * (1 - sure)
    found: Array = (sure - other >= RISE) & in_odds
    return found


def even(batch: Tensor) -> Tensor:
    """Return each picture's mean, by channel, in all of its pixels."""
    return tf.broadcast_to(_mean(batch), tf.shape(batch))


def more_contrast(batch: Tensor) -> Tensor:
    """Return pictures with 2.5 times their contrast about the mean of each channel."""
    mean = _mean(batch)
    return mean + CONTRAST * (batch - mean)


def _mean(batch: Tensor) -> Tensor:
    axes = list(range(1, batch.shape.rank - 1))
    return tf.reduce_mean(batch, axes, keepdims=True)


def pixels_shuffled(batch: Tensor) -> Tensor:
    """Return pictures with their pixels, or voxels, in another order, the same for all."""
    count = int(np.prod(batch.shape[1:-1]))
    order = np.random.default_rng(0).permutation(count)
    pixels = tf.reshape(batch, (batch.shape[0], count, batch.shape[-1]))
    shuffled = tf.gather(pixels, order, axis=1)
    return tf.reshape(shuffled, batch.shape)
