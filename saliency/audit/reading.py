"""First look at every picture: its zones and what the model says; the pixels are let go."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from saliency.audit.asking import Asker
from saliency.audit.canvas import Packed, packed, with_text
from saliency.audit.heat import masks
from saliency.audit.sources import Label, Source
from saliency.errors import InputError, SaliencyError
from saliency.pipeline.ahead import ahead
from saliency.pipeline.explain import as_image
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.failure import Failure
from saliency.values.image import DicomImage

AHEAD = 4


@final
@dataclass(frozen=True, eq=False)
class Seen:
    """What is remembered of one picture.

    Parameters
    ----------
    index
        Position among the sources.
    digest
        Of its pixel data.
    label
        What it is labelled; None where it is not.
    zones
        The mask of each zone that is not empty.
    said
        The predicted class, or the target's score.
    """

    index: int
    digest: str
    label: Label | None
    zones: Mapping[str, Packed]
    said: float


def look(
    asker: Asker, target: Target, sources: Sequence[Source], labels: Sequence[Label | None]
) -> Iterator[Seen | Failure]:
    """Read every picture once.

    Raises
    ------
    InputError
        Labels were given, and a picture that can be read has none.
    """
    labelled = sum(label is not None for label in labels)
    for index, picture in enumerate(ahead(_picture, enumerate(sources), window=AHEAD)):
        if labelled and labels[index] is None and not isinstance(picture, Failure):
            msg = (
                f"audit: expected a label for each image, got labels for {labelled} of "
                f"{len(sources)}; image {index + 1} is one without."
            )
            raise InputError(msg)
        yield _seen(asker, target, index, picture, labels[index])


def masks_of(image: DicomImage) -> dict[str, Array]:
    """Return the mask of each zone that is not empty."""
    found = masks(image)
    del found["diagnostic"]
    return {name: mask for name, mask in found.items() if mask.any()}


def read(source: Source) -> DicomImage:
    """Return a picture, its text looked for."""
    return with_text(as_image(source))


def failure(index: int, error: SaliencyError) -> Failure:
    """Return an error as a row."""
    return Failure(index, type(error).__name__, str(error))


def _seen(
    asker: Asker,
    target: Target,
    index: int,
    picture: DicomImage | Failure,
    label: Label | None,
) -> Seen | Failure:
    if isinstance(picture, Failure):
        return picture
    try:
        said = _said(asker, target, picture)
    except SaliencyError as error:
        return failure(index, error)
    zones = {name: packed(mask) for name, mask in masks_of(picture).items()}
    return Seen(index, picture.digest, label, zones, said)


def _said(asker: Asker, target: Target, picture: DicomImage) -> float:
    by_class = target is None and asker.classes is not None
    found: Any = asker.predicted([picture]) if by_class else asker.scores([picture], (target,))
    return float(np.ravel(found)[0])


def _picture(item: tuple[int, Source]) -> DicomImage | Failure:
    index, source = item
    try:
        return read(source)
    except SaliencyError as error:
        return failure(index, error)
