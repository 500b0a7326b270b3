"""Maps of layers lie where the network saw them, whatever it did to the picture before."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import saliency as sal
from saliency.errors import ModelError
from saliency.explainers.catalogue import resolve
from saliency.kernels.resize import laid

layers, ops = keras.layers, keras.ops
SIZE = (32, 48)
CELL = 4


class Standardised(layers.Layer):
    """Each picture less its mean, over its deviation: all places change with all others."""

    def call(self, pictures):
        return tf.image.per_image_standardization(pictures)


WEIGHTS = {
    "conv": np.array([[[[1.0, 0.1]]]]),
    "last": np.array([[[[1.0, 0.0], [0.0, 1.0]]]]),
    "score": np.array([[1.0], [0.1]]),
}


def network(*steps, size=SIZE, later=()):
    """Brightness is all the evidence: convolutions of one pixel, pooled."""
    inputs = made = keras.Input((*size, 1))
    for step in steps:
        made = step(made)
    made = layers.Conv2D(2, 1, activation="relu", use_bias=False, name="conv")(made)
    for step in later:
        made = step(made)
    made = layers.AveragePooling2D(CELL)(made)
    made = layers.Conv2D(2, 1, activation="relu", use_bias=False, name="last")(made)
    made = layers.Dense(1, use_bias=False, name="score")(
        layers.GlobalAveragePooling2D()(made)
    )
    model = keras.Model(inputs, made)
    for name, kernel in WEIGHTS.items():
        model.get_layer(name).set_weights([kernel])
    return model


def blob(row, column, size=SIZE):
    picture = np.zeros((1, *size, 1), np.float32)
    picture[0, row : row + 8, column : column + 8] = 1
    return picture


def centre(heat):
    hot = np.where(heat >= 0.5 * heat.max(), heat, 0)
    return np.array(
        [(hot * place).sum() / hot.sum() for place in np.indices(hot.shape)]
    )


MOVED = {
    "crop": [layers.Cropping2D(((4, 8), (16, 0)))],
    "margin": [layers.ZeroPadding2D(((8, 0), (0, 16)))],
    "flip": [lambda made: ops.flip(made, 2)],
    "flip by a slice": [lambda made: made[:, ::-1]],
    "roll that is a crop": [lambda made: made[:, 4:28, 12:44]],
    "resize and crop": [layers.Resizing(64, 96), layers.CenterCrop(48, 64)],
    "padded to aspect": [layers.Resizing(32, 32, pad_to_aspect_ratio=True)],
    "code of TensorFlow": [
        layers.Lambda(lambda made: tf.image.central_crop(made, 0.75))
    ],
    "margin that mirrors": [
        lambda made: ops.pad(made, ((0, 0), (8, 4), (0, 12), (0, 0)), mode="reflect")
    ],
    "behind a rescaling": [layers.Rescaling(2.0), layers.CenterCrop(24, 32)],
}


@pytest.mark.parametrize("steps", MOVED.values(), ids=MOVED)
def test_a_map_lies_on_what_was_seen(steps):
    """The blob is within one cell of the last layer."""
    probe = sal.KerasProbe(network(*steps)).at(0)
    inputs = tf.constant(blob(10, 20))
    assert probe.window(SIZE) is not None
    for name in (
        "gradcam",
        "hirescam",
        "fastcam",
        "scorecam",
        "reciprocam",
        "fullgrad",
    ):
        heat = np.asarray(resolve(name)(probe, inputs))[0]
        heat = heat if heat.ndim == 2 else heat.sum(-1)
        assert np.abs(centre(heat) - [13.5, 23.5]).max() <= CELL, name


PLAIN = {
    "nothing": [],
    "margin of a ResNet": [layers.ZeroPadding2D(3), layers.Conv2D(1, 7)],
    "margin and holes": [layers.ZeroPadding2D(4), layers.Conv2D(1, 3, dilation_rate=4)],
    "values": [
        layers.Rescaling(1 / 255, offset=-1),
        lambda made: ops.sqrt(made * made + 1.0),
    ],
    "another size": [layers.Resizing(16, 24)],
    "standardised": [Standardised()],
    "augmentation": [layers.RandomFlip(), layers.RandomZoom(0.2)],
    "valid convolution": [layers.Conv2D(1, 7)],
}


@pytest.mark.parametrize("steps", PLAIN.values(), ids=PLAIN)
def test_ordinary_networks_see_it_all(steps):
    """Their maps are stretched over the whole input."""
    assert sal.KerasProbe(network(*steps)).at(0).window(SIZE) is None


@pytest.mark.parametrize(
    ("convolution", "left"),
    [(layers.Conv2D(1, 7, padding="same"), 8), (layers.Conv2D(1, 7), 5)],
    ids=["same", "valid"],
)
def test_a_margin_is_less_what_the_first_convolution_takes(convolution, left):
    """A valid convolution of 7 takes 3 pixels of it, one that keeps the size takes none."""
    window = (
        sal.KerasProbe(network(layers.ZeroPadding2D(8), convolution)).at(0).window(SIZE)
    )
    edges = [(-left, SIZE[0] + left), (-left, SIZE[1] + left)]
    np.testing.assert_allclose(window.edges, edges, atol=0.5)


def test_ordinary_networks_are_not_traced_for_it():
    """Where every step before the first convolution keeps places, nothing is run."""
    probe = sal.KerasProbe(network(layers.Rescaling(1 / 255), layers.RandomFlip()))
    assert probe.core.plan.entry is None


ORDER = np.random.default_rng(3).permutation(SIZE[0]).tolist()
"""Rows as a step may exchange them."""


def two_parts():
    inputs = keras.Input((*SIZE, 1))
    convolution = layers.Conv2D(2, 3, activation="relu")
    both = [convolution(inputs[:, :16, :16]), convolution(inputs[:, 16:, 32:])]
    made = layers.GlobalAveragePooling2D()(layers.Add()(both))
    return keras.Model(inputs, layers.Dense(2)(made))


@pytest.mark.parametrize(
    "model",
    [
        lambda: network(lambda made: ops.transpose(made, (0, 2, 1, 3))),
        two_parts,
        lambda: network(lambda made: ops.roll(made, 16, axis=2)),
        lambda: network(lambda made: ops.tile(made, (1, 2, 2, 1))),
        lambda: network(lambda made: ops.take(made, ORDER, axis=1)),
    ],
    ids=["transposed", "two parts", "rolled", "tiled", "rows in another order"],
)
def test_what_has_no_one_place_is_refused(model):
    """A map of a layer is refused with the steps' names; the gradient answers."""
    probe = sal.KerasProbe(model()).at(0)
    with pytest.raises(
        ModelError, match=r"(transpose|get_item|roll|tile|take).*Prepare"
    ):
        resolve("gradcam")(probe, tf.constant(blob(10, 20)))
    assert probe.gradient(blob(10, 20)).shape == (1, *SIZE, 1)


