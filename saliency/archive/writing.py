"""An answer to files, and to its row of the table."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from PIL import Image

from saliency.archive.job import Job, Question
from saliency.archive.naming import stem_of
from saliency.archive.objects import (
    DICOM,
    Origin,
    made_of,
    store_objects,
    write_objects,
)
from saliency.archive.page import Row
from saliency.archive.reading import reading
from saliency.archive.sources import Frame
from saliency.archive.table import COLUMNS, THUMBNAILS
from saliency.errors import SaliencyError
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.writers import save_explanation
from saliency.render.figure import save as save_figure
from saliency.values.failure import Failure
from saliency.values.files import write_whole

_THUMBNAIL: Final = 256
#: Digits of names that tell images of the same pixel data apart. Of an archive's blank images there
#: may be thousands, and their DICOM objects are of one patient each.
_DIGITS: Final = 6
_DIGITS_OF_FILE: Final = 16
UNWRITTEN: Final = "the result could not be written"
"""What the error of a row begins with where the fault is the disk's."""


@final
@dataclass(frozen=True, eq=False)
class Answered:
    """One frame, one question, and what came of it.

    Parameters
    ----------
    frame, question
        What was asked.
    result
        An Explanation, or a Failure.
    identity
        Of the image; "" where it could not be read.
    mark
        Of the file as it was before it was read.
    origin
        What DICOM objects are made of; None where there will be none.
    seconds
        Of reading and explaining.
    """

    frame: Frame
    question: Question
    result: Explanation | Failure
    identity: str = ""
    mark: bytes = b""
    origin: Origin | None = None
    seconds: float = 0.0


def row_of(job: Job, answered: Answered) -> dict[str, Any]:
    """Write the files of an answer; return its row."""
    result = answered.result
    if isinstance(result, Failure):
        return _row_of_failure(job, answered, result.message)
    try:
        with reading(str(answered.frame)):
            outputs, thumbnail = _written(job, answered, result)
    except OSError as error:
        words = error.strerror or str(error)
        return _row_of_failure(job, answered, f"{UNWRITTEN}: {words}")
    except SaliencyError as error:
        return _row_of_failure(job, answered, str(error))
    except Exception as error:  # noqa: BLE001 - the edge of a result: others go on
        return _row_of_failure(job, answered, f"{type(error).__name__}: {error}")
    told = {name: getattr(result, name) for name in _OF_RESULT}
    return {
        **_row_of_frame(job, answered),
        **told,
        "digest": result.image.digest,
        "seconds": round(answered.seconds, 4),
        "outputs": outputs,
        "thumbnail": thumbnail,
        "record": job.record(answered.question, answered.identity),
        "stamp": job.stamp(answered.question, answered.mark),
    }


_OF_RESULT: Final = (
    *("target", "label", "probability", "score", "gap", "outside", "caption"),
)  # fmt: skip


def row_again(job: Job, frame: Frame, row: Row) -> dict[str, Any]:
    """Return the row of an image that was explained before, maybe from another file."""
    source = "" if job.anonymous else str(frame)
    return {**row, "source": source, "truth": frame.truth or None}


def _row_of_frame(job: Job, answered: Answered) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys((*COLUMNS, "thumbnail"))
    return {
        **empty,
        "source": "" if job.anonymous else str(answered.frame),
        "frame": answered.frame.number,
        "method": answered.question.method,
        "truth": answered.frame.truth or None,
        "outputs": [],
        "caption": "",
        "record": "",
        "stamp": "",
    }


def _row_of_failure(job: Job, answered: Answered, error: str) -> dict[str, Any]:
    return {**_row_of_frame(job, answered), "error": error}


def _written(
    job: Job, answered: Answered, result: Explanation
) -> tuple[list[str], str]:
    """Write the files of a result; return their names, and that of the thumbnail.

    What may fail for the source comes first, and what cannot be taken back last.
    """
    question, identity, origin = answered.question, answered.identity, answered.origin
    key = job.key(question, identity)[: _DIGITS if origin is None else _DIGITS_OF_FILE]
    stem = stem_of(result.image, key, question.method, result.target)
    painted = result.overlay(**job.look)  # once for all forms
    look = {**job.look, "painted": painted}
    made = {}
    if origin is not None:
        name = job.name_of_objects(question, identity)
        made = made_of(result, origin, look, name)
    paths = [
        save_explanation(
            result, job.out / f"{stem}.{form}", {**look, "caption": job.caption}
        )
        for form in job.forms
        if form != DICOM
    ]
    if DICOM in job.forms:
        paths += write_objects(made, job.out, stem)
    if job.figure:
        drawn = result.figure(vmax=job.look.get("vmax"))
        paths.append(save_figure(drawn, job.out / f"{stem}-figure.png"))
    thumbnail = f"{THUMBNAILS}/{stem}.jpg"
    _write_thumbnail(job.out / thumbnail, painted.rgb)
    if origin is not None and job.store:
        store_objects(made, origin.service)
    return [path.name for path in paths], thumbnail


def _write_thumbnail(path: Path, rgb: Any) -> None:
    """Write a small JPEG, which a page of thousands can show."""
    small = Image.fromarray(rgb)
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=85)
    write_whole(path, data.getvalue())
