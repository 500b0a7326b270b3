"""Weights that have forgotten what they learnt: the control of every explanation."""

from typing import Any

import numpy as np

from saliency.errors import ModelError
from saliency.probe.model.keras_internals import is_sealed, sublayers
from saliency.values.arrays import Array


def shuffled(model: Any, seed: int) -> list[tuple[Any, Array]]:
    """Return each weight of a model with its values permuted, within the tensor.

    The values of every tensor stay the same, so that activations keep their scale; what is lost is
    their order. The model itself is left as it is.

    Raises
    ------
    ModelError
        It computes with weights that are not Keras's own, which would silently stay.
    """
    foreign = [layer.name for layer in sublayers(model) if is_sealed(layer)]
    if foreign:
        msg = (
            f"The weights of {', '.join(map(repr, foreign))} lie in a SavedModel and cannot be "
            "shuffled. Load the model that was exported, and explain that; RandomMap and EdgeMap "
            "are controls for any model."
        )
        raise ModelError(msg)
    generator = np.random.default_rng(seed)
    return [(weight, _permuted(weight.numpy(), generator)) for weight in model.weights]


def _permuted(weight: Array, generator: np.random.Generator) -> Array:
    return generator.permutation(weight.ravel()).reshape(weight.shape)
