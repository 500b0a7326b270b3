"""An explanation as a record: plain values and arrays."""

import json
from typing import Any, Final

import numpy as np

from saliency.pipeline.method_words import class_of, unit_of
from saliency.pipeline.plain import plain
from saliency.values.image import DicomImage

#: Of the arrays and the record of an .npz; another form is refused.
FORM: Final = 1

#: Fields of an image that are plain values.
_IMAGE: Final = (
    *("spacing", "frame", "frames", "modality", "digest", "window", "info", "searched"),
    *("orientation", "frame_seconds"),
)
#: Fields of an explanation that are plain values.
_OWN: Final = (
    *("recipe", "target", "label", "probability", "score", "explains", "gap", "seed"),
    *("saturated", "cutoff", "grid", "model", "prepare", "versions"),
)


def record_of(result: Any) -> dict[str, Any]:
    """Return all of an explanation but its arrays, as plain values for JSON.

    Parameters
    ----------
    result
        An Explanation.

    Returns
    -------
    dict
        Its fields by name; ``method``, ``unit``, ``caption``, ``outside``, ``veiled`` and
        ``veil_reason``; ``image``: size, zones by name with their evidence, digest, frame. No text
        of the file but what may travel with pixels, no name, no path, no UID.
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
        **{name: _mapped(getattr(result, name)) for name in _OWN},
    }
    zones = [{"name": zone.name, "evidence": zone.evidence} for zone in image.zones]
    about = {name: _mapped(getattr(image, name)) for name in _IMAGE}
    return {**told, "image": {"size": list(image.size), **about, "zones": zones}}


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


def _mapped(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else plain(value)
