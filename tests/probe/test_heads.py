"""Logits are found where they are, and nothing else is called a logit."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

from saliency.errors import ModelError, TargetError
from saliency.probe.batch_probe import About
from saliency.probe.keras_probe import KerasProbe


def convolved():
    inputs = keras.Input(nets.SHAPE)
    return inputs, keras.layers.Conv2D(4, 5, strides=3, activation="relu", name="conv")(
        inputs
    )


def separate(layer):
    """Build a softmax or sigmoid that is a layer, or an operation, of its own."""
    inputs, x = convolved()
    x = keras.layers.Dense(3, name="dense")(keras.layers.GlobalAveragePooling2D()(x))
    return nets.filled(keras.Model(inputs, layer(x)))


def convolutional_head(flat=keras.layers.Flatten):
    """MobileNet's way: pooled, 1 x 1 convolution, reshaped, softmax."""
    inputs, x = convolved()
    x = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = keras.layers.Conv2D(3, 1)(keras.layers.Dropout(0.1)(x))
    return nets.filled(keras.Model(inputs, keras.layers.Softmax()(flat()(x))))


def followed_by_dropout():
    inputs, x = convolved()
    x = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(x))
    return nets.filled(keras.Model(inputs, keras.layers.Activation("linear")(x)))


LOGITS = {
    "activation": lambda: separate(keras.layers.Activation("softmax")),
    "softmax": lambda: separate(keras.layers.Softmax()),
    "operation": lambda: separate(keras.ops.softmax),
    "log-softmax": lambda: separate(keras.layers.Activation("log_softmax")),
    "float32 activation": lambda: separate(
        keras.layers.Activation("softmax", dtype="float32")
    ),
    "code of TensorFlow": lambda: separate(
        keras.layers.Activation(lambda made: tf.nn.softmax(tf.identity(made)))
    ),
    "layer as activation": lambda: separate(
        keras.layers.Dense(
            3, activation=keras.layers.Activation("softmax"), name="last"
        )
    ),
    "convolution": convolutional_head,
    "kept axes": lambda: convolutional_head(keras.layers.Identity),
    "linear tail": followed_by_dropout,
    "nested twice": lambda: keras.Sequential([keras.Input(nets.SHAPE), nets.nested()]),
}


@pytest.mark.parametrize("way", LOGITS.values(), ids=LOGITS)
def test_a_softmax_anywhere_at_the_end_is_undone(way):
    """Softmax of the scores is the model's output, and the scores are no logarithms of it."""
    model = way()
    probe = KerasProbe(model)
    inputs = nets.pictures(4)
    logits = tf.stack([probe.at(index).score(inputs) for index in range(3)], axis=1)
    output = tf.reshape(model(inputs, training=False), (-1, 3))
    softmax = tf.exp(output) if tf.reduce_min(output) < 0 else output
    assert probe.output == "logit"
    np.testing.assert_allclose(tf.nn.softmax(logits), softmax, rtol=1e-4, atol=1e-6)
    assert np.abs(np.exp(logits).sum(axis=1) - 1).max() > 0.1


@pytest.mark.parametrize("activation", ["sigmoid", keras.layers.Activation("sigmoid")])
def test_many_sigmoids_are_many_labels(activation):
    """With several sigmoid units each class has its own logit."""
    inputs, x = convolved()
    x = keras.layers.Flatten()(x)
    if isinstance(activation, str):
        outputs = keras.layers.Dense(3, activation=activation)(x)
    else:
        outputs = activation(keras.layers.Dense(3)(x))
    model = nets.filled(keras.Model(inputs, outputs))
    probe = KerasProbe(model)
    expected = model(nets.pictures())[:, 2]
    assert (probe.output, probe.outputs) == ("logit", 3)
    np.testing.assert_allclose(
        tf.sigmoid(probe.at(2).score(nets.pictures())), expected, rtol=1e-4
    )


