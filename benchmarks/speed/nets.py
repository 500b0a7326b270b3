"""The models that are timed: known architectures, random weights."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import saliency as sal

Tensor = Any


@dataclass(frozen=True)
class Case:
    """A model, one compiled forward pass of it, and pictures of its size."""

    name: str
    model: Any
    forward: Any
    inputs: Tensor

    @property
    def title(self) -> str:
        """Name, size and batch."""
        return f"{self.name}, {self.inputs.shape[1]} x {self.inputs.shape[2]}"


def case(name: str, side: int = 224, head: str = "mean") -> Case:
    """Build a model; ``head`` is "mean" (global average pooling) or "dense" (two layers)."""
    keras.utils.set_random_seed(0)
    made = getattr(keras.applications, name)(
        weights=None, input_shape=(side, side, 3), include_top=head == "mean"
    )
    model = made if head == "mean" else two_dense(made)
    pictures = (
        np.random.default_rng(0).normal(size=(8, side, side, 3)).astype(np.float32)
    )
    return Case(name, model, forward_of(model), tf.constant(pictures))


def two_dense(trunk: Any) -> Any:
    """Put the head of many transfer-learning models on a trunk: no closed form."""
    pooled = keras.layers.GlobalAveragePooling2D()(trunk.output)
    hidden = keras.layers.Dense(128, activation="relu")(pooled)
    return keras.Model(trunk.input, keras.layers.Dense(2, activation="softmax")(hidden))


def forward_of(model: Any) -> Any:
    """Return the unit: one compiled forward pass for all batch sizes."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    return tf.function(
        lambda inputs: model(inputs, training=False), input_signature=signature
    )


def backward_of(model: Any) -> Any:
    """Return a hand-written compiled gradient of one class: what any library has to trace."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]

    def gradient(inputs: Tensor) -> Tensor:
        return tf.gradients(model(inputs, training=False)[:, 1], inputs)[0]

    return tf.function(gradient, input_signature=signature)


def picture(side: int = 2048) -> sal.DicomImage:
    """Return a smooth 12-bit radiograph with noise."""
    down, across = np.mgrid[:side, :side] / side
    smooth = 2000 + 1500 * np.sin(7 * down) * np.cos(5 * across)
    noise = np.random.default_rng(0).normal(0, 12, (side, side))
    pixels = np.clip(smooth + noise, 0, 4095).astype(np.float32)
    return sal.DicomImage.from_array(pixels, window=sal.Window(2000, 4000))
