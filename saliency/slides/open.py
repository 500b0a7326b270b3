"""From a folder or files to the one slide that they hold."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack

from saliency.dicom.tile_files import TileFile
from saliency.dicom.tile_headers import VOLUME
from saliency.errors import DicomError, InputError
from saliency.pipeline.files import NothingFoundError, candidates_in, content_of
from saliency.slides.frames import PathChoice
from saliency.slides.pyramid import affine_of, layers_of
from saliency.slides.slide import Slide


def open_slide(
    source: object,
    *,
    series: int | None = None,
    optical_path: int | str | None = None,
    focal_plane: int | None = None,
    icc: bool = False,
) -> Slide:
    """Open a whole slide image (VL Whole Slide Microscopy, PS3.3 A.32.8).

    Headers are read now, pixels when a region is asked for. Images of the label and overviews are
    left out: they may show a name.

    Parameters
    ----------
    source
        A folder, a zip, a file, a sequence of files, or a URL (of a folder, a glob, or a study or
        series of DICOMweb, whose files are fetched whole): all levels of one slide.
    series
        The Series Number (0020,0011), where the source holds several slides.
    optical_path
        Index or identifier of the optical path; None: the first, with a note in the log where
        there are several.
    focal_plane
        Index of the focal plane, from the nearest to the slide; None: the first, likewise.
    icc
        Show colours through the ICC profile (0028,2000) of the optical path, as sRGB (PS3.3
        C.11.15); False: as they are stored. Pixels do not change.

    Returns
    -------
    Slide
        Use it in ``with``: it holds the files open.

    Raises
    ------
    InputError
        The source holds no slide, several, or one that is not whole; or there is no such series,
        path or plane.
    DicomError
        A file of the slide cannot be read.
    """
    with ExitStack() as stack:
        files = _slide_files(source, stack)
        volumes = _chosen_files(files, series)
        choice = _choice_of_path(volumes, optical_path, focal_plane, icc=icc)
        layers = layers_of(volumes, choice)
        slide = Slide(
            layers,
            label_present=any(file.shows_label for file in files),
            affine=affine_of(layers[0].matrix.tiles.first_file.header),
        )
        for file in files:
            if not any(file is volume for volume in volumes):
                file.close()
        stack.pop_all()
    return slide


def _slide_files(source: object, stack: ExitStack) -> list[TileFile]:
    """Open every file of a slide; what is of another kind is left out and counted."""
    files: list[TileFile] = []
    left_out: Counter[str] = Counter()
    for index, item in enumerate(candidates_in(source)):
        try:
            file = TileFile(content_of(item))
        except DicomError as error:
            if error.reason not in ("no-slide", "not-dicom"):
                msg = f"open_slide: file {index}: {error} Leave it out, or mend it."
                raise DicomError(msg, reason=error.reason) from None
            left_out[error.reason] += 1
            continue
        stack.callback(file.close)
        files.append(file)
    if left_out:
        _log_note(f"open_slide: left out: {_left_out_words(left_out)}.")
    if not files:
        words = f" ({_left_out_words(left_out)})" if left_out else ""
        msg = (
            f"open_slide: expected VL Whole Slide Microscopy images, found none{words}."
        )
        raise NothingFoundError(msg)
    return files


def _left_out_words(left_out: Counter[str]) -> str:
    kinds = {"no-slide": "DICOM files that are no slide", "not-dicom": "other files"}
    return ", ".join(f"{left_out[each]} {kinds[each]}" for each in sorted(left_out))


def _chosen_files(files: Sequence[TileFile], number: int | None) -> list[TileFile]:
    """Return the files with pixels of the specimen, of one series."""
    volumes = [file for file in files if file.kind == VOLUME]
    if not volumes:
        kinds = ", ".join(sorted({file.kind or "none" for file in files}))
        msg = (
            "open_slide: expected VOLUME in value 3 of Image Type (0008,0008), found "
            f"{kinds} alone: no pixels of the specimen. A label or an overview is never read as "
            "one. Hand in the files of the levels."
        )
        raise InputError(msg)
    groups: dict[str, dict[str, TileFile]] = defaultdict(dict)
    for file in volumes:
        image = file.header.image or str(id(file))
        groups[file.header.series].setdefault(image, file)
    chosen = [
        list(group.values())
        for group in groups.values()
        if number is None or next(iter(group.values())).header.number == number
    ]
    if len(chosen) == 1:
        return chosen[0]
    numbers = {next(iter(group.values())).header.number for group in groups.values()}
    words = "; ".join(_series_words(list(group.values())) for group in groups.values())
    distinct = len(numbers) == len(groups)
    remedy = "Choose with series=." if distinct else "Hand in the files of one."
    msg = f"open_slide: expected one slide, got {len(groups)}: {words}. {remedy}"
    if number is not None:
        remedy = "Hand in the files of one." if chosen else "Choose another."
        msg = f"open_slide: {len(chosen)} series have the number {number}, of {words}. {remedy}"
    raise InputError(msg)


def _series_words(files: Sequence[TileFile]) -> str:
    headers = [file.header for file in files]
    finest = max(headers, key=lambda header: header.rows)
    number = "without number" if finest.number is None else f"{finest.number}"
    size = f"{finest.rows:,} x {finest.columns:,} pixels"
    return f"series {number} ({len(files)} files, {size})"


def _choice_of_path(
    files: Sequence[TileFile],
    path: int | str | None,
    plane: int | None,
    *,
    icc: bool,
) -> PathChoice:
    """Return which optical path and focal plane to read; say so where there are several."""
    paths = tuple(dict.fromkeys(name for file in files for name in file.header.paths))
    planes = max(file.header.planes for file in files)
    if path is None and len(paths) > 1:
        _log_note(
            f"open_slide: the slide has {len(paths)} optical paths (0048,0105); the first is read. "
            "Choose with optical_path=."
        )
    if plane is None and planes > 1:
        _log_note(
            f"open_slide: the slide has {planes} focal planes (0048,0303); the one nearest to the "
            "slide is read. Choose with focal_plane=."
        )
    name = (
        path
        if isinstance(path, str)
        else paths[_index_below(path, len(paths), "optical_path")]
    )
    if name not in paths:
        msg = (
            f"optical_path: expected an index in 0..{len(paths) - 1} or an Optical Path Identifier "
            "(0048,0106) of the slide, got another."
        )
        raise InputError(msg)
    return PathChoice(name, _index_below(plane, planes, "focal_plane"), icc)


def _index_below(value: object, count: int, name: str) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        msg = f"{name}: expected an index in 0..{count - 1}, got {value!r}."
        raise InputError(msg)
    return value


def _log_note(message: str) -> None:
    logging.getLogger("saliency.slides").warning(message)
