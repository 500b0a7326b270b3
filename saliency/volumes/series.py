"""A folder, a zip, files or one multi-frame file to the one volume that it holds."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Final, final

from saliency.dicom.kind import kind_of
from saliency.dicom.slices import FrameHeader, frame_headers, normal_of
from saliency.errors import DicomError, InputError
from saliency.pipeline.files import (
    Left,
    candidates_in,
    content_of,
    inside,
    remark,
)
from saliency.values.window import Window
from saliency.volumes.stack import Slice, listed_by_count, stacked
from saliency.volumes.volume import DicomVolume

#: What ``where=`` takes besides the keywords of a header: the k-th image at each place.
REPETITION: Final = "repetition"
#: Places are told apart to this many decimals of a mm.
DECIMALS: Final = 2


@final
@dataclass(frozen=True)
class SeriesInfo:
    """One series of a folder.

    Parameters
    ----------
    number
        Series Number (0020,0011), None where there is none.
    modality
        (0008,0060).
    frames
        How many images it has.
    rows, columns
        Of its first image.
    spacing
        (slice, row, column) mm; None where it is no volume.
    orientation
        ``"axial"``, ``"coronal"``, ``"sagittal"``, each nearest; ``""`` where unknown.
    note
        Why it is no volume, ``""`` where it is one.
    """

    number: int | None
    modality: str
    frames: int
    rows: int
    columns: int
    spacing: tuple[float, float, float] | None
    orientation: str
    note: str


def read_series(
    source: object,
    *,
    window: Window | int | str | None = None,
    series: int | None = None,
    where: Mapping[str, float | str] | None = None,
) -> DicomVolume:
    """Read the slices of one series as one volume.

    Slices are sorted by their places in the patient, never by number or name. Headers are read at
    the start; pixels are decoded on first use.

    Parameters
    ----------
    source
        A folder, a zip, a DICOMDIR, a sequence of files, or one enhanced multi-frame file.
    window
        As for :func:`saliency.read_dicom`, for every slice; None: that of the middle slice.
    series
        The Series Number (0020,0011) to read, where there are several.
    where
        Which images, where several lie at one place: a DICOM keyword and its value (those of
        :data:`saliency.dicom.slices.PHASES` and ``WORDS``: EchoTime, TriggerTime, DiffusionBValue,
        StackID, ...; ImageType or FrameType, all of it or one of its values), or
        ``{"repetition": k}``: the k-th at each place by Instance Number (0020,0013), from 0.

    Returns
    -------
    DicomVolume
        Slices ascend along row direction x column direction.

    Raises
    ------
    InputError
        Several series (the message lists them), images of two patients, or slices that are no
        volume: the message says why, with numbers.
    DicomError
        A file that should be a slice cannot be read.
    """
    slices = _chosen(_slices_of_source(source), series)
    _check_one_patient(slices)
    slices = _without_localizers(slices)
    if where:
        slices = _selected(slices, where)
    return DicomVolume(stacked(slices), window)


def list_series(source: object) -> tuple[SeriesInfo, ...]:
    """Return what series a source holds, in order of their numbers; no pixel is read."""
    return tuple(
        _info(group) for group in _by_series(_slices_of_source(source)).values()
    )


def _slices_of_source(source: object) -> list[Slice]:
    """Return every frame of the source by its header.

    Objects without pixels are left out, and copies of a file that is there already.
    """
    slices: list[Slice] = []
    files: dict[str, list[object]] = defaultdict(list)
    left_out: Counter[str] = Counter()
    copies = 0
    for index, item in enumerate(candidates_in(source)):
        headers = _headers(item, index)
        if isinstance(headers, str):
            left_out[headers] += 1
        elif _is_copy(item, files[headers[0].image], headers[0].image):
            copies += 1
        else:
            slices += [Slice(item, header) for header in headers]
    if left_out:
        _note_left_out(f"read_series: {remark(left_out)}.")
    if copies:
        _note_left_out(
            f"read_series: {copies} files that are there twice, byte for byte, were read once."
        )
    if not slices:
        words = remark(left_out)
        msg = f"read_series: expected DICOM images, found none{f' ({words})' if words else ''}."
        raise InputError(msg)
    return slices


def _headers(item: object, index: int) -> tuple[FrameHeader, ...] | Left:
    """Return the header of every frame of a file; of what is no image by its kind, the kind."""
    try:
        return frame_headers(content_of(item))
    except DicomError as error:
        kind = _kind_of_item(item)
        if kind in ("no pixels", "directory") or (
            isinstance(item, Path) and kind == "no DICOM"
        ):
            return kind
        msg = f"read_series: image {index}: {error} Leave it out, or mend it."
        raise DicomError(msg, reason=error.reason) from None


def _kind_of_item(item: object) -> Left:
    """Return what a file is: a cut image is a broken one, and no object without pixels."""
    if isinstance(item, Path) and item.is_file():
        return next(found.kind for found in inside(item))
    return kind_of(content_of(item))


def _is_copy(item: object, others: list[object], uid: str) -> bool:
    """Whether a file of the same SOP Instance UID has the same bytes; else remember this one."""
    raw = _bytes_of(item) if uid and others else None
    if raw is not None and any(_bytes_of(each) == raw for each in others):
        return True
    others.append(item)
    return False


def _bytes_of(item: object) -> bytes | None:
    """Return the whole file; None for what is no path, member or bytes."""
    content = content_of(item)
    if isinstance(content, str | PathLike) and Path(content).is_file():
        return Path(content).read_bytes()
    return content if isinstance(content, bytes) else None


def _by_series(slices: Iterable[Slice]) -> dict[tuple[Any, ...], list[Slice]]:
    groups: dict[tuple[Any, ...], list[Slice]] = defaultdict(list)
    for each in slices:
        groups[each.header.series, each.header.number].append(each)
    return dict(
        sorted(groups.items(), key=lambda item: (_ordinal(item[0][1]), item[0][0]))
    )


def _ordinal(number: int | None) -> float:
    return float("inf") if number is None else number


def _chosen(slices: list[Slice], number: int | None) -> list[Slice]:
    groups = _by_series(slices)
    if number is None and len(groups) == 1:
        return slices
    chosen = [
        group for (_, own), group in groups.items() if number is None or own == number
    ]
    if len(chosen) == 1:
        return chosen[0]
    told = "; ".join(_series_in_words(group) for group in groups.values())
    if number is None:
        patients = len(_patients(slices))
        whose = f" of {patients} patients" if patients > 1 else ""
        msg = (
            f"read_series: expected one series, got {len(groups)}{whose}: {told}. Choose with "
            "series=."
        )
    elif not chosen:
        msg = f"read_series: there is no series {number} among {len(groups)}: {told}."
    else:
        msg = (
            f"read_series: {len(chosen)} series have the number {number}, of several studies or "
            f"patients: {told}. Hand in the files of one."
        )
    raise InputError(msg)


def _patients(slices: Iterable[Slice]) -> Counter[str]:
    """Return how many images each patient has, by hashes of Patient ID; by names without any ID."""
    headers = [each.header for each in slices]
    known = Counter(header.patient for header in headers if header.patient)
    return known or Counter(header.name for header in headers if header.name)


def _check_one_patient(slices: Sequence[Slice]) -> None:
    """Refuse two patients under one Series Instance UID: a copy of a UID, or a folder mixed up."""
    counts = sorted(_patients(slices).values(), reverse=True)
    if len(counts) > 1:
        images = ", ".join(map(str, counts))
        msg = (
            f"read_series: expected images of one patient, got {len(counts)} patients ({images} "
            "images) within one series: Patient ID (0010,0020) or, without any, Patient's Name "
            "(0010,0010) differs. Hand in the files of one of them."
        )
        raise InputError(msg)


def _series_in_words(group: Sequence[Slice]) -> str:
    header = group[0].header
    number = "without number" if header.number is None else f"{header.number}"
    return f"series {number} ({header.modality or 'modality unknown'}, {len(group)} images)"


def _without_localizers(slices: list[Slice]) -> list[Slice]:
    """Leave out the localizers that lie among the slices of a series, and say so."""
    kept = [each for each in slices if "LOCALIZER" not in each.header.image_type]
    if kept and len(kept) < len(slices):
        left_out = len(slices) - len(kept)
        words = "localizer was" if left_out == 1 else "localizers were"
        _note_left_out(f"read_series: {left_out} {words} left out.")
        return kept
    return slices


def _selected(slices: list[Slice], where: Mapping[str, float | str]) -> list[Slice]:
    for keyword, value in where.items():
        if keyword == REPETITION:
            slices = _repetition(slices, value)
            continue
        values = [each.header.phase.get(keyword) for each in slices]
        kept = [
            each for each, own in zip(slices, values, strict=True) if _equal(own, value)
        ]
        if not kept:
            msg = (
                f"where: expected a value of {keyword} in the series, got {value!r}; it has "
                f"{listed_by_count(values)}."
            )
            raise InputError(msg)
        slices = kept
    return slices


def _equal(own: object, wanted: float | str) -> bool:
    if isinstance(own, str):
        own = own.upper()
        return str(wanted).upper() in (own, *own.split("\\"))
    return (
        isinstance(own, float | int)
        and isinstance(wanted, float | int)
        and own == wanted
    )


def _repetition(slices: list[Slice], index: float | str) -> list[Slice]:
    """Return the k-th image at each place, in the order of Instance Number."""
    places: dict[tuple[float, ...], list[Slice]] = defaultdict(list)
    for each in sorted(slices, key=lambda one: one.header.instance):
        places[tuple(round(value, DECIMALS) for value in each.header.position)].append(
            each
        )
    counts = Counter(len(group) for group in places.values())
    if not isinstance(index, int) or not 0 <= index < min(counts):
        msg = f"where: expected a repetition in 0..{min(counts) - 1}, got {index!r}."
        raise InputError(msg)
    if len(counts) > 1:
        images = listed_by_count(counts.elements())
        msg = f"where: expected equally many images at each place, got {images}."
        raise InputError(msg)
    return [group[index] for group in places.values()]


def _info(group: list[Slice]) -> SeriesInfo:
    header = group[0].header
    info = SeriesInfo(
        header.number,
        header.modality,
        len(group),
        header.rows,
        header.columns,
        None,
        _plane(header),
        "",
    )
    try:
        _check_one_patient(group)
        return replace(info, spacing=stacked(_without_localizers(group)).spacing)
    except InputError as error:
        return replace(info, note=str(error).removeprefix("read_series: "))


def _plane(header: FrameHeader) -> str:
    """Return the anatomical plane that is nearest to a slice."""
    if not header.orientation:
        return ""
    normal = normal_of(header.orientation)
    names = ("sagittal", "coronal", "axial")
    return names[max(range(3), key=lambda axis: abs(normal[axis]))]


def _note_left_out(message: str) -> None:
    logging.getLogger("saliency.volumes").warning(message)
