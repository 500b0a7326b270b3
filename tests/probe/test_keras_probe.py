"""A probe gives what a slow, plain computation with the model gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

from saliency.errors import InputError, ModelError, TargetError
from saliency.probe.keras_probe import KerasProbe
from saliency.probe.protocol import LastLayerProbe, Probe, RuledProbe, SettlingProbe

WAYS = [nets.flat, nets.sequential, nets.nested, nets.subclassed]


@pytest.fixture(scope="module")
def model():
    return nets.flat()


@pytest.fixture(scope="module")
def probe(model):
    return KerasProbe(model, labels=["benign", "malignant", "unclear"])


def slow_logits(model, inputs):
    """Return the head's logits by hand: features @ kernel + bias."""
    features = inputs
    for layer in model.layers[1:-1]:
        features = (
            layer(features, training=False) if layer.name == "norm" else layer(features)
        )
    kernel, bias = model.layers[-1].get_weights()
    return features @ kernel + bias


def slow_gradient(function, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        score = function(inputs)
    return tape.gradient(score, inputs)


def test_a_bound_probe_is_every_protocol(probe):
    """An explainer may ask a bound probe everything that the protocols name."""
    bound = probe.at(1)
    assert isinstance(bound, Probe)
    assert isinstance(bound, LastLayerProbe)
    assert isinstance(bound, SettlingProbe)
    assert isinstance(bound, RuledProbe)


def test_score_is_the_logit_of_the_head(model, probe):
    """The score of class c is features @ kernel[:, c] + bias[c]."""
    inputs = nets.pictures()
    np.testing.assert_allclose(
        probe.at(2).score(inputs),
        slow_logits(model, inputs)[:, 2],
        rtol=1e-5,
        atol=1e-5,
    )


def test_gradient_is_the_derivative_of_the_logit(model, probe):
    """The gradient is that of the logit, not of the probability."""
    inputs = nets.pictures()
    expected = slow_gradient(lambda x: slow_logits(model, x)[:, 2], inputs)
    np.testing.assert_allclose(
        probe.at(2).gradient(inputs), expected, rtol=1e-4, atol=1e-6
    )


def test_gradient_agrees_with_finite_differences(probe):
    """A step along a direction changes the score by step times gradient."""
    bound = probe.at(0)
    inputs = nets.pictures(1)
    gradient = bound.gradient(inputs)
    direction = gradient / tf.norm(gradient)
    step = 1e-2
    ahead = bound.score(inputs + step * direction) - bound.score(
        inputs - step * direction
    )
    np.testing.assert_allclose(ahead / (2 * step), [tf.norm(gradient)], rtol=2e-2)


@pytest.mark.parametrize("way", WAYS[1:])
def test_one_function_written_in_several_ways_has_one_explanation(way):
    """Flat, Sequential, nested and subclassed models of the same weights give the same arrays."""
    inputs = nets.pictures()
    ours, theirs = nets.probe().at(1), nets.probe(way).at(1)
    np.testing.assert_allclose(
        theirs.gradient(inputs), ours.gradient(inputs), atol=1e-6
    )
    assert [name.rsplit("/", 1)[-1] for name in theirs.layers] == ["conv2", "conv3"]
    for one, two in zip(
        theirs.activations(inputs), ours.activations(inputs), strict=True
    ):
        np.testing.assert_allclose(one, two, atol=1e-6)
    for one, two in zip(
        theirs.last_gradient(inputs)[0], ours.activations(inputs), strict=True
    ):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_a_model_of_raw_operations_still_has_a_gradient():
    """Where the layers cannot be seen, the output is explained and a tap is refused by name."""
    model = nets.opaque()
    bound = KerasProbe(model).at(1)
    inputs = nets.pictures()
    expected = slow_gradient(lambda x: model(x, training=False)[:, 1], inputs)
    np.testing.assert_allclose(bound.gradient(inputs), expected, rtol=1e-4, atol=1e-7)
    assert bound.layers == ()
    with pytest.raises(ModelError, match=r"conv1.*gradient"):
        bound.activations(inputs)
    with pytest.raises(ModelError, match="cannot be tapped"):
        KerasProbe(model, layers=["conv1"])


class TwoFaced(nets.Subclassed):
    """A model that draws another graph than what it computes."""

    def call(self, inputs, training=None):
        factor = 1.0 if isinstance(inputs, keras.KerasTensor) else 3.0
        return super().call(inputs * factor, training=training)


def test_a_drawn_graph_is_believed_only_when_it_computes_the_same():
    """Where the code behaves otherwise on symbols, the model is asked as a whole."""
    model = nets.subclassed(kind=TwoFaced)
    probe = KerasProbe(model)
    expected = model(nets.pictures(), training=False)[:, 1]
    assert (probe.layers, probe.output) == ((), "output")
    np.testing.assert_allclose(probe.at(1).score(nets.pictures()), expected, rtol=1e-5)


def test_last_gradient_in_closed_form_is_the_backward_pass(probe):
    """Behind a global mean and a dense layer d score / d activation = kernel[:, c] / (h w)."""
    inputs = nets.pictures()
    assert probe.closed_form_head
    for target in (0, 2, None):
        activations, gradient = probe.at(target).last_gradient(inputs)
        pairs = probe.at(target).activation_gradients(inputs)
        np.testing.assert_allclose(gradient, pairs[-1][1], rtol=1e-5, atol=1e-8)
        np.testing.assert_array_equal(activations[0], pairs[0][0])


def test_last_gradient_with_another_head_is_a_backward_pass():
    """A flattening head has no closed form, and gives the derivative all the same."""
    inputs = keras.Input(nets.SHAPE)
    x = keras.layers.Conv2D(3, 5, strides=4, activation="relu")(inputs)
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(x))
    probe = KerasProbe(nets.filled(keras.Model(inputs, outputs)))
    _, gradient = probe.at(1).last_gradient(nets.pictures())
    assert not probe.closed_form_head
    np.testing.assert_allclose(
        gradient, probe.at(1).activation_gradients(nets.pictures())[0][1]
    )