def confident():
    """Build a network so sure of itself that the softmax saturates."""
    model = nets.flat()
    kernel, bias = model.get_layer("scores").get_weights()
    model.get_layer("scores").set_weights([kernel * 1e3, bias])
    return model


def test_a_saturated_softmax_does_not_hide_the_gradient():
    """The logit has a gradient where the probability has none."""
    inputs = nets.pictures()
    logit = KerasProbe(confident()).at(None).gradient(inputs)
    probability = (
        KerasProbe(confident(), output="probability").at(None).gradient(inputs)
    )
    assert np.abs(probability).max() < 1e-12
    assert np.abs(logit).max() > 1e-2


NO_LOGITS = {
    "tanh": keras.layers.Dense(3, activation="tanh"),
    "scaled softmax": lambda x: keras.layers.Rescaling(2.0)(
        keras.layers.Dense(3, activation="softmax")(x)
    ),
    "mean of softmaxes": lambda x: keras.layers.Average()(
        [keras.layers.Dense(3, activation="softmax")(x) for _ in range(2)]
    ),
    "recurrent": lambda x: keras.layers.SimpleRNN(3, activation="softmax")(
        keras.layers.Reshape((4, -1))(x)
    ),
}


@pytest.mark.parametrize("head", NO_LOGITS.values(), ids=NO_LOGITS)
def test_another_head_is_explained_as_it_is(head):
    """What does not end in a softmax or sigmoid has its output as score."""
    inputs, x = convolved()
    model = nets.filled(keras.Model(inputs, head(keras.layers.Flatten()(x))))
    probe = KerasProbe(model)
    expected = model(nets.pictures(), training=False)[:, 1]
    assert probe.output == "output"
    np.testing.assert_allclose(probe.at(1).score(nets.pictures()), expected, rtol=1e-5)


def segmentation():
    inputs = keras.Input(nets.SHAPE)
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="trunk")(
        inputs
    )
    outputs = keras.layers.Conv2D(3, 1, activation="softmax", name="mask")(x)
    return nets.filled(keras.Model(inputs, outputs))


def test_a_segmentation_needs_a_callable_and_gets_logits():
    """One score for each sample must be made from a map of logits; a class index is refused."""
    model = segmentation()
    probe = KerasProbe(model)
    inputs = nets.pictures()
    for target in (1, None):
        with pytest.raises(TargetError, match="callable"):
            probe.at(target)
    score = probe.at(lambda logits: tf.reduce_sum(logits[..., 1], (1, 2))).score(inputs)
    features = model.layers[1](inputs)
    kernel, bias = model.get_layer("mask").get_weights()
    expected = tf.reduce_sum(
        (tf.nn.conv2d(features, kernel, 1, "VALID") + bias)[..., 1], (1, 2)
    )
    np.testing.assert_allclose(score, expected, rtol=1e-4)
    np.testing.assert_allclose(probe.predict(inputs), model(inputs), rtol=1e-5)
    assert probe.layers == ("trunk",)
    assert np.abs(probe.at(lambda z: z[:, 5, 7, 1]).last_gradient(inputs)[1]).max() > 0
    with pytest.raises(TargetError, match="callable"):
        probe.at(lambda z: z[:, 5, 7, 1]).classes(inputs)
    with pytest.raises(ModelError, match="'mask' is the model's head"):
        KerasProbe(model, layers=["mask"])


def two_outputs():
    inputs, x = convolved()
    x = keras.layers.Flatten()(x)
    outputs = {
        "kind": keras.layers.Dense(3, activation="softmax", name="kind")(x),
        "age": keras.layers.Dense(1, name="age")(x),
    }
    return nets.filled(keras.Model(inputs, outputs))


def test_a_model_of_several_outputs_gives_them_all_to_a_callable():
    """The callable takes the whole structure; a class index is refused with the names."""
    model = two_outputs()
    probe = KerasProbe(model)
    inputs = nets.pictures()
    score = probe.at(lambda outputs: outputs["age"][:, 0]).score(inputs)
    np.testing.assert_allclose(score, model(inputs)["age"][:, 0], rtol=1e-5)
    assert probe.layers == ("conv",)
    for target in (0, None):
        with pytest.raises(ModelError, match=r"2 outputs.*age"):
            probe.at(target)


