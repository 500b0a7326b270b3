"""Kinds of models: half precision, channels first, preprocessing inside, volumes, vectors."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

from saliency.errors import ModelError
from saliency.probe.keras_probe import KerasProbe


def gradient_of(function, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        score = function(inputs)
    return tape.gradient(score, inputs)


def half(dtype):
    """Build the flat network under a mixed policy."""
    keras.config.set_dtype_policy(dtype)
    try:
        return nets.flat()
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_comes_out_as_float32(dtype):
    """float32 in and out, close to the same network in full precision."""
    bound, full = KerasProbe(half(dtype)).at(1), nets.probe().at(1)
    inputs = nets.pictures()
    tensors = [
        bound.score(inputs),
        bound.gradient(inputs),
        *bound.last_gradient(inputs)[0],
        bound.last_gradient(inputs)[1],
        *bound.activation_gradients(inputs)[0],
    ]
    assert {each.dtype for each in tensors} == {tf.float32}
    np.testing.assert_allclose(
        bound.score(inputs), full.score(inputs), rtol=0.05, atol=0.05
    )
    ours, theirs = (np.ravel(each.gradient(inputs)) for each in (bound, full))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98


def test_float16_of_a_policy_set_later_changes_nothing():
    """A global policy set between making the model and asking it does not reach the walk."""
    model = nets.flat()
    expected = KerasProbe(model).at(1).score(nets.pictures())
    keras.config.set_dtype_policy("mixed_float16")
    try:
        score = KerasProbe(model).at(1).score(nets.pictures())
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(score, expected)


def oriented(data_format):
    """One network in both axis orders."""
    turn = (
        (lambda shape: (shape[-1], *shape[:-1]))
        if data_format == "channels_first"
        else tuple
    )
    inputs = keras.Input(turn(nets.SHAPE))
    x = keras.layers.ReLU()(inputs)
    x = keras.layers.Conv2D(
        4, 3, activation="relu", data_format=data_format, name="conv1"
    )(x)
    x = keras.layers.AveragePooling2D(2, data_format=data_format)(x)
    x = keras.layers.Conv2D(
        5, 3, activation="relu", data_format=data_format, name="conv2"
    )(x)
    x = keras.layers.GlobalAveragePooling2D(data_format=data_format)(x)
    return nets.filled(
        keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    )


def test_channels_first_models_are_asked_channels_last():
    """Inputs, gradients and activations are (N, H, W, C) whatever the model's axis order."""
    nets.needs_channels_first()
    first, last = (
        KerasProbe(oriented(f"channels_{order}")) for order in ("first", "last")
    )
    inputs = nets.pictures()
    assert first.input_shape == last.input_shape == nets.SHAPE
    assert first.layers == last.layers == ("conv1", "conv2")
    assert first.closed_form_head
    np.testing.assert_allclose(
        first.at(1).gradient(inputs), last.at(1).gradient(inputs), rtol=1e-4, atol=1e-7
    )
    for ours, theirs in zip(
        first.at(1).activation_gradients(inputs),
        last.at(1).activation_gradients(inputs),
        strict=True,
    ):
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(
        first.at(1).last_gradient(inputs)[1],
        last.at(1).last_gradient(inputs)[1],
        atol=1e-7,
    )


