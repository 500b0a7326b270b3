"""From what a user gives to cases: images, their truths, targets and patients."""

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np

from saliency.dicom.drawn import NO_DRAWING, DrawnTruth, is_drawing
from saliency.errors import DicomError, InputError, ModelError, TargetError
from saliency.evaluation.measuring import Case, batches, of_one_shape
from saliency.evaluation.metrics import METRICS
from saliency.interventions.scoring import probe_of_rows
from saliency.pipeline.explain import as_image, bound, prepared
from saliency.pipeline.explain_many import failure_of
from saliency.pipeline.files import content_of, sources_in
from saliency.pipeline.label_matching import aligned
from saliency.pipeline.patients import Patients, with_equal_images
from saliency.pipeline.prefetch import ahead
from saliency.probe.protocol import Target
from saliency.statistics.units import numbered
from saliency.values.arrays import Array
from saliency.values.failure import Failure
from saliency.values.image import DicomImage
from saliency.values.mask import Mask
from saliency.volumes.volume import DicomVolume


def listed(images: object) -> list[Any]:
    """Return the sources of images.

    Raises
    ------
    InputError
        There is none, or one is a volume: its slices are no independent images.
    """
    found = [images] if isinstance(images, DicomVolume) else list(sources_in(images))
    volumes = sum(isinstance(source, DicomVolume) for source in found)
    if volumes:
        msg = _NO_VOLUME.format(f"{volumes} volumes among {len(found)} cases")
        raise InputError(msg)
    if not found:
        msg = "evaluate: expected one image or more, got none."
        raise InputError(msg)
    return found


_NO_VOLUME: Final = (
    "evaluate: expected single images and a model of images, got {}: volumes cannot be evaluated "
    "yet. Explain a volume with sal.explain; curves of saliency.evaluation take (N, D, H, W, C)."
)


def refuse_volumes(probe: object) -> None:
    """Refuse a model of volumes, before an image is read."""
    shape = getattr(probe, "input_shape", None)
    if shape is not None and len(shape) == 4:
        msg = _NO_VOLUME.format(f"a model of (D, H, W, C) = {shape}")
        raise InputError(msg)


def read(
    probe: Any, sources: Sequence[Any], prepare: object, targets: Sequence[Target]
) -> list[Case | Failure]:
    """Read and prepare each image, and ask for its score.

    An image that cannot be read, or whose score is NaN or infinite, becomes a Failure in its place.
    """

    def case(item: tuple[int, Any]) -> Case | Failure:
        index, source = item
        try:
            image = as_image(source)
            return Case(index, image, prepared(probe, image, prepare), targets[index])
        except Exception as error:  # noqa: BLE001 - the edge of an image
            return failure_of(index, error)

    found = list(ahead(case, enumerate(sources), window=8))
    for batch in batches(probe, [each for each in found if isinstance(each, Case)]):
        scores = np.asarray(batch.probe.score(batch.inputs))
        for each, score in zip(batch.cases, scores, strict=True):
            if not np.isfinite(score):
                found[each.number] = Failure(
                    each.number, "NotFiniteError", _NO_SCORE.format(score)
                )
    return found


_NO_SCORE: Final = (
    "The model's score of the image is {}: expected a finite number. Check the weights, and that "
    "the prepared input is in the range that the model was trained on."
)


def truths_of(
    truth: Any, cases: Sequence[Case], sources: Sequence[Any], ranking: str
) -> list[Case]:
    """Give each case its truth.

    Parameters
    ----------
    truth
        What ``evaluate`` takes.
    cases, sources
        ``case.number`` is the place of its source.
    ranking
        The metric that ranks the explainers.

    Raises
    ------
    InputError
        A truth does not fit its image, objects of a folder belong to none of the images, or all
        truths are empty where one is needed to rank.
    """
    if isinstance(truth, str | PathLike) or is_drawing(truth):
        found = _of_one_place(truth, cases, sources)
    else:
        _refuse_one_for_all(truth, len(sources))
        told = aligned(truth, sources, owner="evaluate", name="truths")
        found = [
            replace(each, truth=_truth_told(told[each.number], each, sources))
            for each in cases
        ]
    _check_some(found, ranking)
    return found


