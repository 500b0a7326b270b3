"""FastCAM as a recipe against arrays of the authors' own network code."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from shared import shared
from small_probes import StagedProbe, conv

from saliency.explainers.cams import EigenCAM, GradCAM, HiResCAM, LayerCAM
from saliency.explainers.fastcam import FastCAM, Smoe
from saliency.explainers.masked_cams import AblationCAM, ReciproCAM, ScoreCAM
from saliency.kernels.activity import unit_range

PRIOR = (0.18, 0.15, 0.37, 0.4, 0.72)
TAPS = ("relu", "layer1", "layer2", "layer3", "layer4")


@pytest.fixture(scope="module", params=["gap", "flat"])
def net(request):
    path = shared("golden", "fastcam", "fastcam_e2e.npz")
    with np.load(path, allow_pickle=False) as file:
        prefix = f"{request.param}__"
        return {
            key.removeprefix(prefix): file[key]
            for key in file
            if key.startswith(prefix)
        }


@pytest.fixture(scope="module")
def inputs(net):
    return tf.constant(np.moveaxis(net["x"], 1, -1))


def probe(net, target=None):
    """Rebuild the network that the arrays were made with."""

    def stage(name):
        stride, pad = (int(number) for number in net[f"{name}_stride_pad"])
        return conv(net[f"{name}_kernel_hwio"], net[f"{name}_bias"], stride, pad)

    def pooled(inputs):
        padded = tf.pad(
            inputs, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=-np.inf
        )
        return stage("layer1")(tf.nn.max_pool2d(padded, 3, 2, "VALID"))

    def logits(last):
        kernel = net["fc_kernel_nhwcflat"]
        whole = kernel.shape[0] == last.shape[-1]
        features = (
            tf.reduce_mean(last, [1, 2]) if whole else tf.reshape(last, [len(last), -1])
        )
        return features @ kernel + net["fc_bias"]

    rest = tuple(stage(name) for name in TAPS[2:])
    return StagedProbe((stage("conv1"), pooled, *rest), logits, target)


def test_the_network_is_rebuilt(net, inputs):
    """Logits, activations and the last gradient agree, so the maps below ask the same model."""
    rebuilt = probe(net)
    assert_allclose(
        rebuilt.logits(rebuilt.activations(inputs)[-1]), net["logits"], atol=1e-5
    )
    for tap, layer in zip(TAPS, rebuilt.activations(inputs), strict=True):
        assert_allclose(np.moveaxis(layer, -1, 1), net[f"act_{tap}"], atol=5e-5)
    gradient = rebuilt.activation_gradients(inputs)[-1][1]
    assert_allclose(np.moveaxis(gradient, -1, 1), net["grad_layer4"], atol=1e-5)


@pytest.mark.parametrize(
    ("norm", "name"), [("gaussian", "gauss"), ("gamma_truncated", "gamma")]
)
@pytest.mark.parametrize("cam", ["gradcam", "gradcampp", "xgradcam"])
def test_fastcam(net, inputs, norm, name, cam):
    """The class map is the authors' for both of their norms and all three CAMs."""
    found = FastCAM(norm=norm, cam=cam)(probe(net), inputs)
    assert_allclose(found, net[f"{name}_fastcam_{cam}"], atol=1e-4)


@pytest.mark.parametrize(
    ("norm", "name"), [("gaussian", "gauss"), ("gamma_truncated", "gamma")]
)
def test_without_class(net, inputs, norm, name):
    """The map without a class, with prior weights, and the rest beside the class agree."""
    asked = probe(net)
    equal = FastCAM(norm=norm, cam=None)(asked, inputs)
    assert_allclose(equal, net[f"{name}_combined_smoe"], atol=1e-4)
    prior = FastCAM(norm=norm, cam=None, weights=PRIOR)(asked, inputs)
    assert_allclose(prior, net[f"{name}_combined_smoe_paperw"], atol=1e-4)
    rest = FastCAM(norm=norm, complement=True)(asked, inputs)
    assert_allclose(rest, net[f"{name}_nonclass_gradcam"], atol=1e-4)


def test_paper_configuration(net, inputs):
    """Prior weights and the CAM together are the paper's map."""
    found = FastCAM(weights=PRIOR)(probe(net), inputs)
    assert_allclose(found, net["paperconfig_fastcam"], atol=1e-4)


def test_smoe_is_fastcam_without_class(net, inputs):
    """The catalogue's ``smoe`` is the equal-weight map whatever the target."""
    assert_allclose(
        Smoe()(probe(net, target=1), inputs), net["gauss_combined_smoe"], atol=1e-4
    )


@pytest.mark.parametrize("statistic", ["smoe", "std", "mean", "max", "gamma"])
def test_statistics_see_what_is_above_zero(net, inputs, statistic):
    """The authors' model clips whatever it taps at 0: what lies below changes no map."""
    maps = probe(net).activations(inputs)
    clipped, whole = (
        FastCAM(statistic, norm="range", cam=None)._combined(inputs, given)
        for given in (
            [tf.nn.relu(each - 0.1) for each in maps],
            [each - 0.1 for each in maps],
        )
    )
    assert_allclose(whole, clipped, atol=1e-6)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_gradcam_of_a_class(net, inputs, target):
    """Grad-CAM of a chosen class, stretched to [0, 1], is the authors' CAM."""
    found = unit_range(GradCAM()(probe(net, target), inputs))[:1]
    assert_allclose(found, net[f"cam_gradcam_class{target}_img0"], atol=2e-5)


def test_layer_maps(net, inputs):
    """The stack for LOVI holds the resized map of each layer, the earliest first."""
    if "gamma_maps_resized" not in net:
        pytest.skip("stored for one of the networks")
    found = FastCAM(norm="gamma_truncated").layer_maps(probe(net), inputs)
    assert_allclose(np.moveaxis(found, -1, 1), net["gamma_maps_resized"], atol=5e-4)


ANY_CAM = {
    HiResCAM(): HiResCAM(),
    "layercam": LayerCAM(),
    "eigencam": EigenCAM(),
    ScoreCAM(): ScoreCAM(),
    AblationCAM(): AblationCAM(),
    ReciproCAM(): ReciproCAM(),
}


@pytest.mark.parametrize("complement", [False, True])
@pytest.mark.parametrize("cam", ANY_CAM, ids=str)
def test_every_cam_may_be_the_factor(net, inputs, cam, complement):
    """The map is the activity of all scales times the CAM, stretched from 0 to 1 (or 1 - it)."""
    asked = probe(net, 1)
    mask = unit_range(tf.nn.relu(ANY_CAM[cam](asked, inputs)))
    expected = Smoe()(asked, inputs) * (1 - mask if complement else mask)
    found = FastCAM(cam=cam, complement=complement)(asked, inputs)
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_hirescam_is_cut_before_it_is_resized(net, inputs):
    """By its name it is a factor like the others: the positive part of the layer's own grid."""
    asked = probe(net, 1)
    activation, gradient = asked.activation_gradients(inputs)[-1]
    places = tf.nn.relu(tf.reduce_sum(activation * gradient, axis=-1))[..., None]
    mask = unit_range(tf.image.resize(places, inputs.shape[1:3])[..., 0])
    found = FastCAM(cam="hirescam")(asked, inputs)
    assert_allclose(found, Smoe()(asked, inputs) * mask, rtol=1e-4, atol=1e-5)
    assert np.ptp(found) > 0
