"""Which pictures, and what each is labelled: nothing is read here."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, TypeAlias

from saliency.dicom.file.header_groups import tokens
from saliency.errors import InputError
from saliency.interventions.scoring import counts_of_held_rows
from saliency.pipeline.files import contents_of_files, listing, tell_left_out
from saliency.pipeline.label_matching import aligned, plain_label
from saliency.values.image import DicomImage
from saliency.volumes.volume import DicomVolume

Source: TypeAlias = Any
"""A DicomImage, or anything that read_dicom takes."""
Label: TypeAlias = Any
"""A class index, a class name, or 0 and 1 for a target."""


def sources_of(images: object) -> list[Source]:
    """Return the pictures in order; those of a folder as :mod:`saliency.pipeline.files` finds them.

    Raises
    ------
    InputError
        There are none, or ``images`` is no folder and nothing to go through; or there are volumes.
    """
    if isinstance(images, DicomVolume):
        msg = _no_volume(f"a volume of {len(images)} slices")
        raise InputError(msg)
    if isinstance(images, str | PathLike):
        found = listing((images,))
        tell_left_out(images, found.left_out)
        sources = list(found.files)
    elif isinstance(images, DicomImage | bytes) or not isinstance(images, Iterable):
        kind = type(images).__name__
        msg = f"audit: expected a folder or a sequence of images, got one {kind}. Use intervene."
        raise InputError(msg)
    else:
        sources = list(images)
    if not sources:
        msg = "audit: expected images, got none."
        raise InputError(msg)
    volumes = sum(isinstance(source, DicomVolume) for source in sources)
    if volumes:
        msg = _no_volume(f"{volumes} volumes among {len(sources)} cases")
        raise InputError(msg)
    return sources


def refuse_model_of_volumes(probe: object) -> None:
    """Refuse a model of volumes, before an image is read.

    Raises
    ------
    InputError
        The model takes (D, H, W, C).
    """
    shape = getattr(probe, "input_shape", None)
    if shape is not None and len(shape) == 4:
        msg = _no_volume(f"a model of (D, H, W, C) = {shape}")
        raise InputError(msg)


def refuse_rows_of_held_inputs(probe: object, asker: str) -> None:
    """Refuse inputs held at a row for each image where one image is asked about.

    Raises
    ------
    InputError
        It is not known which row belongs to the image.
    """
    most = max(counts_of_held_rows(probe), default=1)
    if most > 1:
        msg = (
            f"{asker}: expected the model's other inputs held at one row, got {most}: which "
            "of them belongs to the image is not known. Hold its row, as "
            "probe.holding({name: value})."
        )
        raise InputError(msg)


def _no_volume(got: str) -> str:
    """Return the refusal: slices of one patient are no cases, which must be independent."""
    return (
        f"audit: expected single images and a model of images, got {got}: volumes cannot be "
        "audited yet. Zones of a slice are volume[k].zones; explain a volume with sal.explain."
    )


def labels_of(labels: object, sources: Sequence[Source]) -> list[Label | None]:
    """Return one label for each picture, None for those that a mapping leaves out.

    A mapping's keys are paths, or the ends of paths, with or without the ending of the name; or
    digests of DicomImages. See :mod:`saliency.pipeline.label_matching`.

    Raises
    ------
    InputError
        A sequence of another length, or a mapping that names none of the pictures, or a name that
        two pictures have; or labels that are no classes.
    """
    by_source = _one_a_source(labels, sources)
    if any(isinstance(label, float) for label in by_source):
        msg = (
            "audit: expected classes, got continuous labels. Divide them where it matters, and ask "
            "for the score: labels=saliency.audit.halved(values, at=limit), target=0; in a shell: "
            "--above LIMIT --target 0."
        )
        raise InputError(msg)
    return by_source


def _one_a_source(labels: object, sources: Sequence[Source]) -> list[Label | None]:
    """Return one value for each picture."""
    by_source = aligned(labels, sources, owner="audit", name="labels")
    return [None if label is None else plain_label(label) for label in by_source]


def strata_of(
    strata: object, sources: Sequence[Source]
) -> dict[str, list[Label | None]]:
    """Return the values of each stratum, one for each picture; words instead of attributes' values.

    Raises
    ------
    InputError
        ``strata`` is neither a mapping nor a sequence of names, or values do not fit the pictures.
    """
    if strata is None:
        return {}
    if isinstance(strata, str | bytes) or not isinstance(strata, Mapping | Iterable):
        kind = type(strata).__name__
        msg = f"audit: expected strata as a mapping, or a sequence of attributes, got {kind}."
        raise InputError(msg)
    by_name = strata if isinstance(strata, Mapping) else dict.fromkeys(strata)
    result: dict[str, list[Label | None]] = {}
    for name, values in by_name.items():
        if values is None:
            words = tokens(contents_of_files(sources), name)
            result[name] = [
                None if word is None else HiddenValue(word) for word in words
            ]
        else:
            result[name] = _one_a_source(values, sources)
    return result


class HiddenValue(str):
    """A word that stands for the value of an attribute: compared, never shown."""

    __slots__ = ()
