"""Bags of tiles: the heat of each by four methods, and a curve that tests them."""

import keras
import numpy as np
import pytest
from keras import layers
from slides.networks import RED, opened, tissue

import saliency as sal
from saliency.errors import InputError, ModelError
from saliency.slides.bags import Bag, bag_heat, flipping

D = 6
TUMOUR = (3, 11, 12)


def gated(instances=None):
    """Return a head with gated attention (Ilse et al., arXiv 1802.04712), made by hand.

    The first feature decides: it is what attention looks for, and what the class is.
    """
    entry = keras.Input((instances, D))
    tanh = layers.Dense(1, activation="tanh", name="tanh")
    gate = layers.Dense(1, activation="sigmoid", name="gate")
    score = layers.Dense(1, use_bias=False, name="score")
    weights = layers.Softmax(axis=1, name="weights")(
        score(layers.Multiply()([tanh(entry), gate(entry)]))
    )
    pooled = layers.Flatten()(layers.Dot(axes=1)([weights, entry]))
    out = layers.Dense(2, activation="softmax", name="out")
    model = keras.Model(entry, out(pooled))
    first = np.zeros((D, 1))
    first[0] = 1
    tanh.set_weights([first, np.zeros(1)])
    gate.set_weights([first, np.zeros(1)])
    score.set_weights([np.array([[3.0]])])
    two = np.zeros((D, 2))
    two[0, 1] = 8
    out.set_weights([two, np.array([3.0, 0.0])])
    return model


@pytest.fixture(scope="module")
def bag():
    """Its head; features are given, so it needs no network of tiles."""
    return Bag(None, gated())


@pytest.fixture(scope="module")
def features():
    """Twenty tiles, three of them with a large first feature."""
    made = np.random.default_rng(0).normal(0, 0.1, (20, D)).astype(np.float32)
    made[list(TUMOUR), 0] += 2
    return made


@pytest.mark.parametrize(
    "method", ["single", "integrated_gradients", "lrp", "attention"]
)
def test_heat_lies_on_the_tiles_that_decide(bag, features, method):
    """The three hottest are those."""
    heat = bag_heat(bag, features, method, target=1)
    assert heat.shape == (20,)
    assert set(np.argsort(-heat)[:3]) == set(TUMOUR)


def test_single_is_the_head_on_a_bag_of_one(bag, features):
    """Whose attention is 1, so that its probability is sigmoid(8 x - 3)."""
    alone = 1 / (1 + np.exp(3 - 8 * features[:, 0]))
    np.testing.assert_allclose(
        bag_heat(bag, features, "single", target=1), alone, atol=1e-5
    )


def test_integrated_gradients_are_complete(bag, features):
    """Their mean is the logit less that of a bag of zeros."""
    logits = keras.Model(bag.head.input, bag.head.layers[-2].output)
    kernel, bias = bag.head.layers[-1].get_weights()

    def logit(given):
        return (logits(given[None]).numpy() @ kernel + bias)[0, 1]

    heat = bag_heat(bag, features, "integrated_gradients", target=1)
    assert heat.mean() == pytest.approx(logit(features) - logit(features * 0), rel=0.02)


def test_relevance_holds_attention_constant(bag, features):
    """Weights times features times the kernel: the pooled logit is linear in the features."""
    weights = keras.Model(bag.head.input, bag.head.get_layer("weights").output)
    kernel, _ = bag.head.layers[-1].get_weights()
    wanted = weights(features[None]).numpy()[0, :, 0] * (features @ kernel[:, 1]) * 20
    np.testing.assert_allclose(
        bag_heat(bag, features, "lrp", target=1), wanted, rtol=1e-4, atol=1e-4
    )


def test_attention_is_counted_in_even_shares(bag, features):
    """Times n, so that 1 is what every tile would have."""
    assert bag_heat(bag, features, "attention").mean() == pytest.approx(1, rel=1e-4)