def test_laid_is_the_crop_taken_back():
    """Whole pixels: the part of the grid lies where it was cut out, and 0 is around it."""
    small = np.random.default_rng(1).random((2, 4, 6)).astype(np.float32)
    stretched = np.repeat(np.repeat(small, 2, 1), 2, 2)
    got = np.asarray(laid(tf.constant(stretched), ((2.0, 6.0), (9.0, 3.0))))
    right = np.zeros_like(stretched)
    right[:, 2:6, 3:9] = small[:, :, ::-1]
    np.testing.assert_allclose(got, right, atol=1e-6)


CROP = layers.Cropping2D(((4, 8), (16, 0)))
LATER = {
    "crop": ([CROP], ((4, 24), (16, 48))),
    "margin": ([layers.ZeroPadding2D(((8, 0), (0, 16)))], ((-8, 32), (0, 64))),
    "flip": ([lambda made: ops.flip(made, 2)], ((0, 32), (48, 0))),
    "slice": ([lambda made: made[:, 4:28, 12:44]], ((4, 28), (12, 44))),
    "every other": ([lambda made: made[:, 16::2]], ((16, 32), (0, 48))),
    "TensorFlow": (
        [layers.Lambda(lambda made: tf.image.central_crop(made, 0.75))],
        ((4, 28), (6, 42)),
    ),
    "crop of the flipped": ([lambda made: made[:, ::-1], CROP], ((28, 8), (16, 48))),
    "margin of the flipped": (
        [lambda made: made[:, ::-1], layers.ZeroPadding2D(((16, 0), (0, 0)))],
        ((48, 0), (0, 48)),
    ),
    "margin, half of it taken off": (
        [layers.ZeroPadding2D(((16, 0), (0, 0))), layers.MaxPooling2D(9, 1)],
        ((-12, 32), (0, 48)),
    ),
}


