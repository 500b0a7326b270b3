"""Marks that no search names, whole-picture shortcuts, many architectures: who is found out.

``python benchmarks/shortcuts/wider.py --models FOLDER --rows rows.jsonl [--only NAME ...]
[--seeds N] [--both N] [--clean N] [--first N] [--images N] [--repair]``
trains small models on real tissue with a drawn lesion, a line for each: the true reliance
(every mark is exchanged exactly), what the audit measured and what it reported (*told*,
*calibrated*), and its verdict.
Clean models see marks that have nothing to do with the label; untrained ones and models of shuffled
labels are audited on marks that do. None that does not read its mark may be accused. Models and
rows are kept: a second run asks for what is missing, and ``--seeds 0 --clean 0`` only sums up.

``--repair`` repairs each convicted model and measures the new one's true reliance.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np
from afterwards import repair_row
from marks import MARKS, Array, Task, drawn
from networks import ENOUGH, NETWORKS, TRAINED, network, reliance, trained
from scipy.stats import beta

import saliency as sal

READ, WEAK = 0.3, 0.1
PLAIN = 0.6
"""Brightness of a lesion that is learned beside a mark."""
STATES = ("clean", "shuffled", "untrained")


@dataclass(frozen=True)
class Case:
    """A model: its architecture, its task, and what its labels were."""

    kind: str
    task: Task
    state: str

    @property
    def name(self) -> str:
        """What rows are kept under."""
        task = self.task
        return f"{self.state} {self.kind} {task.mark} {task.agreement} {task.seed}"

    def model(self, kept: Path) -> keras.Model:
        """Return it, from the folder where it is there."""
        if self.state == "untrained":
            keras.utils.set_random_seed(self.task.seed)
            return network(self.kind)
        shuffled = self.state == "shuffled"
        count = ENOUGH if self.state == "both" else TRAINED
        return trained(kept, self.kind, self.task, shuffled=shuffled, count=count)

    def images(self, count: int) -> tuple[list[sal.DicomImage], list[int]]:
        """Return images that it was not trained on, and their labels."""
        task = self.task
        pixels, labels, _ = drawn(replace(task, seed=task.seed + 2000), count)
        return [shown(one) for one in pixels], labels.tolist()


def shown(pixels: Array) -> sal.DicomImage:
    """Return a radiograph of these pixels."""
    return sal.DicomImage(pixels.astype(np.float32), pixels, modality="DX")


def readers(seeds: int, only: list[str] | None) -> Iterator[Case]:
    """Yield models of marks that go with the label nearly always."""
    marks = [mark for mark in MARKS if only is None or mark in only]
    for seed in range(seeds):
        for number, mark in enumerate(marks):
            kind = NETWORKS[(number + seed) % len(NETWORKS)]
            yield Case(kind, Task(mark, 0.95, 100 + seed), "reader")


def of_both(count: int) -> Iterator[Case]:
    """Yield models that learned the lesion as well as a mark that goes with it often."""
    marks = ("tube", "patch", "pen mark", "tilted collimator", "console text", "noise")
    kinds = ("max", "residual", "flat", "separable", "patches", "mean")
    for number in range(count):
        mark, kind = marks[number % 6], kinds[(number + number // 6) % 6]
        yield Case(kind, Task(mark, 0.8, 300 + number, PLAIN), "both")


def silent(first: int, count: int) -> Iterator[Case]:
    """Yield models that must not be accused."""
    for number in range(first, first + count):
        # Steps without a common divisor: every network meets every mark and state in time.
        kind = NETWORKS[(number + number // 3) % len(NETWORKS)]
        mark = list(MARKS)[5 * number % len(MARKS)]
        state = STATES[number % 3]
        agreement = 0.5 if state == "clean" else 0.95
        yield Case(kind, Task(mark, agreement, 500 + number), state)


def audited(case: Case, model: keras.Model, count: int) -> tuple[dict[str, Any], Any]:
    """Audit, print a line; return what was found, and the report."""
    truth, accuracy = reliance(model, case.task)
    images, labels = case.images(count)
    started = time.process_time()
    report = sal.audit(model, images, labels=labels)
    spent = time.process_time() - started
    every = {**report.verdicts, "brightness": report.tone}
    accused = {
        name: verdict
        for name, verdict in every.items()
        if verdict.finding != "no evidence"
    }
    row = asdict(case.task) | {
        "case": case.name,
        "state": case.state,
        "network": case.kind,
        "accuracy": accuracy,
        "truth": truth,
        "accused": {name: verdict.finding for name, verdict in accused.items()},
        "effects": {name: verdict.effect for name, verdict in every.items()},
        "measured": {name: verdict.uncalibrated for name, verdict in accused.items()},
        "told": {name: verdict.told for name, verdict in accused.items()},
        "seconds": spent,
    }
    print(line(row), flush=True)
    return row, report


def line(row: Mapping[str, Any]) -> str:
    """Return a row in words: of what was accused the truth, what was measured and reported."""
    said = "; ".join(
        f"{name} {finding}, measured {_number(row['measured'][name])}, told "
        f"{_number(row['told'][name])}, calibrated {row['effects'][name]:.2f}"
        for name, finding in row["accused"].items()
    )
    effects = "  ".join(
        f"{row['effects'].get(name, 0):4.2f}" for name in ("grid", "pattern", "band")
    )
    return (
        f"{row['state']:<10}{row['network']:<10}{row['mark']:<18}{row['agreement']:>4.2f}"
        f"{row['accuracy']:>6.2f}{row['truth']:>6.2f}   {effects}  {said or 'no evidence'}"
        f"  ({row['seconds']:.0f} s)"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def outcome(row: Mapping[str, Any]) -> str:
    """Say what an answer was; weak shortcuts count for nobody.

    The truth decides, not how a model was trained: one of shuffled labels may lean on a mark, too.
    An untrained one counts apart: its answers are nearly alike for all images, so a little moves
    them far, and no rule tells those that go with the label by chance from a reader's.
    """
    accused = bool(row["accused"])
    if row["state"] == "untrained":
        return "untrained, accused" if accused else "untrained, silent"
    if WEAK <= row["truth"] < READ:
        return "weak"
    if row["truth"] >= READ and row["state"] == "clean":
        return "without order, accused" if accused else "without order, silent"
    if row["truth"] >= READ:
        return "found" if accused else "missed"
    return "not read, accused" if accused else "not read, silent"


def share(part: int, whole: int) -> str:
    """Return a share with its 95 % interval (Clopper and Pearson 1934)."""
    low = beta.ppf(0.025, part, whole - part + 1) if part else 0.0
    high = beta.ppf(0.975, part + 1, whole - part) if part < whole else 1.0
    return f"{part} of {whole} ({low:.2f} to {high:.2f})"


def summed_up(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what all rows say."""
    audits = [row for row in rows if "accused" in row]
    outcomes = [outcome(row) for row in audits]
    found = outcomes.count("found")
    yield f"shortcuts found: {share(found, found + outcomes.count('missed'))}"
    for state in ("not read", "without order", "untrained"):
        accused = outcomes.count(f"{state}, accused")
        both = accused + outcomes.count(f"{state}, silent")
        yield f"{state}, accused: {share(accused, both)}"
    ratios = [
        max(row["effects"][name] for name in row["accused"]) / row["truth"]
        for row, said in zip(audits, outcomes, strict=True)
        if said == "found"
    ]
    if ratios:
        low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
        yield f"reported over true: {middle:.2f} ({low:.2f} to {high:.2f}), {len(ratios)}"
    repairs = [row for row in rows if "repaired" in row]
    if repairs:
        good = sum(row["repaired"] for row in repairs)
        true = sum(row["truth after"] <= WEAK for row in repairs)
        yield f"repaired by its own audit: {share(good, len(repairs))}"
        yield f"true reliance of 10 % or less afterwards: {share(true, len(repairs))}"


