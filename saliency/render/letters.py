"""The letters that pictures are captioned with."""

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont


@lru_cache(maxsize=16)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans as matplotlib ships it: the same letters on every machine."""
    return ImageFont.truetype(_file_of_font(bold=bold), size)


def drawable(text: str) -> str:
    r"""Return a text with the code of each letter that the font lacks: ``"\u80ba"``.

    The font would draw boxes, which name nothing: its letters are Latin, Greek, Cyrillic and some
    others, not those of Chinese, Japanese or Korean.
    """
    known = _letters_of_font()
    return "".join(
        each
        if each.isspace() or ord(each) in known
        else each.encode("ascii", "backslashreplace").decode()
        for each in text
    )


@lru_cache(maxsize=1)
def _letters_of_font() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 - slow to load

    plain, bold = (
        FT2Font(_file_of_font(bold=bold)).get_charmap() for bold in (False, True)
    )
    return frozenset(plain) & frozenset(bold)


def _file_of_font(*, bold: bool) -> str:
    import matplotlib  # noqa: PLC0415, ICN001 - slow to load, and wanted for its font alone

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", name))