@pytest.mark.parametrize(("later", "edges"), LATER.values(), ids=LATER)
def test_moves_between_layers_are_followed(later, edges):
    """A crop, margin or flip behind the first layer moves the maps of the layers behind it."""
    probe = sal.KerasProbe(network(later=later), layers=["last"])
    np.testing.assert_allclose(probe.at(0).window(SIZE).edges, edges, atol=1)


def test_moves_before_and_between_layers_add_up():
    """The second crop is one of what the first one left."""
    probe = sal.KerasProbe(network(CROP, later=[CROP]), layers=["last"])
    edges = probe.at(0).window(SIZE).edges
    np.testing.assert_allclose(edges, ((8, 16), (32, 48)), atol=1)


def test_moves_between_layers_of_a_free_size():
    """A crop takes off pixels, not a share."""
    model = network(size=(None, None), later=[CROP])
    probe = sal.KerasProbe(model, layers=["last"]).at(0)
    for size in ((32, 48), (64, 96)):
        (top, bottom), (left, right) = probe.window(size).edges
        np.testing.assert_allclose(
            (top, bottom, left, right), (4, size[0] - 8, 16, size[1]), atol=1
        )


def test_a_map_behind_a_late_crop_lies_on_what_was_seen():
    """The blob is within one cell of the last layer."""
    probe = sal.KerasProbe(network(later=[CROP]), layers=["last"]).at(0)
    heat = np.asarray(resolve("gradcam")(probe, tf.constant(blob(10, 20))))[0]
    assert np.abs(centre(heat) - (13.5, 23.5)).max() <= CELL


STILL = {
    "margins that convolutions take off": [
        layers.ZeroPadding2D(1),
        layers.Conv2D(2, 3),
        layers.ZeroPadding2D(1),
        layers.MaxPooling2D(3, 1),
    ],
    "by way of a sequence": [layers.Reshape((-1, 1, 2)), layers.Reshape((*SIZE, 2))],
    "values alone": [layers.Lambda(lambda made: made * 2 + 1), layers.Softmax()],
    "a crop of a pixel": [layers.Cropping2D(((1, 0), (0, 0)))],
}


@pytest.mark.parametrize("later", STILL.values(), ids=STILL)
def test_what_leaves_places_as_they_are(later):
    """Nothing is moved, and nothing is refused."""
    probe = sal.KerasProbe(network(later=later), layers=["conv", "last"])
    assert probe.at(0).window(SIZE) is None


@pytest.mark.parametrize(
    ("later", "taps"),
    [
        (CROP, ["conv", "last"]),
        (lambda made: ops.roll(made, 16, 2), ["last"]),
        (layers.Permute((2, 1, 3)), ["last"]),
    ],
    ids=["on both sides", "roll", "turn"],
)
def test_layers_without_one_place_are_refused(later, taps):
    """Several windows are no window; the message names the step."""
    probe = sal.KerasProbe(network(later=[later]), layers=taps).at(0)
    with pytest.raises(ModelError, match=r"between its layers \('.*layer="):
        probe.window(SIZE)


def test_a_late_crop_of_frames():
    """A convolutional LSTM has no window along time."""
    inputs = keras.Input((4, 16, 16, 1))
    made = layers.ConvLSTM2D(2, 3, return_sequences=True)(inputs)
    made = layers.Cropping3D(((0, 0), (7, 0), (0, 0)))(made)
    made = layers.ConvLSTM2D(2, 3, return_sequences=True, name="last")(made)
    model = keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling3D()(made)))
    probe = sal.KerasProbe(model, layers=["last"])
    edges = probe.at(0).window((4, 16, 16)).edges
    np.testing.assert_allclose(edges, ((0, 4), (8, 16), (0, 16)), atol=0.5)


def test_laid_over_the_whole_picture_nothing_moves():
    """Cells are centred at half numbers."""
    maps = tf.constant(np.random.default_rng(0).random((2, 7, 9)), tf.float32)
    np.testing.assert_allclose(laid(maps, ((0, 7), (0, 9))), maps, atol=1e-6)
