"""Explainers in forward passes of the same model, size and batch."""

from collections.abc import Iterator

import nets
from clock import Job, Row, Times, goal_row, in_turns, plain_row

import saliency as sal
from saliency.explainers.perturbation import RISE

#: Windows along each side, which with the whole picture are 65 passes.
PARTS = 8
MASKS = 64
SAMPLES = 25

#: Pictures in one call: of a gradient, and of a score.
GRADIENTS, SCORES = 8, 32


def rows(name: str, side: int, rounds: int) -> Iterator[Row]:
    """Yield the table of one model."""
    case = nets.case(name, side)
    other = nets.case(name, side, head="dense")
    for batch, turns in ((1, 12 * rounds), (8, rounds)):
        yield from _cheap(case, other, batch, turns)
    yield from _dear(case, max(3, rounds // 2))


def large(name: str, side: int, rounds: int) -> Iterator[Row]:
    """Yield the table of one model without the explainers of many passes."""
    case, other = nets.case(name, side), nets.case(name, side, head="dense")
    for batch, most in ((1, 7), (8, 3)):
        yield from _cheap(case, other, batch, min(rounds, most))


def _cheap(case: nets.Case, other: nets.Case, batch: int, rounds: int) -> Iterator[Row]:
    inputs, mean = case.inputs[:batch], sal.KerasProbe(case.model).at(3)
    dense = sal.KerasProbe(other.model).at(1)
    jobs: dict[str, Job] = {
        "F": lambda: case.forward(inputs),
        "F other": lambda: other.forward(inputs),
        "fastcam": lambda: sal.FastCAM()(mean, inputs).numpy(),
        "fastcam other": lambda: sal.FastCAM()(dense, inputs).numpy(),
        "gradcam": lambda: sal.GradCAM()(mean, inputs).numpy(),
        "gradcam other": lambda: sal.GradCAM()(dense, inputs).numpy(),
        "gradient": lambda: sal.Gradient()(mean, inputs).numpy(),
    }
    found = in_turns(jobs, rounds)
    unit, title = found["F"], f"batch {batch}: "
    yield plain_row(f"{title}F, milliseconds", unit.milliseconds(), "ms")
    yield goal_row(
        f"{title}FastCAM, pooled head", found["fastcam"].over(unit), 1.05, "F"
    )
    ratio = found["fastcam other"].over(found["F other"])
    yield goal_row(f"{title}FastCAM, other head", ratio, 1.15, "F")
    yield goal_row(
        f"{title}Grad-CAM, pooled head", found["gradcam"].over(unit), 1.1, "F"
    )
    ratio = found["gradcam other"].over(found["F other"])
    yield goal_row(f"{title}Grad-CAM, other head", ratio, 1.1, "F")
    yield goal_row(f"{title}gradient", found["gradient"].over(unit), 2.4, "F")


def _dear(case: nets.Case, rounds: int) -> Iterator[Row]:
    """Explainers of many passes, against as many one by one and in batches, as they ask."""
    one, probe, side = (
        case.inputs[:1],
        sal.KerasProbe(case.model).at(3),
        case.inputs.shape[1],
    )
    window = sal.Occlusion(window=side // PARTS, stride=side // PARTS)
    many = nets.tf.repeat(case.inputs, SCORES // GRADIENTS, axis=0)
    found = in_turns(
        {
            "F": lambda: case.forward(many),
            "F one": lambda: case.forward(one),
            "gradient": lambda: sal.Gradient()(probe, case.inputs).numpy(),
            "one": lambda: sal.Gradient()(probe, one).numpy(),
            "smoothgrad": lambda: sal.SmoothGrad(samples=SAMPLES)(probe, one).numpy(),
            "occlusion": lambda: window(probe, one).numpy(),
            "rise": lambda: RISE(masks=MASKS)(probe, one).numpy(),
            "ig": lambda: sal.IntegratedGradients(steps=32)(probe, one).numpy(),
        },
        rounds,
    )
    for what, job, count in (
        ("SmoothGrad", "smoothgrad", SAMPLES),
        ("integrated gradients", "ig", 32),
    ):
        yield _many(
            f"{what}, of {count} gradients", found[job], found["one"], count, 1.0
        )
        yield _batched(found[job], found["gradient"], count, GRADIENTS)
    for what, job, count in (
        ("occlusion", "occlusion", PARTS**2 + 1),
        ("RISE", "rise", MASKS),
    ):
        yield _many(
            f"{what}, of {count} passes", found[job], found["F one"], count, 1.05
        )
        yield _batched(found[job], found["F"], count, SCORES)


def _batched(taken: Times, unit: Times, count: int, batch: int) -> Row:
    ratio = taken.over(unit, times=count / batch)
    return plain_row(f"... of as many in batches of {batch}", ratio, "x")


def _many(what: str, taken: Times, unit: Times, units: float, goal: float) -> Row:
    return goal_row(what, taken.over(unit, times=units), goal, "x")
