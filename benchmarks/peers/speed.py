"""Time every library against one compiled forward pass of the same model, in turns.

``out/peers/bin/python benchmarks/peers/speed.py [MobileNetV2]``, after ``install.sh`` beside it.
The first call, which traces or sets up, is left out of the medians and shown beside them.
"""

import os
import sys
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[2]
sys.path += [
    str(Path(__file__).resolve().parents[1] / "speed"),
    str(ROOT / "out/peers"),
]

import adapters  # noqa: E402
import keras  # noqa: E402
import nets  # noqa: E402
import numpy as np  # noqa: E402
from clock import once  # noqa: E402

ROUNDS = 3

#: The last activation before the pooling.
LAYERS = {
    "MobileNetV2": "out_relu",
    "DenseNet121": "relu",
    "ResNet50": "conv5_block3_out",
}


def question(name: str, side: int = 224) -> adapters.Question:
    """Return a model of random weights that ends in logits, and a noisy picture."""
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(
        weights=None, classifier_activation=None, input_shape=(side, side, 3)
    )
    inputs = np.random.default_rng(0).normal(size=(1, side, side, 3)).astype(np.float32)
    return adapters.Question(model, inputs, 3, LAYERS[name])


def main(name: str) -> None:
    """Print a table: libraries down, methods across."""
    asked = question(name)
    forward = nets.forward_of(asked.model)
    forward(asked.inputs)
    print(
        f"\n{name}, 224 x 224, one picture: processor time in F, and seconds of the first call\n"
    )
    print("| library | " + " | ".join(adapters.ours(asked)) + " |")
    print("|---|" + "---|" * len(adapters.ours(asked)))
    for library, maps in adapters.each(asked):
        cells = (
            _cell(maps[method], lambda: forward(asked.inputs)) if method in maps else ""
            for method in adapters.ours(asked)
        )
        print(f"| {library} | " + " | ".join(cells) + " |", flush=True)


def _cell(job: object, forward: object) -> str:
    try:
        first = once(job)[0]
        ratios = [
            once(job)[1] / median(once(forward)[1] for _ in range(3))
            for _ in range(ROUNDS)
        ]
    except Exception as error:  # noqa: BLE001 - a library that stops is a result
        return type(error).__name__
    return f"{median(ratios):.1f} ({first:.1f} s)"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "MobileNetV2")
