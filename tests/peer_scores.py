"""One network, two images and maps of them, and what our metrics say of the maps.

``benchmarks/agreement/scores.py`` asks Quantus and xplique the same; their answers lie in
``tests/evaluation/peers.npz``, so that neither is needed to compare.
"""

import keras
import numpy as np
import peer_network
import tensorflow as tf

import saliency as sal
from saliency import evaluation
from saliency.evaluation.imputation import imputed
from saliency.kernels.superpixels import superpixels
from saliency.probe.randomise import weights_shuffled

TARGET, STEPS, SAMPLES, MAPS, GRID, STAGES = peer_network.TARGET, 8, 24, 4, 4, 4
SIZE = peer_network.SHAPE[:2]
TRUTH = np.zeros(SIZE, bool)
TRUTH[2:7, 3:11] = True
MISSING = np.random.default_rng(11).random(SIZE) < 0.6
"""Pixels to impute, some at the edge."""


def network():
    """Return the network of agreement.md for grey images: logits of three classes."""
    grey = keras.Input((*SIZE, 1))
    end = keras.layers.Concatenate()([grey, grey])
    for layer in peer_network.tiny().layers[1:]:
        end = layer(end)
    return keras.Model(grey, end)


class Plain(sal.ClosedFormProbe):
    """A probe of a network that traces nothing: metrics ask about many numbers of images."""

    def __init__(self, model):
        super().__init__(lambda inputs: model(inputs)[:, TARGET])

    def randomised(self, seed, *, top=1.0):
        return Plain(shuffled(seed, top))


def shuffled(seed, top):
    """Return the network with the last of its weights shuffled."""
    found = network()
    for weight, values in weights_shuffled(found, seed, top):
        weight.assign(values)
    return found


def images():
    """Return float32 (2, H, W, 1)."""
    found = np.random.default_rng(6).uniform(0, 1, (2, *SIZE, 1))
    return found.astype(np.float32)


def maps():
    """Return float32 (2, H, W), no value twice."""
    found = np.random.default_rng(7).normal(size=(2, *SIZE))
    return found.astype(np.float32)


def ours():
    """Return answers by metric."""
    probe = Plain(network())
    inputs, heat = images(), maps()
    asked, few = (probe, inputs, heat), {"samples": SAMPLES}
    curve = evaluation.deletion(*asked, steps=STEPS, fill=0.0)
    generator = np.random.default_rng(0)
    return {
        "deletion, each score": curve.scores[:, 1:],
        "deletion": curve.area,
        "insertion": evaluation.insertion(*asked, steps=STEPS, fill=0.0).area,
        "road, imputed pixels": np.stack(
            [imputed(image, MISSING, 0.0, generator) for image in inputs]
        ),
        "irof": evaluation.irof(*asked, grid=GRID, fill=0.0),
        "irof, trapezoid rule": irof_by_trapezoids(probe),
        "infidelity": evaluation.infidelity(*asked, **few),
        "max_sensitivity": evaluation.max_sensitivity(
            probe, inputs, sal.Gradient(), samples=MAPS
        ),
        "randomisation": evaluation.randomisation(probe, inputs, sal.Gradient()),
        "cascade": evaluation.cascade(probe, inputs, sal.Gradient(), stages=STAGES),
        "sensitivity_n": evaluation.sensitivity_n(*asked, fill=0.0, **few),
        "mufidelity": evaluation.mufidelity(*asked, grid=GRID, fill=0.0, **few),
        "sparseness": [evaluation.sparseness(each) for each in heat],
        "pointing_game": [evaluation.pointing_game(each, TRUTH) for each in heat],
        "energy_inside": [evaluation.energy_inside(each, TRUTH) for each in heat],
    }


def irof_by_trapezoids(probe):
    """Return n less the trapezoid rule's area under the scores after 1 to n segments, over n.

    The rule counts the first and the last score half, where the mean counts them whole.
    """
    inputs, heat = images(), maps()
    segments = np.asarray(superpixels(tf.constant(inputs), GRID))
    hottest = [
        max(np.unique(places), key=lambda number: each[places == number].mean())
        for each, places in zip(heat, segments, strict=True)
    ]
    in_first = (segments == np.reshape(hottest, (-1, 1, 1)))[..., np.newaxis]
    whole, first, last = (
        np.asarray(probe.score(tf.constant(each)))
        for each in (inputs, np.where(in_first, np.float32(0), inputs), 0 * inputs)
    )
    mean = evaluation.irof(probe, inputs, heat, grid=GRID, fill=0.0)
    return mean + (first + last) / (2 * whole * GRID**2)
