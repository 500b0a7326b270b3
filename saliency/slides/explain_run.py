"""The one loop over tiles: read ahead, ask in batches, stitch behind, keep what was found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Any, Final, Protocol, TypeAlias, final

from saliency.pipeline.checkpoint import Row, State
from saliency.pipeline.prefetch import ahead
from saliency.slides.explain_setup import Setting
from saliency.values.model_input import ModelInput

Place: TypeAlias = tuple[int, int]
STAGE: Final = "tiles"


@final
@dataclass(frozen=True)
class SlideProgress:
    """How far a run over a slide is.

    Parameters
    ----------
    done, total
        Tiles with tissue: asked about so far, and all.
    kept
        How many of the done an earlier run had asked about.
    seconds
        Since this run began.
    model_seconds
        Of those, the model's own.
    """

    done: int
    total: int
    kept: int
    seconds: float
    model_seconds: float

    @property
    def rate(self) -> float:
        """Tiles a second of this run."""
        return (self.done - self.kept) / max(self.seconds, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take; None before the first tile."""
        return (self.total - self.done) / self.rate if self.done > self.kept else None


Tell: TypeAlias = Callable[[SlideProgress], None]


class TileQuestion(Protocol):
    """What is asked about each tile, and what becomes of the answers."""

    def ask(self, inputs: list[ModelInput]) -> Any:
        """Ask the model about a batch."""

    def rows(
        self, places: list[Place], inputs: list[ModelInput], answer: Any
    ) -> list[Row]:
        """Return what is kept of each tile as plain values; called in another thread."""

    def take(self, place: Place, row: Row) -> None:
        """Take in what is kept of a tile: each tile comes once."""


@final
@dataclass(frozen=True, eq=False)
class _Batch:
    """Tiles that the model has answered about."""

    places: list[Place]
    inputs: list[ModelInput]
    answer: Any


def run(
    question: TileQuestion, given: Setting, state: State, batch_size: int, tell: Tell
) -> dict[str, float]:
    """Ask about all tiles with tissue that the state does not hold; return seconds by stage.

    Tiles are read and prepared in threads while the model works, and maps are stitched in others.
    """
    start = perf_counter()
    seconds = {"wall": 0.0, "model": 0.0}
    across = given.grid.tiles[1]
    kept: set[Place] = set()
    for number, row in state.each(STAGE):
        place = number // across, number % across
        question.take(place, row)
        kept.add(place)
    pending = [place for place in given.places if place not in kept]
    done, total = len(kept), len(kept) + len(pending)

    def told() -> SlideProgress:
        seconds["wall"] = perf_counter() - start
        return SlideProgress(done, total, len(kept), seconds["wall"], seconds["model"])

    def finish(batch: _Batch) -> list[tuple[Place, Row]]:
        rows = question.rows(batch.places, batch.inputs, batch.answer)
        return list(zip(batch.places, rows, strict=True))

    tell(told())
    inputs = ahead(
        lambda place: (place, given.read(place)), pending, window=3 * batch_size
    )
    asked = _asked(question, inputs, batch_size, seconds)
    for finished in ahead(finish, asked, window=2):
        # All of a batch or nothing is on the disk: a tile is never lost, and never there twice.
        state.keep_all(STAGE, {down * across + k: row for (down, k), row in finished})
        for place, row in finished:
            question.take(place, row)
        done += len(finished)
        tell(told())
    return seconds


def _asked(
    question: TileQuestion,
    inputs: Iterator[tuple[Place, ModelInput]],
    batch_size: int,
    seconds: dict[str, float],
) -> Iterator[_Batch]:
    while batch := list(islice(inputs, batch_size)):
        ready = [made for _, made in batch]
        start = perf_counter()
        answer = question.ask(ready)
        seconds["model"] += perf_counter() - start
        yield _Batch([place for place, _ in batch], ready, answer)
