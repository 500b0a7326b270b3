"""Train models with and without shortcuts, and see who finds out.

``python benchmarks/shortcuts/run.py [--quick] [--models FOLDER] [--seeds N] [--only NAME ...]``
prints a row for each model, and for the models of the shared bench where SALIENCY_SHARED names its
folder. Trained models are kept in the folder, so that a second run only asks. ``--only "hospital
name"`` runs a part, ``--only poisoned clean`` two of the shared models: a piece at a time.

A model's truth is measured, not assumed: every mark is drawn anew as the other one, and the move
of its score is set in relation to its swing. The audit searches the pictures for zones by itself,
except for the tube (a zone of the user) and the padding (a zone of the header). The others look at
heat alone, in the exact box of the mark: twice the heat of its area is called read.
"""

import argparse
import inspect
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np
import pictures
from pictures import SHORTCUTS, SIZE, Draw, Sample, images, marked, sample

import saliency as sal
from saliency.audit import shares
from saliency.pipeline.explain import Explainer

CORRELATIONS = (0.5, 0.7, 0.9, 1.0)
TRAINED, TESTED, HEATED = 768, 48, 24
READ, WEAK = 0.3, 0.1
JUDGES = ("audit", "audit and its hint", "gradient", "Grad-CAM")


def main() -> None:
    """Print a row for each model, then who was right how often."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="one correlation a shortcut"
    )
    parser.add_argument(
        "--models", type=Path, default=Path(tempfile.gettempdir(), "shortcuts")
    )
    parser.add_argument(
        "--seeds", type=int, default=1, help="audits of each shared model"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="shortcuts, shared models"
    )
    options = parser.parse_args()
    options.models.mkdir(parents=True, exist_ok=True)
    tally = Counter()
    print(
        "shortcut           corr   acc  truth   audit             hint          gradient  Grad-CAM"
    )
    for shortcut in chosen(SHORTCUTS, options.only):
        for correlation in CORRELATIONS[-1:] if options.quick else CORRELATIONS:
            row(options.models, shortcut, correlation, tally)
    for judge in JUDGES:
        kinds = ("found", "missed", "false alarm", "rightly silent", "weak")
        print(
            f"{judge:<18}", ", ".join(f"{kind} {tally[judge, kind]}" for kind in kinds)
        )
    if "SALIENCY_SHARED" in os.environ:
        place = Path(os.environ["SALIENCY_SHARED"]) / "models" / "shortcut"
        shared(place, options.seeds, options.only)


def chosen(names: Iterable[str], only: Sequence[str] | None) -> list[str]:
    """Return the names that are asked for, all of them unless some are."""
    return [name for name in names if only is None or name in only]


def shared(place: Path, seeds: int, only: Sequence[str] | None = None) -> None:
    """Print the audits of the shared bench's models."""
    rows = json.loads((place / "annotations.json").read_text())["images"]
    labels = {one["id"]: one["label"] for one in rows}
    prepare = sal.Prepare(intensity="stored", scale=lambda stored: stored / 4095)
    for name in chosen(
        sorted(path.stem for path in (place / "models").glob("*.keras")), only
    ):
        model = place / "models" / f"{name}.keras"
        for folder in sorted((place / "dicom").iterdir()):
            for seed in range(seeds):
                report = sal.audit(
                    model, folder, labels=labels, prepare=prepare, seed=seed
                )
                found = report.verdicts["text"]
                told = f"{found.finding:<14}{found.effect:5.2f}  p {found.p_value:.4f}"
                print(f"{name:<19}{folder.name:<15}{seed:<3}{told}", flush=True)


