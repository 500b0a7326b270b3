"""Class activation maps against their papers' sums, and against each other."""

import numpy as np
import pytest
import tensorflow as tf
import twins
from numpy.testing import assert_allclose, assert_array_equal
from small_probes import FunctionProbe, StagedProbe, conv, small_network

from saliency.errors import ExplainerError, InputError
from saliency.explainers import cams, masked_cams
from saliency.explainers.fastcam import FastCAM
from saliency.kernels.activity import unit_range
from saliency.kernels.channels import busiest, principal

SIZE = (21, 30)


@pytest.fixture(scope="module")
def inputs():
    return tf.random.stateless_uniform((2, *SIZE, 1), [0, 21])


@pytest.fixture(scope="module")
def pooled():
    return small_network(target=2)


@pytest.fixture(scope="module")
def flat():
    """Return a probe whose head has its own weight for every place."""
    kernel = tf.random.stateless_normal((3, 3, 1, 5), [4, 4])
    dense = tf.random.stateless_normal((11 * 15 * 5, 3), [5, 5]) * 0.05
    stage = conv(kernel, stride=2, pad=1)
    return StagedProbe(
        (stage,), lambda last: tf.reshape(last, [len(last), -1]) @ dense + 0.3, 1
    )


def resized(maps):
    return np.stack([twins.bilinear(one, SIZE) for one in maps])


def one_by_one(probe):
    """Return functions of a single activation (h, w, c) and of a single picture."""
    return (
        lambda activation: float(
            probe.head(tf.constant(activation[None], tf.float32))[0]
        ),
        lambda picture: float(probe.score(tf.constant(picture[None], tf.float32))[0]),
    )


def test_cam_is_the_evidence_for_the_class(pooled, inputs):
    """On the layer's own grid the mean of the map is the score: there is no bias here."""
    last = pooled.activations(inputs)[-1]
    small = small_network(target=2)
    on_own_grid = StagedProbe((tf.identity,), small.logits, 2)
    found = cams.CAM()(on_own_grid, last)
    assert_allclose(tf.reduce_mean(found, axis=[1, 2]), pooled.score(inputs), rtol=1e-4)
    against = cams.CAM()(
        StagedProbe((tf.identity,), lambda x: -small.logits(x), 2), last
    )
    assert_allclose(against, -found)


def test_cam_refuses_other_heads(flat, inputs):
    """Where every place has its own weight there is no CAM, and the message says what is."""
    with pytest.raises(ExplainerError, match="Use GradCAM or HiResCAM"):
        cams.CAM()(flat, inputs)


def test_behind_a_global_mean_all_are_one(pooled, inputs):
    """Grad-CAM, XGrad-CAM, Grad-CAM of CAM and HiResCAM are the same but for a factor."""
    maps = [
        unit_range(tf.nn.relu(make()(pooled, inputs)))
        for make in (cams.GradCAM, cams.XGradCAM)
    ]
    assert_allclose(maps[0], maps[1], atol=1e-3)
    places = 6 * 8
    assert_allclose(
        cams.CAM()(pooled, inputs) / places, cams.HiResCAM()(pooled, inputs), atol=1e-6
    )


def test_hirescam_is_complete_behind_a_linear_head(flat, inputs):
    """Activation times gradient sums to the score less its bias, whatever each place weighs."""
    last = flat.activations(inputs)[-1]
    on_own_grid = StagedProbe((tf.identity,), flat.logits, 1)
    found = cams.HiResCAM()(on_own_grid, last)
    assert_allclose(
        tf.reduce_sum(found, axis=[1, 2]), flat.score(inputs) - 0.3, rtol=1e-4
    )