@pytest.mark.parametrize("part", ["kind", 1])
def test_one_of_several_outputs_can_be_chosen(part):
    """A chosen part has classes, logits and taps like a model of one output."""
    model = two_outputs()
    probe = KerasProbe(model, part=part)
    inputs = nets.pictures()
    logits = tf.stack([probe.at(index).score(inputs) for index in range(3)], axis=1)
    assert (probe.output, probe.outputs, probe.layers) == ("logit", 3, ("conv",))
    np.testing.assert_allclose(tf.nn.softmax(logits), model(inputs)["kind"], rtol=1e-4)
    assert set(probe.predict(inputs)) == {"kind", "age"}
    age = KerasProbe(model, part="age").at(0).score(inputs)
    np.testing.assert_allclose(age, model(inputs)["age"][:, 0], rtol=1e-5)
    with pytest.raises(ModelError, match=r"part: expected .*kind"):
        KerasProbe(model, part="sex")


def test_other_inputs_can_be_fixed_by_a_model_around_it():
    """A functional model around a model of two inputs has one, and is seen through."""
    one, two = keras.Input(nets.SHAPE, name="image"), keras.Input((1,), name="age")
    x = keras.layers.Conv2D(3, 5, strides=3, activation="relu", name="conv")(one)
    x = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D()(x), two])
    model = nets.filled(
        keras.Model([one, two], keras.layers.Dense(2, activation="softmax")(x))
    )
    picture = keras.Input(nets.SHAPE)
    age = keras.ops.full_like(picture[:, :1, 0, 0], 62.0)
    probe = KerasProbe(keras.Model(picture, model([picture, age])))
    inputs = nets.pictures()
    expected = tf.math.log(model([inputs, tf.fill((2, 1), 62.0)]))
    score = probe.at(1).score(inputs) - probe.at(0).score(inputs)
    np.testing.assert_allclose(
        score, expected[:, 1] - expected[:, 0], rtol=1e-3, atol=1e-4
    )
    assert [name.rsplit("/", 1)[-1] for name in probe.layers] == ["conv"]


def test_a_model_of_several_inputs_is_refused_with_their_names():
    """A probe has one picture; the error names the inputs."""
    one, two = keras.Input(nets.SHAPE, name="image"), keras.Input((4,), name="age")
    x = keras.layers.Concatenate()([keras.layers.Flatten()(one), two])
    with pytest.raises(ModelError, match=r"image.*age"):
        KerasProbe(keras.Model([one, two], keras.layers.Dense(2)(x)))


ops, layers = keras.ops, keras.layers

KEPT = {
    "squeezed": (1, "sigmoid", lambda made: ops.squeeze(made, -1)),
    "a column": (1, "sigmoid", lambda made: made[:, 0]),
    "cast and clipped": (
        1,
        "sigmoid",
        lambda made: ops.cast(ops.clip(made, 1e-7, 1.0), "float32"),
    ),
    "times one": (1, "sigmoid", layers.Rescaling(1.0)),
    "1 - p and p": (
        1,
        "sigmoid",
        lambda made: layers.Concatenate()([1.0 - made, made]),
    ),
    "p and 1 - p, turned": (
        1,
        "sigmoid",
        lambda made: ops.stack([made[:, 0], 1.0 - made[:, 0]], axis=1)[:, ::-1],
    ),
    "softmax reshaped": (2, "softmax", layers.Reshape((2,))),
    "softmax turned over": (2, "softmax", lambda made: made[:, ::-1]),
    "one of two": (2, "softmax", lambda made: made[:, 1:]),
    "one of three": (3, "softmax", lambda made: made[:, 2]),
}


def tailed(units, squash, tail):
    inputs, x = convolved()
    x = layers.GlobalAveragePooling2D()(x)
    made = layers.Dense(units, activation=squash, name="scores")(x)
    return nets.filled(keras.Model(inputs, tail(made)))


