"""Models as people build them: explained is what TensorFlow's tape says of the bare model."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

import saliency as sal
from saliency.errors import SaliencyError
from saliency.explainers.catalogue import resolve

layers, ops = keras.layers, keras.ops
SHAPE = (9, 11, 1)
Step = Callable[[Any], Any]


@dataclass(frozen=True)
class Kind:
    """A model, how it is asked, and what its output says: "softmax", "sigmoid" or "plain".

    ``call`` gives the output of the bare model for a batch of the explained input.
    """

    model: Any
    says: str = "softmax"
    shape: tuple[int, ...] = SHAPE
    ways: Mapping[str, Any] = field(default_factory=dict)
    call: Step | None = None


KINDS: dict[str, Callable[[], Kind]] = {}


def kind(made: Callable[[], Kind]) -> Callable[[], Kind]:
    """Add a kind to those that are judged."""
    KINDS[made.__name__] = made
    return made


def conv(filters: int = 4, **options: Any) -> Any:
    """A convolution of 3 x 3 with ReLU that keeps the size."""
    return layers.Conv2D(filters, 3, padding="same", activation="relu", **options)


def mean(seen: Any) -> Any:
    """The mean over places."""
    return layers.GlobalAveragePooling2D()(seen)


def scores(seen: Any, units: int = 3, activation: str | None = "softmax") -> Any:
    """The last layer."""
    return layers.Dense(units, activation=activation)(seen)


def built(body: Step, shape: tuple[int, ...] = SHAPE) -> Any:
    """A functional model of one input, filled."""
    inputs = keras.Input(shape)
    return nets.filled(keras.Model(inputs, body(inputs)), 4)


@kind
def outputs_in_a_dict() -> Kind:
    """Several outputs by name; one is chosen."""

    def body(x: Any) -> Any:
        seen = mean(conv()(x))
        return {"side": scores(seen, 2), "grade": scores(seen)}

    model = built(body)
    return Kind(
        model, ways={"part": "grade"}, call=lambda x: model(x, training=False)["grade"]
    )


@kind
def causal_convolution() -> Kind:
    """Rows as steps of time, behind which nothing is seen."""

    def body(x: Any) -> Any:
        rows = layers.Reshape((9, -1))(conv()(x))
        seen = layers.Conv1D(5, 3, padding="causal", activation="relu")(rows)
        return scores(layers.GlobalAveragePooling1D()(seen))

    return Kind(built(body))


@kind
def spectral_normalisation() -> Kind:
    """A wrapper that divides the kernel by its norm."""
    wrapped = layers.SpectralNormalization(layers.Conv2D(4, 3))
    return Kind(built(lambda x: scores(mean(layers.ReLU()(wrapped(x))))))


class WeightNormalised(layers.Layer):
    """A convolution whose kernel is computed in every call."""

    def build(self, shape: tuple[int, ...]) -> None:
        """Make direction and length."""
        self.direction = self.add_weight(shape=(3, 3, shape[-1], 4))
        self.length = self.add_weight(shape=(4,))

    def call(self, seen: Any) -> Any:
        """Convolve."""
        norm = ops.sqrt(ops.sum(ops.square(self.direction), (0, 1, 2), keepdims=True))
        kernel = self.direction / norm * self.length
        return ops.relu(ops.conv(seen, kernel, padding="same"))


@kind
def weight_normalisation() -> Kind:
    """A kernel that is no weight."""
    return Kind(built(lambda x: scores(mean(WeightNormalised()(x)))))


@kind
def adapted_normalisation() -> Kind:
    """Rescaling and an adapted Normalization at the beginning."""
    norm = layers.Normalization(mean=[0.4], variance=[0.09])
    return Kind(built(lambda x: scores(mean(conv()(norm(layers.Rescaling(0.5)(x)))))))


@kind
def words_beside_the_image() -> Kind:
    """A second input of strings, looked up inside."""
    image, word = keras.Input(SHAPE), keras.Input((1,), dtype="string")
    looked_up = layers.StringLookup(vocabulary=["m", "f"], output_mode="one_hot")(word)
    seen = layers.Concatenate()([mean(conv()(image)), looked_up])
    model = nets.filled(keras.Model([image, word], scores(seen)), 4)
    held = tf.constant([["m"]])
    return Kind(
        model,
        ways={"input": 0, "held": {1: held}},
        call=lambda x: model([x, tf.repeat(held, len(x), 0)], training=False),
    )


@kind
def tokens_with_a_mask() -> Kind:
    """A second input of padded token numbers."""
    image, tokens = keras.Input(SHAPE), keras.Input((4,), dtype="int32")
    text = layers.Embedding(9, 5, mask_zero=True)(tokens)
    seen = layers.Concatenate()(
        [mean(conv()(image)), layers.GlobalAveragePooling1D()(text)]
    )
    model = nets.filled(keras.Model([image, tokens], scores(seen)), 4)
    held = [[1, 2, 0, 0]]
    return Kind(
        model,
        ways={"input": 0, "held": {1: held}},
        call=lambda x: model([x, tf.repeat(held, len(x), 0)], training=False),
    )


@kind
def inputs_by_name_in_another_order() -> Kind:
    """A dict of inputs, made in another order than that of their names."""
    image, age = keras.Input(SHAPE, name="zoom"), keras.Input((2,), name="age")
    seen = layers.Concatenate()([age, mean(conv()(image))])
    model = nets.filled(keras.Model({"zoom": image, "age": age}, scores(seen)), 4)
    held = np.array([[1.0, 2.0]], "float32")
    return Kind(
        model,
        ways={"input": "zoom", "held": {"age": held}},
        call=lambda x: model(
            {"zoom": x, "age": tf.repeat(held, len(x), 0)}, training=False
        ),
    )


@kind
def twins_of_one_encoder() -> Kind:
    """A Siamese network: the distance of two encoded images."""
    symbol, one, other = (keras.Input(SHAPE) for _ in range(3))
    encoder = keras.Model(symbol, mean(conv()(symbol)))
    seen = ops.abs(encoder(one) - encoder(other))
    model = nets.filled(keras.Model([one, other], scores(seen, 1, "sigmoid")), 4)
    held = np.full((1, *SHAPE), 0.25, "float32")
    return Kind(
        model,
        says="sigmoid",
        ways={"input": 0, "held": {1: held}},
        call=lambda x: model([x, tf.repeat(held, len(x), 0)], training=False),
    )


@kind
def quantised() -> Kind:
    """Dense layers of eight bits."""
    model = built(lambda x: scores(mean(layers.Dense(4, activation="relu")(conv()(x)))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that pooling has nothing to quantise
        model.quantize("int8")
    return Kind(model)


@kind
def low_rank_updates() -> Kind:
    """LoRA on a convolution and a Dense layer."""
    first = layers.Conv2D(4, 3, activation="relu")
    second = layers.Dense(5, activation="relu")
    model = built(lambda x: scores(mean(second(first(x)))))
    for layer in (first, second):
        layer.enable_lora(2)
    return Kind(nets.filled(model, 5))


@kind
def doubles() -> Kind:
    """Every layer in float64."""
    inputs = keras.Input(SHAPE, dtype="float64")
    double = {"dtype": "float64"}
    seen = layers.Conv2D(4, 3, activation="relu", **double)(inputs)
    seen = layers.GlobalAveragePooling2D(**double)(seen)
    outputs = layers.Dense(3, activation="softmax", **double)(seen)
    model = nets.filled(keras.Model(inputs, outputs), 4)
    return Kind(model, call=lambda x: model(tf.cast(x, "float64"), training=False))


class Noise(layers.Layer):
    """Noise while training, from a generator with a state."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.random.SeedGenerator(3)

    def call(self, seen: Any, training: Any = None) -> Any:
        """Add noise while training."""
        if not training:
            return seen
        return seen + keras.random.normal(ops.shape(seen), seed=self.generator)


