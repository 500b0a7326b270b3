"""Photometric Interpretation (0028,0004): the words that mean something (PS3.3 C.7.6.3.1.2)."""

import re
from types import MappingProxyType
from typing import Final

from saliency.dicom.file.guard import warn

#: The terms of the standard, those of today and the retired ones, and what JPEG XL calls its own.
TERMS: Final = (
    "MONOCHROME1",
    "MONOCHROME2",
    "PALETTE COLOR",
    "RGB",
    "HSV",
    "ARGB",
    "CMYK",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_PARTIAL",
    "YBR_PARTIAL_422",
    "YBR_PARTIAL_420",
    "YBR_ICT",
    "YBR_RCT",
    "XYB",
)
#: How the terms of three samples a pixel start.
COLOURED: Final = ("RGB", "YBR", "HSV", "ARGB", "CMYK", "XYB")
_NOT_LETTERS: Final = re.compile("[^A-Z0-9]")
_SPELLINGS: Final = MappingProxyType(
    {_NOT_LETTERS.sub("", term): term for term in TERMS}
    | {"PALETTECOLOUR": "PALETTE COLOR"}
)


def known_term(said: str, samples: float) -> str:
    """Return the term that is meant, of what a data set with so many samples a pixel says.

    Spaces and underscores may be others, with a note. A word of one sample that nobody knows is
    taken for MONOCHROME2, with a note; of three samples it is handed on, as a codestream may know.
    """
    word = said.upper()
    if word in TERMS:
        return word
    if not word:
        return "RGB" if samples == 3 else "MONOCHROME2"
    grey = samples == 1 and not word.startswith(COLOURED)
    meant = _SPELLINGS.get(_NOT_LETTERS.sub("", word), "MONOCHROME2" if grey else word)
    if meant != word:
        warn(
            "Photometric Interpretation (0028,0004) is no term of PS3.3 C.7.6.3.1.2: "
            f"read as {meant}."
        )
    return meant