@pytest.mark.parametrize(
    ("make", "weigh"),
    [
        (cams.GradCAM, twins.gradcam_weights),
        (cams.GradCAMPlusPlus, twins.gradcampp_weights),
        (cams.XGradCAM, twins.xgradcam_weights),
    ],
)
def test_weighted_cams_twin(flat, inputs, make, weigh):
    """The recipe is relu of the weighted channels, then the resize."""
    activation, gradient = (
        part.numpy() for part in flat.activation_gradients(inputs)[-1]
    )
    wanted = [
        np.maximum(one @ weigh(one, slope), 0)
        for one, slope in zip(activation, gradient, strict=True)
    ]
    assert_allclose(make()(flat, inputs), resized(wanted), rtol=2e-3, atol=1e-5)


def test_layercam_twin(pooled, inputs):
    """Each place is weighted with its own positive gradient, and layers are fused by maximum."""
    maps = []
    for activation, gradient in pooled.activation_gradients(inputs):
        one = np.sum(np.maximum(gradient, 0) * activation.numpy(), axis=-1)
        maps.append(resized(np.tanh(2 * one / one.max(axis=(1, 2), keepdims=True))))
    wanted = np.stack(maps, axis=-1)
    recipe = cams.LayerCAM(layers="all")
    assert_allclose(recipe.layer_maps(pooled, inputs), wanted, atol=1e-4)
    assert_allclose(recipe(pooled, inputs), wanted.max(axis=-1), atol=1e-4)
    assert_allclose(cams.LayerCAM()(pooled, inputs), resized(one), atol=1e-5)
    with pytest.raises(InputError, match="last or all"):
        cams.LayerCAM(layers="first")


@pytest.mark.parametrize("channels", [3, 200])
def test_eigencam_twin(channels):
    """Whichever side of the matrix is smaller, the map is the first singular one, not negative."""
    activation = tf.nn.relu(tf.random.stateless_normal((2, 6, 9, channels), [1, 1]))
    probe = StagedProbe((tf.identity,), lambda last: tf.reduce_mean(last, [1, 2]), 0)
    wanted = [twins.first_principal_map(one) for one in activation.numpy()]
    found = cams.EigenCAM()(probe, activation)
    assert_allclose(found, wanted, rtol=1e-2, atol=1e-3)
    assert np.min(found) >= 0


def test_eigengradcam_twin(flat, inputs):
    """The first singular pattern of activation times gradient, turned towards their sum."""
    activation, gradient = (
        part.numpy() for part in flat.activation_gradients(inputs)[-1]
    )
    wanted = []
    for one in activation * gradient:
        matrix = one.reshape(-1, one.shape[-1]).astype(np.float64)
        pattern = matrix @ np.linalg.svd(matrix)[2][0]
        pattern *= np.sign(pattern @ matrix.sum(axis=1))
        wanted.append(pattern.reshape(one.shape[:2]))
    found = cams.EigenGradCAM()(flat, inputs)
    assert_allclose(
        found, resized(wanted), rtol=1e-2, atol=1e-4 * np.max(np.abs(found))
    )


def test_the_pattern_of_a_negative_score_is_the_negative(flat, inputs):
    """The sign is no chance: what speaks for a score speaks against its negative."""
    head = flat.logits
    against = StagedProbe(flat.stages, lambda activation: -head(activation), 1)
    one, other = (cams.EigenGradCAM()(each, inputs) for each in (flat, against))
    assert_array_equal(one, -other)
    assert np.max(np.abs(one)) > 0


def test_a_pattern_of_what_is_no_number_is_none():
    """One broken picture leaves the others as they are."""
    activation = tf.random.stateless_uniform((3, 6, 9, 4), [3, 3])
    broken = tf.concat([activation[:1], activation[1:2] * np.nan, activation[2:]], 0)
    found = principal(broken)
    assert_array_equal(found[::2], principal(activation)[::2])
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("k", [0.5, 2.0])
def test_fem_twin(pooled, inputs, k):
    """The means of those channels that stand out by k deviations, place by place."""
    wanted = []
    for one in pooled.activations(inputs)[-1].numpy():
        mean, deviation = one.mean(axis=(0, 1)), one.std(axis=(0, 1))
        wanted.append(((one > mean + k * deviation) * mean).sum(axis=-1))
    found = cams.FEM(k)(pooled, inputs)
    assert_allclose(found, resized(wanted), rtol=1e-4, atol=1e-6)
    assert np.max(found) > 0