def row(
    kept: Path, shortcut: str, correlation: float, tally: Counter[tuple[str, str]]
) -> None:
    """Train, measure the truth, ask the judges."""
    started = time.perf_counter()
    model = trained(kept, Draw(shortcut, correlation, TRAINED, seed=1))
    drawn = sample(Draw(shortcut, correlation, TESTED, seed=2))
    truth, accuracy = reliance(model, Draw(shortcut, correlation, 200, seed=3))
    verdict, hint = audited(model, drawn)
    heat = {name: enriched(model, drawn, recipe) for name, recipe in RECIPES.items()}
    accused = verdict != "no evidence"
    told = (
        accused,
        accused or hint != "no evidence",
        *(each > 2 for each in heat.values()),
    )
    for judge, said in zip(JUDGES, told, strict=True):
        tally[judge, kind(truth, accused=said)] += 1
    print(
        f"{shortcut:<19}{correlation:>4.1f}{accuracy:>6.2f}{truth:>7.2f}   {verdict:<18}{hint:<14}"
        f"{heat['gradient']:<10.1f}{heat['Grad-CAM']:<9.1f}{time.perf_counter() - started:.0f} s",
        flush=True,
    )


RECIPES = {"gradient": sal.Gradient(), "Grad-CAM": sal.GradCAM()}


def kind(truth: float, *, accused: bool) -> str:
    """Say what an answer was, given the truth; weak shortcuts count for nobody."""
    if WEAK <= truth < READ:
        return "weak"
    if truth >= READ:
        return "found" if accused else "missed"
    return "false alarm" if accused else "rightly silent"


def trained(kept: Path, draw: Draw) -> keras.Model:
    """Return the model of a folder, trained where it is not there or was trained otherwise."""
    recipe = inspect.getsource(pictures) + inspect.getsource(_fitted) + repr(draw)
    path = kept / f"{sha256(recipe.encode()).hexdigest()[:16]}.keras"
    if not path.exists():
        _fitted(sample(draw)).save(path)
    return keras.models.load_model(path)


def _fitted(drawn: Sample) -> keras.Model:
    """Train a small convolutional classifier."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIZE[0] // 2, SIZE[1] // 2, 1)),
            layers.Conv2D(12, 5, strides=2, activation="relu"),
            layers.Conv2D(24, 3, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(_inputs(drawn), drawn.labels, batch_size=32, epochs=14, verbose=0)
    return model


def reliance(model: keras.Model, draw: Draw) -> tuple[float, float]:
    """Return the mean move of the lead when every mark is exchanged, over the swing; accuracy."""
    before, after = sample(draw), sample(draw, swapped=True)
    first, second = (_lead(model, drawn) for drawn in (before, after))
    moved = np.where(before.marks == 1, first - second, second - first).mean()
    accuracy = ((first > 0) == before.labels).mean()
    return abs(float(moved)) / (2 * np.abs(first).mean()), float(accuracy)


def audited(model: keras.Model, drawn: Sample) -> tuple[str, str]:
    """Return the audit's finding about the zones of the mark, and about brightness.

    Another zone that is accused counts as a finding, too: of a clean model it is a false alarm.
    """
    report = sal.audit(model, images(drawn), labels=drawn.labels)
    accused = {name: one.finding for name, one in report.verdicts.items()}
    mine = [
        accused.pop(name) for name in SHORTCUTS[drawn.shortcut].zones if name in accused
    ]
    others = [
        f"{said}: {name}" for name, said in accused.items() if said != "no evidence"
    ]
    return (sorted(mine, key=FINDINGS.index) + others + ["no evidence"])[
        0
    ], report.tone.finding


FINDINGS = ("reads", "may read", "no evidence")


def enriched(model: keras.Model, drawn: Sample, recipe: Explainer) -> float:
    """Return the mean heat per area of the mark's box; 1 where there is none."""
    found = sal.explain_many(model, marked(drawn)[:HEATED], recipe)
    rows = [shares(one.image, one.heatmap).get("mark") for one in found if one]
    boxes = [share.enrichment for share in rows if share is not None]
    return float(np.mean(boxes)) if boxes else 1.0


def _lead(model: keras.Model, drawn: Sample) -> np.ndarray:
    probability = np.clip(model.predict_on_batch(_inputs(drawn)), 1e-12, 1)
    return np.log(probability[:, 1]) - np.log(probability[:, 0])


def _inputs(drawn: Sample) -> np.ndarray:
    halved = drawn.pixels.reshape(-1, SIZE[0] // 2, 2, SIZE[1] // 2, 2).mean(
        axis=(2, 4)
    )
    return halved[..., np.newaxis].astype(np.float32) / 255


if __name__ == "__main__":
    main()
