"""Which model, which images, which settings: digests that tell whether work may go on."""

import os
from collections.abc import Callable, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any

from saliency.errors import InputError
from saliency.pipeline.description import digest_of
from saliency.pipeline.explain import versions
from saliency.pipeline.files import Member
from saliency.pipeline.prepare import Prepare
from saliency.values.image import DicomImage


def of_model(model: Any) -> str:
    """Return the digest of a model file; of a model or probe in memory, of all that it answers by.

    Those are architecture and weights, and of a probe the output, part, layers and labels chosen,
    the inputs held, and the target that it is bound to.

    Raises
    ------
    InputError
        It is none of these, or its target cannot be told from others.
    """
    if isinstance(model, str | os.PathLike):
        return _digest_of_file(Path(model))
    probe = getattr(model, "source", model)
    if not hasattr(getattr(probe, "model", probe), "weights"):
        msg = "resume: expected a Keras model, a KerasProbe, or the path of a model."
        raise InputError(msg)
    return digest_of(model).hex()


def of_image(image: DicomImage) -> str:
    """Return the digest of all of an image that an explanation or its painting depends on.

    Equal pixel data under another window, rescale, overlay, spacing or orientation is another.
    """
    zones = [(zone.name, zone.mask) for zone in image.zones]
    values = (image.digest, image.frame, image.pixels, image.display, image.stored)
    return digest_of(
        (*values, zones, image.spacing, image.orientation, image.searched)
    ).hex()


def of_pictures(sources: Sequence[Any]) -> str:
    """Return one digest of all images: names, sizes and times of files; pixels and zones of others.

    Raises
    ------
    InputError
        One is neither a file nor a DicomImage.
    """
    return digest_of([_of_picture(source) for source in sources]).hex()


def of_settings(
    prepare: Prepare | Callable[..., Any] | None,
    target: Any,
    zones: Any,
    seed: int,
    labels: Sequence[Any],
) -> str:
    """Return the digest of everything else that decides about numbers.

    Raises
    ------
    InputError
        A function or value cannot be told from others of its kind.
    """
    return digest_of(
        (prepare or Prepare(), target, zones, seed, labels, versions())
    ).hex()


def _of_picture(source: Any) -> list[Any]:
    if isinstance(source, DicomImage):
        zones = [(zone.name, zone.mask) for zone in source.zones]
        shown = [source.pixels, source.display, source.stored, source.modality]
        return [*shown, source.searched, zones]
    if not isinstance(source, str | os.PathLike):
        msg = f"resume: expected files or DicomImages, got {type(source).__name__}."
        raise InputError(msg)
    try:
        found = Path(source.archive if isinstance(source, Member) else source).stat()
    except OSError:
        return [os.fsencode(source)]
    return [os.fsencode(source), found.st_size, found.st_mtime_ns]


def _digest_of_file(path: Path) -> str:
    if not path.is_file():
        return str(path)
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
