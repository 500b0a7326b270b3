"""Models whose code reads the batch size, takes one batch size, fails, or is no float32."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

import saliency as sal
from saliency.errors import ModelError
from saliency.explainers.catalogue import resolve
from saliency.probe.tensorflow_errors import one_line

layers, ops = keras.layers, keras.ops
SHAPE = (12, 12, 2)


class Windows(layers.Layer):
    """Windows of 3 x 3 and back, with multiples of the batch size, as Swin has them."""

    def call(self, pictures):
        samples, rows, columns, channels = ops.shape(pictures)
        windows = ops.reshape(
            pictures, (samples, rows // 3, 3, columns // 3, 3, channels)
        )
        windows = ops.transpose(windows, (0, 1, 3, 2, 4, 5))
        windows = ops.reshape(
            windows, (samples * (rows // 3) * (columns // 3), 9, channels)
        )
        means = ops.broadcast_to(
            ops.mean(windows, 1, keepdims=True), ops.shape(windows)
        )
        grown = ops.reshape(
            windows * means, (samples, rows // 3, columns // 3, 3, 3, channels)
        )
        return ops.reshape(
            ops.transpose(grown, (0, 1, 3, 2, 4, 5)), ops.shape(pictures)
        )


class Unshaped(layers.Layer):
    """A layer that can be run, and whose shape cannot be asked for again."""

    asked = 0

    def call(self, pictures):
        return tf.math.softplus(pictures)

    def compute_output_spec(self, pictures, **_):
        self.asked += 1
        if self.asked > 1:
            raise RuntimeError
        return keras.KerasTensor((None, *pictures.shape[1:]), pictures.dtype)


class Net(keras.Model):
    """A model whose own call reads the batch size."""

    def __init__(self):
        super().__init__()
        self.first = layers.Conv2D(4, 3, activation="relu", name="first")
        self.last = layers.Dense(3, activation="softmax")

    def call(self, pictures):
        seen = self.first(pictures)
        return self.last(
            ops.mean(ops.reshape(seen, (ops.shape(seen)[0], -1, 4)), axis=1)
        )


def network(*steps, batch=None, dtype=None):
    inputs = made = keras.Input(batch_shape=(batch, *SHAPE), dtype=dtype)
    made = layers.Conv2D(
        4, 3, activation="relu", padding="same", name="conv", dtype=dtype
    )(made)
    for step in steps:
        made = step(made)
    made = layers.GlobalAveragePooling2D(dtype=dtype)(made)
    made = layers.Dense(3, activation="softmax", name="scores", dtype=dtype)(made)
    return nets.filled(keras.Model(inputs, made), 3)


def pictures(count=3):
    return np.random.default_rng(5).random((count, *SHAPE)).astype(np.float32)


def slope(model, given):
    """Return the derivative of the difference of two logits, by a tape over the bare model."""
    given = tf.constant(given)
    with tf.GradientTape() as tape:
        tape.watch(given)
        shares = model(given, training=False)
        score = tf.reduce_sum(tf.math.log(shares[:, 1]) - tf.math.log(shares[:, 0]))
    return tape.gradient(score, given).numpy()


@pytest.mark.parametrize(
    ("step", "tap"), [(Windows(name="w"), "conv"), (Unshaped(name="u"), "u")]
)
def test_one_layer_costs_neither_the_logits_nor_the_taps(step, tap):
    """The layer runs as it is, or as it is drawn with the real batch size."""
    model = network(step)
    probe = sal.KerasProbe(model)
    got = probe.at(sal.Contrast(1, 0)).gradient(pictures())
    np.testing.assert_allclose(got, slope(model, pictures()), rtol=1e-4, atol=1e-6)
    assert probe.output == "logit"
    assert probe.layers == (tap,)


def test_windows_are_drawn():
    """Multiples of the batch size are found again: the layer can be looked into."""
    probe = sal.KerasProbe(network(Windows()))
    names = {
        call.name
        for call in probe.core.plan.run([tf.constant(pictures(2))], None).calls
    }
    assert any("windows" in name and "reshape" in name for name in names)


def test_a_models_own_call_reads_the_batch_size():
    """A subclassed model is drawn all the same."""
    model = Net()
    model(pictures())
    nets.filled(model, 3)
    probe = sal.KerasProbe(model)
    got = probe.at(sal.Contrast(1, 0)).gradient(pictures())
    np.testing.assert_allclose(got, slope(model, pictures()), rtol=1e-4, atol=1e-6)
    assert probe.layers == ("first",)


def test_batches_of_one_size():
    """A model that takes four samples at a time answers for any number, sample by sample."""
    fixed = network(lambda made: ops.reshape(made, (4, 12, 12, 4)), batch=4)
    free = network()
    free.set_weights(fixed.get_weights())
    assert sal.KerasProbe(fixed).core.plan.batch == 4
    for count in (1, 6):
        ours, theirs = (sal.KerasProbe(model).at(None) for model in (fixed, free))
        given = pictures(count)
        np.testing.assert_allclose(
            ours.gradient(given), theirs.gradient(given), 1e-5, 1e-7
        )
        settled = ours.settled(given)
        np.testing.assert_array_equal(settled.targets, theirs.settled(given).targets)
        activation, gradient = ours.activation_gradients(given)[-1]
        assert activation.shape == gradient.shape == (count, 12, 12, 4)
        np.testing.assert_allclose(ours.source.predict(given), free(given), 1e-5)


def test_a_batch_size_that_does_not_matter():
    """An Input with a batch size costs nothing where the network runs with any."""
    assert sal.KerasProbe(network(batch=4)).core.plan.batch is None


@pytest.mark.parametrize(
    "explainer", ["gradient", "gradcam", "lrp", "fastcam", "deeplift"]
)
def test_float64(explainer):
    """A model in double precision has the maps of its twin in single precision."""
    exact, plain = network(dtype="float64"), network()
    plain.set_weights(exact.get_weights())
    recipe = resolve(explainer)
    ours, theirs = (
        np.asarray(recipe(sal.KerasProbe(model).at(1), tf.constant(pictures())))
        for model in (exact, plain)
    )
    np.testing.assert_allclose(
        ours, theirs, rtol=1e-3, atol=1e-5 * np.abs(theirs).max()
    )


def test_the_way_out_of_a_savedmodel(tmp_path):
    """What the message about a folder prints has classes: 'serving_default' gives a dict of one."""
    plain = network()
    plain.export(tmp_path, verbose=False)
    served = layers.TFSMLayer(tmp_path, call_endpoint="serving_default")
    model = keras.Sequential([keras.Input(SHAPE), served])
    got = sal.KerasProbe(model).at(1).gradient(pictures())
    right = sal.KerasProbe(plain, output="probability").at(1).gradient(pictures())
    np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(
        sal.KerasProbe(model).at(None).classes(pictures()),
        np.argmax(plain(pictures()), 1),
    )


def test_the_eager_switch():
    """With run_functions_eagerly(True) everything that differentiates answers as ever."""
    model = network()
    right = sal.KerasProbe(model).at(1).gradient(pictures())
    tf.config.run_functions_eagerly(run_eagerly=True)
    try:
        got = sal.KerasProbe(model).at(1).gradient(pictures())
        head = sal.KerasProbe(model).at(1)
        score = head.head(head.activations(pictures())[-1])
    finally:
        tf.config.run_functions_eagerly(run_eagerly=False)
    np.testing.assert_allclose(got, right, rtol=1e-5)
    np.testing.assert_allclose(
        score, sal.KerasProbe(model).at(1).score(pictures()), rtol=1e-4
    )


class Inverts(layers.Layer):
    """Stops in TensorFlow where the picture is black."""

    def call(self, pictures):
        return pictures + tf.linalg.inv(pictures[:, :3, :3, 0])[:, :1, :1, None]


def test_an_error_of_tensorflow_is_one_sentence():
    """Its kind, the model, and what happened: no path, no traceback, no node."""
    probe = sal.KerasProbe(network(Inverts())).at(1)
    with pytest.raises(ModelError, match="InvalidArgumentError") as caught:
        probe.gradient(np.zeros((1, *SHAPE), np.float32))
    text = str(caught.value)
    assert "\n" not in text
    assert "Input is not invertible" in text
    assert not any(word in text for word in ("File", "/", "node", "Detected"))


def test_the_line_that_says_what_happened():
    """Lines that say where are left out; paths are no longer to be seen."""
    error = tf.errors.AbortedError(
        None,
        None,
        "Graph execution error:\n\nDetected at node a/b defined at (most recent call last):\n"
        '  File "/home/me/net.py", line 3, in call\n\n'
        "could not open /home/me/weights/a.bin: aborted\n\t [[{{node a/b}}]] [Op:__inference_f_1]",
    )
    assert one_line(error) == "could not open (a file): aborted"
