"""The digest of a model: what changes it, and what does not."""

import keras
import numpy as np
import pytest

from saliency.probe.model import digest
from saliency.probe.model.digest import model_digest


def network(activation="relu", seed=0):
    keras.utils.set_random_seed(seed)
    layers = [
        keras.layers.Conv2D(2, 3, activation=activation, name="a"),
        keras.layers.Flatten(name="f"),
    ]
    head = keras.layers.Dense(2, name="b")
    return keras.Sequential(
        [keras.Input((8, 8, 1), name="i"), *layers, head], name="net"
    )


def test_a_loaded_model_has_the_digest_of_the_saved_one(tmp_path):
    """Where it lies, and how it was compiled, decides nothing."""
    model = network()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "SMITH.keras")

    assert model_digest(
        keras.models.load_model(tmp_path / "SMITH.keras")
    ) == model_digest(model)
    loaded = keras.models.load_model(tmp_path / "SMITH.keras", compile=False)
    assert model_digest(loaded) == model_digest(model)


def test_architecture_and_weights_decide():
    """One other activation, one other weight: another digest; the same again: the same."""
    found = {
        model_digest(network(a, s)) for a, s in [("relu", 0), ("tanh", 0), ("relu", 1)]
    }

    assert len(found) == 3
    assert model_digest(network()) in found


@pytest.mark.parametrize("weight", range(4))
def test_a_changed_weight_is_noticed(weight):
    """The digest is kept, but not when any of the weights was trained since."""
    model = network()
    before = model_digest(model)
    values = model.get_weights()
    values[weight] = values[weight] + np.float32(0.5)
    model.set_weights(values)

    assert model_digest(model) != before


def test_a_digest_is_worked_out_once(monkeypatch):
    """A second look costs the stamp alone."""
    model = network()
    found = model_digest(model)
    monkeypatch.setattr(digest, "_model_digest", None)

    assert model_digest(model) == found
