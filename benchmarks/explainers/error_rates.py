"""How often an evaluation names a winner where there is none, and whether the named one is right.

``python benchmarks/explainers/error_rates.py [--folder FOLDER] [--runs N]`` prints three rates with
95 % intervals (Wilson): of simulated scores, of whole evaluations in which five copies of one
explainer with other seeds compete, and of the bench of planted truth, whose figures
``run.py --folder FOLDER`` measured before.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np
import tensorflow as tf
from measure import BENCH, CONTROLS
from naming import BEST, named, true_rank

import saliency as sal
from saliency.evaluation.decision import decide

TRUTH = "truth of "
GIVEN = (64, 96)
"""Images that an evaluation is given; of how many, and at which shares, is its own choice."""
COPIES, PATIENTS, EACH, MANY = 5, 10, 4, 12
"""Copies that compete, patients, images of a patient, and scores of a simulated one."""


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kept = Path(tempfile.gettempdir(), "explainers")
    parser.add_argument("--folder", type=Path, default=kept)
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    patients = np.repeat(np.arange(PATIENTS), MANY)
    images = np.arange(len(patients))
    print("A winner is named where none is better:")
    for words, groups in (("patients", patients), ("images", images)):
        count = simulated(groups, options.runs)
        say(f"  simulated scores, witnesses are {words}", count, options.runs)
    for words, runs in (("patients", options.runs), ("images", options.runs // 4)):
        count = whole(runs, grouped=words == "patients")
        say(f"  whole evaluations, witnesses are {words}", count, runs)
    planted(options.folder)


def simulated(groups: np.ndarray, runs: int) -> int:
    """Count winners among copies whose scores differ by chance, patient by patient."""
    generator, count = np.random.default_rng(0), 0
    for _ in range(runs):
        noise = generator.normal(size=(COPIES, PATIENTS)).repeat(MANY, axis=1)
        noise += 0.3 * generator.normal(size=noise.shape)
        scores = {f"copy {i}": row for i, row in enumerate(noise)}
        low = {"random": np.full(PATIENTS * MANY, -9.0)}
        count += decide(scores, low, groups, generator).best is not None
    return count


@dataclass(frozen=True)
class Noisy:
    """The gradient of a noisy copy: seeds differ, none is better."""

    seed: int

    def __call__(self, probe: object, inputs: tf.Tensor) -> tf.Tensor:
        """Return the gradient with noise that depends on the seed alone."""
        noise = tf.random.stateless_normal(inputs.shape[1:], [self.seed, 0])
        return probe.gradient(inputs) * (1 + 0.8 * noise)


def whole(runs: int, *, grouped: bool) -> int:
    """Count winners of whole evaluations, of images that resemble each other by patient."""
    probe, count = sal.KerasProbe(_reader()), 0
    for run in range(runs):
        images, squares, patients = _patients(run)
        report = sal.evaluate(
            probe,
            images,
            [Noisy(COPIES * run + copy) for copy in range(COPIES)],
            target=1,
            truth=squares,
            groups=patients if grouped else None,
            metrics="auprc",
            seed=run,
        )
        count += report.best is not None
    return count


def planted(folder: Path) -> None:
    """Print how often the explainer that exchange names is among the true best."""
    files = [
        folder / f"{scenario}_{network}.npz".replace(" ", "_")
        for network, scenarios in BENCH.items()
        for scenario in scenarios
    ]
    told = [split(path) for path in files if path.is_file()]
    for images in GIVEN:
        found = [(named(scores, images), truths) for scores, truths in told]
        ranks = [true_rank(truths, each.best) for each, truths in found if each.best]
        leads = [true_rank(truths, each.leader) for each, truths in found]
        print(f"Of {images} images of each of {len(told)} networks:")
        say("  one is named", len(ranks), len(told))
        for words, each in (("named", ranks), ("leading", leads)):
            right = sum(rank <= BEST for rank in each)
            say(f"  the {words} one is among the true best {BEST}", right, len(each))
            print(f"    true ranks {sorted(each)}")


def split(path: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return scores of exchange, and truths of those that compete, by explainer."""
    with np.load(path) as file:
        found = dict(file)
    scores = {name: each for name, each in found.items() if not name.startswith(TRUTH)}
    truths = {
        name.removeprefix(TRUTH): each
        for name, each in found.items()
        if name.startswith(TRUTH) and name.removeprefix(TRUTH) not in CONTROLS
    }
    return scores, truths


def say(words: str, count: int, runs: int) -> None:
    """Print a rate with its interval (Wilson, 1927)."""
    if not runs:
        print(f"{words}: no runs")
        return
    share, z = count / runs, 1.96
    middle = (share + z * z / (2 * runs)) / (1 + z * z / runs)
    spread = np.sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs))
    half = z * spread / (1 + z * z / runs)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    print(f"{words}: {count} of {runs}, {share:.1%} ({low:.1%} to {high:.1%})")


def _reader() -> keras.Model:
    """Return a network of closed form: the sum of what is brighter than a half."""
    inputs = keras.Input((16, 16, 1))
    found = keras.layers.Conv2D(1, 3, padding="same", activation="relu")(inputs)
    mean = keras.layers.GlobalAveragePooling2D()(found)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(mean))
    kernel = np.full((3, 3, 1, 1), 1 / 9)
    model.set_weights([kernel, np.array([-0.5]), np.array([[40.0]]), np.array([-1.0])])
    return model


def _patients(run: int) -> tuple[list[sal.DicomImage], list[np.ndarray], list[int]]:
    """Return images of a bright square, its place, and whose they are: all alike but noise."""
    generator = np.random.default_rng(run)
    images, squares, whose = [], [], []
    for patient in range(PATIENTS):
        top, left = generator.integers(0, 11, 2)
        square = np.zeros((16, 16), bool)
        square[top : top + 5, left : left + 5] = True
        body = generator.uniform(0, 100, (16, 16)) + 120 * square
        for _ in range(EACH):
            pixels = (body + generator.uniform(0, 2, body.shape)).astype(np.float32)
            window = sal.Window(127.5, 255)
            images.append(sal.DicomImage.from_array(pixels, window=window))
            squares.append(square)
            whose.append(patient)
    return images, squares, whose


if __name__ == "__main__":
    main()
