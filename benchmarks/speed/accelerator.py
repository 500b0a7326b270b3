"""The explainers' table for a graphics card: two precisions, small and large batches, XLA.

``python benchmarks/speed accelerator [--models ResNet50] [--write]``. By the clock, since the
processor waits; every job ends with its answer on the processor. It runs on any device, and says
on which.
"""

from collections.abc import Iterator

import keras
import nets
from clock import Job, Row, goal_row, in_turns, plain_row

import saliency as sal

PRECISIONS = ("float32", "mixed_bfloat16")
BATCHES = (1, 8, 64)


def rows(name: str, side: int, rounds: int) -> Iterator[Row]:
    """Yield the table of one model."""
    for precision in PRECISIONS:
        keras.config.set_dtype_policy(precision)
        case = nets.case(name, side)
        keras.config.set_dtype_policy("float32")
        for batch in BATCHES:
            yield from _batch(case, f"{precision}, batch {batch}: ", batch, rounds)


def device() -> str:
    """Name the kind of device that is computed on."""
    cards = nets.tf.config.list_physical_devices("GPU")
    details = [nets.tf.config.experimental.get_device_details(card) for card in cards]
    return (
        ", ".join(each.get("device_name", "graphics card") for each in details)
        or "processor"
    )


def _batch(case: nets.Case, title: str, batch: int, rounds: int) -> Iterator[Row]:
    inputs = nets.tf.tile(case.inputs, [-(-batch // 8), 1, 1, 1])[:batch]
    found = in_turns(_jobs(case, inputs), rounds)
    unit = found["F"]
    yield plain_row(f"{title}F on {device()}", unit.milliseconds(), "ms")
    yield plain_row(f"{title}F by XLA", found["F by XLA"].over(unit), "F")
    for what, goal in (("FastCAM", 1.05), ("Grad-CAM", 1.1), ("gradient", 2.4)):
        yield goal_row(f"{title}{what}", found[what].over(unit), goal, "F", clock=True)


def _jobs(case: nets.Case, inputs: nets.Tensor) -> dict[str, Job]:
    probe = sal.KerasProbe(case.model).at(3)
    compiled = nets.tf.function(
        lambda given: case.model(given, training=False), jit_compile=True
    )
    return {
        "F": lambda: case.forward(inputs).numpy(),
        "F by XLA": lambda: compiled(inputs).numpy(),
        "FastCAM": lambda: sal.FastCAM()(probe, inputs).numpy(),
        "Grad-CAM": lambda: sal.GradCAM()(probe, inputs).numpy(),
        "gradient": lambda: sal.Gradient()(probe, inputs).numpy(),
    }
