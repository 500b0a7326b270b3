"""A probe that travels to another process asks the same of the same network."""

import pickle

import keras
import numpy as np
import pytest

import saliency as sal


@pytest.fixture(scope="module")
def probe():
    """A network of an image and an age, which is held, with labels and one tapped layer."""
    keras.utils.set_random_seed(0)
    image, age = keras.Input((8, 8, 1), name="image"), keras.Input((1,), name="age")
    seen = keras.layers.Conv2D(2, 3, activation="relu", name="seen")(image)
    pooled = keras.layers.GlobalAveragePooling2D()(seen)
    both = keras.layers.Concatenate()([pooled, age])
    answer = keras.layers.Dense(2, activation="softmax")(both)
    model = keras.Model([image, age], answer)
    return sal.KerasProbe(
        model, layers=["seen"], labels=["no", "yes"], input="image", held={"age": 0.5}
    )


def test_a_probe_comes_back_with_its_choices(probe):
    """Scores bit for bit; labels, layers and what is held."""
    again = pickle.loads(pickle.dumps(probe))  # noqa: S301 - our own
    inputs = np.random.default_rng(0).random((3, 8, 8, 1), np.float32)
    for target in ("yes", 0, None):
        expected, found = (each.at(target).score(inputs) for each in (probe, again))
        np.testing.assert_array_equal(found, expected)
    assert again.layers == probe.layers == ("seen",)
    other = probe.holding({"age": 5.0}).at("yes").score(inputs)
    assert not np.array_equal(other, again.at("yes").score(inputs))


def test_randomised_weights_do_not_travel_as_learned_ones(probe):
    """They stand beside the model; without them the probe would be another."""
    shuffled = probe.at(1).randomised(seed=0).source
    with pytest.raises(sal.ModelError, match="randomised weights cannot be pickled"):
        pickle.dumps(shuffled)
