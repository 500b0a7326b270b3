"""Scores of many changed pictures, one batch in memory at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from saliency.errors import InputError, NotFiniteError
from saliency.pipeline.explain import bound, prepared
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import preparation
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

BATCH = 32


@final
@dataclass(frozen=True, eq=False)
class Scorer:
    """A model, how its pictures are prepared, and how many classes it tells apart.

    Parameters
    ----------
    probe
        A KerasProbe, or any Probe that is bound to a target already.
    prepare
        As for ``explain``.
    """

    probe: Any
    prepare: Prepare | None = None

    @property
    def classes(self) -> int | None:
        """Number of classes; None where the probe has none, or is bound to one score."""
        return (
            getattr(self.probe, "outputs", None) if hasattr(self.probe, "at") else None
        )

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The probe's names of classes."""
        return getattr(self.probe, "labels", None)

    @property
    def size(self) -> tuple[int | None, ...] | None:
        """(H, W) of the model's input; None where it has none, or the picture's grid decides."""
        recipe = preparation(self.prepare)
        if recipe.in_place:
            return None
        shape: tuple[int | None, ...] | None = getattr(self.probe, "input_shape", None)
        pictures = shape is not None and len(shape) > 1
        return recipe.size or (shape[:2] if pictures else None)  # type: ignore[index]

    def batches(self, images: Iterable[DicomImage]) -> Iterator[Array]:
        """Yield float32 (n, H, W, C), n at most 32, of consecutive inputs of one shape."""
        held: list[Array] = []
        for image in images:
            array = prepared(self.probe, image, self.prepare).array
            if held and (len(held) == BATCH or held[0].shape != array.shape):
                yield np.concatenate(held)
                held = []
            held.append(array)
        if held:
            yield np.concatenate(held)

    def scores(
        self,
        images: Iterable[DicomImage],
        targets: tuple[Target, ...],
        rows: Sequence[int] | None = None,
    ) -> Array:
        """Return float64 (n, targets): logits where the model has them.

        ``rows`` are those that a probe holds of its other inputs, one for each image; None: all
        images have the same.

        Raises
        ------
        NotFiniteError
            A score is NaN or infinite.
        """
        answers = [
            np.asarray(_score_function(probe, targets)(batch), np.float64)
            for probe, batch in self._asked(images, rows)
        ]
        scores: Array = np.concatenate([np.empty((0, len(targets))), *answers])
        if not np.isfinite(scores).all():
            bad = int((~np.isfinite(scores)).any(axis=1).sum())
            msg = (
                f"Scorer.scores: the model gave NaN or infinite scores for {bad} of {len(scores)} "
                "pictures. Check the weights and the range of the prepared input."
            )
            raise NotFiniteError(msg)
        return scores

    def probabilities(self, image: DicomImage, row: int | None = None) -> Array | None:
        """Return the probability of each class, float64 (classes,).

        None where the model does not end in a softmax or sigmoid, or has no classes.
        """
        squash = getattr(self.probe, "squash", None)
        if squash is None or self.classes is None:
            return None
        ((probe, batch),) = self._asked([image], None if row is None else [row])
        scores: Array = np.asarray(probe.class_scores(batch), np.float64)[0]
        if self.probe.output != "logit":
            return scores if scores.min() >= 0 and scores.max() <= 1 else None
        if squash == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-scores)))
        # The softmax is the same for shifted logits; none overflows when the greatest is 0.
        exponentials = np.exp(scores - scores.max())
        return np.asarray(exponentials / exponentials.sum())

    def predicted(
        self, images: Iterable[DicomImage], rows: Sequence[int] | None = None
    ) -> Array:
        """Return the predicted class of each picture, int (n,); ``rows`` as of :meth:`scores`."""
        classes = [
            np.asarray(bound(probe, None).classes(batch))  # type: ignore[attr-defined]
            for probe, batch in self._asked(images, rows)
        ]
        return np.concatenate([np.empty(0, np.int64), *classes]).astype(np.int64)

    def _asked(
        self, images: Iterable[DicomImage], rows: Sequence[int] | None
    ) -> Iterator[tuple[Any, Array]]:
        """Yield each batch after the probe that holds what belongs to its images."""
        start = 0
        for batch in self.batches(images):
            stop = start + len(batch)
            yield (
                self.probe
                if rows is None
                else probe_of_rows(self.probe, rows[start:stop]),
                batch,
            )
            start = stop


def probe_of_rows(probe: Any, rows: Sequence[int]) -> Any:
    """Return a probe that holds some of its rows; the same probe where it holds none."""
    of_rows = getattr(probe, "rows", None)
    return probe if of_rows is None else of_rows(rows)


def check_rows_of_held_inputs(probe: object, count: int, owner: str) -> None:
    """Check that inputs held at a row for each image have one for each of ``count``.

    Raises
    ------
    InputError
        They have more or fewer.
    """
    for rows in counts_of_held_rows(probe):
        if rows not in (1, count):
            msg = (
                f"{owner}: expected one row, or one for each of {count} images, of the model's "
                f"other inputs, got {rows}. Hold a row for each image in the order of images, as "
                "KerasProbe(model, held={name: rows})."
            )
            raise InputError(msg)


def counts_of_held_rows(probe: object) -> list[int]:
    """Return how many rows each other input of a model is held at."""
    held = getattr(getattr(probe, "source", probe), "held", ())
    return [len(rows) for rows in held]


def _score_function(
    probe: Any, targets: tuple[Target, ...]
) -> Callable[[Array], Array]:
    """Return the function from a batch to its scores: one pass where targets are classes."""
    together = getattr(probe, "class_scores", None)
    classes = [target for target in targets if isinstance(target, int)]
    if together is not None and len(classes) == len(targets) > 1:
        return lambda batch: np.asarray(together(batch))[:, classes]
    probes = [bound(probe, target) for target in targets]
    return lambda batch: np.stack(
        [np.asarray(probe.score(batch)) for probe in probes], axis=1
    )
