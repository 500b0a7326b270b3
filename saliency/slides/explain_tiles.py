"""What is asked about each tile: its map and its scores; stitched as they come."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import tensorflow as tf

from saliency.pipeline.checkpoint import Row
from saliency.pipeline.explain import answered
from saliency.pipeline.place_back import place_back
from saliency.probe.batch_probe import About
from saliency.probe.keras_probe import BoundProbe
from saliency.slides.explain_run import Place
from saliency.slides.explain_setup import Setting
from saliency.slides.stitch import SlideCanvas
from saliency.values.arrays import Array
from saliency.values.model_input import ModelInput

_BYTES: Final = "<f4"


def packed(values: Array) -> str:
    """Return float32 numbers as a text for JSON, bit for bit."""
    return b64encode(np.ascontiguousarray(values, _BYTES).tobytes()).decode()


def unpacked(text: str) -> Array:
    """Return float32 (n,) of a text that :func:`packed` made."""
    return np.frombuffer(b64decode(text), _BYTES)


@final
@dataclass(frozen=True, eq=False)
class _Answer:
    """Of a batch: maps (N, H, W), scores (N,), scores of all classes (N, classes), probabilities.

    The last are None where the model gives none.
    """

    maps: Array
    scores: Array
    class_scores: Array
    probabilities: Array | None


@final
@dataclass(frozen=True)
class TileScores:
    """Scores of a tile: of all classes, of the target, and the target's probability."""

    of_all: tuple[float, ...]
    score: float
    probability: float | None


@final
class HeatQuestion:
    """The map and the scores of each tile.

    Parameters
    ----------
    bound
        A probe, bound to the target.
    recipe
        The explainer.
    canvas
        Where maps are stitched.
    """

    def __init__(self, bound: Any, recipe: Any, canvas: SlideCanvas) -> None:
        self._bound, self._recipe, self._canvas = bound, recipe, canvas
        self.scores: dict[Place, TileScores] = {}

    @property
    def best(self) -> Place:
        """The tile of greatest score; of equal ones the first."""
        return max(self.scores, key=lambda place: self.scores[place].score)

    def ask(self, inputs: list[ModelInput]) -> _Answer:
        """Return maps and scores of a batch."""
        batch = tf.constant(np.concatenate([made.array for made in inputs]))
        probe = remembering(self._bound, batch)
        maps, answers = answered(probe, batch, self._recipe, cutoff=0)
        scores = np.array([answer.score for answer in answers], np.float32)
        of_all = probe.class_scores if isinstance(probe, About) else None
        sure = [answer.probability for answer in answers]
        return _Answer(
            maps,
            scores,
            scores[:, None] if of_all is None else np.asarray(of_all),
            None if None in sure else np.array(sure, np.float32),
        )

    def rows(
        self, places: list[Place], inputs: list[ModelInput], answer: _Answer
    ) -> list[Row]:
        """Return weighted sums of heat over cells, and scores."""
        return [
            self._row(k, place, made, answer)
            for k, (place, made) in enumerate(zip(places, inputs, strict=True))
        ]

    def _row(self, k: int, place: Place, made: ModelInput, answer: _Answer) -> Row:
        sure = None if answer.probabilities is None else float(answer.probabilities[k])
        heat = place_back(answer.maps[k], made.placement).values
        # What is not of the class is dark, however its map looks: a tile's heat counts as much as
        # the class is probable there.
        weighed = heat if sure is None else heat * np.float32(sure)
        return {
            "block": packed(self._canvas.block(place, weighed)),
            "scores": packed(answer.class_scores[k]),
            "score": float(answer.scores[k]),
            "probability": sure,
        }

    def take(self, place: Place, row: Row) -> None:
        """Add a tile's sums to the canvas, and note its scores."""
        self._canvas.add(place, unpacked(row["block"]))
        of_all = tuple(map(float, unpacked(row["scores"])))
        self.scores[place] = TileScores(of_all, row["score"], row["probability"])


def remembering(bound: Any, batch: Any) -> Any:
    """Return a bound probe that remembers what it was told of a batch, where it can."""
    return About(bound, batch) if isinstance(bound, BoundProbe) else bound


def scores_on(
    given: Setting, scores: Mapping[tuple[int, int], TileScores]
) -> tuple[Array, Array]:
    """Return scores (tile rows, tile columns, classes) and the target's probabilities; else NaN."""
    classes = len(next(iter(scores.values())).of_all)
    of_all = np.full((*given.grid.tiles, classes), np.nan, np.float32)
    sure = np.full(given.grid.tiles, np.nan, np.float32)
    for place, each in scores.items():
        of_all[place] = each.of_all
        sure[place] = np.nan if each.probability is None else each.probability
    return of_all, sure
