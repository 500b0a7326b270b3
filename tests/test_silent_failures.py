"""Where other libraries fail without a word, ours is right, or raises. One test a failure."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import saliency as sal
from saliency.render.paint import paint

PICTURE = sal.DicomImage.from_array(np.random.default_rng(0).uniform(0, 255, (20, 28)))


def network(*, units=3, activation="softmax", channels=1, extra=(), nested=False):
    """A small convolutional network for 20 x 28 pictures."""
    keras.utils.set_random_seed(3)
    base = [
        layers.Conv2D(6, 3, activation="relu"),
        *extra,
        layers.Conv2D(5, 3, activation="relu"),
    ]
    head = [layers.GlobalAveragePooling2D(), layers.Dense(units, activation=activation)]
    door = keras.Input((20, 28, channels))
    if not nested:
        return keras.Sequential([door, *base, *head])
    backbone = keras.Sequential(
        [keras.Input((20, 28, channels)), *base], name="backbone"
    )
    output = backbone(door)
    for layer in head:
        output = layer(output)
    return keras.Model(door, output)


def heat(model, explainer, **choices):
    """The heat values of one explanation of PICTURE."""
    return sal.explain(model, PICTURE, explainer, **choices).heatmap.values


def linear(probe_function):
    """A closed-form probe."""
    return sal.ClosedFormProbe(probe_function)


def test_a_confident_softmax_keeps_its_gradient():
    """S1: the logit is explained, so saturation of the softmax does not silence the map."""
    model = network()
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 1e4, bias])

    assert np.abs(heat(model, "gradient", target=1)).max() > 1


def test_one_network_nested_or_flat_gives_one_map():
    """S2: what lies inside a nested model is seen by every explainer."""
    flat, nested = network(), network(nested=True)
    nested.set_weights(flat.get_weights())
    for name in ("gradient", "gradcam", "fastcam"):
        assert np.allclose(
            heat(flat, name, target=1), heat(nested, name, target=1), atol=1e-5
        )


def test_a_single_sigmoid_speaks_for_both_classes():
    """S3: with one output unit the maps for and against the class differ."""
    model = network(units=1, activation="sigmoid")

    assert np.allclose(
        heat(model, "gradient", target=0), -heat(model, "gradient", target=1)
    )


def test_opacity_never_wraps():
    """S4: a ramp of heat gives a ramp of paint, without a fall back to black at 256."""
    ramp = sal.Heatmap(np.linspace(0, 1, 300).reshape(1, 300))
    green = paint(np.zeros((1, 300), np.uint8), ramp).rgb[0, :, 1].astype(int)

    assert (np.diff(green) >= 0).all()


def test_integrated_gradients_multiply_by_the_way():
    """S5: for a linear score they are weight times picture, not the mean gradient."""
    probe = linear(lambda x: 3 * tf.reduce_sum(x, (1, 2, 3)))
    given = sal.Prepare()(PICTURE).array

    assert np.allclose(
        heat(probe, "integrated_gradients"), 3 * given[0, ..., 0], atol=1e-5
    )


def test_channels_do_not_break_completeness():
    """S6: on three channels the map still sums to the change of the score."""
    model = network(channels=3)
    probe = sal.KerasProbe(model).at(1)
    given = sal.Prepare(channels=3)(PICTURE).array
    change = float(probe.score(given)[0] - probe.score(given * 0)[0])
    total = heat(model, sal.IntegratedGradients(steps=200), target=1).sum()

    assert abs(total - change) < 0.01 * abs(change)


@pytest.mark.parametrize("target", [[1, 1], np.array([1, 1]), 3, "lung"], ids=str)
def test_a_wrong_target_is_never_another_one(target):
    """S7: a target twice, an array, an index out of range, an unknown label raise."""
    with pytest.raises(sal.TargetError):
        heat(network(), "gradient", target=target)


def test_occlusion_fills_within_the_picture_s_range():
    """S8: a picture in 0..1 is not filled with 127.5, which would give one value everywhere."""
    assert np.ptp(heat(network(), "occlusion", target=1)) > 0


def test_occlusion_is_not_transposed():
    """S9: on a wide picture the one pixel that counts is found where it is."""
    probe = linear(lambda x: x[:, 3, 20, 0])
    bright = np.zeros((20, 28))
    bright[3, 20] = 1
    image = sal.DicomImage.from_array(bright)
    values = sal.explain(probe, image, sal.Occlusion(window=3, stride=1)).heatmap.values

    assert (
        np.hypot(*(np.array(np.unravel_index(values.argmax(), values.shape)) - (3, 20)))
        <= 2
    )


def test_a_map_without_heat_paints_nothing():
    """S10: neither NaN nor vivid colours: the picture comes back bit for bit."""
    flat = linear(lambda x: 0 * tf.reduce_sum(x, (1, 2, 3)))
    overlay = sal.explain(flat, PICTURE, "gradient").overlay()

    assert (overlay.rgb == PICTURE.display[..., np.newaxis]).all()


def test_zero_stays_zero_between_the_signs():
    """S11: an outlier on one side does not tint the middle."""
    values = np.zeros((4, 4))
    values[0, 0] = -10
    values[3, 3] = 1
    display = np.full((4, 4), 100, np.uint8)
    rgb = paint(display, sal.Heatmap(values), palette="diverging").rgb

    assert (rgb[1:3, 1:3] == 100).all()


def test_the_quadrature_is_not_biased():
    """S12: the integral of 3 x^2 is 1, not 1.021 as with both ends counted in full."""
    probe = linear(lambda x: tf.reduce_sum(x**3, (1, 2, 3)))
    image = sal.DicomImage.from_array(np.array([[0.0, 1.0], [1.0, 1.0]]))
    values = sal.explain(probe, image, sal.IntegratedGradients(steps=25)).heatmap.values

    assert np.allclose(values[1], 1, atol=1e-3)


@pytest.mark.parametrize("name", ["integrated_gradients", "smoothgrad", "occlusion"])
def test_the_class_is_chosen_once(name):
    """S13: along a path or under noise the class of the picture itself stays explained."""
    model = network()
    chosen = sal.explain(model, PICTURE, name)

    assert np.allclose(
        chosen.heatmap.values, heat(model, name, target=chosen.target), atol=1e-6
    )


def test_grad_cam_plus_plus_sums():
    """S14: its channel weights are sums over the pixels: alpha relu(g), Chattopadhyay eq. 9, 19."""
    from saliency.kernels.cam import gradcampp_weights

    generator = np.random.default_rng(1)
    act, grad = generator.uniform(size=(2, 1, 4, 6, 3)).astype(np.float32)
    alpha = grad**2 / (2 * grad**2 + act.sum((1, 2), keepdims=True) * grad**3)
    expected = (alpha * np.maximum(grad, 0)).sum((1, 2))
    weights = np.asarray(
        gradcampp_weights(tf.constant(act), tf.constant(grad))
    ).reshape(expected.shape)

    assert np.allclose(weights / weights.sum(), expected / expected.sum(), atol=1e-4)


def test_dropout_and_noise_are_off():
    """S15: training layers are asked as in inference: twice the same map."""
    model = network(extra=[layers.Dropout(0.5), layers.GaussianNoise(1.0)])

    assert (
        heat(model, "gradient", target=1) == heat(model, "gradient", target=1)
    ).all()


def test_no_cache_keeps_a_model():
    """S16: six models explained and dropped are six models freed."""
    models = [network() for _ in range(6)]
    for model in models:
        heat(model, "gradient", target=0)
    references = [weakref.ref(model) for model in models]
    del models, model
    gc.collect()

    assert [reference() for reference in references] == [None] * 6


@pytest.mark.parametrize("steps", [1, 2, 5, 50])
def test_weights_of_the_quadrature_sum_to_one(steps):
    """S17: a constant gradient is integrated exactly by any number of steps."""
    probe = linear(lambda x: tf.reduce_sum(x, (1, 2, 3)))
    given = sal.Prepare()(PICTURE).array
    total = heat(probe, sal.IntegratedGradients(steps=steps)).sum()

    assert abs(total - given.sum()) < 1e-4 * given.sum()


@pytest.mark.parametrize("state", ["built", "called", "reloaded"])
def test_a_sequential_model_in_any_state(state, tmp_path):
    """S18: neither .output nor .input of a Sequential model is needed."""
    model = network()
    if state == "called":
        model(np.zeros((1, 20, 28, 1), np.float32))
    if state == "reloaded":
        model.save(tmp_path / "model.keras")
        model = keras.models.load_model(tmp_path / "model.keras")

    assert np.isfinite(heat(model, "gradcam", target=1)).all()


@pytest.mark.parametrize("name", ["gradcam", "fastcam", "smoe"])
def test_a_constant_picture_is_not_drawn_as_signal(name):
    """S19: every pixel is alike, so inside the frame that padding reaches no pixel stands out."""
    image = sal.DicomImage.from_array(np.zeros((20, 28)))
    values = sal.explain(network(), image, name, target=1).heatmap.values

    assert np.isfinite(values).all()
    assert np.ptp(values[8:12, 8:20]) < 1e-3
