"""First look at every picture: zones, decision, heat; the pixels are let go."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

from saliency.audit.attention.zone_heat import heatmaps, maps_of
from saliency.audit.cases.records import ImageRecord, record_of, record_row
from saliency.audit.cases.sources import Label, Source
from saliency.errors import InputError, SaliencyError
from saliency.interventions.canvas import Zones, reduced, with_found, with_zones
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content, content
from saliency.interventions.zone_shares import masks
from saliency.pipeline.checkpoint import State
from saliency.pipeline.explain import as_image
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
    """

    scorer: Scorer
    target: Target
    sources: Sequence[Source]
    labels: Sequence[Label | None]
    seed: int
    zones: Zones | None = None
    model: object = None

    def read(self, index: int) -> DicomImage:
        """Return a picture with all of its zones, no finer than the model can tell."""
        image = with_zones(read(self.sources[index]), self.zones)
        return reduced(image, self.scorer.size)


def first_pass(case: AuditPlan, state: State) -> Iterator[ImageRecord | Failure]:
    """Look at every picture once, a chunk at a time; what the state has is not looked at again.

    Raises
    ------
    InputError
        Labels were given, and a picture that can be read has none.
    """
    check_labels(case)
    done = state.rows("look")
    starts = range(0, len(case.sources), CHUNK)
    todo = [start for start in starts if start not in done]
    places = (place for start in todo for place in _chunk(case, start))
    pictures = ahead(lambda index: picture(case, index), places, window=AHEAD)
    for start in starts:
        if start in done:
            yield from map(_recalled, done[start]["rows"])
            continue
        found = _seen(case, list(islice(pictures, len(_chunk(case, start)))), start)
        state.keep("look", start, {"rows": [_written(one) for one in found]})
        yield from found


def check_labels(case: AuditPlan) -> None:
    """Refuse labels that leave out a picture which can be read."""
    missing = [index for index, label in enumerate(case.labels) if label is None]
    if len(missing) == len(case.labels):
        return
    for index in missing:
        if not isinstance(picture(case, index), Failure):
            msg = (
                f"audit: expected a label for each image, got labels for "
                f"{len(case.labels) - len(missing)} of {len(case.labels)}; image {index + 1} is "
                "one without."
            )
            raise InputError(msg)


def masks_of(image: DicomImage) -> dict[str, Array]:
    """Return the mask of each zone that is not empty."""
    found = masks(image)
    del found["diagnostic"]
    return {name: mask for name, mask in found.items() if mask.any()}


def contents_of(image: DicomImage) -> dict[str, Content]:
    """Return what is taken out and exchanged of each zone: of writing its strokes, else all."""
    found = masks_of(image)
    return {name: content(name, image.display, mask) for name, mask in found.items()}


def read(source: Source) -> DicomImage:
    """Return a picture, its text looked for."""
    return with_found(as_image(source))


def failure(index: int, error: SaliencyError) -> Failure:
    """Return an error as a row."""
    return Failure(index, type(error).__name__, str(error))


def _chunk(case: AuditPlan, start: int) -> range:
    return range(start, min(start + CHUNK, len(case.sources)))


def picture(case: AuditPlan, index: int) -> DicomImage | Failure:
    """Return a picture, or why there is none."""
    try:
        return case.read(index)
    except SaliencyError as error:
        return failure(index, error)


def _seen(
    case: AuditPlan, pictures: Sequence[DicomImage | Failure], start: int
) -> list[ImageRecord | Failure]:
    """Return a row for each picture of a chunk."""
    said = _said(case, pictures, start)
    good = [place for place, one in enumerate(said) if not isinstance(one, Failure)]
    shown: list[Any] = [pictures[place] for place in good]
    found: list[Any] = list(said)
    maps_by_picture = heatmaps(case.scorer, case.target, shown, case.seed)
    for place, maps in zip(good, maps_by_picture, strict=True):
        image: Any = pictures[place]
        zones = {name: float(mask.mean()) for name, mask in masks_of(image).items()}
        row = start + place, image.digest, zones, found[place], maps_of(maps), image.frames
        found[place] = ImageRecord(*row)
    return found


def _said(
    case: AuditPlan, pictures: Sequence[DicomImage | Failure], start: int
) -> list[float | Failure]:
    """Return what the model says: of a chunk; where that fails, of each picture of it."""
    shown = [one for one in pictures if not isinstance(one, Failure)]
    try:
        answers = iter(_answers(case, shown))
    except SaliencyError:
        return [_one(case, one, start + place) for place, one in enumerate(pictures)]
    return [one if isinstance(one, Failure) else next(answers) for one in pictures]


def _one(case: AuditPlan, shown: DicomImage | Failure, index: int) -> float | Failure:
    if isinstance(shown, Failure):
        return shown
    try:
        return _answers(case, [shown])[0]
    except SaliencyError as error:
        return failure(index, error)


def _answers(case: AuditPlan, shown: Sequence[DicomImage]) -> list[float]:
    by_class = case.target is None and case.scorer.classes is not None
    found = (
        case.scorer.predicted(shown)
        if by_class
        else case.scorer.scores(shown, (case.target,))[:, 0]
    )
    return [float(each) for each in found]


def _written(one: ImageRecord | Failure) -> Mapping[str, Any]:
    if isinstance(one, Failure):
        return {"failure": [one.index, one.error, one.message]}
    return record_row(one)


def _recalled(row: Mapping[str, Any]) -> ImageRecord | Failure:
    return Failure(*row["failure"]) if "failure" in row else record_of(row)
