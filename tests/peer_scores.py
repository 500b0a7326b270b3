"""One network, two images and maps of them, and what our metrics say of the maps.

``benchmarks/agreement/scores.py`` asks Quantus and xplique the same; their answers lie in
``tests/evaluation/peers.npz``, so that neither is needed to compare.
"""

import keras
import numpy as np
import peer_network

import saliency as sal
from saliency import evaluation
from saliency.evaluation.imputation import imputed

TARGET, STEPS, SAMPLES, MAPS, GRID = peer_network.TARGET, 8, 24, 4, 4
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
    model = network()
    # Nothing is traced: every metric asks about another number of images.
    probe = sal.ClosedFormProbe(lambda inputs: model(inputs)[:, TARGET])
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
        "infidelity": evaluation.infidelity(*asked, **few),
        "max_sensitivity": evaluation.max_sensitivity(
            probe, inputs, sal.Gradient(), samples=MAPS
        ),
        "sensitivity_n": evaluation.sensitivity_n(*asked, fill=0.0, **few),
        "mufidelity": evaluation.mufidelity(*asked, grid=GRID, fill=0.0, **few),
        "sparseness": [evaluation.sparseness(each) for each in heat],
        "pointing_game": [evaluation.pointing_game(each, TRUTH) for each in heat],
        "energy_inside": [evaluation.energy_inside(each, TRUTH) for each in heat],
    }
