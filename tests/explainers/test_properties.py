"""Properties that methods promise, each asked of every explainer that promises it."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.stats import spearmanr
from small_probes import FunctionProbe, SettlingProbe, conv, small_network
from small_recipes import SMALL

import saliency as sal
from saliency.explainers.catalogue import DEMANDING, ENTRIES, resolve
from saliency.explainers.paths import ExpectedGradients, GuidedIntegratedGradients
from saliency.explainers.perturbation import LIME, RISE, KernelSHAP

#: By which power of c a map grows where the score is multiplied by c.
POWERS = {
    **dict.fromkeys(
        ("gradient", "gradient_x_input", "smoothgrad", "integrated_gradients", "expected_gradients",
         "guided_integrated_gradients", "blur_integrated_gradients", "xrai", "occlusion", "rise",
         "lime", "kernel_shap", "cam", "gradcam", "xgradcam", "hirescam", "layercam",
         "eigengradcam"), 1),
    **dict.fromkeys(("smoothgrad_squared", "vargrad", "integrated_decision_gradients"), 2),
    **dict.fromkeys(
        ("fastcam", "smoe", "eigencam", "fem", "ablationcam", "reciprocam", "sobol", "hsic",
         "random", "edges", "meaningful_perturbation", "extremal_perturbation"), 0),
}  # fmt: skip

#: Those that know the score itself, not its changes alone.
OF_THE_SCORE = {"ablationcam"}

#: Linear in the score by construction.
LINEAR = [
    ExpectedGradients(samples=8), KernelSHAP(32, 2), LIME(32, 2), RISE(32, 3), sal.Occlusion(4, 3),
    sal.SmoothGrad(sal.IntegratedGradients(2), samples=2),
]  # fmt: skip

ASKED = [name for name, row in {**ENTRIES, **DEMANDING}.items()
         if "study" not in row.needs and row.needs != "randomised"]  # fmt: skip


def small(name):
    return SMALL.get(name) or resolve(name)


@pytest.fixture(scope="module")
def inputs():
    return tf.random.stateless_uniform((3, 13, 17, 2), [0, 3])


@pytest.fixture(scope="module")
def probe():
    return small_network(channels=2, target=1)


def close(found, wanted, share=1e-4):
    """Equal but for a share of the greatest value."""
    scale = np.abs(np.asarray(wanted)).max() + 1e-12
    assert_allclose(np.asarray(found) / scale, np.asarray(wanted) / scale, atol=share)


@dataclasses.dataclass(frozen=True)
class Chunked(SettlingProbe):
    """A probe that says how many pictures it likes in one call."""

    chunk: int = 8


@pytest.mark.parametrize("name", sorted(POWERS))
def test_a_multiple_of_the_score(name, probe, inputs):
    """C f has c times the map of f, or c^2 times, or the same one: nothing else."""
    louder = dataclasses.replace(probe, logits=lambda last: 4 * probe.logits(last))
    close(
        small(name)(louder, inputs),
        4 ** POWERS[name] * small(name)(probe, inputs),
        2e-3,
    )


@pytest.mark.parametrize("name", sorted({*POWERS} - OF_THE_SCORE))
def test_a_constant_in_the_score(name, probe, inputs):
    """F + 3 has the map of f."""
    higher = dataclasses.replace(probe, logits=lambda last: 3 + probe.logits(last))
    close(small(name)(higher, inputs), small(name)(probe, inputs), 2e-3)


@pytest.mark.parametrize("name", ASKED)
def test_order_of_a_batch(name, probe, inputs):
    """A batch in another order has its maps in that order."""
    order = [2, 0, 1]
    found = small(name)(probe, tf.gather(inputs, order))
    close(found, tf.gather(small(name)(probe, inputs), order), 2e-4)


@pytest.mark.parametrize("name", ASKED)
def test_chunks_do_not_matter(name, probe, inputs):
    """How many pictures go into one call changes nothing but the memory."""
    one, many = (
        Chunked(probe.stages, probe.logits, 1, chunk=chunk) for chunk in (1, 64)
    )
    close(small(name)(one, inputs), small(name)(many, inputs), 2e-4)


@pytest.mark.parametrize("recipe", LINEAR, ids=lambda made: type(made).__name__)
def test_linearity(recipe, inputs):
    """The map of 2 f - 3 g is twice that of f less thrice that of g."""

    def f(x):
        return tf.reduce_sum(tf.sin(3 * x[:, 2:9]), axis=[1, 2, 3])

    def g(x):
        return tf.reduce_sum(x[:, :, 4:11] ** 3, axis=[1, 2, 3])

    both = recipe(FunctionProbe(lambda x: 2 * f(x) - 3 * g(x)), inputs)
    close(
        both,
        2 * recipe(FunctionProbe(f), inputs) - 3 * recipe(FunctionProbe(g), inputs),
        1e-3,
    )


@pytest.mark.parametrize(
    "recipe",
    [ExpectedGradients(samples=8), GuidedIntegratedGradients(8), sal.Occlusion(4, 3)],
    ids=lambda made: type(made).__name__,
)
def test_one_feature_that_counts_is_seen(recipe):
    """Sensitivity (a): pictures that differ from black in one pixel, and in score, show it."""
    picture = np.zeros((1, 9, 13, 1), np.float32)
    picture[0, 4, 6] = 1
    ask = (
        dataclasses.replace(recipe, fill="black") if hasattr(recipe, "fill") else recipe
    )
    found = ask(
        FunctionProbe(lambda x: 1 - tf.nn.relu(1 - 3 * x[:, 4, 6, 0])), picture
    ).numpy()
    assert found[0, 4, 6] > 0


def test_several_baselines_are_averaged(inputs):
    """Expected gradients of named baselines are the mean of integrated gradients from each."""
    probe, kinds = (
        small_network(channels=2, target=1),
        ("black", "white", "mean", "blur"),
    )
    together = ExpectedGradients(kinds, samples=32)(probe, inputs)
    apart = [sal.IntegratedGradients(8, kind)(probe, inputs) for kind in kinds]
    close(together, sum(apart) / 4)


def test_errors_fall_with_the_steps(inputs):
    """For a smooth score the gap of the midpoint rule falls with the square of the steps."""
    probe = FunctionProbe(lambda x: tf.reduce_sum(tf.exp(2 * x), axis=[1, 2, 3]))
    recipes = [sal.IntegratedGradients(steps=steps) for steps in (2, 4, 8)]
    gaps = [
        float(np.max(each.gap(probe, inputs, each(probe, inputs)))) for each in recipes
    ]
    assert gaps[0] > 3.5 * gaps[1] > 12 * gaps[2] > 0


@pytest.mark.parametrize(
    "recipe",
    [sal.Gradient(), sal.SmoothGrad(samples=3), sal.Occlusion(4, 3, "mean"),
     sal.IntegratedGradients(4, baseline="blur")],
    ids=lambda made: type(made).__name__,
)  # fmt: skip
def test_a_shift_that_the_first_layer_takes_back(recipe, inputs):
    """f(x - 5) at x + 5 has the map of f at x: what 0 means is the model's business."""

    def f(x):
        return tf.reduce_sum(tf.sin(3 * x), axis=[1, 2, 3])

    shifted = recipe(FunctionProbe(lambda x: f(x - 5)), inputs + 5)
    close(shifted, recipe(FunctionProbe(f), inputs), 1e-3)


