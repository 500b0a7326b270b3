"""DeepLIFT: summation to delta, closed forms, and what it shares with integrated gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from probe import nets

import saliency as sal
from saliency.errors import ExplainerError, InputError, ModelError
from saliency.explainers.deeplift import DeepLIFT
from saliency.kernels.baselines import reference, several
from saliency.testing import check_explainer

layers = keras.layers
SHAPE = (9, 13, 2)


def mixed(pool=layers.MaxPooling2D, activation="relu"):
    """Convolutions, normalisation, a pool, a skip and a fused head."""
    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, activation=activation)(inputs)
    x = pool(2)(layers.BatchNormalization()(x))
    y = layers.Conv2D(4, 3, padding="same")(x)
    x = layers.Add()([layers.LeakyReLU()(x), y])
    x = layers.Dense(5, activation="tanh")(layers.Flatten()(x))
    return nets.filled(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))


@pytest.mark.parametrize("pool", [layers.MaxPooling2D, layers.AveragePooling2D])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("baseline", ["black", 0.7, ("black", 0.7)])
def test_summation_to_delta(pool, activation, baseline):
    """The map sums to score(picture) - score(baseline), for every class and baseline (eq. 1).

    Of several baselines to the mean of these changes.
    """
    probe, pictures = sal.KerasProbe(mixed(pool, activation)), nets.pictures(3, SHAPE)
    made = DeepLIFT(baseline)
    for target in (1, None):
        bound = probe.at(target).settled(pictures)
        scores = [bound.score(reference(pictures, kind)) for kind in several(baseline)]
        delta = bound.score(pictures) - sum(scores) / len(scores)

        found = made(probe.at(target), pictures)

        total = tf.reduce_sum(found, (1, 2, 3))
        assert_allclose(total, delta, atol=1e-3 * np.abs(delta).max())
        assert np.max(made.gap(probe.at(target), pictures, found)) < 0.01


def test_a_saturated_gate_keeps_its_credit():
    """Of 1 - relu(1 - x) at x = 2 the gradient is 0, the multiplier from 0 is 1 / 2 (figure 1)."""
    inputs = keras.Input((1, 1, 1))
    first, last = layers.Dense(1, activation="relu"), layers.Dense(1)
    model = keras.Model(inputs, last(first(layers.Flatten()(inputs))))
    model.set_weights([np.array(each) for each in ([[-1.0]], [1.0], [[-1.0]], [1.0])])
    bound, picture = sal.KerasProbe(model).at(0), tf.fill((1, 1, 1, 1), 2.0)

    assert float(bound.gradient(picture)[0, 0, 0, 0]) == 0
    assert_allclose(DeepLIFT()(bound, picture), [[[[1.0]]]], atol=1e-6)


def test_a_maximum_shares_between_both_winners():
    """max(x): from (0, 3) to (5, 1) the 2 gained go to the new winner, not to the old one."""
    inputs = keras.Input((1, 2, 1))
    model = keras.Model(inputs, layers.Flatten()(layers.MaxPooling2D((1, 2))(inputs)))
    bound = sal.KerasProbe(model).at(0)
    before, after = np.float32([[[0], [3]]]), np.float32([[[[5], [1]]]])

    assert_allclose(np.ravel(DeepLIFT(before)(bound, after)), [2, 0], atol=1e-6)
    assert_allclose(
        np.ravel(DeepLIFT(after[0])(bound, before[None])), [-2, 0], atol=1e-6
    )


def test_on_linear_networks_it_is_integrated_gradients():
    """Slopes between two points of a linear network are its derivatives."""
    inputs = keras.Input(SHAPE)
    x = layers.AveragePooling2D(2)(layers.Conv2D(3, 3)(inputs))
    x = layers.Flatten()(layers.BatchNormalization()(x))
    model = nets.filled(keras.Model(inputs, layers.Dense(2)(x)))
    bound, pictures = sal.KerasProbe(model).at(1), nets.pictures(2, SHAPE)

    paths = sal.IntegratedGradients(steps=4, baseline=0.3)(bound, pictures)

    assert_allclose(DeepLIFT(0.3)(bound, pictures), paths, rtol=1e-3, atol=1e-5)


def test_a_picture_that_is_its_baseline_gets_nothing():
    """Nothing changed, nothing is shared, and nothing is divided by zero."""
    bound, pictures = sal.KerasProbe(mixed()).at(1), nets.pictures(1, SHAPE)

    assert not np.any(DeepLIFT(pictures[0].numpy())(bound, pictures))


def test_nested_and_flat_give_one_map():
    """However the network is written down."""
    maps = [
        DeepLIFT()(sal.KerasProbe(way()).at(1), nets.pictures())
        for way in (nets.flat, nets.nested, nets.subclassed)
    ]
    for each in maps[1:]:
        assert_allclose(each, maps[0], rtol=1e-3, atol=1e-5 * np.abs(maps[0]).max())


def test_what_has_no_rule_is_refused():
    """A softmax inside, a greater of two, a function, an unknown baseline."""
    inputs = keras.Input(SHAPE)
    x, y = (layers.Conv2D(2, 3)(inputs) for _ in range(2))
    for mixed_up in (
        layers.Softmax()(x),
        layers.Maximum()([x, y]),
        keras.ops.cumsum(x, 1),
    ):
        model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(mixed_up)))
        with pytest.raises(ModelError, match="DeepLIFT has no rule for the layer"):
            DeepLIFT()(sal.KerasProbe(model).at(0), nets.pictures(1, SHAPE))
    with pytest.raises(
        ExplainerError, match="DeepLIFT: expected a probe of a Keras model"
    ):
        DeepLIFT()(
            sal.ClosedFormProbe(lambda x: tf.reduce_sum(x, (1, 2, 3))), nets.pictures()
        )
    with pytest.raises(InputError):
        DeepLIFT("grey-ish")


def test_it_keeps_the_laws():
    """It is held to what every explainer is held to, and leaves the model as it was."""
    model = mixed()
    before = nets.snapshot(model)

    check_explainer(DeepLIFT(), sal.KerasProbe(model).at(1), shape=SHAPE)

    assert nets.snapshot(model) == before
