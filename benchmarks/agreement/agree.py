"""Put the same question to this library and to others, and compare the maps number by number.

``out/peers/bin/python benchmarks/agreement/agree.py``, after ``benchmarks/peers/install.sh``.
Same model, same picture, same class, same settings. With ``--write`` the tables go into
docs/explainers/agreement.md, and the answers about the small network into
tests/explainers/peers.npz, where the tests find them. ``--check`` asks about the small network
alone, and stops with 1 where an answer is not the one written there.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SALIENCY_SHARED", ROOT.parent / "shared"))
sys.path += [str(ROOT / place) for place in ("benchmarks/peers", "out/peers", "tests")]

import adapters  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import peer_network  # noqa: E402
import tensorflow as tf  # noqa: E402
from peer_choices import CHOICES  # noqa: E402
from PIL import Image  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

import saliency as sal  # noqa: E402

PAGE = ROOT / "docs/explainers/agreement.md"
ANSWERS = ROOT / "tests/explainers/peers.npz"

HEAD = (
    "| method | library | rank correlation | greatest difference | why | with their choice |\n"
    "|---|---|---|---|---|---|"
)

#: Why maps differ where there is no choice to force.
WHY = {
    "xplique/SmoothGrad": "the noise is another, from TensorFlow's global state",
    "tf-explain/SmoothGrad": "the gradient of the cross-entropy, not of the score; other noise",
    "captum/deeplift": "a maximum behind a ReLU does not sum to the score's change, see below",
}


@dataclass(frozen=True)
class Row:
    """One method of one library, ours and theirs, on one model."""

    library: str
    method: str
    theirs: Any
    ours: Any
    forced: Any = None

    @property
    def key(self) -> str:
        """``library/method``."""
        return f"{self.library}/{self.method}"

    def __str__(self) -> str:
        ranks, apart = compared(self.ours, self.theirs)
        why = CHOICES[self.key].why if self.key in CHOICES else WHY.get(self.key, "")
        cells = [self.method, self.library, f"{ranks:.4f}", f"{apart:.1e}", why]
        if self.forced is not None:
            again, rest = compared(self.forced, self.theirs)
            cells += [f"{again:.4f}, {rest:.1e}"]
        return "| " + " | ".join([*cells, ""][:6]) + " |"


def main() -> None:
    """Print the tables, and write them down where asked to."""
    small = list(rows_of_the_small_network())
    if "--check" in sys.argv:
        sys.exit(_changed(small))
    tables = {"small": _table(small)}
    if (SHARED / "models").is_dir():
        tables["mobilenet"] = _table(list(rows_of_a_trained_network()))
    for table in tables.values():
        print(table, end="\n\n")
    if "--write" in sys.argv:
        written = {f"{row.key}": np.asarray(row.theirs, np.float32) for row in small}
        np.savez_compressed(ANSWERS, **written)
        page = PAGE.read_text(encoding="utf-8")
        for name, table in tables.items():
            before, _, rest = page.partition(f"<!-- {name} -->\n")
            after = rest.partition("<!-- end -->")[2]
            page = f"{before}<!-- {name} -->\n{table}\n<!-- end -->{after}"
        PAGE.write_text(page, encoding="utf-8")


def rows_of_the_small_network() -> Iterator[Row]:
    """Yield every library's methods about the network of tests/peer_network.py."""
    model, inputs = peer_network.tiny(), peer_network.picture()
    asked = adapters.Question(
        model, inputs, peer_network.TARGET, peer_network.LAYER, window=4
    )
    yield from _of_keras(asked)
    try:
        import copied  # noqa: PLC0415
    except ImportError as error:
        print(f"PyTorch: {error}")
        return
    probe = _probe(asked)
    for library, make in copied.LIBRARIES.items():
        maps = dict(
            _answered(library, make(copied.copy_of(model), inputs, asked.target))
        )
        for method, theirs in maps.items():
            recipe = peer_network.OURS.get(f"{library}/{method}")
            if recipe is not None:
                ours = partial(recipe, probe, inputs)
                yield _row(library, method, theirs, ours, asked)
    mean = peer_network.tiny("mean")
    for method, job in copied.captum(
        copied.copy_of(mean, "mean"), inputs, asked.target
    ).items():
        recipe = peer_network.MEAN_POOLED.get(f"captum/{method}, mean pooling")
        if recipe is not None:
            other = sal.KerasProbe(mean).at(asked.target)
            yield Row("captum", f"{method}, mean pooling", job(), recipe(other, inputs))


