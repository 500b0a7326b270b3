"""check_explainer passes what is right, and names what is wrong."""

from dataclasses import dataclass, field, replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_recipes import SMALL

import saliency as sal
from saliency.errors import ExplainerError
from saliency.explainers.catalogue import resolve
from saliency.explainers.registry import DEMANDING, ENTRIES
from saliency.testing import check_explainer, evidence, network


def edge_weighted_gradient(probe, inputs):
    """A plugin: gradient times local contrast."""
    contrast = tf.image.sobel_edges(inputs)
    return probe.gradient(inputs) * tf.norm(contrast, axis=-1)


@dataclass(frozen=True)
class Blurred:
    """A plugin with a parameter: |gradient|, averaged over a neighbourhood."""

    size: int = 5

    def __call__(self, probe, inputs):
        magnitude = tf.reduce_sum(
            tf.abs(probe.gradient(inputs)), axis=-1, keepdims=True
        )
        return tf.nn.avg_pool2d(magnitude, self.size, 1, "SAME")[..., 0]


def studied(name):
    """Whether an entry asks for a Keras model's own layers."""
    return "study" in ENTRIES[name].needs


FEWER = {
    "rise": {"masks": 160},
    "lime": {"samples": 160},
    "kernel_shap": {"samples": 160},
    "sobol": {"designs": 4},
    "hsic": {"masks": 160},
    "guided_integrated_gradients": {"steps": 20},
    "blur_integrated_gradients": {"steps": 20},
}
"""As few questions as are still asked in several calls: the seams between calls are held, too."""


@pytest.mark.parametrize("name", [name for name in ENTRIES if not studied(name)])
def test_every_entry_of_the_catalogue_keeps_the_laws(name):
    """Ours are held to what a plugin author is held to; those that ask often, with fewer steps."""
    recipe = SMALL[name] if "perturbation" in name else resolve(name)
    check_explainer(replace(recipe, **FEWER[name]) if name in FEWER else recipe)