@pytest.mark.parametrize(("units", "squash", "tail"), KEPT.values(), ids=KEPT)
def test_a_tail_that_keeps_the_values_keeps_the_logit(units, squash, tail):
    """The score of class k is log p - log(1 - p), or a softmax logit, and class 1 is there."""
    model, inputs = tailed(units, squash, tail), nets.pictures()
    probe = KerasProbe(model)
    shares = np.asarray(model(inputs, training=False), np.float64).reshape(
        len(inputs), -1
    )
    single = shares.shape[1] == 1
    shares = np.concatenate([1 - shares, shares], 1) if single else shares
    assert (probe.output, probe.outputs) == ("logit", 2)
    scores = np.stack([probe.at(index).score(inputs) for index in (0, 1)], 1)
    odds = np.log(shares[:, 1]) - np.log(shares[:, 0])
    both = 2 if single or squash == "sigmoid" else 1
    np.testing.assert_allclose(
        scores[:, 1] - scores[:, 0], both * odds, rtol=1e-3, atol=1e-5
    )
    np.testing.assert_array_equal(probe.at(None).classes(inputs), odds > 0)
    alone = probe.at(1).last_gradient(inputs)[1]
    with_others = probe.at(1).activation_gradients(inputs)[-1][1]
    np.testing.assert_allclose(alone, with_others, rtol=1e-4, atol=1e-7)


CHANGED = {
    "a temperature": lambda made: made / 2.0,
    "a sharpening": lambda made: made**2,
    "a rounding": lambda made: ops.round(made * 10.0) / 10.0,
    "two in one": lambda made: made[:, :1] + made[:, 1:],
}


@pytest.mark.parametrize("tail", CHANGED.values(), ids=CHANGED)
def test_a_tail_that_changes_the_values_is_explained_as_it_is(tail):
    """Nothing is called a logit that is none."""
    assert KerasProbe(tailed(2, "softmax", tail)).output == "output"


PARTS_OF_SOFTMAXES = {
    "three of five": lambda x: layers.Dense(5, activation="softmax")(x)[:, 1:4],
    "one of each pair": lambda x: layers.Softmax()(paired(x, (3, 2)))[..., 1],
    "pairs along the first axis": lambda x: layers.Softmax(axis=1)(paired(x, (2, 3)))[
        :, 1
    ],
    "all of each pair": lambda x: layers.Flatten()(layers.Softmax()(paired(x, (3, 2)))),
}


def paired(x, shape):
    return layers.Reshape(shape)(layers.Dense(6)(x))


@pytest.mark.parametrize("tail", PARTS_OF_SOFTMAXES.values(), ids=PARTS_OF_SOFTMAXES)
def test_parts_of_softmaxes_have_the_probabilities_of_the_model(tail):
    """Labels with a softmax of their own each, or some classes of one, are no softmax together."""
    inputs, x = convolved()
    model = nets.filled(keras.Model(inputs, tail(layers.GlobalMaxPooling2D()(x))))
    pictures = nets.pictures()
    shares = np.asarray(model(pictures, training=False), np.float64)
    probe = KerasProbe(model)
    about = About(probe.at(None), pictures)
    np.testing.assert_allclose(
        about.class_scores, np.log(shares) - np.log1p(-shares), rtol=1e-3, atol=1e-4
    )
    np.testing.assert_array_equal(about.targets, shares.argmax(1))
    np.testing.assert_allclose(about.probability, shares.max(1), rtol=1e-5)


def test_a_softmax_with_a_mask_is_explained_as_it_is():
    """What is behind the mask has no share, whatever its logit is."""
    inputs, x = convolved()
    scores = layers.Dense(3)(layers.GlobalMaxPooling2D()(x))
    shares = layers.Softmax()(scores, mask=scores < 0.5)
    model = nets.filled(keras.Model(inputs, shares))
    probe = KerasProbe(model)
    assert (probe.output, probe.squash) == ("output", None)