def main() -> None:
    """Print a line for each model, then how often the audit was right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", metavar="MARK", help="marks to draw")
    parser.add_argument("--seeds", type=int, default=1, help="models of each mark")
    parser.add_argument(
        "--both", type=int, default=0, help="models of a mark and of the lesion"
    )
    parser.add_argument(
        "--clean", type=int, default=6, help="models that must not be accused"
    )
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first of them"
    )
    parser.add_argument("--images", type=int, default=48, help="audited of each model")
    parser.add_argument(
        "--repair", action="store_true", help="repair what is convicted"
    )
    parser.add_argument(
        "--models", type=Path, default=Path(tempfile.gettempdir(), "wider")
    )
    parser.add_argument("--rows", type=Path, help="file that rows are kept in")
    options = parser.parse_args()
    options.models.mkdir(parents=True, exist_ok=True)
    path = options.rows or options.models / "rows.jsonl"
    rows = rows_in(path)
    done = {row["case"] for row in rows}
    print(
        "state     network   mark             agree   acc truth   grid  pattern  band"
    )
    cases = [
        *readers(options.seeds, options.only),
        *of_both(options.both),
        *silent(options.first, options.clean),
    ]
    for case in cases:
        for row in asked(case, options, done):
            rows.append(row)
            with path.open("a") as file:
                file.write(json.dumps(row, default=float) + "\n")
        # Graphs of earlier models would only be kept.
        keras.backend.clear_session()
    print("\n".join(summed_up(rows)))


def asked(
    case: Case, options: argparse.Namespace, done: set[str]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a model that are not there yet."""
    repaired = f"repair of {case.name}"
    wants_repair = (
        options.repair and case.state in ("reader", "both") and repaired not in done
    )
    if case.name not in done or wants_repair:
        model = case.model(options.models)
        row, report = audited(case, model, options.images)
        if case.name not in done:
            yield row
        if wants_repair and row["accused"]:
            images, labels = case.images(options.images)
            yield {"case": repaired} | repair_row(
                model, report, images, labels, case.task
            )


def rows_in(path: Path) -> list[dict[str, Any]]:
    """Return the rows that a file holds; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(text) for text in path.read_text().splitlines()]


if __name__ == "__main__":
    main()