@kind
def a_generator_with_a_state() -> Kind:
    """A layer that would draw while training."""
    return Kind(built(lambda x: scores(mean(conv()(Noise()(x))))))


@kind
def dropout_drawn_for_training() -> Kind:
    """Dropout that was called with training=True: the network without it is explained."""

    def body(x: Any, *, training: bool) -> Any:
        seen = layers.Dropout(0.5)(mean(conv()(x)), training=training)
        return scores(seen)

    bare = built(lambda x: body(x, training=False))
    return Kind(
        built(lambda x: body(x, training=True)), call=lambda x: bare(x, training=False)
    )


class Thresholds(layers.Layer):
    """Ordinal grades: one number against several thresholds."""

    def build(self, _shape: tuple[int, ...]) -> None:
        """Make the thresholds."""
        self.thresholds = self.add_weight(shape=(3,))

    def call(self, number: Any) -> Any:
        """Return the chance of each grade or more."""
        return ops.sigmoid(number - self.thresholds)


@kind
def ordinal_grades() -> Kind:
    """Sigmoids of one number less three thresholds."""
    model = built(lambda x: Thresholds()(scores(mean(conv()(x)), 1, None)))
    return Kind(model, says="sigmoid")


@kind
def logarithms_of_shares() -> Kind:
    """The output is log softmax."""
    return Kind(
        built(lambda x: ops.log_softmax(scores(mean(conv()(x)), 3, None))), says="plain"
    )


@kind
def a_temperature() -> Kind:
    """Logits over a temperature."""
    return Kind(
        built(lambda x: layers.Softmax()(scores(mean(conv()(x)), 3, None) / 2.5))
    )


