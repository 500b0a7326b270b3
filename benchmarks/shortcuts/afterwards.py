"""After the verdict: is a repaired model repaired, and do regions find the drawn lesion."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from marks import Task, with_lesion
from networks import inputs_of, reliance

import saliency as sal
from saliency.audit import AuditReport, regions, repair

REFERENCES = 22
"""As few as a rate of 0.05 allows."""


def repair_row(
    model: keras.Model,
    report: AuditReport,
    images: Sequence[sal.DicomImage],
    labels: Sequence[int],
    task: Task,
) -> dict[str, Any]:
    """Repair a convicted model, print a line; return its true reliance and accuracy, twice.

    Accuracy is measured on new images whose marks have nothing to do with the label, too.
    """
    result = repair(model, report, images, labels=labels)
    row: dict[str, Any] = {
        "repaired": result.repaired,
        "effects after": dict(result.effects),
        "accuracy after": result.accuracy,
        "accuracy before": result.accuracy_before,
        "truth after": float("nan"),
    }
    if result.model is not None:
        unlinked = replace(task, agreement=0.5, seed=task.seed + 4000)
        row["truth after"], row["accuracy on the task"] = reliance(result.model, task)
        row["unlinked before"] = reliance(model, unlinked)[1]
        row["unlinked after"] = reliance(result.model, unlinked)[1]
    print(
        f"    {result.sentence} Truth afterwards: {row['truth after']:.2f}", flush=True
    )
    return row


def region_row(model: keras.Model, count: int, seed: int) -> dict[str, Any]:
    """Ask for the regions of images with a lesion, print a line; return what was found where.

    Images that the model does not decide for the lesion, and references that it decides for it, are
    left out: of a shuffled model any of two decisions will do.
    """
    ill, _, lesions = with_lesion(4 * count, seed + 6000)
    _, references, _ = with_lesion(4 * REFERENCES, seed + 7000)
    decided = model.predict_on_batch(inputs_of(ill)).argmax(axis=1)
    of_references = model.predict_on_batch(inputs_of(references)).argmax(axis=1)
    row = {"regions": True, "images": 0, "hit": 0, "away": 0, "found": 0}
    row["images away"] = 0
    others = [_shown(one) for one in references[of_references == 0][:REFERENCES]]
    rows = np.flatnonzero(decided == 1)[:count]
    for number in rows if len(others) == REFERENCES else []:
        found = regions(model, _shown(ill[number]), others, seed=seed)
        lesion = lesions[number]
        touched = np.unique(found.labels[lesion])
        hits = found.found[touched].sum()
        away = int(found.found.sum() - hits)
        row["images"] += 1
        row["hit"] += int(hits > 0)
        row["found"] += int(found.found.sum())
        row["away"] += away
        row["images away"] += int(away > 0)
    print(f"    regions: {row}", flush=True)
    return row


def _shown(pixels: np.ndarray) -> sal.DicomImage:
    return sal.DicomImage(pixels.astype(np.float32), pixels, modality="DX")
