"""Divide files by how they came to be, without letting a value of theirs out of this room."""

import hmac
import secrets
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from saliency.dicom.file.guard import contained
from saliency.errors import DicomError, InputError, SaliencyError

STRATA: Final = frozenset(
    {
        "BitsStored",
        "BodyPartExamined",
        "Columns",
        "ConversionType",
        "DetectorID",
        "DetectorType",
        "DeviceSerialNumber",
        "Grid",
        "ImageLaterality",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "KVP",
        "Laterality",
        "Manufacturer",
        "ManufacturerModelName",
        "Modality",
        "PatientOrientation",
        "PatientPosition",
        "PatientSex",
        "PhotometricInterpretation",
        "ProtocolName",
        "Rows",
        "SoftwareVersions",
        "StationName",
        "ViewPosition",
    }
)
"""Keywords by which files may be divided: what a device or a place leaves in every file of its."""


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


def _token(source: Any, keyword: str, key: bytes) -> str | None:
    try:
        value = _value(source, keyword)
    except SaliencyError:
        return None
    return hmac.new(key, value, sha256).hexdigest()[:16] if value else None


def _value(source: Any, keyword: str) -> bytes:
    """Return a value as text, without the blanks that pad it."""
    with contained():
        found = _header(source, keyword).get(keyword)
        return " ".join(str(found or "").split()).encode()


def _header(source: Any, keyword: str) -> Dataset:
    if isinstance(source, Dataset):
        return source
    if isinstance(source, bytes) or (
        not hasattr(source, "__fspath__") and not isinstance(source, str)
    ):
        msg = "strata: expected a path or a Dataset."
        raise DicomError(msg, reason="no-file")
    tag = tag_for_keyword(keyword)
    return pydicom.dcmread(
        source, stop_before_pixels=True, force=True, specific_tags=[] if tag is None else [tag]
    )