@kind
def an_average_of_two_networks() -> Kind:
    """An ensemble inside: a mean of shares has no logits, and is explained itself."""

    def body(x: Any) -> Any:
        return layers.Average()([scores(mean(conv()(x))) for _ in range(2)])

    return Kind(built(body), says="plain")


class OwnStep(keras.Model):
    """A model with a step of training of its own."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """Do nothing."""
        return {}


@kind
def a_step_of_its_own() -> Kind:
    """A functional model of a class with train_step."""
    inputs = keras.Input(SHAPE)
    return Kind(nets.filled(OwnStep(inputs, scores(mean(conv()(inputs)))), 4))


@kind
def resized_by_tensorflow() -> Kind:
    """tf.image.resize in a Lambda."""
    resize = layers.Lambda(lambda x: tf.image.resize(x, (14, 15)))
    return Kind(built(lambda x: scores(mean(conv()(resize(x))))))


@kind
def slices_in_a_recurrent_layer() -> Kind:
    """A network for each slice, and a recurrent layer over the slices."""

    def body(x: Any) -> Any:
        symbol = keras.Input(SHAPE)
        encoder = keras.Model(symbol, mean(conv()(symbol)))
        return scores(layers.GRU(4)(layers.TimeDistributed(encoder)(x)))

    return Kind(built(body, (3, *SHAPE)), shape=(3, *SHAPE))


@kind
def bags_of_tiles() -> Kind:
    """Tiles of a bag as a longer batch, and attention over them."""

    def body(x: Any) -> Any:
        tiles = mean(conv()(ops.reshape(x, (-1, *SHAPE))))
        bag = ops.reshape(tiles, (-1, 3, 4))
        weights = ops.softmax(layers.Dense(1)(bag), axis=1)
        return scores(ops.sum(weights * bag, axis=1))

    return Kind(built(body, (3, *SHAPE)), shape=(3, *SHAPE))


@kind
def gated_by_where() -> Kind:
    """A gate that is written with ops.where."""

    def body(x: Any) -> Any:
        seen = layers.Conv2D(4, 3)(x)
        return scores(mean(ops.where(seen > 0.1, seen, ops.zeros_like(seen))))

    return Kind(built(body))


@kind
def sums_of_two_heads() -> Kind:
    """Logits of a mean and of a maximum, added."""

    def body(x: Any) -> Any:
        seen = conv()(x)
        largest = layers.GlobalMaxPooling2D()(seen)
        logits = scores(mean(seen), 3, None) + scores(largest, 3, None)
        return layers.Softmax()(logits)

    return Kind(built(body))


def evidence(made: Kind, given: Any) -> Any:
    """What the bare model says for class 1, of each sample: a logit, or the difference of two."""
    call = made.call or (lambda x: made.model(x, training=False))
    said = call(given)
    if made.says == "softmax":
        return tf.math.log(said[:, 1]) - tf.math.log(said[:, 0])
    if made.says == "sigmoid":
        odds = tf.math.log(said) - tf.math.log1p(-said)
        return odds[:, min(1, odds.shape[1] - 1)]
    return said[:, 1] - said[:, 0]


@pytest.mark.spread
@pytest.mark.parametrize("name", KINDS)
def test_the_gradient_is_that_of_the_bare_model(name: str) -> None:
    """The derivative of the evidence is what a tape over the model's own call says."""
    made = KINDS[name]()
    inputs = tf.constant(
        np.random.default_rng(6).random((2, *made.shape)).astype("float32")
    )
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(evidence(made, inputs))
    right = tape.gradient(total, inputs).numpy()
    probe = sal.KerasProbe(made.model, **made.ways)

    target = 1 if made.says == "sigmoid" else sal.Contrast(1, 0)
    found = np.asarray(probe.at(target).gradient(inputs))

    np.testing.assert_allclose(found, right, atol=2e-5 * np.abs(right).max())


@pytest.mark.spread
@pytest.mark.parametrize(
    "name",
    [
        "low_rank_updates",
        "quantised",
        "slices_in_a_recurrent_layer",
        "spectral_normalisation",
        "weight_normalisation",
    ],
)
def test_every_method_answers_or_says_why(name: str) -> None:
    """A map that is finite and not blank, or one sentence that is short and shows no path."""
    made = KINDS[name]()
    probe = sal.KerasProbe(made.model, **made.ways).at(1)
    inputs = tf.constant(
        np.random.default_rng(6).random((1, *made.shape)).astype("float32")
    )
    for method in ("gradcam", "lrp"):
        answer = answer_of(method, probe, inputs)
        if isinstance(answer, str):
            assert len(answer) <= 400
            assert "site-packages" not in answer
            assert ".py" not in answer
        else:
            assert np.isfinite(answer).all()
            assert answer.any()


def answer_of(method: str, probe: Any, inputs: Any) -> "np.ndarray | str":
    """A map, or the sentence of a refusal."""
    try:
        return np.asarray(resolve(method)(probe, inputs))
    except SaliencyError as error:
        return str(error)
