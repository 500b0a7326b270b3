"""Networks that read frames one after the other: convolutional LSTMs."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from probe import nets

import saliency as sal
from saliency.explainers.catalogue import resolve

layers = keras.layers
CLIP = (4, 10, 12, 1)


def recurrent(wrap=lambda layer: layer):
    """Two convolutional LSTMs; the second gives its last frame alone."""
    inputs = keras.Input(CLIP)
    steps = [
        layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True, name="first"),
        wrap(layers.ConvLSTM2D(3, 3, padding="same", name="last")),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, name="scores"),
    ]
    return nets.filled(keras.Model(inputs, nets.chained(steps, inputs)))


@pytest.mark.parametrize("wrap", [lambda layer: layer, layers.Bidirectional])
def test_grad_cam_of_the_last_frame(wrap):
    """Closed form: the pooled head's weights by channel, the same for all frames."""
    model = recurrent(wrap)
    clips = nets.pictures(2, CLIP)
    probe = sal.KerasProbe(model).at(1)
    last = keras.Model(model.inputs, model.layers[2].output)(clips)
    kernel = model.layers[-1].get_weights()[0]
    right = np.maximum(np.asarray(last) @ kernel[:, 1] / 120, 0)

    found = np.asarray(resolve("gradcam")(probe, clips))

    assert_allclose(found, np.repeat(right[:, None], 4, axis=1), atol=1e-5)
    assert_allclose(
        probe.head(probe.activations(clips)[-1]), probe.score(clips), rtol=1e-4
    )


@pytest.mark.parametrize("name", ["fastcam", "layercam", "scorecam", "reciprocam"])
def test_other_maps_of_layers(name):
    """Each has the clip's own frames and size."""
    found = np.asarray(
        resolve(name)(sal.KerasProbe(recurrent()).at(1), nets.pictures(2, CLIP))
    )
    assert found.shape == (2, *CLIP[:-1])
    assert np.isfinite(found).all()
