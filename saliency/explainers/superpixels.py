"""The parts of an image: its own superpixels, or regions that are given."""

from typing import Any

import numpy as np
import tensorflow as tf

from saliency.errors import InputError
from saliency.kernels import grids, superpixels
from saliency.kernels.resize import size_of
from saliency.probe.protocol import Tensor


def check_regions(recipe: str, regions: Any, least: int = 1) -> None:
    """Raise InputError where regions are given and are no whole numbers, or fewer than needed."""
    if regions is None:
        return
    numbers = np.asarray(regions)
    if numbers.dtype.kind not in "iub" or numbers.size == 0:
        msg = (
            f"{recipe}: expected regions as whole numbers, int (H, W), got "
            f"{numbers.dtype} {numbers.shape}."
        )
        raise InputError(msg)
    if (count := len(np.unique(numbers))) < least:
        msg = f"{recipe}: expected at least {least} regions, got {count}."
        raise InputError(msg)


def parts(recipe: str, inputs: Tensor, grid: int, regions: Any) -> tuple[Tensor, int]:
    """Return the part of each pixel, int32 (N, H, W) in 0..S - 1, and S.

    Raises
    ------
    InputError
        The size of the given regions is not the picture's.
    """
    if regions is None:
        return superpixels.superpixels(inputs, grid), grids.count_of(grid, inputs)
    numbers = np.asarray(regions)
    if numbers.shape != size_of(inputs):
        msg = f"{recipe}: expected regions of {size_of(inputs)}, got {numbers.shape}."
        raise InputError(msg)
    # Any numbers become 0..S - 1, the same for all samples.
    distinct, labels = np.unique(numbers, return_inverse=True)
    of_picture = tf.constant(labels.reshape(numbers.shape), tf.int32)[tf.newaxis]
    return tf.repeat(of_picture, tf.shape(inputs)[0], axis=0), len(distinct)
