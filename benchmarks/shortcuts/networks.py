"""Six small architectures, trained on drawn marks and kept; their true reliance is measured."""

import inspect
from hashlib import sha256
from pathlib import Path

import keras
import marks
import numpy as np
from marks import SIZE, Array, Task, drawn

TRAINED, EPOCHS = 384, 10
ENOUGH = 768
"""Images from which the lesion is learned beside the mark."""


def _stem(filters: int, **options: object) -> list[keras.layers.Layer]:
    conv = keras.layers.Conv2D
    return [
        conv(filters, 5, strides=2, activation="relu", **options),
        conv(2 * filters, 3, strides=2, activation="relu", **options),
        conv(2 * filters, 3, strides=2, activation="relu", **options),
    ]


def network(kind: str) -> keras.Model:
    """Return an untrained classifier of one of :data:`NETWORKS`."""
    inputs = keras.Input((*SIZE, 1))
    hidden = _pooled(kind, _features(kind, inputs))
    return keras.Model(
        inputs, keras.layers.Dense(2, activation="softmax")(hidden), name=kind
    )


def _features(kind: str, inputs: object) -> object:
    """Return a map of features."""
    layers, hidden = keras.layers, inputs
    if kind == "separable":
        hidden = layers.Conv2D(12, 5, strides=2, activation="relu")(hidden)
        for filters in (24, 32):
            hidden = layers.SeparableConv2D(filters, 3, strides=2, activation="relu")(
                hidden
            )
    elif kind == "patches":
        hidden = layers.Conv2D(24, 8, strides=8, activation="relu")(hidden)
        hidden = layers.Reshape((-1, 24))(hidden)
        hidden = layers.MultiHeadAttention(2, 12)(hidden, hidden) + hidden
        hidden = layers.Reshape((SIZE[0] // 8, SIZE[1] // 8, 24))(hidden)
        hidden = layers.Conv2D(32, 1, activation="relu")(hidden)
    else:
        for layer in _stem(12):
            hidden = layer(hidden)
    if kind == "residual":
        inner = layers.Conv2D(24, 3, padding="same", activation="relu")(hidden)
        hidden = layers.BatchNormalization()(hidden + inner)
    return hidden


def _pooled(kind: str, hidden: object) -> object:
    """Return a row of features."""
    layers = keras.layers
    if kind == "flat":
        flat = layers.Flatten()(layers.MaxPooling2D(2)(hidden))
        return layers.Dense(24, activation="relu")(flat)
    if kind in ("mean", "residual"):
        return layers.GlobalAveragePooling2D()(hidden)
    return layers.GlobalMaxPooling2D()(hidden)


NETWORKS = ("max", "mean", "flat", "residual", "separable", "patches")


def fitted(
    kind: str, task: Task, *, shuffled: bool = False, count: int = TRAINED
) -> keras.Model:
    """Train a model of the task; of labels in no order where ``shuffled``."""
    keras.utils.set_random_seed(task.seed)
    model = network(kind)
    images, labels, _ = drawn(task, count)
    wanted = (
        np.random.default_rng(task.seed).permutation(labels) if shuffled else labels
    )
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(inputs_of(images), wanted, batch_size=32, epochs=EPOCHS, verbose=0)
    return model


def trained(
    kept: Path,
    kind: str,
    task: Task,
    *,
    shuffled: bool = False,
    count: int = TRAINED,
) -> keras.Model:
    """Return the model of a folder, trained where it is not there or was trained otherwise."""
    recipe = [inspect.getsource(marks), inspect.getsource(fitted), kind, repr(task)]
    recipe += [
        inspect.getsource(function) for function in (network, _features, _pooled)
    ]
    name = sha256("".join([*recipe, repr((shuffled, count))]).encode()).hexdigest()[:16]
    path = kept / f"{name}.keras"
    if not path.exists():
        fitted(kind, task, shuffled=shuffled, count=count).save(path)
    return keras.models.load_model(path)


def reliance(model: keras.Model, task: Task) -> tuple[float, float]:
    """Return the mean move of the lead when every mark is exchanged, over the swing; accuracy."""
    before, labels, marks = drawn(task, 160)
    after, _, _ = drawn(task, 160, swapped=True)
    first, second = (_lead(model, images) for images in (before, after))
    moved = np.where(marks == 1, first - second, second - first).mean()
    accuracy = float(((first > 0) == labels).mean())
    return abs(float(moved)) / max(2 * np.abs(first).mean(), 1e-9), accuracy


def _lead(model: keras.Model, images: Array) -> Array:
    probability = np.clip(model.predict_on_batch(inputs_of(images)), 1e-12, 1)
    return np.asarray(np.log(probability[:, 1]) - np.log(probability[:, 0]))


def inputs_of(images: Array) -> Array:
    """Return images as the networks see them, float32 (n, rows, columns, 1), 0..1."""
    return images[..., np.newaxis].astype(np.float32) / 255
