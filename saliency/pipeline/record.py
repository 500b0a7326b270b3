"""An explanation as a record: plain values and arrays."""

import json
from dataclasses import fields
from typing import Any, Final

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.method_words import class_of, unit_of
from saliency.pipeline.plain import plain
from saliency.values.image import DicomImage

#: Of the arrays and the record of an .npz; another form is refused.
FORM: Final = 1

#: Fields of an image that are arrays, or made of them.
ARRAYS: Final = frozenset({"pixels", "display", "stored", "zones"})
#: Fields of an explanation that are plain values.
_OWN: Final = (
    *("recipe", "target", "label", "probability", "score", "explains", "gap", "seed"),
    *(
        "saturated",
        "indifferent",
        "cutoff",
        "grid",
        "model",
        "prepare",
        "versions",
        "trust",
    ),
)


def record_of(result: Any, *, identify: str | None = None) -> dict[str, Any]:
    """Return all of an explanation but its arrays, as plain values for JSON.

    Parameters
    ----------
    result
        An Explanation.
    identify
        ``"uid"``: with the SOP Instance UID (0008,0018) of the file that the image was read from.

    Returns
    -------
    dict
        Its fields by name; ``method``, ``unit``, ``caption``, ``outside``, ``veiled`` and
        ``veil_reason``; ``image``: size, zones by name with their evidence, digest, frame. No text
        of the file but what may travel with pixels, no name, no path; a UID on request alone.

    Raises
    ------
    InputError
        ``identify`` is another word, or the image has no UID.
    """
    image = result.image
    told = {
        "form": FORM,
        "caption": result.caption,
        "method": class_of(result.recipe),
        "unit": unit_of(result.recipe, result.explains),
        "outside": result.outside,
        "veiled": result.veiled,
        "veil_reason": result.veil_reason,
        **{name: plain(getattr(result, name)) for name in _OWN},
    }
    zones = [{"name": zone.name, "evidence": zone.evidence} for zone in image.zones]
    uid = {} if identify is None else {"uid": _uid(image, identify)}
    about = {name: plain(getattr(image, name)) for name in image_fields()}
    return {**told, "image": {"size": list(image.size), **uid, **about, "zones": zones}}


def image_fields() -> list[str]:
    """Return the fields of an image that are plain values."""
    return [field.name for field in fields(DicomImage) if field.name not in ARRAYS]


def arrays_of(result: Any) -> dict[str, Any]:
    """Return the arrays of an explanation and of its image, by the names they have in an .npz."""
    image: DicomImage = result.image
    arrays = {
        "values": result.heatmap.values,
        "diagnostic": image.diagnostic,
        "pixels": image.pixels,
        "display": image.display,
        "zones": np.array([np.packbits(zone.mask) for zone in image.zones], np.uint8),
    }
    return arrays if image.stored is None else {**arrays, "stored": image.stored}


def text_of(record: dict[str, Any], *, indent: int | None = None) -> str:
    """Return a record as JSON."""
    return json.dumps(record, indent=indent, ensure_ascii=False)


def _uid(image: DicomImage, identify: str) -> str:
    if identify != "uid":
        msg = f"save: expected identify to be 'uid' or None, got {identify!r}."
        raise InputError(msg)
    if not image.uid:
        msg = (
            "save: identify='uid' needs an image that read_dicom read from a file with a SOP "
            "Instance UID (0008,0018); this one has none, or it travelled without it."
        )
        raise InputError(msg)
    return image.uid
