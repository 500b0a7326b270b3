"""Forms in which the answer about a volume is kept: one row for each ending of a file name."""

import importlib
import io
import json
from collections.abc import Callable
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from saliency.errors import InputError, MissingExtraError
from saliency.pipeline.caption import DISCLAIMER
from saliency.pipeline.method_words import method_words, unit_of
from saliency.pipeline.page import picture_tag
from saliency.pipeline.plain import plain
from saliency.render.palettes import Palette
from saliency.values.files import make_folder, write_whole
from saliency.volumes.animation import animate

Writer: TypeAlias = Callable[[Any, str | Palette], bytes]

#: LPS, as DICOM has it, to RAS, as NIfTI has it: x and y change their sign.
RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])


def save_volume(
    result: Any, path: str | PathLike[str], *, palette: str | Palette
) -> Path:
    """Write the answer about a volume; see ``VolumeExplanation.save``."""
    place = Path(path)
    if not place.parent.is_dir():
        msg = (
            "VolumeExplanation.save: expected a folder that exists, got a missing one."
        )
        raise InputError(msg)
    if not place.suffix:
        return _folder_of_slices(result, place, palette)
    ending = next((each for each in WRITERS if place.name.lower().endswith(each)), None)
    if ending is None:
        msg = (
            f"VolumeExplanation.save: expected a name ending in {', '.join(WRITERS)}, or a folder "
            f"without an ending, got {place.suffix!r}."
        )
        raise InputError(msg)
    return write_whole(place, WRITERS[ending](result, palette))


def _folder_of_slices(result: Any, folder: Path, palette: str | Palette) -> Path:
    make_folder(folder, "VolumeExplanation.save")
    for k in range(len(result)):
        result.overlay(k, palette=palette).save(folder / f"slice-{k:04d}.png")
    return folder


def volume_record_of(result: Any) -> dict[str, Any]:
    """Return all but the arrays as plain values; nothing of a patient, no path, no UID."""
    leading, volume = result.leading, result.volume
    probabilities = [answer.probability for answer in result.answers]
    return {
        "recipe": result.recipe,
        "target": result.target,
        "label": result.label,
        "score": result.score,
        "probability": result.probability,
        "probabilities": probabilities if result.by_slice else None,
        "gap": result.gap,
        "windows": None if result.windows is None else list(result.windows.size),
        "unit": unit_of(result.recipe, leading.explains),
        "vmax": result.vmax,
        "model": plain(result.model),
        "versions": dict(leading.versions),
        "volume": {
            "size": list(volume.size),
            "spacing": list(volume.spacing),
            "modality": volume.modality,
            "digest": volume.digest,
            "sheared": volume.sheared,
        },
    }


def volume_npz_of(result: Any, palette: str | Palette) -> bytes:  # noqa: ARG001 - numbers have no look
    """Return heat, affine, scores and record as an NPZ file."""
    file = io.BytesIO()
    scores = [result.score] if result.scores is None else result.scores
    windows = result.windows
    places = (
        {}
        if windows is None
        else {"starts": windows.starts, "window_scores": windows.scores}
    )
    np.savez_compressed(
        file,
        values=result.heatmap.values,
        affine=result.volume.affine,
        scores=np.asarray(scores, np.float32),
        record=json.dumps(volume_record_of(result), ensure_ascii=False),
        **places,
    )
    return file.getvalue()


def nifti_of(result: Any, palette: str | Palette) -> bytes:  # noqa: ARG001
    """Return the heat as NIfTI-1: axes (column, row, slice), affine to RAS mm."""
    return _nifti(result).to_bytes()  # type: ignore[no-any-return]


def packed_nifti_of(result: Any, palette: str | Palette) -> bytes:
    """Return the heat as gzipped NIfTI-1; equal results give equal bytes."""
    import gzip  # noqa: PLC0415

    return gzip.compress(nifti_of(result, palette), mtime=0)


def _nifti(result: Any) -> Any:
    try:
        nibabel = importlib.import_module("nibabel")
    except ImportError as error:
        msg = "Expected nibabel for NIfTI, found none: pip install 'dicom-saliency[nifti]'."
        raise MissingExtraError(msg) from error
    # Ours maps (slice, row, column), NIfTI's (column, row, slice): the columns are reversed.
    affine = RAS @ result.volume.affine[:, [2, 1, 0, 3]]
    image = nibabel.Nifti1Image(result.heatmap.values.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"saliency map, research use, not for diagnosis"
    return image


def volume_html_of(result: Any, palette: str | Palette) -> bytes:
    """Return a page of montage and projections, which loads nothing from elsewhere."""
    pictures = {
        "slices": result.montage(palette=palette).rgb,
        **{
            f"along each {axis}": result.projection(axis, palette=palette).rgb
            for axis in ("slice", "row", "column")
        },
    }
    figures = "".join(
        f"<figure>{picture_tag(rgb, name)}<figcaption>{name}</figcaption></figure>"
        for name, rgb in pictures.items()
    )
    title = escape(caption_of(result))
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><p>{title}</p>{figures}</body></html>\n"
    )
    return page.encode()


_STYLE: Final = (
    "body{font-family:sans-serif;margin:1rem;background:#141414;color:#e1e1e1}"
    "figure{display:inline-block;margin:0 1rem 1rem 0;vertical-align:top}"
    "img{max-width:100%;image-rendering:pixelated}"
)


def caption_of(result: Any) -> str:
    """Return one line of plain words: class, score, method, scale."""
    subject = result.label or (
        result.target if isinstance(result.target, str) else f"class {result.target}"
    )
    sure = (
        ""
        if result.probability is None
        else f", probability {100 * result.probability:.0f} %"
    )
    part = (
        "window" if result.windows is not None else "slice" if result.by_slice else ""
    )
    where = f" in the {part} of greatest score" if part else ""
    unit = unit_of(result.recipe, result.leading.explains)
    return (
        f"{subject}{sure}, score {result.score:.4g}{where}. {method_words(result.recipe)}. "
        f"Full colour: {result.vmax:.3g} ({unit}). {DISCLAIMER}"
    )


def montage_of(result: Any, palette: str | Palette) -> bytes:
    """Return the montage as a PNG file."""
    return result.montage(palette=palette).png()  # type: ignore[no-any-return]


def gif_of(result: Any, palette: str | Palette) -> bytes:
    """Return the slices as an animated GIF."""
    return animate(result, palette=palette).encoded(".gif")


def webp_of(result: Any, palette: str | Palette) -> bytes:
    """Return the slices as an animated WebP."""
    return animate(result, palette=palette).encoded(".webp")


WRITERS: Final[dict[str, Writer]] = {
    ".gif": gif_of,
    ".html": volume_html_of,
    ".nii": nifti_of,
    ".nii.gz": packed_nifti_of,
    ".npz": volume_npz_of,
    ".png": montage_of,
    ".webp": webp_of,
}
"""Ending in lower case -> writer. A new form is a function and a row."""
