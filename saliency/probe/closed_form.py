"""A probe made of functions: for tests, and for authors of explainers. No Keras."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import tensorflow as tf

from saliency.errors import InputError, ModelError
from saliency.probe.protocol import Tensor

Function: TypeAlias = Callable[[Tensor], Tensor]


@final
@dataclass(frozen=True)
class ClosedFormProbe:
    """A function of pictures with a gradient that is known on paper.

    The model is ``head(features(inputs))``, or ``function(inputs)`` where nothing is tapped.

    Parameters
    ----------
    function
        Inputs (N, ...) -> score (N,).
    derivative
        Inputs -> derivative of the score, shaped like them; None: by automatic differentiation.
    features
        Inputs -> tuple of activations (N, h, w, c), earliest first; None: nothing is tapped.
    head
        Last activation -> score (N,), for derivatives by it; needed with ``features``.

    Raises
    ------
    InputError
        ``features`` and ``head`` are not given together.

    Examples
    --------
    >>> probe = ClosedFormProbe(lambda x: tf.reduce_sum(x**2, (1, 2, 3)), lambda x: 2 * x)
    >>> float(probe.score(tf.ones((1, 2, 3, 1)))[0])
    6.0
    """

    function: Function
    derivative: Function | None = None
    features: Callable[[Tensor], tuple[Tensor, ...]] | None = None
    head: Function | None = None

    def __post_init__(self) -> None:
        if (self.features is None) != (self.head is None):
            msg = "ClosedFormProbe: expected features and head together, got one of them."
            raise InputError(msg)