def rows_of_a_trained_network() -> Iterator[Row]:
    """Yield every Keras library's methods about a trained MobileNet, and our own seeds beside."""
    asked = question()
    yield from _of_keras(asked)
    probe, smooth = (
        _probe(asked),
        {"samples": adapters.SAMPLES, "spread": adapters.NOISE},
    )
    one, other = (
        sal.SmoothGrad(seed=seed, **smooth)(probe, asked.inputs) for seed in (0, 1)
    )
    yield Row("ours, another seed", "SmoothGrad", other, one)


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


def compared(mine: Any, theirs: Any) -> tuple[float, float]:
    """Return the rank correlation, and the greatest difference with both scaled to 1."""
    mine, theirs = np.squeeze(mine), np.squeeze(theirs)
    if mine.ndim == 2 and theirs.ndim == 3:
        theirs = theirs.mean(-1)
    if mine.shape != theirs.shape:  # left on the layer's grid
        theirs = np.asarray(tf.image.resize(theirs[..., np.newaxis], mine.shape))[
            ..., 0
        ]
    one, other = (each / max(np.abs(each).max(), 1e-30) for each in (mine, theirs))
    ranks = float(spearmanr(np.ravel(mine), np.ravel(theirs)).statistic)
    return ranks, float(np.abs(one - other).max())


def _changed(rows: list[Row]) -> int:
    """Return 1 where an answer is not the one that was written down, and name it."""
    written = np.load(ANSWERS)
    noisy = {"xplique/SmoothGrad", "tf-explain/SmoothGrad"}
    changed = [
        row.key
        for row in rows
        if row.key not in noisy and compared(row.theirs, written[row.key])[1] > 1e-5
    ]
    print(f"{len(rows)} answers, changed: {changed or 'none'}")
    return int(bool(changed) or not rows)


def _of_keras(asked: adapters.Question) -> Iterator[Row]:
    libraries = dict(adapters.each(asked))
    ours = libraries.pop("ours")
    for library, maps in libraries.items():
        for method, theirs in _answered(library, maps):
            yield _row(library, method, theirs, ours[method], asked)


def _row(
    library: str,
    method: str,
    theirs: Any,
    ours: Callable[[], Any],
    asked: adapters.Question,
) -> Row:
    choice = CHOICES.get(f"{library}/{method}")
    forced = (
        None if choice is None else choice.ask(_probe(asked), tf.constant(asked.inputs))
    )
    return Row(library, method, theirs, np.asarray(ours()), forced)


def _answered(library: str, maps: adapters.Maps) -> Iterator[tuple[str, Any]]:
    """Yield what a library answers; one that stops is named."""
    for method, ask in maps.items():
        np.random.seed(0)  # noqa: NPY002, TID251 - they draw from the global state
        try:
            yield method, np.asarray(ask())
        except Exception as error:  # noqa: BLE001 - the others go on
            print(f"{library} {method}: {type(error).__name__}")


def _probe(asked: adapters.Question) -> Any:
    return sal.KerasProbe(asked.model, layers=[asked.layer]).at(asked.target)


def _table(rows: list[Row]) -> str:
    return "\n".join(
        [HEAD, *map(str, sorted(rows, key=lambda row: row.method.lower()))]
    )


if __name__ == "__main__":
    main()