def test_fem_of_an_even_layer_is_nothing():
    """A channel that is the same everywhere stands out nowhere; deviations must be above 0."""
    probe = StagedProbe((tf.identity,), lambda last: tf.reduce_mean(last, [1, 2]), 0)
    assert_array_equal(cams.FEM()(probe, tf.ones((1, 6, 9, 3))), np.zeros((1, 6, 9)))
    with pytest.raises(InputError, match="k above 0"):
        cams.FEM(k=0)


def test_scorecam_twin(pooled, inputs):
    """Channels are weighted with the softmax of what their masks add to black."""
    _, score = one_by_one(pooled)
    wanted = []
    for picture, one in zip(
        inputs.numpy(), pooled.activations(inputs)[-1].numpy(), strict=True
    ):
        weights = twins.scorecam_weights(score, picture, one, SIZE)
        wanted.append(np.maximum(one @ weights, 0))
    assert_allclose(
        masked_cams.ScoreCAM()(pooled, inputs), resized(wanted), rtol=1e-3, atol=1e-5
    )


def test_scorecam_of_the_busiest(pooled, inputs):
    """Channels that vary most are kept, each picture its own; all of them are all of them."""
    last = pooled.activations(inputs)[-1]
    kept = busiest(last, 3)
    for one, few in zip(last.numpy(), kept.numpy(), strict=True):
        order = np.argsort(-one.var(axis=(0, 1)))[:3]
        assert_array_equal(few, one[..., order])
    assert_allclose(
        masked_cams.ScoreCAM(channels=10)(pooled, inputs),
        masked_cams.ScoreCAM()(pooled, inputs), atol=1e-5,
    )  # fmt: skip


def test_ablationcam_twin(flat, inputs):
    """Channels are weighted with the fall of the score without them."""
    head, _ = one_by_one(flat)
    wanted = [
        np.maximum(one @ twins.ablation_weights(head, one), 0)
        for one in flat.activations(inputs)[-1].numpy()
    ]
    found = masked_cams.AblationCAM()(flat, inputs)
    assert_allclose(found, resized(wanted), rtol=1e-3, atol=1e-5)


def test_reciprocam_twin(flat, inputs):
    """Each place is the score of the layer under a bell around it."""
    head, _ = one_by_one(flat)
    wanted = [
        twins.reciprocam(head, one) for one in flat.activations(inputs)[-1].numpy()
    ]
    found = masked_cams.ReciproCAM()(flat, inputs)
    assert_allclose(found, resized(wanted), atol=1e-3)


def test_reciprocam_behind_a_global_mean_is_cam(pooled, inputs):
    """One place alone scores its share of the CAM: both are one map, stretched."""
    own = StagedProbe((tf.identity,), pooled.logits, 2)
    last = pooled.activations(inputs)[-1]
    hard = masked_cams.ReciproCAM(soft=False)(own, last)
    assert_allclose(hard, unit_range(cams.CAM()(own, last)), atol=1e-4)


def test_maps_that_need_the_head_say_so(inputs):
    """A probe that cannot go on from an activation is refused with the way out."""
    with pytest.raises(ExplainerError, match=r"head\(activation\)"):
        masked_cams.AblationCAM()(FunctionProbe(lambda x: x[:, 0, 0, 0]), inputs)


def test_fastcam_factors(pooled, inputs):
    """The class map and what is left beside it sum to the map without a class."""
    parts = FastCAM()(pooled, inputs) + FastCAM(complement=True)(pooled, inputs)
    assert_allclose(parts, FastCAM(cam=None)(pooled, inputs), atol=1e-6)