def test_a_transformer_has_relevance_too():
    """Through the values of self-attention alone: with constant attention it is linear."""
    keras.utils.set_random_seed(0)
    entry = keras.Input((None, D))
    seen = layers.MultiHeadAttention(2, 4, name="mha")(entry, entry)
    out = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling1D()(seen))
    bag = Bag(None, keras.Model(entry, out))
    features = np.random.default_rng(1).normal(0, 1, (7, D)).astype(np.float32)
    heat = bag_heat(bag, features, "lrp", target=1)
    layer, dense = bag.head.layers[1], bag.head.layers[-1]
    kernel, _ = dense.get_weights()
    no_bias = [np.zeros_like(w) if w.ndim < 3 else w for w in layer.get_weights()]
    layer.set_weights(no_bias)
    logit = (layer(features[None], features[None]).numpy()[0].mean(0) @ kernel)[1]
    assert heat.mean() == pytest.approx(logit, rel=1e-3)


def test_flipping_tells_good_heat_from_bad(bag, features):
    """The hottest first: the score falls at once; the coldest first: it falls last."""
    heat = bag_heat(bag, features, "single", target=1)
    good = flipping(bag, features, heat, target=1)
    bad = flipping(bag, features, -heat, target=1)
    assert good.area < bad.area
    assert good.gain > 0 > bad.gain
    assert good.scores[0] == pytest.approx(bad.scores[0])
    assert good.scores[4] < good.scores[0] - 3


def test_what_cannot_be_is_refused(bag, features):
    """In one sentence."""
    with pytest.raises(InputError, match="a method of single"):
        bag_heat(bag, features, "gradcam")
    with pytest.raises(InputError, match="features"):
        bag_heat(bag, features[0])
    with pytest.raises(ModelError, match="bag of one"):
        bag_heat(Bag(None, gated(20)), features)
    entry = keras.Input((None, D))
    plain = layers.Dense(2)(layers.GlobalAveragePooling1D()(entry))
    with pytest.raises(ModelError, match="sum to one over the tiles"):
        bag_heat(Bag(None, keras.Model(entry, plain)), features, "attention", target=1)


def test_a_slide_is_explained_as_a_bag():
    """Features of tiles, a head over them: the hottest tile is the red one, and the curve falls."""
    scene = tissue(256, 320)
    scene[96:160, 128:192] = RED
    entry = keras.Input((64, 64, 3))
    colours = layers.Conv2D(D, 1, activation="relu", name="colours")
    tiles = keras.Model(entry, layers.GlobalAveragePooling2D()(colours(entry)))
    kernel = np.zeros((1, 1, 3, D))
    kernel[0, 0, :, 0] = (10.8, -3.6, -3.6)
    colours.set_weights([kernel, np.array([-5.4] + [0.1] * (D - 1))])
    bag = Bag(tiles, gated(), labels=("other", "tumour"))
    ways = {"spacing": 0.0005, "overlap": 0}
    with opened(scene) as slide:
        found = sal.explain_slide(bag, slide, "single", target="tumour", **ways)
        shared = sal.explain_slide(bag, slide, "lrp", target="tumour", **ways)
    # A share of the score counts as much as the slide is of the class; tiles are 4 x 4 cells.
    assert 0.5 < shared.probability < 0.999
    of_tiles = shared.heatmap.values.reshape(4, 4, 5, 4).mean((1, 3))[shared.asked]
    weighed = shared.bag.heat * shared.probability
    assert np.abs(weighed).max() > 0.1
    np.testing.assert_allclose(of_tiles, weighed, rtol=1e-5, atol=1e-7)
    assert found.probability > 0.5
    assert not found.veiled
    cells = np.argwhere(found.heatmap.values > 0.5).mean(axis=0) + 0.5
    np.testing.assert_allclose(
        (found.placement @ np.append(cells, 1))[:2], (0.064, 0.08), atol=0.001
    )
    assert found.bag.features.shape == (found.asked.sum(), D)
    curve = flipping(bag, found.bag.features, found.bag.heat, target="tumour")
    assert curve.gain > 0
    assert "probability of each tile alone" in found.caption
