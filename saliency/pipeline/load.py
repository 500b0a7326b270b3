"""An explanation out of its file."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from saliency.errors import InputError, SaliencyError
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.plain import revived
from saliency.pipeline.record import FORM, image_fields
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage
from saliency.values.zone import Zone

#: What NumPy, zipfile and json raise on a file that is none of ours, or a part of one.
_BROKEN: Final = (
    *(
        OSError,
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        MemoryError,
    ),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError),
)


def load(path: str | PathLike[str]) -> Explanation:
    """Read an explanation that ``Explanation.save`` wrote as ``.npz``.

    Every field equals what was saved, except functions of yours in its ``prepare``, of which only
    the name is kept. Nothing in the file is executed. ``figure(control=True)`` needs the model,
    which the file does not hold.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    Explanation
        With its image.

    Raises
    ------
    InputError
        It is no such file, is broken, or was written in another form.
    """
    with saved_arrays(path, "load", "Explanation.save") as arrays:
        return _explanation(arrays)


@contextmanager
def saved_arrays(
    path: str | PathLike[str], verb: str, writer: str
) -> Iterator[dict[str, Array]]:
    """Yield the arrays of an .npz; what is wrong with it, found here or inside, is one sentence.

    Parameters
    ----------
    path
        Of the file.
    verb, writer
        The message begins with the verb, and says who should have written the file.

    Raises
    ------
    InputError
        It is no such file, or is broken.
    """
    try:
        with Path(path).open("rb") as file:
            yield _arrays(file, verb, writer)
    except SaliencyError:
        raise
    except FileNotFoundError as error:
        msg = f"{verb}: expected a file that {writer} wrote, found no file under that name."
        raise InputError(msg) from error
    except _BROKEN as error:
        msg = (
            f"{verb}: expected an .npz that {writer} wrote, found one that cannot be read "
            f"({type(error).__name__}). Save the explanation again."
        )
        raise InputError(msg) from error


def _arrays(file: BinaryIO, verb: str, writer: str) -> dict[str, Array]:
    if not zipfile.is_zipfile(file):
        msg = (
            f"{verb}: expected an .npz that {writer} wrote, got a file of another kind."
        )
        raise InputError(msg)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _explanation(arrays: dict[str, Array]) -> Explanation:
    if "record" not in arrays:
        msg = (
            "load: expected an .npz that Explanation.save wrote, found one without a record: it "
            "is of an earlier version or of another program. numpy.load reads its arrays."
        )
        raise InputError(msg)
    record = json.loads(str(arrays["record"]))
    if "tiles" in record:
        msg = (
            "load: expected the explanation of an image, got that of a slide. Read it beside its "
            "slide: load_slide(folder, slide)."
        )
        raise InputError(msg)
    if record["form"] != FORM:
        msg = f"load: expected a record of form {FORM}, got {record['form']!r}: use its version."
        raise InputError(msg)
    own = (
        "probability",
        "label",
        "seed",
        "explains",
        "saturated",
        "indifferent",
        "cutoff",
    )
    values = ("prepare", "model", "grid")
    return Explanation(
        Heatmap(arrays["values"]),
        record["score"],
        record["target"],
        record["gap"],
        record["recipe"],
        _loaded_image(record["image"], arrays),
        record["versions"],
        **{name: record[name] for name in own},
        **{name: revived(record[name]) for name in values},
        trust=revived(record.get("trust")),  # files of earlier versions have none
    )


def _loaded_image(told: dict[str, Any], arrays: dict[str, Array]) -> DicomImage:
    rows, columns = told["size"]
    zones = (
        Zone(each["name"], _unpacked_mask(packed, (rows, columns)), each["evidence"])
        for each, packed in zip(told["zones"], arrays["zones"], strict=True)
    )
    return DicomImage(
        arrays["pixels"],
        arrays["display"],
        stored=arrays.get("stored"),
        zones=tuple(zones),
        **{name: revived(told[name]) for name in image_fields()},
    )


def _unpacked_mask(packed: Array, size: tuple[int, int]) -> Array:
    flat = np.unpackbits(packed, count=size[0] * size[1])
    return flat.reshape(size).astype(np.bool_)
