"""After the verdict: is a repaired model repaired."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
from marks import Task
from networks import reliance

import saliency as sal
from saliency.audit import AuditReport, repair


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