@pytest.fixture(scope="module")
def bound():
    """A Keras model for 20 x 28 pictures, bound to a class."""
    keras.utils.set_random_seed(2)
    layers = keras.layers
    return sal.KerasProbe(
        keras.Sequential(
            [
                keras.Input((20, 28, 1)),
                layers.Conv2D(4, 3, bias_initializer="ones", use_bias=True),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.MaxPooling2D(),
                layers.Conv2D(5, 3, padding="same", activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(3, activation="softmax"),
            ]
        )
    ).at(1)


@pytest.mark.parametrize("name", [name for name in ENTRIES if studied(name)])
def test_entries_that_ask_for_layers_keep_the_laws(name, bound):
    """They are held to the same on a Keras model, and refuse a probe without layers by name."""
    check_explainer(name, bound, shape=(20, 28, 1))
    with pytest.raises(ExplainerError, match="expected a probe of a Keras model"):
        check_explainer(name)


@pytest.mark.parametrize(
    "plugin",
    [edge_weighted_gradient, Blurred(), Blurred(9)],
    ids=["function", "value", "wider"],
)
@pytest.mark.parametrize("shape", [(37, 53, 1), (53, 37, 3)], ids=str)
def test_plugins_keep_the_laws(plugin, shape):
    """A function and a frozen dataclass need nothing else."""
    check_explainer(plugin, network(shape[2]), shape=shape)


VOLUME, COLOUR = (6, 9, 11, 1), (17, 12, 3)
MORE = [name for name in DEMANDING if "attention" not in name]


@pytest.fixture(scope="module")
def volumes():
    """A Keras model for volumes, bound to a class."""
    keras.utils.set_random_seed(2)
    layers = keras.layers
    return sal.KerasProbe(
        keras.Sequential(
            [
                keras.Input(VOLUME),
                layers.Conv3D(
                    3, 3, padding="same", activation="relu", bias_initializer="ones"
                ),
                layers.MaxPooling3D(),
                layers.Conv3D(4, 3, padding="same", activation="relu"),
                layers.GlobalAveragePooling3D(),
                layers.Dense(3, activation="softmax"),
            ]
        )
    ).at(1)


def own_layers(name):
    """Whether an entry asks for more than a closed-form probe has."""
    needs = {**ENTRIES, **DEMANDING}[name].needs
    return "study" in needs or needs == "randomised"


@pytest.mark.parametrize("name", [*ENTRIES, *MORE])
def test_every_entry_keeps_the_laws_on_volumes(name, volumes):
    """What holds for pictures holds for (N, D, H, W, C)."""
    check_explainer(
        SMALL.get(name, name), volumes if own_layers(name) else None, shape=VOLUME
    )


@pytest.mark.parametrize(
    "name", [name for name in [*ENTRIES, *MORE] if not own_layers(name)]
)
def test_every_entry_keeps_the_laws_in_colour(name):
    """Three channels, and a picture that is higher than it is wide."""
    check_explainer(SMALL.get(name, name), shape=COLOUR)


@pytest.fixture(scope="module")
def coloured():
    """A Keras model for pictures of three channels, bound to a class."""
    keras.utils.set_random_seed(2)
    layers = keras.layers
    return sal.KerasProbe(
        keras.Sequential(
            [
                keras.Input(COLOUR),
                layers.Conv2D(
                    4, 3, padding="same", activation="relu", bias_initializer="ones"
                ),
                layers.MaxPooling2D(2),
                layers.Conv2D(5, 3, padding="same", activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(3, activation="softmax"),
            ]
        )
    ).at(1)


@pytest.mark.parametrize(
    "name", [name for name in [*ENTRIES, *MORE] if own_layers(name)]
)
def test_entries_that_ask_for_layers_keep_the_laws_in_colour(name, coloured):
    """Those that look into a Keras model, too."""
    check_explainer(SMALL.get(name, name), coloured, shape=COLOUR)


@pytest.mark.parametrize("name", MORE)
def test_demanding_entries_keep_the_laws(name, bound):
    """Those that want a certain head, or other weights, on one channel."""
    check_explainer(name, bound, shape=(20, 28, 1))


def transposed(probe, inputs):
    return tf.transpose(probe.gradient(inputs), (0, 2, 1, 3))


def first_only(probe, inputs):
    return probe.gradient(inputs)[:1]


def unseeded(probe, inputs):
    return probe.gradient(inputs) * np.random.default_rng().uniform(size=inputs.shape)


def mixes_samples(probe, inputs):
    return probe.gradient(inputs) - tf.reduce_mean(probe.gradient(inputs), axis=0)


def divides_by_its_maximum(probe, inputs):
    gradient = probe.gradient(inputs)
    return gradient / tf.reduce_max(tf.abs(gradient), axis=(1, 2, 3), keepdims=True)


def hides_nan(probe, inputs):
    gradient = probe.gradient(inputs)
    return tf.where(tf.math.is_nan(gradient), 0.0, gradient)


class Nameless:
    """Its repr is the default one."""

    def __call__(self, probe, inputs):
        return probe.gradient(inputs)


def mirrored(probe, inputs):
    return tf.reverse(probe.gradient(inputs) * inputs, [2])


def upside_down(probe, inputs):
    return tf.reverse(resolve("gradcam")(probe, inputs), [1])


def shifted(probe, inputs):
    return tf.roll(probe.gradient(inputs), 3, 1)


def of_the_other_sign(probe, inputs):
    return -resolve("occlusion")(probe, inputs)


def gradient_at_zero(probe, inputs):
    return probe.gradient(inputs * 0) * inputs


def gradient_of_the_mirror(probe, inputs):
    return probe.gradient(tf.reverse(inputs, [2]))


def gradient_of_the_negative(probe, inputs):
    return probe.gradient(1 - inputs) * inputs


def zeros_for_nan(probe, inputs):
    return np.nan_to_num(probe.gradient(inputs) * inputs)


def in_place(probe, inputs):
    inputs *= 0.5
    return probe.gradient(inputs)


@dataclass
class Mutable:
    """Its number can be set to another."""

    size: int = 5

    def __call__(self, probe, inputs):
        return probe.gradient(inputs) * self.size


@dataclass(frozen=True)
class HoldsAList:
    """Its numbers can be added to."""

    sizes: list = field(default_factory=lambda: [1, 2])

    def __call__(self, probe, inputs):
        return probe.gradient(inputs) * sum(self.sizes)


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (transposed, "expected shape"),
        (first_only, "expected shape"),
        (unseeded, "two answers"),
        (mixes_samples, "one by one differ"),
        (divides_by_its_maximum, "NaN or infinite"),
        (hides_nan, "became a picture"),
        (Nameless(), "memory address"),
        (lambda _, inputs: tf.cast(inputs, tf.int32), "floating"),
        (mirrored, "axis 1"),
        (upside_down, "axis 0"),
        (shifted, "axis 0"),
        (of_the_other_sign, "sign"),
        (gradient_at_zero, "another picture"),
        (gradient_of_the_mirror, "axis 1"),
        (gradient_of_the_negative, "another picture"),
        (zeros_for_nan, "became a picture"),
        (in_place, "in place"),
        (Mutable(), "size can be changed"),
        (HoldsAList(), "sizes can be changed"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_broken_law_is_named(broken, law):
    """An explainer that breaks one law is told which."""
    with pytest.raises(ExplainerError, match=law):
        check_explainer(broken)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_a_volume_that_is_mirrored_on_any_axis_is_caught(axis):
    """The spot is off the centre of each."""
    with pytest.raises(ExplainerError, match=f"axis {axis - 1}"):
        check_explainer(
            lambda probe, x: tf.reverse(probe.gradient(x), [axis]), shape=VOLUME
        )


def test_evidence_is_what_its_page_says():
    """f(1) = 1.19 for each of the 9 pixels of the spot, and f'(0) = -0.01 in the dark."""
    picture = np.zeros((1, 12, 16, 1), np.float32)
    dark = float(evidence().score(picture)[0])
    np.testing.assert_allclose(evidence().gradient(picture), -0.01, rtol=1e-5)
    picture[0, 4:7, 4:7] = 1
    score = float(evidence().score(picture)[0])
    assert score - dark == pytest.approx(9 * (2 * 0.6 - 0.01), rel=1e-4)
    assert float(evidence(sign=-1).score(picture)[0]) == -score
