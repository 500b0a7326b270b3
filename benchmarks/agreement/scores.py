"""Put the same question to our metrics and to those of Quantus and xplique.

``python benchmarks/agreement/scores.py``, where both are installed: the answers are printed as a
table. With ``--write`` the table goes into docs/evaluation.md, and their answers into
tests/evaluation/peers.npz, where a test finds them.

Random draws are ours in both: what is compared is the formula.
"""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))

import numpy as np  # noqa: E402
import peer_scores as asked  # noqa: E402
import tensorflow as tf  # noqa: E402

import saliency as sal  # noqa: E402
from saliency.kernels.superpixels import superpixels  # noqa: E402

if not hasattr(np, "trapz"):
    np.trapz = np.trapezoid  # noqa: NPY201 - Quantus calls it as NumPy 1 did

import quantus  # noqa: E402
from quantus.functions.perturb_func import noisy_linear_imputation  # noqa: E402
from quantus.functions.similarity_func import correlation_pearson  # noqa: E402
from quantus.helpers import utils  # noqa: E402
from xplique import metrics as xplique  # noqa: E402

PAGE = ROOT / "docs/evaluation.md"
ANSWERS = ROOT / "tests/evaluation/peers.npz"
HEAD = (
    "| metric | library | its name | greatest difference | what was set alike |\n"
    "|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """One metric of one library."""

    metric: str
    library: str
    name: str
    answer: Any
    alike: str = ""

    @property
    def key(self) -> str:
        """``library/metric``."""
        return f"{self.library}/{self.metric}"

    def told(self, ours: Any) -> str:
        """Return it as a row of the table."""
        apart = np.abs(np.asarray(self.answer) - np.asarray(ours)).max()
        cells = (self.metric, self.library, self.name, f"{apart:.1e}", self.alike)
        return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, and write it down where asked to."""
    warnings.simplefilter("ignore")
    ours, rows = asked.ours(), [*of_quantus(), *of_xplique()]
    rows.sort(key=lambda row: (list(ours).index(row.metric), row.library))
    table = "\n".join([HEAD, *(row.told(ours[row.metric]) for row in rows)])
    print(table)
    if "--write" in sys.argv:
        answers = {row.key: np.asarray(row.answer, np.float32) for row in rows}
        np.savez_compressed(ANSWERS, **answers)
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition("<!-- agreement -->\n")
        after = rest.partition("<!-- end -->")[2]
        page = f"{before}<!-- agreement -->\n{table}\n<!-- end -->{after}"
        PAGE.write_text(page, encoding="utf-8")


def of_quantus() -> Iterator[Row]:
    """Yield its metrics. Quantus has channels first, and a feature for each."""
    yield from _curves_of_quantus()
    yield from _promises_of_quantus()
    yield from _maps_of_quantus()


_PLAIN: Final = {
    "normalise": False,
    "abs": False,
    "disable_warnings": True,
    "display_progressbar": False,
}
_BLACK: Final = {**_PLAIN, "perturb_baseline": 0.0}
_ABSOLUTE: Final = {**_PLAIN, "abs": True}


def _asked_quantus(metric: Any, heat: Any = None, **more: Any) -> Any:
    """Return a metric's answer about each image."""
    inputs, given = asked.images(), asked.maps() if heat is None else heat
    labels = np.full(len(inputs), asked.TARGET)
    batch = {"x_batch": inputs, "y_batch": labels, "a_batch": given[:, np.newaxis]}
    how = {"channel_first": False, "softmax": False, **more}
    return np.asarray(metric(model=asked.network(), **batch, **how))


def _channels_first() -> Any:
    return np.moveaxis(asked.images(), -1, 1)


def _curves_of_quantus() -> Iterator[Row]:
    step = asked.TRUTH.size // asked.STEPS
    flipped = _asked_quantus(quantus.PixelFlipping(features_in_step=step, **_BLACK))
    yield Row("deletion, each score", "Quantus", "PixelFlipping", flipped)

    indices = np.flatnonzero(asked.MISSING)
    filled = [
        noisy_linear_imputation(image, indices, noise=0.0)
        for image in _channels_first()
    ]
    channels_last = np.moveaxis(np.stack(filled), 1, -1)
    name = "noisy_linear_imputation"
    yield Row("road, imputed pixels", "Quantus", name, channels_last, "no noise")

    of_each, count = quantus.IROF(return_aggregate=False, **_BLACK), asked.GRID**2
    with _our_segments():
        lost = _asked_quantus(of_each) / count
    alike = "our superpixels; over their number"
    yield Row("irof, trapezoid rule", "Quantus", "IROF", lost, alike)
    with _our_segments(), mock.patch.object(utils, "calculate_auc", _total):
        lost = _asked_quantus(of_each) / count
    alike = "our superpixels; the mean over segments, not the trapezoid's sum"
    yield Row("irof", "Quantus", "IROF", lost, alike)


def _promises_of_quantus() -> Iterator[Row]:
    noisy = quantus.Infidelity(
        perturb_func=_Stepping(_noise()),
        perturb_patch_sizes=[4],
        n_perturb_samples=asked.SAMPLES // 12,  # 12 patches of 4 x 4
        **_PLAIN,
    )
    alike = "normal noise on the whole image, where its own fills patches"
    yield Row("infidelity", "Quantus", "Infidelity", _asked_quantus(noisy), alike)

    steady = quantus.MaxSensitivity(
        nr_samples=asked.MAPS, perturb_func=_Stepping(_small_steps()), **_PLAIN
    )
    heat = _gradient(asked.network(), asked.images())[..., 0]
    moved = _asked_quantus(steady, heat, explain_func=_gradient)
    alike = "the small changes"
    yield Row("max_sensitivity", "Quantus", "MaxSensitivity", moved, alike)

    yield from _sanity_of_quantus()

    pixels = asked.TRUTH.size
    count = round(0.1 * pixels)
    sets = quantus.FaithfulnessCorrelation(
        nr_runs=asked.SAMPLES,
        subset_size=count,
        similarity_func=correlation_pearson,
        return_aggregate=False,
        **_BLACK,
    )
    order = np.random.default_rng(0).random((asked.SAMPLES, pixels)).argsort(axis=1)
    drawn = np.repeat(order[:, :count], len(asked.images()), axis=0)
    with mock.patch.object(np.random, "choice", side_effect=drawn):
        correlation = _asked_quantus(sets)
    name, alike = "FaithfulnessCorrelation", "the sets of pixels"
    yield Row("sensitivity_n", "Quantus", name, correlation, alike)


def _sanity_of_quantus() -> Iterator[Row]:
    """Yield its randomisation, stage by stage, without the trained network's likeness to itself."""
    wrapper = (
        "quantus.helpers.model.tf_model.TensorFlowModel.get_random_layer_generator"
    )
    heat = _gradient(asked.network(), asked.images())[..., 0]
    with mock.patch(wrapper, _shuffled_as_ours):
        found = quantus.MPRT(**_ABSOLUTE)(
            model=asked.network(),
            x_batch=asked.images(),
            y_batch=np.full(len(heat), asked.TARGET),
            a_batch=heat[:, np.newaxis],
            channel_first=False,
            softmax=False,
            explain_func=_gradient_channels_first,
        )
    stages = [each for name, each in found.items() if name.startswith("stage")]
    alike = "the shuffled networks"
    yield Row("randomisation", "Quantus", "MPRT", stages[-1], f"{alike}; the last")
    mean = np.mean(stages, axis=0)
    yield Row("cascade", "Quantus", "MPRT", mean, f"{alike}; their mean")


def _gradient(model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
    """Return the gradient of a network, as Quantus and xplique ask for it."""
    return np.asarray(sal.Gradient()(asked.Plain(model), tf.constant(inputs)))


def _gradient_channels_first(model: Any, inputs: Any, **_: Any) -> Any:
    return np.moveaxis(_gradient(model, np.moveaxis(inputs, 1, -1)), -1, 1)


def _maps_of_quantus() -> Iterator[Row]:
    gini = _asked_quantus(quantus.Sparseness(**_ABSOLUTE))
    yield Row("sparseness", "Quantus", "Sparseness", gini)
    truth = np.broadcast_to(asked.TRUTH, _channels_first().shape)
    hit = _asked_quantus(quantus.PointingGame(**_PLAIN), s_batch=truth)
    yield Row("pointing_game", "Quantus", "PointingGame", hit)
    mass = quantus.RelevanceMassAccuracy(**_ABSOLUTE)
    share, name = _asked_quantus(mass, s_batch=truth), "RelevanceMassAccuracy"
    yield Row("energy_inside", "Quantus", name, share, "absolute heat")


def of_xplique() -> Iterator[Row]:
    """Yield its metrics, one image at a time, since it returns a mean over images."""
    model, heat = asked.network(), asked.maps()
    classes = model.output_shape[-1]
    one_hot = np.eye(classes, dtype=np.float32)[[asked.TARGET]]

    def answer(metric: Any, **options: Any) -> list[float]:
        pairs = zip(asked.images(), heat, strict=True)
        return [
            metric(model, image[np.newaxis], one_hot, **options).evaluate(each[None])
            for image, each in pairs
        ]

    steps = {"steps": asked.STEPS, "baseline_mode": 0.0}
    yield Row("deletion", "xplique", "Deletion", answer(xplique.Deletion, **steps))
    yield Row("insertion", "xplique", "Insertion", answer(xplique.Insertion, **steps))
    drawn = np.random.default_rng(0).random((asked.SAMPLES, asked.GRID**2))
    with mock.patch.object(tf.random, "uniform", return_value=tf.constant(drawn)):
        fidelity = answer(
            xplique.MuFidelity,
            grid_size=asked.GRID,
            subset_percent=0.2,
            nb_samples=asked.SAMPLES,
            baseline_mode=0.0,
        )
    yield Row("mufidelity", "xplique", "MuFidelity", fidelity, "the sets of cells")
    yield _stability_of_xplique()
    gini = xplique.Sparseness().detailed_evaluate(heat)
    yield Row("sparseness", "xplique", "Sparseness", gini)


def _stability_of_xplique() -> Row:
    """Ask about one small change at a time; of its distances ours is the greatest."""
    model, inputs = asked.network(), asked.images()
    one_hot = np.eye(model.output_shape[-1], dtype=np.float32)[[asked.TARGET]]

    def distance(moved: Any, heat: Any) -> Any:
        return np.linalg.norm(moved - heat) / np.linalg.norm(heat)

    def explained(images: Any, _: Any) -> Any:
        return _gradient(model, images)

    found = []
    for _, steps in zip(range(asked.MAPS), _small_steps(), strict=False):
        for image, step in zip(inputs, steps, strict=True):
            metric = xplique.AverageStability(
                model, image[np.newaxis], one_hot, distance=distance, nb_samples=1
            )
            metric.noisy_masks = step[np.newaxis]
            found.append(metric.evaluate(explained))
    greatest = np.reshape(found, (asked.MAPS, len(inputs))).max(axis=0)
    alike = "the small changes, one at a time; distance over the map's length"
    return Row("max_sensitivity", "xplique", "AverageStability", greatest, alike)


class _Stepping:
    """Stands for a random change of Quantus: from call to call the next of given steps."""

    def __init__(self, steps: Iterator[Any]) -> None:
        self._steps = steps

    def __call__(self, **_: Any) -> Any:
        images = asked.images().reshape(len(asked.images()), -1)
        return images + next(self._steps).reshape(images.shape)


def _noise() -> Iterator[Any]:
    """Yield what ``infidelity`` adds: x - I."""
    generator, spread = np.random.default_rng(0), 0.1 * _range()
    while True:
        drawn = generator.standard_normal(asked.images().shape[1:])
        yield -(spread * drawn).astype(np.float32)


def _small_steps() -> Iterator[Any]:
    """Yield what ``max_sensitivity`` adds."""
    generator, radius = np.random.default_rng(0), 0.02 * _range()
    while True:
        drawn = generator.uniform(-1, 1, asked.images().shape[1:])
        yield (radius * drawn).astype(np.float32)


def _range() -> Any:
    flat = asked.images().reshape(len(asked.images()), -1)
    return np.ptp(flat, axis=1).reshape(-1, 1, 1, 1)


@contextmanager
def _our_segments() -> Iterator[None]:
    """Give IROF our segments."""
    segments = np.asarray(superpixels(tf.constant(asked.images()), asked.GRID))
    with mock.patch.object(utils, "get_superpixel_segments", side_effect=segments):
        yield


def _total(values: Any, *, batched: bool) -> Any:  # noqa: ARG001 - as it is called
    """Sum over segments, in place of the trapezoid rule."""
    return np.sum(values, axis=1)


def _shuffled_as_ours(*_: Any, **__: Any) -> Iterator[tuple[str, Any]]:
    """Yield what ``cascade`` asks, in place of Quantus's copies with shuffled weights."""
    for stage in range(1, asked.STAGES + 1):
        yield f"stage {stage}", asked.shuffled(0, stage / asked.STAGES)


if __name__ == "__main__":
    main()
