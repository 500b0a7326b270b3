"""Divide files by how they came to be, without letting a value of theirs out of this room."""

import hmac
import secrets
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

from saliency.dicom.file.elements import Elements, codes
from saliency.dicom.file.guard import contained
from saliency.dicom.file.open import open_source
from saliency.dicom.file.tags import (
    CHARSET,
    GROUPING,
    GROUPING_TAGS,
    PATIENT_ID,
    STUDY_UID,
    TAGS,
    vr_of,
)
from saliency.errors import InputError, SaliencyError

STRATA: Final = GROUPING
"""Keywords by which files may be divided: what a device or a place leaves in every file of its."""

_NUMERIC: Final = ("US", "DS", "IS")


def tokens(
    sources: Iterable[Any], keyword: str, *, salt: bytes | None = None
) -> Iterator[str | None]:
    """Yield for each file a word that is the same for files with the same value.

    The word is HMAC-SHA256 (RFC 2104) of the value under a salt that nobody keeps, so it can be
    compared within one call and never be looked up.

    Parameters
    ----------
    sources
        What ``read_dicom`` takes; anything else has no value.
    keyword
        One of :data:`STRATA`.
    salt
        None: drawn anew.

    Yields
    ------
    str or None
        16 hexadecimal digits; None where the file has no value, or cannot be read.

    Raises
    ------
    InputError
        Another keyword.
    """
    if keyword not in STRATA:
        msg = f"strata: expected one of {', '.join(sorted(STRATA))}, got {keyword!r}."
        raise InputError(msg)
    key = secrets.token_bytes(32) if salt is None else salt
    return (_token(source, keyword, key) for source in sources)


def patient_tokens(
    sources: Iterable[Any], *, salt: bytes | None = None
) -> Iterator[tuple[str | None, str | None]]:
    """Yield for each file a word for its patient and one for its study, as :func:`tokens` does.

    They are of Patient ID (0010,0020) and Study Instance UID (0020,000D); None where the file has
    no value, or cannot be read.
    """
    key = secrets.token_bytes(32) if salt is None else salt
    return (_patient_and_study(source, key) for source in sources)


def _patient_and_study(source: Any, key: bytes) -> tuple[str | None, str | None]:
    listed = frozenset({PATIENT_ID, STUDY_UID, CHARSET, TAGS["NumberOfFrames"]})
    try:
        with contained(), open_source(source, listed) as opened:
            patient, study = (
                _joined(opened.elements.labels(tag)).encode()
                for tag in (PATIENT_ID, STUDY_UID)
            )
    except SaliencyError:
        return None, None
    return _word(patient, key), _word(study, key)


def _word(value: bytes, key: bytes) -> str | None:
    return hmac.new(key, value, sha256).hexdigest()[:16] if value else None


def _token(source: Any, keyword: str, key: bytes) -> str | None:
    tag = GROUPING_TAGS[keyword]
    listed = frozenset({tag, CHARSET, TAGS["NumberOfFrames"]})
    try:
        with contained(), open_source(source, listed) as opened:
            value = _value_in_one_spelling(opened.elements, tag).encode()
    except SaliencyError:
        return None
    return _word(value, key)


def _value_in_one_spelling(elements: Elements, tag: int) -> str:
    """Return a value in one spelling: whatever the VR pads it with, and the character set."""
    vr = vr_of(tag)
    if vr in _NUMERIC:
        return " ".join(f"{number:g}" for number in elements.numbers(tag))
    values = codes(elements, tag) if vr == "CS" else elements.labels(tag)
    return _joined(values)


def _joined(values: Iterable[str]) -> str:
    return "\\".join(" ".join(value.split()) for value in values)
