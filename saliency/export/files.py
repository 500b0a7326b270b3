"""Objects as files in a folder."""

import io
from collections.abc import Callable, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Final, TypeAlias

from pydicom.dataset import Dataset

from saliency.dicom.file.guard import without_warnings
from saliency.errors import InputError
from saliency.export.capture import painted_capture, secondary_capture
from saliency.export.maps import parametric_map, parametric_map_pyramid
from saliency.export.matching import Matched, matched
from saliency.export.presentation import presentation_state
from saliency.export.segments import segmentation, segmentation_pyramid
from saliency.export.slide_tiles import slide_frames
from saliency.export.structured import report
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.method_words import class_of
from saliency.pipeline.writers import Look
from saliency.slides.result import SlideExplanation
from saliency.values.files import make_folder, write_whole
from saliency.volumes.explanation import VolumeExplanation

Objects: TypeAlias = dict[str, Dataset]
"""DICOM objects of one result, by kind."""

KINDS: Final[dict[str, Callable[..., Dataset]]] = {
    "sc": secondary_capture,
    "pm": parametric_map,
    "seg": segmentation,
    "outline": partial(segmentation, fractional=False),
    "sr": report,
    "pr": presentation_state,
}
"""Kind -> what makes it. A new object is a function and a row."""

#: What of a look a kind has; "sc" has all of it.
_LOOK_OF_KIND: Final = {
    "pm": ("vmax",),
    "seg": ("palette", "vmax"),
    "outline": ("palette", "vmax"),
    "sr": ("vmax",),
    "pr": ("palette", "vmax"),
}

OF_A_SLIDE: Final[dict[str, Callable[..., Sequence[Dataset]]]] = {
    "sc": lambda result, source, vmax=None: (
        secondary_capture(result, source, vmax=vmax),
    ),
    "pm": parametric_map_pyramid,
    "seg": segmentation_pyramid,
    "outline": partial(segmentation_pyramid, fractional=False),
}
"""Kind -> what makes it of a slide: all levels of a pyramid, the finest first."""


def export_dicom(
    result: Explanation | VolumeExplanation | SlideExplanation,
    source: object,
    out: str | PathLike[str],
    kinds: Sequence[str] = ("sc", "pm", "seg"),
    *,
    vmax: float | None = None,
) -> tuple[Path, ...]:
    """Write a result as DICOM objects that a PACS takes.

    Parameters
    ----------
    result
        An Explanation, a VolumeExplanation, or a SlideExplanation; of a slide ``"sc"``, ``"pm"``,
        ``"seg"`` and ``"outline"``.
    source
        What was explained: a path, bytes, a file object or a Dataset; of a volume or a slide also
        a folder, a zip, or a sequence of them. Patient and study
        are copied from it, as the standard demands, and nowhere else.
    out
        A folder, made where it is missing.
    kinds
        ``"sc"``: the overlay, for people (Secondary Capture). ``"pm"``: the numbers (Parametric
        Map, float32). ``"seg"``: the hot region (Segmentation, fractional). ``"outline"``: what
        has at least half of full heat (Segmentation, binary), for viewers that draw no fractional
        one. ``"sr"``: class, probability and shares of heat (Structured Report). ``"pr"``: an
        outline over the source itself (presentation state).
    vmax
        Full heat in the method's unit, as for ``overlay``: one scale for all kinds, and for all
        results that are exported with it. None: each result's own.

    Returns
    -------
    tuple of Path
        One file a kind: ``DIGEST-FRAME-METHOD-KIND.dcm``, of a volume
        ``DIGEST-SLICES-METHOD-KIND.dcm``, of a slide ``DIGEST-slide-METHOD-KIND.dcm`` and, of
        all but ``"sc"``, coarser levels as ``...-KIND-2.dcm``, ``...-KIND-4.dcm``. Nothing
        of the patient is in a name.

    Raises
    ------
    InputError
        A kind is unknown; ``vmax`` is out of range; the source is not what was explained, or has no
        UIDs.
    DicomError
        The source cannot be read.
    MissingExtraError
        highdicom is not installed (extra ``pacs``).

    Examples
    --------
    >>> result = sal.explain(model, "chest.dcm", target=1)  # doctest: +SKIP
    >>> sal.export_dicom(result, "chest.dcm", "to-pacs")
    """
    made = objects_of(result, source, kinds, {} if vmax is None else {"vmax": vmax})
    folder = Path(out)
    make_folder(folder, "export_dicom")
    stem = f"{_pixels_of(result)}-{class_of(result.recipe)}"
    return tuple(
        write_object(each, folder / f"{stem}-{kind}.dcm") for kind, each in made.items()
    )


def objects_of(
    result: Explanation | VolumeExplanation | SlideExplanation,
    source: object,
    kinds: Sequence[str] = ("sc", "pm", "seg"),
    look: Look | None = None,
) -> Objects:
    """Return a result as DICOM objects by kind.

    Parameters
    ----------
    result, source, kinds
        As for :func:`export_dicom`, and so are the errors; or what ``source`` was matched to.
    look
        As of ``saliency.pipeline.writers``, for what is seen.
    """
    wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown or not wanted:
        msg = f"export_dicom: expected kinds among {', '.join(KINDS)}, got {unknown or 'none'}."
        raise InputError(msg)
    if isinstance(result, SlideExplanation):
        return _objects_of_slide(result, source, wanted, look or {})
    frames = Matched(matched(result, source))  # once for all kinds
    makers = {kind: _maker(kind, look or {}) for kind in wanted}
    made = {
        kind: maker(result, frames) for kind, maker in makers.items() if kind != "sr"
    }
    if "sr" in wanted:
        shown = [made[kind] for kind in made if kind != "pr"]
        made["sr"] = makers["sr"](result, frames, objects=shown)
    return made


def _objects_of_slide(
    result: SlideExplanation, source: object, wanted: Sequence[str], look: Look
) -> Objects:
    """Return the objects of a slide; coarser levels of a pyramid by their factor, as ``"pm-2"``."""
    beyond = sorted(set(wanted) - OF_A_SLIDE.keys())
    if beyond:
        msg = (
            f"export_dicom: expected some of {', '.join(OF_A_SLIDE)} of a slide, got "
            f"{', '.join(beyond)}."
        )
        raise InputError(msg)
    files = Matched(slide_frames(result, source))  # once for all kinds
    made: Objects = {}
    for kind in wanted:
        finest, *coarser = OF_A_SLIDE[kind](result, files, **look)
        made[kind] = finest
        for doubling, level in enumerate(coarser, 1):
            made[f"{kind}-{2**doubling}"] = level
    return made


def _maker(kind: str, look: Look) -> Callable[..., Dataset]:
    """Return what makes an object of a kind that looks as an overlay does."""
    if kind == "sc":
        return partial(painted_capture, look=look)
    own = {name: look[name] for name in _LOOK_OF_KIND[kind] if name in look}
    return partial(KINDS[kind], **own)


def _pixels_of(result: Explanation | VolumeExplanation | SlideExplanation) -> str:
    """Return which pixels a result is of, as a part of a file name."""
    if isinstance(result, VolumeExplanation):
        return f"{result.volume.digest[:12]}-{len(result)}"
    if isinstance(result, SlideExplanation):
        return f"{result.slide.digest[:12]}-slide"
    return f"{result.image.digest[:12]}-{result.image.frame}"


def write_object(made: Dataset, place: Path) -> Path:
    """Write an object as a file of PS3.10, whole or not at all."""
    data = io.BytesIO()
    with without_warnings():
        made.save_as(data, enforce_file_format=True)
    return write_whole(place, data.getvalue())
