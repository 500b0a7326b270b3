"""The last dense layer of a classifier: what comes into it, and the same model with another one."""

from typing import Any

import keras
import numpy as np

from saliency.values.arrays import Array


def last_dense(model: Any) -> Any:
    """Return the dense layer that gives a model's output; None where there is no such layer.

    An activation layer may follow it. Layers inside a nested model are not looked at, since the
    copy would have to take that model apart.
    """
    layers = list(getattr(model, "layers", ()))
    if layers and isinstance(
        layers[-1], keras.layers.Activation | keras.layers.Softmax
    ):
        layers.pop()
    whole = isinstance(model, keras.Sequential) or getattr(model, "inputs", None)
    if not whole or not layers or not isinstance(layers[-1], keras.layers.Dense):
        return None
    dense = layers[-1]
    return dense if len(dense.input.shape) == 2 and len(model.inputs) == 1 else None


def features_of(model: Any, batch: Array) -> Array:
    """Return what comes into the last dense layer, float64 (n, features), as at inference."""
    body = keras.Model(model.inputs[0], last_dense(model).input)
    return np.asarray(body(batch, training=False), np.float64)


def head_of_dense(model: Any) -> tuple[Array, Array]:
    """Return kernel (features, units) and bias (units,) of the last dense layer, float64."""
    dense = last_dense(model)
    kernel = np.asarray(dense.kernel, np.float64)
    bias = np.zeros(kernel.shape[1]) if dense.bias is None else np.asarray(dense.bias)
    return kernel, np.asarray(bias, np.float64)


def with_head(model: Any, kernel: Array, bias: Array) -> Any:
    """Return a copy of a model whose last dense layer has other weights; the model stays.

    A head without a bias keeps none.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    dense = last_dense(copy)
    dense.set_weights([kernel] if dense.bias is None else [kernel, bias])
    return copy
