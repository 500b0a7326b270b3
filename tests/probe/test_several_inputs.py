"""Models with several inputs: one is explained, the others are held."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets
from small_recipes import SMALL

import saliency as sal
from saliency.errors import InputError, ModelError, SaliencyError
from saliency.explainers.catalogue import DEMANDING, ENTRIES, resolve
from saliency.explainers.fullgrad import FullGrad
from saliency.probe.cache import probe_for

AGES, SEXES = [[0.62], [0.35]], [1, 0]
HELD = {"age": AGES, "sex": SEXES}


def clinical(*, named=False, units=3):
    """A picture, an age (N, 1) and a sex (N,), which is looked up in a table."""
    picture = keras.Input(nets.SHAPE, name="picture")
    age, sex = keras.Input((1,), name="age"), keras.Input((), dtype="int32", name="sex")
    x = nets.chained(
        [*nets.trunk_layers(), keras.layers.GlobalAveragePooling2D()], picture
    )
    known = keras.layers.Dense(4, activation="tanh", name="old")(age)
    looked_up = keras.layers.Embedding(2, 3, name="table")(sex)
    x = keras.layers.Concatenate()([known, x, looked_up])
    x = keras.layers.Dense(8, activation="relu")(x)
    outputs = keras.layers.Dense(units, activation="softmax")(x)
    inputs = (
        {"picture": picture, "age": age, "sex": sex} if named else [age, picture, sex]
    )
    return nets.filled(keras.Model(inputs, outputs, name="clinical"))


def around(model, age, sex):
    """The same question put by a functional model of one input."""
    picture = keras.Input(nets.SHAPE)
    ages = keras.ops.full_like(picture[:, :1, 0, 0], age)
    sexes = keras.ops.cast(keras.ops.full_like(picture[:, 0, 0, 0], sex), "int32")
    given = {"picture": picture, "age": ages, "sex": sexes}
    flat = isinstance(model.input, list)
    return keras.Model(picture, model([ages, picture, sexes] if flat else given))


@pytest.fixture(scope="module")
def model():
    return clinical()


@pytest.fixture(scope="module")
def probe(model):
    return sal.KerasProbe(model, input="picture", held=HELD)


@pytest.mark.parametrize("named", [False, True])
def test_held_inputs_are_what_a_model_around_would_fix(named):
    """Score, gradient and taps equal those of a functional model that fixes the others."""
    model, inputs = clinical(named=named), nets.pictures()
    ours = sal.KerasProbe(model, input="picture", held={"age": 0.62, "sex": 1}).at(2)
    theirs = sal.KerasProbe(around(model, 0.62, 1)).at(2)
    np.testing.assert_allclose(ours.score(inputs), theirs.score(inputs), rtol=1e-5)
    np.testing.assert_allclose(
        ours.gradient(inputs), theirs.gradient(inputs), rtol=1e-4, atol=1e-6
    )
    assert ours.layers == ("conv2", "conv3")
    for one, two in zip(
        ours.activations(inputs), theirs.activations(inputs), strict=True
    ):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_each_picture_has_its_own_row(model, probe):
    """Row i belongs to sample i, also where a batch is repeated k times."""
    inputs = nets.pictures()
    whole = probe.at(1).score(tf.tile(inputs, (3, 1, 1, 1))).numpy()
    for index in range(2):
        alone = probe.holding({"age": AGES[index], "sex": SEXES[index]}).at(1)
        expected = alone.score(inputs[index : index + 1])[0]
        np.testing.assert_allclose(whole[index::2], [expected] * 3, rtol=1e-5)
    expected = model([tf.constant(AGES), inputs, tf.constant(SEXES)])
    np.testing.assert_allclose(probe.predict(inputs), expected, rtol=1e-5)


def test_other_values_are_not_compiled_again(model):
    """Values are tensors: another patient costs no trace."""
    inputs = nets.pictures(1)
    probe = probe_for(model, input="picture", held={"age": 0.5, "sex": 0})
    for age in (0.1, 0.9):
        probe.holding({"age": age, "sex": 1}).at(0).gradient(inputs)
        probe_for(model, held={"age": age, "sex": 1}).at(0).gradient(inputs)
    assert probe.traces["gradient"] == 1


def test_the_input_that_is_not_held_is_explained(model):
    """Where all but one are held there is nothing to choose."""
    probe = sal.KerasProbe(model, held={0: 0.5, 2: 1})
    assert probe.input_shape == nets.SHAPE
    vector = sal.KerasProbe(
        model, input="age", held={"picture": nets.pictures(1), "sex": 0}
    )
    assert vector.at(0).gradient([[0.5], [0.6]]).shape == (2, 1)


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        (
            {},
            ModelError,
            r"3 inputs \(age \(N, 1\), picture \(N, 37, 53, 2\), sex \(N,\)\)",
        ),
        ({"input": "picture"}, InputError, r"got none for age \(N, 1\), sex \(N,\)"),
        ({"input": "pictures"}, ModelError, "Did you mean 'picture'"),
        ({"input": 3}, ModelError, "got 3"),
        ({"held": {"ages": 1}}, ModelError, "Did you mean 'age'"),
        ({"input": "age", "held": {"age": 1}}, InputError, "hold the others"),
        (
            {"held": {"age": [0.1, 0.2], "sex": 1}},
            InputError,
            r"\(1,\), or \(N, 1\).*got \(2,\)",
        ),
        ({"held": {"age": np.nan, "sex": 1}}, InputError, "finite"),
        ({"held": {"age": "old", "sex": 1}}, InputError, "expected float32 for 'age'"),
        ({"held": {"age": 1, "sex": 0.5}}, InputError, "whole numbers"),
        ({"held": {"age": np.zeros((0, 1)), "sex": 1}}, InputError, "got"),
    ],
)
def test_what_is_wrong_is_said(model, choice, error, message):
    """A missing, unknown or misshapen value is named, with what was expected."""
    with pytest.raises(error, match=message):
        sal.KerasProbe(model, **choice)


def test_one_input_holds_nothing():
    """A model of one input has nothing to hold."""
    with pytest.raises(InputError, match="hold the others"):
        sal.KerasProbe(nets.flat(), input=0, held={0: 1.0})


def test_rows_must_fit_the_batch(probe):
    """Two rows are for two pictures, or a multiple; never half of a batch of one."""
    with pytest.raises(InputError, match="each of the 3 pictures, got 2 rows"):
        probe.at(1).score(nets.pictures(3))
    with pytest.raises(InputError, match="each of the 1 pictures, got 2 rows"):
        sal.explain(
            probe, sal.DicomImage.from_array(np.eye(9)), "rise", prepare=two_channels
        )
    with pytest.raises(InputError, match="got 2 rows"):
        probe.at(1).settled(nets.pictures(1))
    three = probe.holding({"age": [[1], [2], [3]], "sex": [0, 1]})
    with pytest.raises(InputError, match="got 2 and 3 rows"):
        three.at(0).score(nets.pictures(6))


def two_channels(image):
    """Prepare a picture for the two channels of these networks."""
    from saliency.values.model_input import ModelInput

    one = sal.Prepare(nets.SHAPE[:2], channels=1)(image)
    return ModelInput(np.repeat(one.array, 2, axis=3), one.placement)


two_channels.filled = lambda shape: two_channels

ELSEWHERE = {"cam", "attention_rollout", "gradient_attention"}  # they want another head


@pytest.mark.parametrize("name", sorted({*ENTRIES, *DEMANDING} - ELSEWHERE))
def test_every_explainer_works_beside_held_inputs(model, name):
    """What is held is one for each sample: two patients give what each gives alone."""
    recipe, inputs = SMALL.get(name) or resolve(name), nets.pictures()
    both = np.asarray(recipe(sal.KerasProbe(model, held=HELD).at(1), inputs))
    assert np.isfinite(both).all()
    held = {"age": AGES[1], "sex": SEXES[1]}
    alone = recipe(probe_for(model, input="picture", held=held).at(1), inputs[1:])
    near = (
        3e-3 if name == "blur_integrated_gradients" else 1e-4
    )  # rounding adds up on the path
    np.testing.assert_allclose(
        both[1:], alone, rtol=1e-3, atol=near * np.abs(both).max()
    )


def test_fullgrad_counts_what_is_held(probe):
    """The parts sum to the score: what joins the way of the picture is a bias."""
    inputs = nets.pictures()
    parts = FullGrad().decomposed(probe.at(2), inputs)
    np.testing.assert_allclose(parts.total, probe.at(2).score(inputs), rtol=1e-4)


def test_a_second_picture_is_not_looked_at():
    """Taps lie on the way of the explained picture, not of the one that is held."""
    now, prior = (
        keras.Input(nets.SHAPE, name="now"),
        keras.Input((20, 24, 1), name="prior"),
    )
    one = nets.chained(nets.trunk_layers(), now)
    other = keras.layers.Conv2D(3, 3, activation="relu", name="old1")(prior)
    other = keras.layers.Conv2D(3, 3, strides=2, activation="relu", name="old2")(other)
    pools = [keras.layers.GlobalAveragePooling2D()(each) for each in (one, other)]
    outputs = keras.layers.Dense(1, activation="sigmoid")(
        keras.layers.Concatenate()(pools)
    )
    model = nets.filled(keras.Model([prior, now], outputs))
    picture = np.random.default_rng(0).random((20, 24, 1))
    probe = sal.KerasProbe(model, held={"prior": picture})
    assert probe.layers == ("conv2", "conv3")
    assert sal.KerasProbe(model, held={"now": nets.pictures(1)[0]}).layers == (
        "old1",
        "old2",
    )
    maps = FullGrad()(probe.at(1), nets.pictures())
    assert maps.shape == (2, 37, 53)
    assert probe.at(0).randomised(0).gradient(nets.pictures()).shape == (2, *nets.SHAPE)


class Subclassed(keras.Model):
    """A model that takes its inputs as a list or as a dict."""

    def __init__(self, names, opaque):
        super().__init__()
        self.names, self.opaque = names, opaque
        self.trunk = [*nets.trunk_layers(), keras.layers.GlobalAveragePooling2D()]
        self.join, self.head = keras.layers.Concatenate(), keras.layers.Dense(2)

    def call(self, inputs, training=None):
        picture, age = (inputs[key] for key in self.names)
        picture = tf.multiply(picture, 1.0) if self.opaque else picture
        return self.head(self.join([nets.chained(self.trunk, picture), age]))


@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("names", [(0, 1), ("picture", "age")])
def test_subclassed_models_have_inputs_too(names, opaque):
    """A list or a dict of inputs, drawn or asked as a whole."""
    model, pictures = Subclassed(names, opaque), nets.pictures()
    both = dict(zip(names, (pictures, tf.constant(AGES)), strict=True))
    model(both if names[0] else list(both.values()))
    nets.filled(model)
    expected = model(both if names[0] else list(both.values()))[:, 1]
    probe = sal.KerasProbe(model, input=names[0] or "input0", held={names[1]: AGES})
    np.testing.assert_allclose(probe.at(1).score(pictures), expected, rtol=1e-4)
    assert probe.layers == (() if opaque else ("conv2", "conv3"))


class Spread(Subclassed):
    """A model that takes its inputs as arguments of their own."""

    def call(self, picture, age, training=None):
        return super().call([picture, age])


def test_inputs_as_arguments_of_their_own_need_a_model_around():
    """They are refused in words, and work in a functional model."""
    model = Spread((0, 1), opaque=False)
    pictures = nets.pictures()
    expected = model(pictures, tf.constant(AGES))[:, 0]
    with pytest.raises(ModelError, match="several arguments"):
        sal.KerasProbe(model)
    picture, age = (
        keras.Input(nets.SHAPE, name="picture"),
        keras.Input((1,), name="age"),
    )
    probe = sal.KerasProbe(
        keras.Model([picture, age], model(picture, age)), held={"age": AGES}
    )
    np.testing.assert_allclose(probe.at(0).score(pictures), expected, rtol=1e-4)


def test_many_pictures_have_their_own_rows(model):
    """explain_many takes the row of each picture, whatever the batches, and names one too many."""
    pictures = [sal.DicomImage.from_array(np.eye(n) * 255) for n in (9, 10, 11)]
    ages = [[0.1], [0.5], [0.9]]
    probe = sal.KerasProbe(model, held={"age": ages, "sex": 1})
    many = sal.explain_many(
        probe,
        [*pictures, b"junk", *pictures[:1]],
        "gradient",
        target=1,
        prepare=two_channels,
        batch_size=2,
    )
    results = list(many)
    for index, picture in enumerate(pictures):
        alone = probe.holding({"age": ages[index], "sex": 1})
        expected = sal.explain(
            alone, picture, "gradient", target=1, prepare=two_channels
        )
        assert abs(results[index].score - expected.score) < 1e-5
    assert results[4].message == "held: expected a row for picture 5, got 3 rows."


def test_a_dropped_model_is_freed():
    """Held tensors keep no model alive."""
    model = clinical()
    probe_for(model, held={"age": 1, "sex": 0}).at(0).gradient(nets.pictures(1))
    gone = weakref.ref(model)
    del model
    gc.collect()
    gc.collect()
    assert gone() is None


def test_errors_are_ours(model):
    """Nothing else than a SaliencyError comes out of nonsense."""
    for held in (
        {"age": object(), "sex": 1},
        {"age": [[1], [2, 3]], "sex": 1},
        {True: 1},
        {},
    ):
        with pytest.raises(SaliencyError):
            sal.KerasProbe(model, input="picture", held=held)
