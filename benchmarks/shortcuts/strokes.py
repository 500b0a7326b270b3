"""Is an exchange of strokes as strong as a true one? ``SALIENCY_SHARED=... python .../strokes.py``.

The shared bench has each picture with its own hospital's name, with the other hospital's, and
without. So the true exchange is known: the picture with the other name. The audit has to do with
other pictures that bear that name: it puts their strokes in place of the picture's. For each model
prints how far the lead moves either way; and for the pictures, how much of the ink is found, and
how much is left where the strokes are taken out.
"""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import saliency as sal
from saliency.audit.cases.first_pass import contents_of, read_picture
from saliency.audit.exchange.exchange import exchanged, joined_content
from saliency.audit.exchange.groups import LogitDifference
from saliency.interventions.canvas import canvas
from saliency.interventions.patches import removed
from saliency.interventions.scoring import Scorer

MODELS = ("poisoned", "poisoned_mnv2")
PREPARE = sal.Prepare(intensity="stored", scale=lambda stored: stored / 4095)
DONORS = 8
logging.getLogger("saliency").setLevel("ERROR")  # no writing in pictures without a name


def main() -> None:
    """Print two lines for the models, one for the ink."""
    place = Path(os.environ["SALIENCY_SHARED"]) / "models" / "shortcut"
    rows = json.loads((place / "annotations.json").read_text())["images"]
    labels = {one["id"]: one["label"] for one in rows}
    kinds = ("poisoned", "flipped", "clean")
    pictures = {kind: folder(place / "dicom" / f"test_{kind}") for kind in kinds}
    for name in MODELS:
        scorer = Scorer(sal.KerasProbe(place / "models" / f"{name}.keras"), PREPARE)
        true, ours = moves(scorer, pictures, labels)
        print(
            f"{name}: exchanged truly {true:.2f}, strokes {ours:.2f} ({ours / true:.0%})"
        )
    found, left = np.mean(list(ink(pictures)), axis=0)
    print(f"ink found {found:.1%}, left {left:.1%}")


def folder(place: Path) -> dict[str, sal.DicomImage]:
    """Return the pictures by name."""
    return {path.stem: read_picture(path) for path in sorted(place.glob("*.dcm"))}


def moves(
    scorer: Scorer,
    pictures: dict[str, dict[str, sal.DicomImage]],
    labels: dict[str, int],
) -> tuple[float, float]:
    """Return the mean move of class 1's lead towards the class of the name that comes in."""
    poisoned, flipped = pictures["poisoned"], pictures["flipped"]
    generator = np.random.default_rng(0)
    true, ours = [], []
    for name, image in poisoned.items():
        sign = 1 - 2 * labels[name]
        others = [each for each in poisoned if labels[each] != labels[name]]
        chosen = generator.choice(others, DONORS, replace=False)
        changed = [one for each in chosen for one in swapped(image, poisoned[each])]
        scores = scorer.scores(
            [image, flipped[name], *changed], (LogitDifference(1, 0),)
        )[:, 0]
        true.append(sign * (scores[1] - scores[0]))
        ours.append(sign * (scores[2:].mean() - scores[0]))
    return float(np.mean(true)), float(np.mean(ours))


def swapped(image: sal.DicomImage, donor: sal.DicomImage) -> list[sal.DicomImage]:
    """Return the image with the donor's strokes in place of its own, as the audit does."""
    mine, theirs = (contents_of(each).get("text") for each in (image, donor))
    union = joined_content(mine, theirs, image.size)
    return exchanged(canvas(image, PREPARE), canvas(donor, PREPARE), union)


def ink(
    pictures: dict[str, dict[str, sal.DicomImage]],
) -> Iterator[tuple[float, float]]:
    """Yield the share of a picture's ink that is found, and that is left without the strokes."""
    for name, image in pictures["poisoned"].items():
        with_name = np.asarray(image.stored, float)
        added = np.abs(with_name - pictures["clean"][name].stored)
        strokes = contents_of(image)["text"].mask
        without = removed(with_name.astype(np.float32), strokes)
        drawn = added > 0.1 * added.max()
        after = np.abs(without - pictures["clean"][name].stored)[drawn & ~strokes].sum()
        yield strokes[drawn].mean(), after / added[drawn].sum()


if __name__ == "__main__":
    main()
