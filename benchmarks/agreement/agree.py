"""Put the same question to this library and to others, and compare the maps number by number.

``out/peers/bin/python benchmarks/agreement/agree.py``, after ``benchmarks/peers/install.sh``.
Same model, same picture, same class, same settings. Rank correlation of all values, and the
greatest difference as a share of the greatest value.
"""

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SALIENCY_SHARED", ROOT.parent / "shared"))
sys.path += [str(ROOT / "benchmarks/peers"), str(ROOT / "out/peers")]

import adapters  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from PIL import Image  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

import saliency as sal  # noqa: E402


def main() -> None:
    """Print a line for each library and method."""
    asked = question()
    libraries = dict(adapters.each(asked))
    mine = {method: np.asarray(ask()) for method, ask in libraries.pop("ours").items()}
    again = sal.SmoothGrad(samples=adapters.SAMPLES, spread=adapters.NOISE, seed=1)
    probe = sal.KerasProbe(asked.model).at(asked.target)
    libraries["ours, another seed"] = {"SmoothGrad": lambda: again(probe, asked.inputs)}
    finer = sal.IntegratedGradients(500, baseline=0.0)
    mine["IG against 500 steps"] = np.asarray(finer(probe, asked.inputs))
    mine_32 = mine["integrated gradients"]
    libraries["ours, 32 steps"] = {"IG against 500 steps": lambda: mine_32}
    for maps in libraries.values():
        if "integrated gradients" in maps:
            maps["IG against 500 steps"] = maps["integrated gradients"]
    print("| method | library | rank correlation | greatest difference | of its absolute |")
    print("|---|---|---|---|---|")
    for library, maps in libraries.items():
        for method, ask in maps.items():
            try:
                found = np.asarray(ask())
            except Exception as error:  # noqa: BLE001 - a library that stops is a result
                print(f"| {method} | {library} | {type(error).__name__} | | |")
                continue
            print(f"| {method} | {library} | {_compared(mine[method], found)} |", flush=True)


def question() -> adapters.Question:
    """Return a trained MobileNet without its softmax, and a photograph (SALIENCY_SHARED).

    An untrained network will not do: it hardly answers to its input, and without biases it is
    linear along a path from 0, so that every quadrature is exact.
    """
    file = SHARED / "models/mobilenet_v1_025_imagenet/mobilenet_v1_025_imagenet.keras"
    model = keras.models.load_model(file, compile=False)
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax | keras.layers.Activation):
        model = keras.Model(model.inputs, last.input)
    else:
        last.activation = keras.activations.linear
    photograph = next(iter(sorted((SHARED / "images/kangaroo/images").glob("*"))))
    pixels = Image.open(photograph).convert("RGB").resize((128, 128))
    inputs = np.asarray(pixels, np.float32)[np.newaxis] / 127.5 - 1
    target = int(np.argmax(model(inputs)))
    return adapters.Question(model, inputs, target, sal.KerasProbe(model).layers[-1])


def _compared(mine: Any, theirs: Any) -> str:
    mine, theirs = np.squeeze(mine), np.squeeze(theirs)
    if mine.ndim == 2 and theirs.ndim == 3:
        theirs = theirs.mean(-1)
    if mine.shape != theirs.shape:  # left on the layer's grid
        theirs = np.asarray(tf.image.resize(theirs[..., np.newaxis], mine.shape))[..., 0]
    plain, folded = _apart(mine, theirs), _apart(np.abs(mine), theirs)
    return (
        f"{_ranks(mine, theirs):.4f} | {plain:.1e} | {_ranks(abs(mine), theirs):.4f}, {folded:.1e}"
    )


def _ranks(mine: Any, theirs: Any) -> float:
    return float(spearmanr(mine.ravel(), theirs.ravel()).statistic)


def _apart(mine: Any, theirs: Any) -> float:
    """Return the greatest difference when both are scaled to a greatest value of 1."""
    one, other = (each / max(np.abs(each).max(), 1e-30) for each in (mine, theirs))
    return float(np.abs(one - other).max())


if __name__ == "__main__":
    main()
