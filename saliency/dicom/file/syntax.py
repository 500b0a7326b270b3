"""Transfer syntaxes: how the bytes of a file are laid out (PS3.5 10, annex A; PS3.6 A)."""

from dataclasses import dataclass
from typing import Final

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
        Which decoder reads a frame: ``"native"``, ``"rle"``, ``"deflate"``, ``"jpeg"``,
        ``"jpegls"``, ``"jpeg2k"``, ``"jpegxl"``, ``"video"``.
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
        return str(UID(self.uid).name) if self.uid else "not named by the file"


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
_ENCAPSULATED = {
    "jpeg": (*range(50, 67), 70),
    "jpegls": (80, 81),
    "jpeg2k": (90, 91, 92, 93, 201, 202, 203),
    "jpegxl": (110, 111, 112),
    "video": (*range(100, 109), "100.1", "101.1", "102.1", "103.1", "104.1", "105.1", "106.1"),
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
        msg = (
            "Expected a transfer syntax of PS3.6 A in Transfer Syntax UID (0002,0010), found an "
            "unknown one. Convert the file to Explicit VR Little Endian."
        )
        raise DicomError(msg, reason="unknown-transfer-syntax")
    return Syntax(known.family, known.encoding, known.deflated, known.little_pixels, uid)


def _encapsulated(uid: str) -> Syntax | None:
    if uid == f"{_ROOT}.5":
        return Syntax("rle", EXPLICIT)
    if uid == f"{_ROOT}.8.1":
        return Syntax("deflate", EXPLICIT)
    number = uid.removeprefix(f"{_ROOT}.4.")
    for family, numbers in _ENCAPSULATED.items():
        if number in {str(each) for each in numbers}:
            return Syntax(family, EXPLICIT)
    return None