def test_a_turned_picture_is_no_channels_first_model():
    """A model that turns its own input takes (N, H, W, C)."""
    nets.needs_channels_first()
    inputs = keras.Input(nets.SHAPE)
    x = keras.layers.Permute((3, 1, 2))(inputs)
    x = keras.layers.Conv2D(3, 3, data_format="channels_first", activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    probe = KerasProbe(model)
    assert probe.input_shape == nets.SHAPE
    assert probe.at(0).gradient(nets.pictures()).shape == (2, *nets.SHAPE)


def with_preprocessing():
    inputs = keras.Input(nets.SHAPE)
    layers = [
        keras.layers.RandomFlip(seed=0),
        keras.layers.RandomRotation(0.5, seed=0),
        keras.layers.RandomContrast(0.5, seed=0),
        keras.layers.GaussianNoise(1.0, seed=0),
        keras.layers.Rescaling(0.5, offset=1.0),
    ]
    x = nets.chained([*layers, *nets.trunk_layers(), *nets.head_layers()], inputs)
    return keras.Model(inputs, x)


def test_augmentation_inside_the_model_is_off_and_scaling_is_on():
    """The gradient is by the picture that is handed in: scaling counts, chance does not."""
    model, plain = with_preprocessing(), nets.flat()
    weights = [w for w in model.weights if "seed" not in w.path]
    for ours, theirs in zip(weights, plain.weights, strict=True):
        ours.assign(theirs)
    inputs = nets.pictures()
    bound = KerasProbe(model).at(1)
    expected = KerasProbe(plain).at(1).gradient(inputs * 0.5 + 1.0) * 0.5
    np.testing.assert_allclose(bound.gradient(inputs), expected, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(bound.gradient(inputs), bound.gradient(inputs))


def test_dropout_drawn_with_training_true_is_off():
    """A model built with training=True inside is explained in inference mode all the same."""
    inputs = keras.Input(nets.SHAPE)
    x = keras.layers.Flatten()(keras.layers.Conv2D(3, 5, strides=4)(inputs))
    x = keras.layers.Dropout(0.5)(x, training=True)
    model = nets.filled(keras.Model(inputs, keras.layers.Dense(3)(x)))
    bound = KerasProbe(model).at(1)
    np.testing.assert_array_equal(
        bound.gradient(nets.pictures()), bound.gradient(nets.pictures())
    )


class Stubborn(keras.layers.Layer):
    """A layer without a training argument around one that trains by default."""

    def __init__(self):
        super().__init__()
        self.inner = Noisy()

    def call(self, inputs):
        return self.inner(inputs)


class Noisy(keras.layers.Layer):
    """Triples its input unless it is told not to train."""

    def call(self, inputs, training=True):  # noqa: FBT002
        return inputs * 3.0 if training else inputs


def test_inference_reaches_inner_layers():
    """A layer inside a layer that knows no training argument is in inference mode."""
    inputs = keras.Input(nets.SHAPE)
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(Stubborn()(inputs)))
    model = keras.Model(inputs, outputs)
    expected = model(nets.pictures(), training=False)[:, 1]
    np.testing.assert_allclose(
        KerasProbe(model).at(1).score(nets.pictures()), expected, rtol=1e-5
    )


def test_integer_pictures_have_a_gradient():
    """A model that takes uint8 is asked with floats: a cast to integers would end the gradient."""
    inputs = keras.Input(nets.SHAPE, dtype="uint8")
    x = keras.layers.Rescaling(1 / 255.0)(inputs)
    outputs = nets.chained([*nets.trunk_layers(), *nets.head_layers()], x)
    model = nets.filled(keras.Model(inputs, outputs))
    pictures = (
        np.random.default_rng(0).integers(0, 256, (2, *nets.SHAPE)).astype(np.float32)
    )
    bound = KerasProbe(model).at(1)
    expected = nets.probe().at(1)
    np.testing.assert_allclose(
        bound.score(pictures), expected.score(pictures / 255), rtol=1e-3
    )
    np.testing.assert_allclose(
        bound.gradient(pictures),
        expected.gradient(pictures / 255) / 255,
        rtol=1e-3,
        atol=1e-7,
    )


def test_the_door_rounds_as_the_model_does():
    """A model with a float16 input sees 2048 where 2049 is handed in."""
    inputs = keras.Input(nets.SHAPE, dtype="float16")
    outputs = keras.layers.Dense(1, kernel_initializer="ones")(
        keras.layers.Flatten()(inputs)
    )
    pictures = tf.fill((1, *nets.SHAPE), 2049.0)
    score = KerasProbe(keras.Model(inputs, outputs)).at(0).score(pictures)
    np.testing.assert_allclose(score, [2048.0 * np.prod(nets.SHAPE)], rtol=1e-6)


def test_volumes_have_taps_and_gradients():
    """A network on (N, D, H, W, C) is asked like one on pictures."""
    inputs = keras.Input((9, 17, 23, 1))
    x = keras.layers.Conv3D(3, 3, activation="relu", name="conv1")(inputs)
    x = keras.layers.MaxPooling3D(2)(x)
    x = keras.layers.Conv3D(4, 2, activation="relu", name="conv2")(x)
    outputs = keras.layers.Dense(2, activation="softmax")(
        keras.layers.GlobalAveragePooling3D()(x)
    )
    probe = KerasProbe(nets.filled(keras.Model(inputs, outputs)))
    volume = nets.pictures(2, (9, 17, 23, 1))
    activations, gradient = probe.at(1).last_gradient(volume)
    assert probe.layers == ("conv1", "conv2")
    assert [each.shape for each in activations] == [(2, 7, 15, 21, 3), (2, 2, 6, 9, 4)]
    np.testing.assert_allclose(
        gradient, probe.at(1).activation_gradients(volume)[1][1], rtol=1e-5, atol=1e-8
    )
    assert probe.at(1).gradient(volume).shape == volume.shape


def test_a_model_of_vectors_has_a_gradient():
    """Without pictures there is nothing to tap, but score and gradient are there."""
    inputs = keras.Input((6,))
    model = nets.filled(
        keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
    )
    bound = KerasProbe(model).at(2)
    kernel = model.layers[-1].get_weights()[0]
    np.testing.assert_allclose(
        bound.gradient(np.ones((2, 6))), [kernel[:, 2]] * 2, rtol=1e-6
    )
    assert bound.layers == ()
    with pytest.raises(ModelError, match="no convolution"):
        bound.activations(np.ones((2, 6)))


def test_a_sequential_built_by_its_first_batch_can_be_asked():
    """A Sequential without an input layer is known from the batch it was called on."""
    model = keras.Sequential([*nets.trunk_layers(), *nets.head_layers()])
    model(nets.pictures(2))
    nets.filled(model)
    ours, theirs = KerasProbe(model), nets.probe()
    inputs = nets.pictures(5)
    assert (ours.input_shape, ours.layers) == (theirs.input_shape, theirs.layers)
    np.testing.assert_allclose(
        ours.at(1).gradient(inputs), theirs.at(1).gradient(inputs), rtol=1e-4, atol=1e-7
    )


def test_transfer_learning_as_in_the_tutorials():
    """Scaling by operators, a frozen application called with training=False, a small head."""
    base = keras.applications.MobileNetV2(
        weights=None, include_top=False, alpha=0.35, input_shape=(96, 128, 3)
    )
    base.trainable = False
    inputs = keras.Input((96, 128, 3))
    x = keras.layers.RandomFlip("horizontal")(inputs)
    x = base(x / 127.5 - 1.0, training=False)
    x = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    probe = KerasProbe(model)
    pictures = 127.5 + 50 * nets.pictures(2, (96, 128, 3))
    assert probe.layers[-1] == f"{base.name}/out_relu"
    assert len(probe.layers) == 5
    assert probe.closed_form_head
    _, gradient = probe.at(1).last_gradient(pictures)
    kernel = model.layers[-1].get_weights()[0][:, 0]
    np.testing.assert_allclose(gradient[0, 0, 0], kernel / 12, rtol=1e-5)
    np.testing.assert_allclose(
        tf.sigmoid(probe.at(1).score(pictures)),
        model(pictures, training=False)[:, 0],
        rtol=1e-3,
    )


class Shapeless(keras.layers.Layer):
    """A layer that can run but cannot say its shape any more."""

    broken = False

    def compute_output_spec(self, inputs, **_):
        if Shapeless.broken:
            raise NotImplementedError
        return keras.KerasTensor(inputs.shape)

    def call(self, inputs):
        return inputs * 2.0


def test_a_layer_without_shapes_leaves_score_and_gradient(monkeypatch):
    """Where shapes cannot be worked out the model is asked as a whole."""
    inputs = keras.Input(nets.SHAPE)
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(Shapeless()(inputs)))
    model = keras.Model(inputs, outputs)
    monkeypatch.setattr(Shapeless, "broken", True)
    probe = KerasProbe(model, part=0)
    expected = model(nets.pictures())[:, 1]
    np.testing.assert_allclose(probe.at(1).score(nets.pictures()), expected, rtol=1e-5)