def _truth_told(value: Any, case: Case, sources: Sequence[Any]) -> Array | None:
    """Return a case's truth; what is wrong with it begins with the number of its image."""
    try:
        return truth_of(value, case.image, sources[case.number])
    except InputError as error:
        where = f"evaluate: truth of image {case.number + 1} of {len(sources)}"
        words = str(error).removeprefix("evaluate: ")
        msg = f"{where}: {words}"
        raise InputError(msg) from error


def _refuse_one_for_all(truth: Any, count: int) -> None:
    """Refuse one mask or box: its rows or numbers would be taken for a truth each."""
    array = isinstance(truth, np.ndarray)
    mask = isinstance(truth, Mask) or (
        array and truth.ndim == 2 and truth.dtype == bool
    )
    numbers = isinstance(truth, list | tuple) or (array and truth.ndim == 1)
    box = (
        numbers
        and len(truth) == 4
        and all(isinstance(n, int | np.integer) for n in truth)
    )
    if mask or box:
        kind = "mask" if mask else "box"
        msg = (
            f"evaluate: expected a truth for each image, got one {kind}. If it is true of all, say "
            f"so: truth=[{kind}] * {count}."
        )
        raise InputError(msg)


def _check_some(cases: Sequence[Case], ranking: str) -> None:
    """Refuse to rank by a truth that no image has, before hours of work."""
    none = not any(case.truth is not None and case.truth.any() for case in cases)
    if none and METRICS[ranking].kind == "truth":
        msg = (
            f"evaluate: {ranking}, which ranks, expected one image or more with a pixel in its "
            f"truth, got none of {len(cases)}. Check the masks, or name another metric first: "
            "metrics=('exchange',)."
        )
        raise InputError(msg)


def _of_one_place(
    place: Any, cases: Sequence[Case], sources: Sequence[Any]
) -> list[Case]:
    """Look for each image in the objects of a folder, or in one object."""
    drawings = _drawings(place)
    if not drawings:
        msg = (
            "evaluate: expected DICOM Segmentations or RT Structure Sets in the folder of truth, "
            "found none. Masks of other files are handed in as bool arrays, by file name: "
            'truth={"chest.dcm": mask}.'
        )
        raise InputError(msg)
    found = []
    for case in cases:
        source = content_of(sources[case.number])
        masks = [drawing.on(case.image, source) for drawing in drawings]
        known = [mask for mask in masks if mask is not None]
        found.append(replace(case, truth=np.any(known, axis=0) if known else None))
    if not any(case.truth is not None for case in found):
        msg = (
            f"evaluate: expected a truth that refers to the images by SOP Instance UID, or lies in "
            f"their planes; {len(drawings)} objects with regions were found, all of other images."
        )
        raise InputError(msg)
    return found


def _drawings(place: Any) -> list[DrawnTruth]:
    """Read one object, or all of a folder; what else lies in a folder is left out."""
    if not (isinstance(place, str | PathLike) and Path(place).is_dir()):
        return [DrawnTruth(place)]
    found = []
    for path in sorted(Path(place).rglob("*")):
        try:
            found += [DrawnTruth(path)] if path.is_file() else []
        except DicomError as error:
            if error.reason not in NO_DRAWING:
                raise
    return found


