"""Time jobs in turns, so that a busy machine slows all of them alike."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median

Job = Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """Least, middle and greatest of some numbers."""

    low: float
    middle: float
    high: float

    def __str__(self) -> str:
        """Show the middle, and the ends in brackets."""
        digits = 2 if self.high < 20 else 0
        ends = f"{self.low:.{digits}f}-{self.high:.{digits}f}"
        return f"{self.middle:.{digits}f} ({ends})"


@dataclass(frozen=True)
class Times:
    """Seconds of each round: of the clock, and of all the processor's cores together."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    def over(self, unit: "Times", *, times: float = 1.0) -> "Ratio":
        """Divide by what the unit took in the same round, ``times`` over."""
        return Ratio(
            _spread([a / b / times for a, b in zip(self.cpu, unit.cpu, strict=True)]),
            _spread([a / b / times for a, b in zip(self.wall, unit.wall, strict=True)]),
        )

    def milliseconds(self) -> "Ratio":
        """Return both as milliseconds."""
        return Ratio(
            _spread([1e3 * a for a in self.cpu]), _spread([1e3 * a for a in self.wall])
        )


@dataclass(frozen=True)
class Ratio:
    """One measured thing by processor time and by the clock."""

    cpu: Spread
    wall: Spread


@dataclass(frozen=True)
class Row:
    """A line of the table; ``met`` None: no goal, only a number to compare with."""

    what: str
    measured: str
    wall: str = ""
    goal: str = ""
    met: bool | None = None


def goal_row(
    what: str, found: Ratio, goal: float, unit: str, *, clock: bool = False
) -> Row:
    """Judge the median processor time, or that by the clock, against a goal."""
    met = (found.wall if clock else found.cpu).middle <= goal
    return Row(what, f"{found.cpu} {unit}", f"{found.wall}", f"<= {goal:g} {unit}", met)


def plain_row(what: str, found: Ratio, unit: str) -> Row:
    """Return a number without a goal."""
    return Row(what, f"{found.cpu} {unit}", f"{found.wall}")


def in_turns(jobs: Mapping[str, Job], rounds: int) -> dict[str, Times]:
    """Run every job once to warm up, then all of them in turns, ``rounds`` times."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(rounds):
        for name, job in jobs.items():
            taken[name].append(once(job))
    return {name: Times(*zip(*found, strict=True)) for name, found in taken.items()}


def once(job: Job) -> tuple[float, float]:
    """Return seconds of the clock and of the processor."""
    gc.collect()
    gc.disable()
    wall, cpu = time.perf_counter(), time.process_time()
    job()
    found = time.perf_counter() - wall, time.process_time() - cpu
    gc.enable()
    return found


def table(title: str, rows: Iterator[Row]) -> Iterator[str]:
    """Yield the lines of a Markdown table, as they are measured."""
    yield f"\n### {title}\n"
    yield "| what | processor time: median (least-greatest) | by the clock | goal | |"
    yield "|---|---|---|---|---|"
    for row in rows:
        verdict = {True: "met", False: "**missed**", None: ""}[row.met]
        yield f"| {row.what} | {row.measured} | {row.wall} | {row.goal} | {verdict} |"


def _spread(numbers: list[float]) -> Spread:
    return Spread(min(numbers), median(numbers), max(numbers))
