"""What is no number, no map or no model is refused in one sentence by every function."""

import numpy as np
import pytest
import tensorflow as tf

import saliency as sal
from saliency.errors import InputError, SaliencyError
from saliency.evaluation import (
    auprc,
    deletion,
    exchange,
    infidelity,
    insertion,
    irof,
    kar,
    max_sensitivity,
    miou,
    mufidelity,
    otsu_mask,
    pointing_game,
    randomisation,
    road,
    roar,
    sensitivity_n,
    sparseness,
)

SIZE = 6
PROBE = sal.ClosedFormProbe(lambda x: 1 + tf.reduce_mean(x, (1, 2, 3)), tf.ones_like)
BATCH = np.random.default_rng(0).random((8, SIZE, SIZE, 1), np.float32)
HEAT, TRUTH = BATCH[0, ..., 0], np.eye(SIZE, dtype=bool)
ASKED = (PROBE, BATCH, BATCH)
OF_MAPS = (
    *(deletion, insertion, exchange, road, irof),
    *(infidelity, sensitivity_n, mufidelity),
)


@pytest.mark.parametrize("metric", OF_MAPS)
@pytest.mark.parametrize(
    "heat",
    [
        BATCH * np.nan,
        BATCH[:, :3],
        BATCH[:1],
        BATCH[0],
        BATCH.astype(complex),
        BATCH.astype(int),
        "map",
        None,
    ],
)
def test_maps(metric, heat):
    with pytest.raises(InputError):
        metric(PROBE, BATCH, heat)


@pytest.mark.parametrize("metric", OF_MAPS)
@pytest.mark.parametrize("inputs", ["x", None, BATCH[:0], BATCH[0], BATCH * np.nan])
def test_inputs(metric, inputs):
    with pytest.raises(SaliencyError):
        metric(PROBE, inputs, BATCH)


@pytest.mark.parametrize("probe", [None, "model"])
@pytest.mark.parametrize("metric", OF_MAPS)
def test_models(metric, probe):
    with pytest.raises(InputError, match="bound to a target"):
        metric(probe, BATCH, BATCH)


@pytest.mark.parametrize("metric", [pointing_game, auprc])
@pytest.mark.parametrize("heat", [HEAT * np.nan, HEAT[:0], BATCH, "map", None])
def test_heatmaps(metric, heat):
    with pytest.raises(InputError, match="heatmap: expected"):
        metric(heat, TRUTH)


@pytest.mark.parametrize("metric", [pointing_game, auprc])
@pytest.mark.parametrize("truth", [TRUTH[:0], TRUTH[0], TRUTH.astype(int), "t", None])
def test_truths(metric, truth):
    with pytest.raises(InputError, match="truth: expected"):
        metric(HEAT, truth)


def zero(inputs):
    return np.zeros((len(inputs), 1))


LEARNT = (lambda *_: zero, BATCH, [0, 1] * 4, BATCH)


@pytest.mark.parametrize(
    "call",
    [
        *(lambda bad=bad: miou(HEAT, TRUTH, threshold=bad) for bad in ("a", None, 2)),
        *(lambda bad=bad: sparseness(bad) for bad in ("a", HEAT * 1j, HEAT[:0])),
        lambda: otsu_mask(HEAT[:0]),
        lambda: deletion(*ASKED, shares=["a", "b"]),
        lambda: deletion(*ASKED, fill=None),
        lambda: exchange(*ASKED, donors="a"),
        *(lambda bad=bad: road(*ASKED, shares=bad) for bad in (("a",), (), (1,), None)),
        *(lambda bad=bad: road(*ASKED, noise=bad) for bad in ("a", -1, np.nan)),
        *(lambda bad=bad: infidelity(*ASKED, noise=bad) for bad in ("a", None)),
        *(lambda bad=bad: sensitivity_n(*ASKED, share=bad) for bad in ("a", 0, 1)),
        lambda: mufidelity(*ASKED, share=None),
        lambda: max_sensitivity(PROBE, BATCH, "edges", radius="a"),
        lambda: randomisation(PROBE, BATCH, "edges", seeds=3),
        lambda: roar(None, *LEARNT[1:]),
        lambda: roar(lambda *_: None, *LEARNT[1:]),
        lambda: roar(zero, BATCH, [0, -1] * 4, BATCH),
        *(lambda bad=bad: kar(*LEARNT, shares=bad) for bad in ("a", ("a",), (np.nan,))),
        *(lambda bad=bad: kar(*LEARNT, held_out=bad) for bad in ("a", np.nan, 0)),
        *(lambda bad=bad: kar(*LEARNT, seeds=bad) for bad in (3, (-1,), None)),
    ],
)
def test_settings(call):
    with pytest.raises(InputError):
        call()


def asked(**more):
    """Evaluate two images that differ."""
    images = [sal.DicomImage.from_array(each[..., 0]) for each in BATCH[:2]]
    return sal.evaluate(PROBE, images, **{"explainers": "edges", **more})


@pytest.mark.parametrize(
    "more",
    [
        *({"explainers": bad} for bad in (None, 3, ["edges", 3], {})),
        *({"metrics": bad} for bad in (3, (), ["beauty"], [deletion])),
        *({"groups": bad} for bad in ([[1], [2]], 3, "ab", [1])),
        *({"truth": bad} for bad in ([[[1, 2], [3]]] * 2, [TRUTH * 0.5] * 2, TRUTH)),
        {"truth": [HEAT[:2] > 0, TRUTH]},
        *({"resume": bad} for bad in (3, "/proc/none")),
        {"labels": [0]},
        {"seed": -1},
    ],
)
def test_questions(more):
    with pytest.raises(SaliencyError):
        asked(**more)