@pytest.mark.parametrize(
    "recipe",
    [sal.Gradient(), sal.GradientTimesInput(), sal.IntegratedGradients(4),
     sal.Occlusion(4, 1, "black")],
    ids=lambda made: type(made).__name__,
)  # fmt: skip
def test_what_moves_takes_its_map_along(recipe):
    """Behind convolutions without padding, moved things have moved maps (CAMs are resized)."""
    thing = np.random.default_rng(2).uniform(size=(1, 6, 7, 1)).astype(np.float32)
    here, there = (np.zeros((1, 37, 53, 1), np.float32) for _ in range(2))
    here[:, 12:18, 20:27], there[:, 15:21, 25:32] = thing, thing
    draw = np.random.default_rng(3)
    stages = (
        conv(draw.normal(size=(3, 3, 1, 4)).astype(np.float32)),
        conv(draw.normal(size=(3, 3, 4, 5)).astype(np.float32)),
    )
    head = draw.normal(size=(5, 2)).astype(np.float32)
    ask = SettlingProbe(
        stages, lambda last: tf.reduce_mean(last, axis=[1, 2]) @ head, 1
    )
    found, moved = recipe(ask, here).numpy(), recipe(ask, there).numpy()
    near = (slice(None), slice(8, 22), slice(16, 31))
    away = (slice(None), slice(11, 25), slice(21, 36))
    close(moved[away], found[near])


