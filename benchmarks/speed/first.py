"""The first explanation: what is traced besides the forward and backward pass themselves."""

from collections.abc import Iterator
from typing import Any

import nets
from clock import Row, Times, goal_row, once, plain_row

import saliency as sal


def rows(name: str, side: int, rounds: int) -> Iterator[Row]:
    """Yield first calls on models built anew: ours, and a hand-written function's."""
    image = nets.picture(side)
    kinds = {
        "forward": lambda case: case.forward(case.inputs[:1]),
        "backward": lambda case: nets.backward_of(case.model)(case.inputs[:1]),
        "gradient": lambda case: _explained(case, image, "gradient"),
        "gradcam": lambda case: _explained(case, image, "gradcam"),
        "fastcam": lambda case: _explained(case, image, "fastcam"),
    }
    taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    once(
        lambda: nets.backward_of(nets.case(name, side).model)(
            nets.case(name, side).inputs[:1]
        )
    )
    for _ in range(max(2, rounds // 4)):
        for kind, job in kinds.items():
            case = nets.case(name, side)
            taken[kind].append(once(lambda job=job, case=case: job(case)))
    found = {kind: Times(*zip(*all_of, strict=True)) for kind, all_of in taken.items()}
    yield plain_row(
        "hand-written forward, first call", found["forward"].milliseconds(), "ms"
    )
    yield plain_row(
        "hand-written gradient, first call", found["backward"].milliseconds(), "ms"
    )
    for kind in ("gradient", "gradcam", "fastcam"):
        what = f"KerasProbe and first {kind}, of the first hand-written gradient"
        yield goal_row(what, found[kind].over(found["backward"]), 1.5, "x")


def _explained(case: nets.Case, image: sal.DicomImage, recipe: str) -> Any:
    return sal.explain(sal.KerasProbe(case.model), image, recipe, target=1)
