"""Transfer syntaxes: how the bytes of a file are laid out (PS3.5 10, annex A; PS3.6 A)."""

from dataclasses import dataclass
from typing import Final

from pydicom.config import IGNORE
from pydicom.uid import UID

from saliency.errors import DicomError


@dataclass(frozen=True)
class Encoding:
    """How elements are written: with or without VR, and the byte order."""

    implicit: bool
    little: bool


@dataclass(frozen=True)
class Syntax:
    """One transfer syntax.

    Parameters
    ----------
    family
        Which decoder reads a frame: ``"native"``, ``"uncompressed"`` (native words in fragments),
        ``"rle"``, ``"deflate"``, ``"jpeg"``, ``"jpegls"``, ``"jpeg2k"``, ``"jpegxl"``, ``"video"``.
    encoding
        How the elements are written.
    deflated
        The whole data set is one deflate stream (PS3.5 A.5).
    little_pixels
        Byte order of native pixels.
    uid
        The UID, ``""`` where the file names none.
    """

    family: str
    encoding: Encoding
    deflated: bool = False
    little_pixels: bool = True
    uid: str = ""

    @property
    def name(self) -> str:
        """The name in PS3.6 A; the UID where there is none."""
        return uid_name(self.uid) if self.uid else "not named by the file"


IMPLICIT: Final = Encoding(implicit=True, little=True)
EXPLICIT: Final = Encoding(implicit=False, little=True)
BIG: Final = Encoding(implicit=False, little=False)

_ROOT = "1.2.840.10008.1.2"
_NATIVE = {
    _ROOT: Syntax("native", IMPLICIT),
    f"{_ROOT}.1": Syntax("native", EXPLICIT),
    f"{_ROOT}.1.99": Syntax("native", EXPLICIT, deflated=True),
    f"{_ROOT}.2": Syntax("native", BIG, little_pixels=False),
    "1.2.840.10008.1.20": Syntax("native", IMPLICIT),  # Papyrus 3, retired
    "1.2.840.113619.5.2": Syntax("native", IMPLICIT, little_pixels=False),  # GE private
}
#: Frames in fragments; the UIDs under 1.2.840.10008.1.2.4 are below.
_FRAGMENTS = {
    f"{_ROOT}.1.98": "uncompressed",
    f"{_ROOT}.5": "rle",
    f"{_ROOT}.8.1": "deflate",
}
#: JPIP: the data set holds the address of its pixels alone (PS3.5 A.6, A.7, A.11, A.12).
_REFERENCED = tuple(f"{_ROOT}.4.{number}" for number in (94, 95, 204, 205))
_ENCAPSULATED = {
    "jpeg": (*range(50, 67), 70),
    "jpegls": (80, 81),
    "jpeg2k": (90, 91, 92, 93, 201, 202, 203),
    "jpegxl": (110, 111, 112),
    "video": (
        *range(100, 109),
        "100.1",
        "101.1",
        "102.1",
        "103.1",
        "104.1",
        "105.1",
        "106.1",
    ),
}


def find_syntax(uid: str, guess: Encoding) -> Syntax:
    """Return the syntax of a transfer syntax UID; of native elements where there is none.

    Raises
    ------
    DicomError
        The UID is not one that this library reads.
    """
    if not uid:
        return Syntax("native", guess, little_pixels=guess.little)
    known = _NATIVE.get(uid) or _encapsulated(uid)
    if known is None:
        raise _why_not_read(uid)
    return Syntax(
        known.family, known.encoding, known.deflated, known.little_pixels, uid
    )


def uid_name(uid: str) -> str:
    """Return the name of a UID in PS3.6 A, the UID where it has none.

    pydicom's warning about a malformed UID would quote it.
    """
    return str(UID(uid, validation_mode=IGNORE).name)


def _why_not_read(uid: str) -> DicomError:
    """Return why a transfer syntax is not read; a name in PS3.6 is told, an unknown UID is not."""
    if uid in _REFERENCED:
        msg = (
            "Expected pixel data in the file, found the address of a JPIP server in its place "
            "(PS3.5 A.6); nothing is fetched from there. Ask the archive for the image in another "
            "transfer syntax."
        )
        return DicomError(msg, reason="jpip")
    name = uid_name(uid)
    if name != uid:
        msg = (
            f"Expected a transfer syntax of pictures in Transfer Syntax UID (0002,0010), found "
            f"{name}, which is not read. Convert the file to Explicit VR Little Endian."
        )
        return DicomError(msg, reason="unsupported-transfer-syntax")
    msg = (
        "Expected a transfer syntax of PS3.6 A in Transfer Syntax UID (0002,0010), found an "
        "unknown one. Convert the file to Explicit VR Little Endian."
    )
    return DicomError(msg, reason="unknown-transfer-syntax")


def _encapsulated(uid: str) -> Syntax | None:
    if uid in _FRAGMENTS:
        return Syntax(_FRAGMENTS[uid], EXPLICIT)
    number = uid.removeprefix(f"{_ROOT}.4.")
    for family, numbers in _ENCAPSULATED.items():
        if number in {str(known) for known in numbers}:
            return Syntax(family, EXPLICIT)
    return None