def classifier(*, even=False, policy=None):
    """A small Keras network for 20 x 28 pictures; ``even``: it does not know left from right."""
    keras.utils.set_random_seed(4)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((20, 28, 1)),
            layers.Conv2D(6, 3, padding="same", activation="relu", dtype=policy),
            layers.AveragePooling2D(2, dtype=policy),
            layers.Conv2D(8, 3, padding="same", activation="relu", dtype=policy),
            layers.GlobalAveragePooling2D(dtype=policy),
            layers.Dense(3),
        ]
    )
    if even:
        model.set_weights(
            [
                (each + each[:, ::-1]) / 2 if each.ndim == 4 else each
                for each in model.get_weights()
            ]
        )
    return model


@pytest.mark.parametrize("name", ["gradient", "integrated_gradients", "occlusion", "gradcam",
                                  "fastcam", "guided_backprop", "lrp", "deeplift"])  # fmt: skip
def test_a_mirrored_picture_has_a_mirrored_overlay(name):
    """From the picture to the paint: a model without left and right explains both alike."""
    pixels = np.random.default_rng(6).uniform(0, 255, (40, 56))
    model, recipe = classifier(even=True), small(name)
    recipe = (
        dataclasses.replace(recipe, window=4, stride=4)
        if name == "occlusion"
        else recipe
    )
    one, other = (
        sal.explain(model, sal.DicomImage.from_array(each), recipe, target=2)
        for each in (pixels, pixels[:, ::-1].copy())
    )
    close(other.heatmap.values[:, ::-1], one.heatmap.values, 1e-3)
    apart = other.overlay().rgb[:, ::-1].astype(int) - one.overlay().rgb
    assert np.abs(apart).max() <= 2


@pytest.mark.parametrize("name", ["gradient", "integrated_gradients", "gradcam", "fastcam", "lrp",
                                  "smoothgrad"])  # fmt: skip
def test_half_precision_changes_little(name):
    """Under mixed float16 a map is float32, and that of the float32 network but for noise."""
    pictures = tf.random.stateless_uniform((2, 20, 28, 1), [0, 5])
    half, full = classifier(policy="mixed_float16"), classifier()
    half.set_weights(full.get_weights())
    found, wanted = (
        small(name)(sal.KerasProbe(each).at(2), pictures) for each in (half, full)
    )
    assert found.dtype == tf.float32
    assert np.corrcoef(np.ravel(found), np.ravel(wanted))[0, 1] > 0.99


@pytest.mark.parametrize(
    "name", ["gradient", "integrated_gradients", "gradcam", "occlusion"]
)
def test_a_cascade_of_random_layers_loses_the_map(name):
    """From the head down, layers are drawn anew: in the end no map remembers what was learned."""
    pictures = tf.random.stateless_uniform((2, 20, 28, 1), [0, 5])
    learned, recipe = classifier(), small(name)
    before = recipe(sal.KerasProbe(learned).at(2), pictures)
    ranks = []
    for layer in [each for each in learned.layers[::-1] if each.weights]:
        draw = np.random.default_rng(len(ranks))
        layer.set_weights(
            [draw.normal(0, 0.3, each.shape) for each in layer.get_weights()]
        )
        after = recipe(sal.KerasProbe(learned).at(2), pictures)
        ranks.append(abs(spearmanr(np.ravel(before), np.ravel(after)).statistic))
    assert len(ranks) == 3
    assert ranks[-1] < 0.75


class Written(keras.Model):
    """The layers of :func:`classifier` in a class of their own."""

    def __init__(self, source):
        super().__init__()
        self.steps = source.layers

    def call(self, pictures):
        for step in self.steps:
            pictures = step(pictures)
        return pictures


def built(way):
    """The one function of :func:`classifier`, in one of the ways that people write it."""
    flat = classifier()
    if way == "sequential":
        return flat
    if way == "subclassed":
        model = Written(flat)
        model(np.zeros((1, 20, 28, 1), np.float32))
        return model
    start = keras.Input((20, 28, 1))
    end = keras.Sequential([keras.Input((20, 28, 1)), *flat.layers[:3]])(start)
    for step in flat.layers[3:]:
        end = step(end)
    return keras.Model(start, end)


@pytest.fixture(scope="module", params=["nested", "subclassed"])
def two_ways(request):
    return [sal.KerasProbe(built(way)).at(2) for way in ("sequential", request.param)]


@pytest.mark.parametrize(
    "name",
    [
        "gradient",
        "occlusion",
        "gradcam",
        "fastcam",
        "guided_backprop",
        "lrp",
        "deeplift",
    ],
)
def test_how_a_function_is_written_does_not_matter(two_ways, name):
    """Implementation invariance: flat, nested and subclassed have one map."""
    flat, other = two_ways
    pictures = tf.random.stateless_uniform((2, 20, 28, 1), [0, 5])
    close(small(name)(other, pictures), small(name)(flat, pictures))
