"""One label for each file, as numbers of one shape."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.files import File
from saliency.pipeline.label_matching import aligned
from saliency.pipeline.label_table import table_in
from saliency.values.arrays import Array


def labels_by_file(
    labels: object, files: Sequence[File], column: str, classes: Sequence[str] | None
) -> list[Any]:
    """Return the label of each file; None where there is none.

    Parameters
    ----------
    labels
        A mapping from path to label, or the path of a CSV file. Paths are compared from their ends,
        see :mod:`saliency.pipeline.label_matching`.
    files
        What the labels are of.
    column
        Of the labels in the CSV file; its first column names the files.
    classes
        Names of the classes: a label that is text becomes the index of its name.

    Raises
    ------
    InputError
        The labels are of another type, belong to none of the files, or leave doubt which is whose.
    """
    if isinstance(labels, str | PathLike):
        labels = table_in(Path(labels)).column(column)
    if not isinstance(labels, Mapping):
        msg = (
            "tf_dataset: expected labels as a mapping from path to label, or the path of a CSV "
            f"file, got {type(labels).__name__}."
        )
        raise InputError(msg)
    by_file = aligned(labels, files, owner="tf_dataset", name="labels")
    return [None if label is None else _as_number(label, classes) for label in by_file]


def stacked_labels(labels: Sequence[Any]) -> Array:
    """Return labels as one array: int64 (files, ...) where all are whole numbers, else float32.

    Raises
    ------
    InputError
        Shapes differ, or a label is no number.
    """
    shapes = {np.shape(label) for label in labels}
    if len(shapes) != 1:
        msg = f"tf_dataset: expected labels of one shape, got {sorted(shapes)}."
        raise InputError(msg)
    values = np.asarray(labels)
    if values.dtype.kind not in "buif":
        msg = f"tf_dataset: expected labels that are numbers, got {type(labels[0]).__name__}."
        raise InputError(msg)
    return values.astype(np.float32 if values.dtype.kind == "f" else np.int64)


def _as_number(label: Any, classes: Sequence[str] | None) -> Any:
    """Return a label as it is; of a text the class it names, or the number it is; None of a gap."""
    if classes is not None and isinstance(label, str):
        return _class_index(label, classes)
    if isinstance(label, str):
        return _number(label)
    if label is None or (np.ndim(label) == 0 and label != label):  # noqa: PLR0124 - NaN is a gap
        return None
    return label


def _class_index(label: str, classes: Sequence[str]) -> int:
    if label not in classes:
        msg = f"tf_dataset: expected labels among classes={tuple(classes)}, got {label!r}."
        raise InputError(msg)
    return list(classes).index(label)


def _number(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        msg = (
            f"tf_dataset: expected labels that are numbers, got the text {text!r}. Name the classes"
            " in the order of the model's outputs: classes=('healthy', 'pneumonia')."
        )
        raise InputError(msg) from None
    if np.isnan(number):
        return None
    return int(number) if number.is_integer() and text.strip("+-").isdigit() else number
