"""A model that has forgotten what it learnt: the control of every explanation."""

from typing import Any

import keras
import numpy as np

from saliency.errors import ModelError
from saliency.values.arrays import Array


def shuffled(model: Any, seed: int) -> Any:
    """Return a copy of a model whose weights are permuted, each tensor within itself.

    The values of every tensor stay the same, so that activations keep their scale; what is lost is
    their order. The model itself is left as it is.

    Raises
    ------
    ModelError
        Keras cannot clone it: a subclassed model without ``get_config``.
    """
    try:
        copy = keras.models.clone_model(model)
    except (NotImplementedError, TypeError, ValueError) as error:
        msg = (
            f"Keras cannot clone this {type(model).__name__} to shuffle the copy's weights "
            f"({type(error).__name__}). Give it get_config and from_config."
        )
        raise ModelError(msg) from error
    generator = np.random.default_rng(seed)
    copy.set_weights([_permuted(weight, generator) for weight in model.get_weights()])
    return copy


def _permuted(weight: Array, generator: np.random.Generator) -> Array:
    return generator.permutation(weight.ravel()).reshape(weight.shape)
