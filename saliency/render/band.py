"""A band of words and a scale below a picture. The picture itself is never written on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from saliency.render.letters import drawable
from saliency.render.letters import font as font_of
from saliency.render.palettes import Palette
from saliency.values.arrays import Array

Tone: TypeAlias = Literal["head", "plain", "alarm", "faint"]

_PAPER: Final = (20, 20, 20)
_INK: Final[dict[Tone, tuple[int, int, int]]] = {
    "head": (255, 255, 255),
    "plain": (225, 225, 225),
    "alarm": (255, 190, 60),
    "faint": (165, 165, 165),
}
#: Columns of the narrowest band; a narrower picture stands at its left.
_NARROWEST: Final = 380
#: Letters of a line, about, and the least and greatest size of letters in pixels.
_LETTERS, _SMALLEST, _LARGEST = 34, 12, 44


@final
@dataclass(frozen=True)
class Line:
    """A sentence of the band."""

    text: str
    tone: Tone = "plain"


@final
@dataclass(frozen=True)
class Legend:
    """What colours mean.

    Parameters
    ----------
    palette
        Of the overlay.
    top
        Heat of full colour; 0 where nothing is painted.
    unit
        Of heat.
    signed
        Whether heat below 0 is painted in colours of its own.
    warns
        Whether heat outside the diagnostic pixels is painted.
    """

    palette: Palette
    top: float
    unit: str
    signed: bool = False
    warns: bool = False


@final
@dataclass(frozen=True)
class Swatch:
    """A colour, RGB 0..255, and what it stands for."""

    colour: tuple[int, int, int]
    words: str


def banded(
    rgb: Array,
    lines: Sequence[Line],
    legend: Legend | None,
    *,
    swatches: Sequence[Swatch] = (),
    ruler: float | None = None,
) -> Array:
    """Return the picture with a band below it.

    Parameters
    ----------
    rgb
        uint8 (rows, columns, 3).
    lines
        From top to bottom; a line that is too long is broken at blanks.
    legend
        Drawn after the first line; None: no scale.
    swatches
        Colours of their own, drawn behind the legend.
    ruler
        mm of a pixel, down and across: a bar of so many mm is drawn first. None: no bar.

    Returns
    -------
    Array
        uint8 RGB; its upper left (rows, columns) are ``rgb``, bit for bit.
    """
    rows, columns = rgb.shape[:2]
    width = max(columns, _NARROWEST)
    size = int(np.clip(width / _LETTERS, _SMALLEST, _LARGEST))
    sheet = _Sheet(width, size)
    if ruler is not None:
        sheet.measure(ruler, columns)
    for number, line in enumerate(lines):
        sheet.write(line)
        if number:
            continue
        if legend is not None:
            sheet.draw(legend)
        for each in swatches:
            sheet.swatch(np.array(each.colour), each.words)
    band = sheet.finished()
    whole = np.empty((rows + band.shape[0], width, 3), np.uint8)
    whole[:] = _PAPER
    whole[:rows, :columns] = rgb
    whole[rows:] = band
    return whole


def ends_of_bar(legend: Legend) -> tuple[str, str]:
    """Return the numbers at the left and at the right of a colour bar."""
    if legend.signed:
        return f"against {-legend.top:.3g}", f"{legend.top:.3g} for"
    return "0", f"{legend.top:.3g}"


def faded(palette: Palette, *, signed: bool) -> Array:
    """Return uint8 (n, 3): the palette as it looks on a black picture, weak heat dark.

    Signed: from the strongest heat against to the strongest for, black at 0.
    """
    fade = np.linspace(0, 1, 256)[:, None]
    above = palette.positive * fade
    below = (palette.negative * fade)[::-1] if signed else above[:0]
    colours: Array = np.rint(np.concatenate([below, above])).astype(np.uint8)
    return colours


class _Sheet:
    """Paper that grows downwards."""

    def __init__(self, width: int, size: int) -> None:
        self._image = Image.new("RGB", (width, size * 60), _PAPER)
        self._pen = ImageDraw.Draw(self._image)
        self._margin = size // 2
        self._size = size
        self._y = self._margin

    def write(self, line: Line) -> None:
        font = font_of(self._size, bold=line.tone in ("head", "alarm"))
        text = drawable(line.text)
        for part in _wrapped(text, font, self._image.width - 2 * self._margin):
            self._pen.text(
                (self._margin, self._y), part, fill=_INK[line.tone], font=font
            )
            self._y += round(1.3 * self._size)

    def draw(self, legend: Legend) -> None:
        """Draw the colour bar with its numbers, the unit, and what the warning hue means."""
        if legend.top > 0:
            self._bar(legend)
            self.write(Line(legend.unit, "faint"))
        if legend.warns:
            self.swatch(
                legend.palette.warning, "heat where the picture is not diagnostic"
            )

    def _bar(self, legend: Legend) -> None:
        font = font_of(self._size, bold=False)
        left, right = ends_of_bar(legend)
        start = self._margin + round(font.getlength(left)) + self._margin
        end = self._image.width - 2 * self._margin - round(font.getlength(right))
        colours = faded(legend.palette, signed=legend.signed)
        where = (
            np.linspace(0, len(colours) - 1, max(2, end - start)).round().astype(int)
        )
        bar = np.repeat(colours[where][None], self._size, axis=0)
        self._image.paste(Image.fromarray(bar), (start, self._y + self._size // 8))
        ink = _INK["plain"]
        self._pen.text((self._margin, self._y), left, fill=ink, font=font)
        self._pen.text((end + self._margin, self._y), right, fill=ink, font=font)
        self._y += round(1.4 * self._size)

    def measure(self, mm_a_pixel: float, columns: int) -> None:
        """Draw a bar of a round number of mm, at most a quarter of the picture's columns."""
        mm = _round_below(mm_a_pixel * columns / 4)
        length = max(1, round(mm / mm_a_pixel))
        top = self._y + self._size // 2
        end = self._margin + length
        thick = max(2, self._size // 5)
        ink = _INK["head"]
        self._pen.rectangle((self._margin, top, end - 1, top + thick), fill=ink)
        text = f"{mm:g} mm" if mm >= 0.1 else f"{1000 * mm:g} \N{MICRO SIGN}m"
        font = font_of(self._size, bold=False)
        self._pen.text((end + self._margin, self._y), text, fill=ink, font=font)
        self._y += round(1.4 * self._size)

    def swatch(self, colour: Array, words: str) -> None:
        """Draw a square of a colour, and beside it what it stands for."""
        top = self._y + self._size // 8
        box = (self._margin, top, self._margin + self._size, top + self._size)
        self._pen.rectangle(box, fill=tuple(int(part) for part in colour))
        at = (2 * self._margin + self._size, self._y)
        font = font_of(self._size, bold=False)
        self._pen.text(at, drawable(words), fill=_INK["plain"], font=font)
        self._y += round(1.4 * self._size)

    def finished(self) -> Array:
        """Return the paper down to where it is written on."""
        return np.asarray(self._image)[: self._y + self._margin]


def _round_below(value: float) -> float:
    """Return the greatest of 1, 2, 5, 10, 20, 50 ... and their tenths that is not above a value."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(
        max(step * power for step in (1, 2, 5) if step * power <= value * 1.0001)
    )


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Break a text at blanks into lines of at most ``width`` pixels; a longer word is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        lines = [line for line in lines if line]
        lines.append(word)
        while font.getlength(lines[-1]) > width and len(lines[-1]) > 1:
            fits = _fitting(lines[-1], font, width)
            lines[-1:] = [lines[-1][:fits], lines[-1][fits:]]
    return lines


def _fitting(word: str, font: ImageFont.FreeTypeFont, width: int) -> int:
    """Return how many letters of a word that is too long fit, one at least."""
    lengths = range(len(word) - 1, 0, -1)
    return next((n for n in lengths if font.getlength(word[:n]) <= width), 1)