def truth_of(value: Any, image: DicomImage, source: Any = None) -> Array | None:
    """Return a truth as bool (rows, columns) on the image's grid.

    Parameters
    ----------
    value
        A Mask or a bool array of the image's grid; a box (top, left, rows, columns), or several of
        them; a DICOM Segmentation or RT Structure Set (path, bytes or Dataset); or None.
    image, source
        The image, and what it was read from.

    Raises
    ------
    InputError
        It is none of these, of another grid, or of another image.
    """
    if value is None:
        return None
    if is_drawing(value):
        drawn = DrawnTruth(value).on(image, content_of(source))
        if drawn is None:
            msg = (
                "evaluate: expected a truth that refers to its image by SOP Instance UID, or lies "
                "in its plane, got regions drawn on other images."
            )
            raise InputError(msg)
        return drawn
    size = image.display.shape[:2]
    try:
        given = np.asarray(value.values if isinstance(value, Mask) else value)
    except ValueError:  # rows of several lengths
        given = np.asarray(None)
    if given.shape == size and given.dtype == np.bool_:
        return given
    if given.size == 0 and given.ndim == 1:  # a list of no boxes
        return np.zeros(size, np.bool_)
    if given.dtype.kind in "iu" and given.shape[-1:] == (4,) and given.ndim <= 2:
        return _boxes(np.atleast_2d(given), size)
    msg = (
        f"evaluate: expected a truth of bool {size}, boxes (top, left, rows, columns), or a "
        f"DICOM object with regions, got {given.dtype} {given.shape}."
    )
    raise InputError(msg)


def _boxes(boxes: Array, size: tuple[int, int]) -> Array:
    inside = np.zeros(size, np.bool_)
    for top, left, rows, columns in boxes.tolist():
        bottom, right = top + rows, left + columns
        within = bottom <= size[0] and right <= size[1]
        if min(top, left) < 0 or min(rows, columns) < 1 or not within:
            msg = (
                "evaluate: expected boxes (top, left, rows, columns) of one pixel or more, within "
                f"the image of {size}, got {(top, left, rows, columns)}."
            )
            raise InputError(msg)
        inside[top:bottom, left:right] = True
    return inside


def with_donors(
    probe: Any, cases: Sequence[Case], patients: Array, generator: np.random.Generator
) -> list[Case]:
    """Give each case the input of another patient, of another decision where there is one.

    Where all images are of one patient they lend each other. Cases of a shape of their own get
    none.

    Parameters
    ----------
    patients
        int (n,): of each case.
    """
    decided = _decisions(probe, cases)
    found = []
    for place, case in enumerate(cases):
        shape, own = case.given.array.shape, decided.get(case.number)
        others = [
            other
            for other, each in enumerate(cases)
            if other != place and each.given.array.shape == shape
        ]
        strangers = [other for other in others if patients[other] != patients[place]]
        lenders = [
            other for other in strangers if decided.get(cases[other].number) != own
        ]
        lenders = lenders or strangers or others
        chosen = lenders[int(generator.integers(len(lenders)))] if lenders else None
        donor = None if chosen is None else cases[chosen].given.array
        found.append(replace(case, donor=donor))
    return found


def numbers_of(patients: Patients, cases: Sequence[Case]) -> Array:
    """Return the patient of each case as a number, int (n,); equal images are of one patient.

    Numbers rise from 0 by 1, so that halves of them are halves of the patients.
    """
    digests = {case.number: case.image.digest for case in cases}
    merged = with_equal_images(patients, digests)
    return numbered(merged.numbers[case.number] for case in cases)


def _decisions(probe: Any, cases: Sequence[Case]) -> dict[int, Any]:
    """Return the predicted class of each case by its number; none where there are no classes."""
    question = _question_of_class(probe)
    if not hasattr(question, "classes"):
        return {}
    found: dict[int, Any] = {}
    for some, inputs in of_one_shape(cases):
        own = probe_of_rows(question, [case.number for case in some])
        predicted = np.asarray(own.classes(inputs))
        found.update(
            zip([case.number for case in some], predicted.tolist(), strict=True)
        )
    return found


def _question_of_class(probe: Any) -> Any:
    """Return the probe of the predicted class; None where the model has no classes."""
    if not callable(getattr(probe, "at", None)):
        return None
    try:
        return bound(probe, None)
    except (ModelError, TargetError):
        return None
