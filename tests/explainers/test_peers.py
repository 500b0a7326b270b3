"""Other libraries' answers about one small network: ours are the same, or differ by a known choice.

The answers were computed by the libraries themselves (``make agreement``); the last test asks them
again where they are installed.
"""

import subprocess
from pathlib import Path

import numpy as np
import peer_network
import pytest
import tensorflow as tf
from peer_choices import CHOICES

import saliency as sal

ROOT = Path(__file__).parents[2]
ANSWERS = np.load(Path(__file__).parent / "peers.npz")
PEERS = ROOT / "out/peers/bin/python"

#: Not ours to repeat: their noise comes from a state that cannot be set, or is no map of the score.
UNREPEATABLE = {"xplique/SmoothGrad", "tf-explain/SmoothGrad", "captum/deeplift"}

#: Where an epsilon of theirs is another: the greatest difference, with the maps scaled to 1.
LOOSE = {
    "pytorch-grad-cam/gradcam_plus_plus": 2e-4,
    "pytorch-grad-cam/xgradcam": 5e-5,
    "zennit/lrp epsilon": 5e-5,
}


@pytest.fixture(scope="module")
def inputs():
    return tf.constant(peer_network.picture())


@pytest.fixture(scope="module")
def probes():
    kinds = {kind: peer_network.tiny(kind) for kind in ("max", "mean")}
    return {
        kind: sal.KerasProbe(model, layers=[peer_network.LAYER]).at(peer_network.TARGET)
        for kind, model in kinds.items()
    }


def apart(mine, theirs):
    """The greatest difference, both scaled to a greatest value of 1."""
    mine, theirs = np.squeeze(np.asarray(mine)), np.squeeze(theirs)
    assert mine.shape == theirs.shape
    return np.abs(mine / np.abs(mine).max() - theirs / np.abs(theirs).max()).max()


@pytest.mark.parametrize("key", sorted({*ANSWERS.files} - UNREPEATABLE))
def test_maps_agree_number_by_number(key, probes, inputs):
    """One question has one answer; where ours is another, their choice explains it all."""
    pooled = "mean" if "mean pooling" in key else "max"
    ours = {**peer_network.OURS, **peer_network.MEAN_POOLED}
    ask = CHOICES[key].ask if key in CHOICES else ours[key]

    assert apart(ask(probes[pooled], inputs), ANSWERS[key]) < LOOSE.get(key, 3e-6)


def test_every_library_answered():
    """No library dropped out when the answers were written."""
    libraries = {key.split("/")[0] for key in ANSWERS.files}

    assert libraries == {
        "PAIR", "captum", "pytorch-grad-cam", "tf-explain", "tf-keras-vis", "xplique", "zennit"
    }  # fmt: skip


def test_deeplift_of_a_maximum_is_complete():
    """Why we differ: the score's change is what our parts sum to; captum's sum to 0.55."""
    import keras

    from saliency.explainers.deeplift import DeepLIFT

    steps = (keras.layers.ReLU(), keras.layers.MaxPooling2D(), keras.layers.Flatten())
    picture = np.array([0.5, 0.95, 0.14, 0.94], np.float32).reshape(1, 2, 2, 1)
    baseline = np.array([0.3, 0.4, 0.83, 0.4], np.float32).reshape(1, 2, 2, 1)
    model = keras.Sequential([keras.Input((2, 2, 1)), *steps])
    probe = sal.KerasProbe(model).at(lambda output: output[:, 0])

    found = DeepLIFT(baseline=baseline)(probe, picture).numpy().ravel()

    np.testing.assert_allclose(found, [0, 0.12, 0, 0], atol=1e-6)


@pytest.mark.skipif(
    not PEERS.exists(), reason="the peers are not installed: make agreement does"
)
def test_peers_still_answer_so():
    """Asked anew, the libraries that are installed give what was written down."""
    script = ROOT / "benchmarks/agreement/agree.py"
    found = subprocess.run(
        [PEERS, script, "--check"], capture_output=True, text=True, check=False
    )

    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
