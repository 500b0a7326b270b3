"""From what a user gives to cases: images, their truths, targets and patients."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from saliency.errors import InputError
from saliency.evaluation.measuring import Case
from saliency.pipeline.explain import as_image, bound, prepared
from saliency.pipeline.files import sources_in
from saliency.pipeline.prefetch import ahead
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.failure import Failure
from saliency.values.image import DicomImage
from saliency.values.mask import Mask


def listed(images: object) -> list[Any]:
    """Return the sources of images.

    Raises
    ------
    InputError
        There is none.
    """
    found = list(sources_in(images))
    if not found:
        msg = "evaluate: expected one image or more, got none."
        raise InputError(msg)
    return found


def aligned(values: Any, sources: Sequence[Any], name: str) -> list[Any]:
    """Return one value for each source; None where there is none.

    Parameters
    ----------
    values
        A sequence in the order of the images; a mapping by path or file name; or None.

    Raises
    ------
    InputError
        The numbers differ, or a key of the mapping belongs to no image.
    """
    if values is None:
        return [None] * len(sources)
    if not isinstance(values, Mapping):
        found = list(values)
        if len(found) != len(sources):
            msg = f"evaluate: expected {len(sources)} {name}, one an image, got {len(found)}."
            raise InputError(msg)
        return found
    keys = [_keys(source) for source in sources]
    known = set().union(*keys)
    lost = [key for key in map(str, values) if key not in known]
    if lost:
        msg = f"evaluate: {len(lost)} keys of {name} name no image: give paths or file names."
        raise InputError(msg)
    told = {str(key): value for key, value in values.items()}
    return [next((told[key] for key in each if key in told), None) for each in keys]


def read(
    probe: Any, sources: Sequence[Any], prepare: object, targets: Sequence[Target]
) -> list[Case | Failure]:
    """Read and prepare each image; one that cannot be becomes a Failure in its place."""

    def case(item: tuple[int, Any]) -> Case | Failure:
        index, source = item
        try:
            image = as_image(source)
            return Case(index, image, prepared(probe, image, prepare), targets[index])
        except Exception as error:  # noqa: BLE001 - the edge of an image
            return Failure(index, type(error).__name__, " ".join(str(error).split()))

    return list(ahead(case, enumerate(sources), window=8))


def truth_of(value: Any, image: DicomImage) -> Array | None:
    """Return a truth as bool (rows, columns) on the image's grid.

    Parameters
    ----------
    value
        A Mask or a bool array of the image's grid; a box (top, left, rows, columns), or several of
        them; or None.

    Raises
    ------
    InputError
        It is none of these, or of another grid.
    """
    if value is None:
        return None
    size = image.display.shape[:2]
    given = np.asarray(value.values if isinstance(value, Mask) else value)
    if given.shape == size and given.dtype == np.bool_:
        return given
    if given.dtype.kind in "iu" and given.shape[-1:] == (4,) and given.ndim <= 2:
        return _boxes(np.atleast_2d(given), size)
    msg = (
        f"evaluate: expected a truth of bool {size}, or boxes (top, left, rows, columns), got "
        f"{given.dtype} {given.shape}."
    )
    raise InputError(msg)


def _boxes(boxes: Array, size: tuple[int, int]) -> Array:
    inside = np.zeros(size, np.bool_)
    for top, left, rows, columns in boxes:
        if min(top, left) < 0 or min(rows, columns) < 1:
            msg = (
                "evaluate: expected boxes (top, left, rows, columns) of one pixel or more, got "
                f"{(int(top), int(left), int(rows), int(columns))}."
            )
            raise InputError(msg)
        inside[top : top + rows, left : left + columns] = True
    return inside


def with_donors(
    probe: Any, cases: Sequence[Case], generator: np.random.Generator
) -> list[Case]:
    """Give each case the input of another, of another decision where there is one.

    Cases of a shape of their own get none.
    """
    decided = [_decision(probe, case) for case in cases]
    found = []
    for case, own in zip(cases, decided, strict=True):
        others = [
            index
            for index, other in enumerate(cases)
            if other is not case and other.given.array.shape == case.given.array.shape
        ]
        apart = [index for index in others if decided[index] != own]
        lenders = apart or others
        donor = cases[int(generator.choice(lenders))].given.array if lenders else None
        found.append(replace(case, donor=donor))
    return found


def groups_of(groups: Sequence[Any]) -> Array:
    """Return a number for each patient, int (n,); who has no patient named is one alone."""
    names = [
        ("alone", index) if name is None else name for index, name in enumerate(groups)
    ]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names])


def _decision(probe: Any, case: Case) -> Any:
    """Return the predicted class; where there are no classes, nothing tells cases apart."""
    if not callable(getattr(probe, "at", None)):
        return None
    classes = getattr(bound(probe, None), "classes", None)
    return None if classes is None else int(np.asarray(classes(case.given.array))[0])


def _keys(source: Any) -> tuple[str, ...]:
    if isinstance(source, str | PathLike):
        return str(source), Path(source).name
    return ()
