"""Small networks of five kinds, each with scales, and how they are trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from scenes import SIZE, Array, Scenario, Scene

TRAINED, TESTED, EPOCHS, BATCH = 1280, 256, 16, 32
GOOD = 0.95
"""Share of test pictures that a network must get right to be asked."""


def plain() -> keras.Model:
    """Convolutions and pooling, 8 x 8 at last."""
    inputs = keras.Input((SIZE, SIZE, 1))
    found = _step(inputs, 8, strides=2)
    for width in (16, 32):
        found = layers.MaxPooling2D()(_step(found, width))
    return _pooled(inputs, _step(found, 32))


def residual() -> keras.Model:
    """Blocks with a way around them, 8 x 8 at last."""
    inputs = keras.Input((SIZE, SIZE, 1))
    found = _step(inputs, 8, strides=2)
    for width in (16, 32):
        around = layers.Conv2D(width, 1, strides=2, use_bias=False)(found)
        found = _convolved(_step(found, width, strides=2), width)
        found = layers.ReLU()(layers.Add()([found, around]))
    return _pooled(inputs, found)


def mobile() -> keras.Model:
    """Depthwise and pointwise convolutions as in MobileNet, 4 x 4 at last."""
    inputs = keras.Input((SIZE, SIZE, 1))
    found = _step(inputs, 8, strides=2)
    for width in (16, 32, 48):
        found = layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)(
            found
        )
        found = _step(_normal(found), width, size=1)
    return _pooled(inputs, found)


def transformer() -> keras.Model:
    """Attend twice over 64 patches of 8 x 8 pixels, as vision transformers do."""
    inputs = keras.Input((SIZE, SIZE, 1))
    patches = layers.Conv2D(32, 8, strides=8)(inputs)
    found = layers.Reshape((64, 32))(patches)
    for _ in range(2):
        normal = layers.LayerNormalization()(found)
        mixed = layers.MultiHeadAttention(4, 8)(normal, normal)
        found = layers.Add()([found, mixed])
        wide = layers.Dense(64, "gelu")(layers.LayerNormalization()(found))
        found = layers.Add()([found, layers.Dense(32)(wide)])
    found = layers.LayerNormalization()(found)
    mean = layers.GlobalAveragePooling1D()(found)
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(mean))


def unet() -> keras.Model:
    """Down and up again with skips: evidence drawn as a segmentation of 64 x 64."""
    inputs = keras.Input((SIZE, SIZE, 1))
    found = _step(inputs, 8, strides=2)
    kept = []
    for width in (12, 24):
        found = _step(found, width)
        kept.append(found)
        found = layers.MaxPooling2D()(found)
    found = _step(found, 32)
    for skip in reversed(kept):
        found = layers.Concatenate()([layers.UpSampling2D()(found), skip])
        found = _step(found, skip.shape[-1])
    logits = layers.UpSampling2D(interpolation="bilinear")(layers.Conv2D(1, 1)(found))
    return keras.Model(inputs, layers.Activation("sigmoid")(logits))


def segment_score(logits: tf.Tensor) -> tf.Tensor:
    """Return the mean logit of the segmentation, (N,): what is explained of a U-Net."""
    return tf.reduce_mean(logits, axis=(1, 2, 3))


@dataclass(frozen=True)
class Network:
    """A kind of network: how it is made, and what is explained of it."""

    make: Callable[[], keras.Model]
    target: object = 1
    rate: float = 3e-3
    epochs: int = EPOCHS


NETWORKS: Mapping[str, Network] = {
    "plain": Network(plain),
    "residual": Network(residual),
    "mobile": Network(mobile),
    "transformer": Network(transformer, rate=2e-3, epochs=24),
    "unet": Network(unet, segment_score),
}


def trained(kind: str, scenario: Scenario, path: Path) -> keras.Model:
    """Return the trained network, out of its file where it lies there."""
    if path.is_file():
        return keras.models.load_model(path, compile=False)
    keras.utils.set_random_seed(0)
    network, generator = NETWORKS[kind], np.random.default_rng(1)
    scenes = [scenario.scene(generator) for _ in range(TRAINED + TESTED)]
    pixels, labels = drawn(scenes), _answers(kind, scenario, scenes)
    model = network.make()
    optimizer = keras.optimizers.Adam(network.rate)
    # Compiling for the processor takes longer than these few steps.
    model.compile(optimizer, "binary_crossentropy", jit_compile=False)
    for _ in range(network.epochs // 2):
        model.fit(pixels[:TRAINED], labels[:TRAINED], BATCH, epochs=2, verbose=0)
        if right(model, scenes[TRAINED:], scenario) >= GOOD + 0.02:
            break
    model.save(path)
    return model


def drawn(scenes: list[Scene]) -> Array:
    """Return float32 (N, SIZE, SIZE, 1)."""
    return np.stack([scene.drawn() for scene in scenes])[..., np.newaxis]


def right(model: keras.Model, scenes: list[Scene], scenario: Scenario) -> float:
    """Return the share of pictures of a clear class that a network gets right."""
    labels = np.array([scenario.label(scene.states()) for scene in scenes])
    answers = np.asarray(model(drawn(scenes), training=False)).reshape(len(scenes), -1)
    clear = labels != 0.5
    predicted = answers.max(axis=1) > 0.5
    return float((predicted == (labels > 0.5))[clear].mean())


def tested(scenario: Scenario, model: keras.Model) -> float:
    """Return :func:`right` of pictures that the network never saw."""
    generator = np.random.default_rng(2)
    return right(model, [scenario.scene(generator) for _ in range(TESTED)], scenario)


def _answers(kind: str, scenario: Scenario, scenes: list[Scene]) -> Array:
    labels = np.array([scenario.label(each.states()) for each in scenes], np.float32)
    if kind != "unet":
        return labels[:, np.newaxis]
    masks = np.stack(
        [
            np.any([scene.region(name) for name in scenario.evidence], axis=0)
            for scene in scenes
        ]
    )
    return (masks * labels[:, np.newaxis, np.newaxis])[..., np.newaxis]


def _step(found: object, width: int, *, size: int = 3, strides: int = 1) -> object:
    """Return a convolution, normalised and rectified."""
    return layers.ReLU()(_convolved(found, width, size=size, strides=strides))


def _convolved(found: object, width: int, *, size: int = 3, strides: int = 1) -> object:
    return _centred(layers.Conv2D(width, size, strides, "same", use_bias=False)(found))


def _normal(found: object) -> object:
    return layers.ReLU()(_centred(found))


def _centred(found: object) -> object:
    # Few steps are made: statistics must follow sooner than by 0.99 a step.
    return layers.BatchNormalization(momentum=0.9)(found)


def _pooled(inputs: object, found: object) -> keras.Model:
    mean = layers.GlobalAveragePooling2D()(found)
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(mean))