@pytest.mark.parametrize("way", [nets.flat, nets.nested, nets.subclassed])
def test_a_single_sigmoid_speaks_for_two_classes(way):
    """Class 1 has the logit z, class 0 has -z, the prediction is p > 0.5."""
    model = way(units=1, activation="sigmoid")
    model.set_weights([*model.get_weights()[:-1], np.array([1.5])])
    probe = KerasProbe(model)
    inputs = nets.pictures(6)
    probability = model(inputs, training=False)[:, 0]
    logit = tf.math.log(probability / (1 - probability))
    assert (probe.output, probe.outputs) == ("logit", 2)
    np.testing.assert_allclose(probe.at(1).score(inputs), logit, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(probe.at(0).score(inputs), -logit, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(probe.at(None).classes(inputs), probability > 0.5)
    assert 0 < np.mean(probability > 0.5) < 1
    ours = probe.at(0).last_gradient(inputs)[1]
    np.testing.assert_allclose(
        ours, probe.at(0).activation_gradients(inputs)[-1][1], rtol=1e-5
    )
    with pytest.raises(TargetError, match="0 to 1"):
        probe.at(2)


def test_probability_explains_the_output_itself():
    """output="probability" gives p and its derivative; a sigmoid's class 0 has 1 - p."""
    model = nets.flat()
    inputs = nets.pictures()
    probe = KerasProbe(model, output="probability")
    expected = slow_gradient(lambda x: model(x, training=False)[:, 1], inputs)
    np.testing.assert_allclose(
        probe.at(1).gradient(inputs), expected, rtol=1e-4, atol=1e-7
    )
    assert (probe.output, probe.closed_form_head) == ("output", False)
    single = KerasProbe(nets.flat(1, "sigmoid"), output="probability")
    total = single.at(0).score(inputs) + single.at(1).score(inputs)
    np.testing.assert_allclose(total, np.ones(2), atol=1e-6)


def test_a_regression_is_explained_as_it_is():
    """A linear single unit has index 0, which is its output."""
    model = nets.flat(1, "linear")
    probe = KerasProbe(model)
    inputs = nets.pictures()
    assert (probe.output, probe.outputs) == ("output", 1)
    for target in (0, None):
        np.testing.assert_allclose(
            probe.at(target).score(inputs),
            model(inputs, training=False)[:, 0],
            rtol=1e-5,
        )
    np.testing.assert_allclose(
        probe.at(0).last_gradient(inputs)[1],
        probe.at(0).activation_gradients(inputs)[-1][1],
    )
    with pytest.raises(TargetError, match="0 to 0"):
        probe.at(1)


def test_none_is_the_predicted_class_of_each_sample(probe):
    """target=None gives, per sample, the score of the largest output."""
    inputs = nets.pictures(8, seed=6)
    largest = tf.reduce_max(
        [probe.at(index).score(inputs) for index in range(3)], axis=0
    )
    np.testing.assert_array_equal(probe.at(None).score(inputs), largest)


def test_settled_keeps_the_class_of_the_first_question(probe):
    """A settled probe explains the first inputs' class on other inputs, batch after batch."""
    inputs, others = nets.pictures(4, seed=2), nets.pictures(8, seed=6)
    classes = probe.at(None).classes(inputs).numpy()
    score = probe.at(None).settled(inputs).score(others).numpy()
    for index in range(8):
        alone = probe.at(int(classes[index % 4])).score(others[index : index + 1])
        np.testing.assert_allclose(score[index], alone[0], rtol=1e-5)
    assert list(classes) == [1, 1, 1, 2]
    assert (probe.at(None).classes(others).numpy() != np.tile(classes, 2)).any()


def test_settled_refuses_a_broken_batch(probe):
    """Inputs that are no whole number of batches are refused, not broadcast."""
    settled = probe.at(None).settled(nets.pictures(4))
    with pytest.raises(InputError, match="settled on 4 samples"):
        settled.score(nets.pictures(6))


def test_a_settled_probe_of_a_fixed_target_is_itself(probe):
    """An index does not depend on the inputs."""
    bound = probe.at(1)
    assert bound.settled(nets.pictures()) is bound


def test_a_label_is_its_index(probe):
    """labels[i] names class i."""
    inputs = nets.pictures()
    np.testing.assert_array_equal(
        probe.at("malignant").score(inputs), probe.at(1).score(inputs)
    )


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("malignan", "malignant"),
        (3, "0 to 2"),
        (-1, "0 to 2"),
        (True, "True"),
        (np.True_, "True"),
        (1.0, "1.0"),
        ([1, 1], "class index"),
        (np.array([1, 0]), "class index"),
    ],
)
def test_a_wrong_target_is_refused(probe, target, message):
    """An index out of range, an unknown label, a bool, a float or a sequence is an error."""
    with pytest.raises(TargetError, match=message):
        probe.at(target)


