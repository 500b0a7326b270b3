"""Targets for outputs that are more than one number for each class: frozen, and safe to store."""

import hashlib
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import tensorflow as tf

from saliency.errors import InputError, TargetError
from saliency.probe.protocol import Tensor
from saliency.values.arrays import Array, frozen
from saliency.values.mask import Mask


@final
@dataclass(frozen=True, eq=False, repr=False)
class Region:
    """The mean logit of one class inside a region: a target for segmentation networks.

    Takes logits (N, h, w, classes) or (N, d, h, w, classes) and gives float32 (N,), in units of
    a logit: sum over places of weight x logit, over the sum of weights. The mean, not the sum, so
    that regions of different sizes compare.

    Parameters
    ----------
    index
        The class along the last axis. Where there is one channel, a mask of logits: 1 is its
        logit z, 0 is -z.
    mask
        A :class:`Mask` or bool array (rows, columns): on the output's own grid, or on one of
        another size that covers the same field (the model's input, or an image that was stretched
        onto it), whose cells are averaged. For volumes bool (d, h, w) on the output's own grid.
        None: everywhere.

    Raises
    ------
    InputError
        The mask is not bool, of another rank, or selects nothing; the index is negative.
    TargetError
        When asked: the output is no picture of classes, or has no such class.

    Examples
    --------
    >>> Region(1, np.eye(4, dtype=bool))
    Region(1, 4 of 4 x 4, 6b40c6d6)
    """

    index: int
    mask: Array | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.index, int | np.integer) and not isinstance(
            self.index, bool
        )
        if not whole or self.index < 0:
            msg = f"Region: expected a class index of 0 or more, got {self.index!r}."
            raise InputError(msg)
        if self.mask is None:
            return
        handed: Any = self.mask
        given = handed.values if isinstance(handed, Mask) else handed
        mask = frozen(given, np.bool_, "Region.mask", ranks=(2, 3))
        if not mask.any():
            msg = "Region: expected a mask that selects something, got none of its pixels selected."
            raise InputError(msg)
        object.__setattr__(self, "mask", mask)

    def __call__(self, output: Tensor) -> Tensor:
        """Return the mean logit, float32 (N,)."""
        logits = tf.cast(self._plane(output), tf.float32)
        places = list(range(1, len(logits.shape)))
        if self.mask is None:
            return tf.reduce_mean(logits, axis=places)
        weights = self._weights(logits)
        return tf.reduce_sum(weights * logits, axis=places) / tf.reduce_sum(weights)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Region) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[object, ...]:
        return Region, (self.index, self.mask)

    def __repr__(self) -> str:
        if self.mask is None:
            return f"Region({self.index})"
        size = " x ".join(map(str, self.mask.shape))
        return f"Region({self.index}, {int(self.mask.sum())} of {size}, {self._digest()[:8]})"

    def _key(self) -> tuple[int, tuple[int, ...], str]:
        return (
            int(self.index),
            () if self.mask is None else self.mask.shape,
            self._digest(),
        )

    def _digest(self) -> str:
        given = b"" if self.mask is None else np.packbits(self.mask).tobytes()
        return hashlib.sha256(given).hexdigest()

    def _plane(self, output: Tensor) -> Tensor:
        """Return the logits of the class (N, ...)."""
        ranks = (4, 5) if self.mask is None else (len(self.mask.shape) + 2,)
        if not tf.is_tensor(output) or len(output.shape) not in ranks:
            got = output.shape if tf.is_tensor(output) else type(output).__name__
            msg = (
                f"{self!r}: expected an output of rank {' or '.join(map(str, ranks))}, a picture "
                f"with classes last, got {got}. Choose one of several outputs with part=."
            )
            raise TargetError(msg)
        classes = output.shape[-1]
        if classes == 1 and self.index < 2:
            return output[..., 0] if self.index else -output[..., 0]
        if self.index >= classes:
            msg = (
                f"{self!r}: expected a class from 0 to {classes - 1}, got {self.index}."
            )
            raise TargetError(msg)
        return output[..., self.index]

    def _weights(self, logits: Tensor) -> Tensor:
        """Return the mask on the grid of the logits (1, h, w): shares of each cell."""
        mask = tf.constant(self.mask, tf.float32)[tf.newaxis]
        if len(mask.shape) == 3:
            size = tf.shape(logits)[1:]
            return tf.image.resize(mask[..., tf.newaxis], size, method="area")[..., 0]
        if not mask.shape[1:].is_compatible_with(logits.shape[1:]):
            msg = f"{self!r}: expected a mask on the output's grid, which is {logits.shape[1:]}."
            raise TargetError(msg)
        return mask


@final
@dataclass(frozen=True)
class Contrast:
    """The evidence for one class rather than another: the difference of their logits.

    Takes logits (N, classes) and gives float32 (N,). A map of one logit also shows what speaks
    for every class alike; that cancels here.

    Parameters
    ----------
    index, against
        The two classes.

    Raises
    ------
    TargetError
        When asked: the output is no list of classes, or has no such class.
    """

    index: int
    against: int

    def __call__(self, output: Tensor) -> Tensor:
        """Return the difference, float32 (N,)."""
        fits = tf.is_tensor(output) and len(output.shape) == 2
        if not fits or not all(
            0 <= each < output.shape[1] for each in (self.index, self.against)
        ):
            got = output.shape if tf.is_tensor(output) else type(output).__name__
            msg = (
                f"{self!r}: expected logits (N, classes) with both classes, got {got}."
            )
            raise TargetError(msg)
        return output[:, self.index] - output[:, self.against]
