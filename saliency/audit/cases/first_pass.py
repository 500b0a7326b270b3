"""First look at every picture: zones, decision, heat; the pixels are let go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

import numpy as np

from saliency.audit.attention.zone_heat import heatmap_record, heatmaps
from saliency.audit.cases.records import ImageRecord, image_record_of, image_record_row
from saliency.audit.cases.sources import Label, Source
from saliency.errors import InputError, ModelError, SaliencyError
from saliency.interventions.canvas import Zones, reduced, with_found, with_zones
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content, content
from saliency.interventions.zone_shares import masks
from saliency.pipeline.checkpoint import State
from saliency.pipeline.explain import as_image
from saliency.pipeline.patients import NOBODY, Patients
from saliency.pipeline.prefetch import ahead
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.failure import Failure
from saliency.values.image import DicomImage

AHEAD = 4
CHUNK = 16
"""Pictures that are in memory, and asked about, at once."""


@final
@dataclass(frozen=True, eq=False)
class AuditPlan:
    """What is audited: pictures are read when their turn comes.

    Parameters
    ----------
    scorer
        The model, and how pictures are prepared for it.
    target
        What heat is about, and whose score is weighed; None: the classes.
    sources
        The pictures.
    labels
        One for each picture, None where it has none.
    seed
        Of every draw.
    zones
        The user's, added to every picture.
    model
        As the user gave it.
    patients
        The patient of each picture.
    """

    scorer: Scorer
    target: Target
    sources: Sequence[Source]
    labels: Sequence[Label | None]
    seed: int
    zones: Zones | None = None
    model: object = None
    patients: Patients = NOBODY

    def read(self, index: int) -> DicomImage:
        """Return a picture with all of its zones, no finer than the model can tell."""
        image = with_zones(read_picture(self.sources[index]), self.zones)
        return reduced(image, self.scorer.size)


def first_pass(plan: AuditPlan, state: State) -> Iterator[ImageRecord | Failure]:
    """Look at every picture once, a chunk at a time; what the state has is not looked at again.

    Raises
    ------
    InputError
        Labels were given, and a picture that can be read has none.
    """
    check_labels(plan)
    done = state.rows("look")
    starts = range(0, len(plan.sources), CHUNK)
    todo = [start for start in starts if start not in done]
    places = (place for start in todo for place in _chunk_indices(plan, start))
    pictures = ahead(lambda index: picture(plan, index), places, window=AHEAD)
    for start in starts:
        if start in done:
            for row in done[start]["rows"]:
                failed = row.get("failure")
                yield image_record_of(row) if failed is None else Failure(*failed)
            continue
        # A chunk has no name here: it would live on while the next one is read.
        records = _look_at_chunk(
            plan, list(islice(pictures, len(_chunk_indices(plan, start)))), start
        )
        rows = [
            {"failure": [record.index, record.error, record.message]}
            if isinstance(record, Failure)
            else image_record_row(record)
            for record in records
        ]
        state.keep("look", start, {"rows": rows})
        yield from records


def check_labels(plan: AuditPlan) -> None:
    """Refuse labels that leave out a picture which can be read."""
    missing = [index for index, label in enumerate(plan.labels) if label is None]
    if len(missing) == len(plan.labels):
        return
    for index in missing:
        if not isinstance(picture(plan, index), Failure):
            msg = (
                f"audit: expected a label for each image, got labels for "
                f"{len(plan.labels) - len(missing)} of {len(plan.labels)}; image {index + 1} is "
                "one without."
            )
            raise InputError(msg)


def check_repeatable(plan: AuditPlan) -> None:
    """Refuse a model that answers two equal calls differently, before anything is audited.

    The first image that can be read and scored is asked about twice.

    Raises
    ------
    ModelError
        The scores differ by more than rounding.
    """
    for index in range(min(len(plan.sources), CHUNK)):
        image = picture(plan, index)
        if isinstance(image, Failure):
            continue
        try:
            first, second = (
                plan.scorer.scores([image], (plan.target,), [index]) for _ in "12"
            )
        except SaliencyError:  # the first pass says why
            continue
        if not np.allclose(first, second, rtol=1e-4, atol=1e-5):
            msg = (
                f"audit: expected the same score in two equal calls, got {first[0, 0]:.6g} and "
                f"{second[0, 0]:.6g} for image {index + 1}. What is random in the model (dropout, "
                "noise, augmentation) must be off: its layers are to be called with training=False."
            )
            raise ModelError(msg)
        return


def masks_of(image: DicomImage) -> dict[str, Array]:
    """Return the mask of each zone that is not empty."""
    by_name = masks(image)
    del by_name["diagnostic"]
    return {name: mask for name, mask in by_name.items() if mask.any()}


def contents_of(image: DicomImage) -> dict[str, Content]:
    """Return what is taken out and exchanged of each zone: of writing its strokes, else all."""
    by_name = masks_of(image)
    return {name: content(name, image.display, mask) for name, mask in by_name.items()}


def read_picture(source: Source) -> DicomImage:
    """Return a picture, its text looked for."""
    return with_found(as_image(source))


def failure(index: int, error: SaliencyError) -> Failure:
    """Return an error as a row."""
    return Failure(index, type(error).__name__, str(error))


def _chunk_indices(plan: AuditPlan, start: int) -> range:
    return range(start, min(start + CHUNK, len(plan.sources)))


def picture(plan: AuditPlan, index: int) -> DicomImage | Failure:
    """Return a picture, or why there is none."""
    try:
        return plan.read(index)
    except SaliencyError as error:
        return failure(index, error)


def _look_at_chunk(
    plan: AuditPlan, pictures: Sequence[DicomImage | Failure], start: int
) -> list[ImageRecord | Failure]:
    """Return a record for each picture of a chunk."""
    predictions = _predictions(plan, pictures, start)
    good = [
        row for row, said in enumerate(predictions) if not isinstance(said, Failure)
    ]
    readable: list[Any] = [pictures[row] for row in good]
    records: list[Any] = list(predictions)
    rows = [start + row for row in good]
    maps_by_picture = heatmaps(plan.scorer, plan.target, readable, rows, plan.seed)
    for row, image, maps in zip(good, readable, maps_by_picture, strict=True):
        records[row] = ImageRecord(
            index=start + row,
            digest=image.digest,
            zones={name: float(mask.mean()) for name, mask in masks_of(image).items()},
            said=records[row],
            maps=heatmap_record(maps),
            frames=image.frames,
        )
    return records


def _predictions(
    plan: AuditPlan, pictures: Sequence[DicomImage | Failure], start: int
) -> list[float | Failure]:
    """Return what the model says: of a chunk; where that fails, of each picture of it."""
    rows = [
        start + row
        for row, image in enumerate(pictures)
        if not isinstance(image, Failure)
    ]
    readable = [image for image in pictures if not isinstance(image, Failure)]
    try:
        together = iter(_classes_or_scores(plan, readable, rows))
    except SaliencyError:
        return [
            _prediction(plan, image, start + row) for row, image in enumerate(pictures)
        ]
    return [
        image if isinstance(image, Failure) else next(together) for image in pictures
    ]


def _prediction(
    plan: AuditPlan, image: DicomImage | Failure, index: int
) -> float | Failure:
    if isinstance(image, Failure):
        return image
    try:
        return _classes_or_scores(plan, [image], [index])[0]
    except SaliencyError as error:
        return failure(index, error)


def _classes_or_scores(
    plan: AuditPlan, images: Sequence[DicomImage], rows: Sequence[int]
) -> list[float]:
    """Return the predicted class of each image, or its score where a target is given."""
    if plan.target is None and plan.scorer.classes is not None:
        return [float(number) for number in plan.scorer.predicted(images, rows)]
    scores = plan.scorer.scores(images, (plan.target,), rows)
    return [float(score) for score in scores[:, 0]]