def test_a_callable_target_is_asked_about_the_logits(probe):
    """A callable is applied to what is explained, and differentiated through."""
    inputs = nets.pictures()
    margin = probe.at(lambda logits: logits[:, 1] - logits[:, 0])
    expected = probe.at(1).gradient(inputs) - probe.at(0).gradient(inputs)
    np.testing.assert_allclose(margin.gradient(inputs), expected, rtol=1e-4, atol=1e-6)
    last = probe.at(1).last_gradient(inputs)[1] - probe.at(0).last_gradient(inputs)[1]
    np.testing.assert_allclose(
        margin.last_gradient(inputs)[1], last, rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize("target", [lambda out: out, lambda _: 3.0, tf.argmax])
def test_a_callable_that_gives_no_score_is_refused(probe, target):
    """A callable target must give a float tensor (N,)."""
    with pytest.raises(TargetError, match=r"\(N,\)"):
        probe.at(target).score(nets.pictures())


def test_a_score_without_gradient_is_an_error(probe):
    """A target that does not depend on the inputs has no gradient: an error, not zeros."""
    with pytest.raises(ModelError, match="differentiable"):
        probe.at(lambda logits: tf.zeros(tf.shape(logits)[0])).gradient(nets.pictures())


def test_inputs_of_another_shape_are_refused(probe):
    """A picture of another size, or without its batch axis, is refused with both shapes."""
    for shape in [(2, 53, 37, 2), (37, 53, 2), (2, 37, 53, 1)]:
        with pytest.raises(InputError, match=r"\(N, 37, 53, 2\)"):
            probe.at(0).score(np.zeros(shape, np.float32))


def test_everything_runs_in_inference_mode(probe):
    """Dropout and batch statistics never show: the same question has the same answer."""
    inputs = nets.pictures()
    bound = probe.at(1)
    np.testing.assert_array_equal(bound.gradient(inputs), bound.gradient(inputs))
    np.testing.assert_allclose(
        bound.score(inputs)[:1], bound.score(inputs[:1]), rtol=1e-5
    )


def test_predict_is_the_model(model, probe):
    """The prediction is the model's own output."""
    inputs = nets.pictures()
    np.testing.assert_allclose(
        probe.predict(inputs), model(inputs, training=False), rtol=1e-6
    )
    assert (probe.outputs, probe.input_shape) == (3, nets.SHAPE)


def test_labels_must_fit():
    """One distinct label for each class."""
    for labels in (["a", "b"], ["a", "a", "b"], "abc", [1, 2, 3]):
        with pytest.raises(InputError, match="labels"):
            KerasProbe(nets.flat(), labels=labels)


def test_nan_is_passed_on():
    """A model that gives NaN gives NaN: the pipeline refuses it, the probe does not hide it."""
    model = nets.flat()
    kernel, bias = model.get_layer("scores").get_weights()
    model.get_layer("scores").set_weights([kernel * np.nan, bias])
    bound = KerasProbe(model).at(None)
    assert np.isnan(bound.score(nets.pictures())).all()
    assert np.isnan(bound.last_gradient(nets.pictures())[1]).all()
