"""Audits of real models whose truth is known: ``SALIENCY_SHARED=... python .../verdicts.py``.

Two small networks, three that were fitted on top of MobileNetV2, and a public classifier, on all
36 X-rays of the shared bench with and without a hospital name. Prints a row for each; the exit
code is 1 where a verdict is not the expected one. The suite asks the small networks of a few
pictures: tests/audit/test_bench.py. Some seven minutes of two cores.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import saliency as sal

STORED = sal.Prepare(intensity="stored", scale=lambda stored: stored / 4095)
SILENT = ("no evidence",)
EXPECTED = (
    ("poisoned", "poisoned", True, ("reads",)),
    ("poisoned", "poisoned", False, ("reads",)),
    ("poisoned", "flipped", True, ("reads",)),
    ("poisoned", "clean", True, SILENT),
    ("clean", "poisoned", True, SILENT),
    ("poisoned_mnv2", "poisoned", True, ("reads", "may read")),
    ("clean_mnv2", "poisoned", True, SILENT),
    ("decorrelated_mnv2", "poisoned", True, SILENT),
)
"""Model, pictures, whether labels are told, findings that are right."""


def main() -> None:
    """Print the verdicts."""
    place = Path(os.environ["SALIENCY_SHARED"])
    bench = place / "models" / "shortcut"
    rows = json.loads((bench / "annotations.json").read_text())["images"]
    labels = {row["id"]: row["label"] for row in rows}
    right = []
    for name, variant, told, findings in EXPECTED:
        started = time.perf_counter()
        report = sal.audit(
            bench / "models" / f"{name}.keras",
            bench / "dicom" / f"test_{variant}",
            labels=labels if told else None,
            prepare=STORED,
        )
        what = f"{name} on {variant}, {'labels' if told else 'no labels'}"
        right.append(row(what, report, findings, started))
    # A public model that says "Covid" for everything: the markers of the X-rays are not its cue.
    started = time.perf_counter()
    report = sal.audit(
        place / "models" / "tm_cxr_a11pha" / "keras_model.h5",
        place / "images" / "nih_boxes" / "dicom",
        prepare=sal.Prepare(scale="symmetric"),
    )
    right.append(
        row("public model on markers", report, SILENT, started) and not report.shortcut
    )
    sys.exit(not all(right))


def row(
    what: str, report: sal.AuditReport, findings: tuple[str, ...], started: float
) -> bool:
    """Print one verdict; return whether it is one of those that are right."""
    verdict = report.verdicts["text"]
    right = verdict.finding in findings
    told = f"{verdict.finding:<13}{verdict.effect:5.2f}  p {verdict.p_value:.4f}"
    seconds = f"{time.perf_counter() - started:4.0f} s"
    print(f"{what:<40}{told}  {seconds}  {'' if right else 'WRONG'}", flush=True)
    return right


if __name__ == "__main__":
    main()
