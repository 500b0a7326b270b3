"""Models that take batches of one size: ask in such batches, whatever the number of samples."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from saliency.errors import InputError
from saliency.probe.protocol import Tensor


def in_batches(
    question: Callable[..., Any],
    size: int,
    inputs: Tensor,
    targets: Tensor,
    held: tuple[Tensor, ...],
) -> Any:
    """Return the answer for N samples from a question that takes ``size`` at a time.

    The last batch is filled up with the last sample. ``targets`` and ``held`` have k rows, N a
    multiple of k: sample i has row i modulo k.

    Raises
    ------
    InputError
        N is not known while a graph is drawn.
    """
    count = inputs.shape[0]
    if count is None:
        msg = f"This model takes batches of {size}: expected inputs of a known number of samples."
        raise InputError(msg)
    places = np.minimum(np.arange(-(-count // size) * size), count - 1)

    def rows(tensor: Tensor, chosen: Any) -> Tensor:
        return tf.gather(tensor, chosen % int(tensor.shape[0]))

    answers = [
        question(
            rows(inputs, chosen),
            rows(targets, chosen),
            tuple(rows(h, chosen) for h in held),
        )
        for chosen in np.split(places, len(places) // size)
    ]
    return tf.nest.map_structure(lambda *parts: tf.concat(parts, 0)[:count], *answers)
