"""Which colours heat takes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import final

import numpy as np

from saliency.errors import InputError
from saliency.render.colour import distance
from saliency.values.arrays import Array, frozen

#: name -> (colours, warning). Measured in tests/render/test_palettes.py, chosen in decision 040.
NAMED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "green": ("0f0", "e000ff"),
        "hot": ("a00038,ff2000,ff9000,ffee00", "4060ff"),
        "diverging": ("0080ff|e06000", "ffff00"),
        "safe": ("ff6800", "4060ff"),
    }
)

_STOP = "#?(?:[0-9a-f]{6}|[0-9a-f]{3})"
_HALF = f"{_STOP}(?:,{_STOP})*"
_LANGUAGE = re.compile(rf"{_HALF}(?:\|{_HALF})?", re.IGNORECASE)


@final
@dataclass(frozen=True)
class Palette:
    """256 colours from the weakest heat to the strongest, and one that warns.

    The opacity is no matter of the palette: it grows with the heat, from nothing.

    Parameters
    ----------
    source
        A name: ``"green"`` (far from every grey), ``"hot"`` (lightness grows with the heat),
        ``"diverging"`` (blue below 0, orange above), ``"safe"`` (orange: even for all kinds of
        colour blindness). Or hex colours from weak to strong, evenly spaced: ``"000,0f0,fff"``.
        A bar parts negative heat from positive, read like a colour bar: the strongest negative
        comes first, as in ``"00f,08f|f80,f00"``.

    Raises
    ------
    InputError
        Neither a name nor a row of hex colours.
    """

    source: str = "green"

    def __post_init__(self) -> None:
        known = isinstance(self.source, str) and self.source in NAMED
        if not known and not (isinstance(self.source, str) and _LANGUAGE.fullmatch(self.source)):
            raise InputError(_unknown(self.source))

    @property
    def signed(self) -> bool:
        """True where heat below 0 has colours of its own; else |heat| is painted."""
        return "|" in self._colours

    @cached_property
    def positive(self) -> Array:
        """uint8 (256, 3) RGB for heat above 0, weakest first."""
        return _ramp(self._colours.rpartition("|")[2].split(","))

    @cached_property
    def negative(self) -> Array:
        """uint8 (256, 3) RGB for heat below 0, weakest first; unsigned: as for heat above 0."""
        return (
            _ramp(self._colours.partition("|")[0].split(",")[::-1])
            if self.signed
            else self.positive
        )

    @cached_property
    def warning(self) -> Array:
        """uint8 (3,) RGB for heat outside the diagnostic pixels, far from the other colours."""
        if self.source in NAMED:
            return _rgb(NAMED[self.source][1])
        own = np.concatenate([self.positive[::5], self.negative[::5]])
        choices = [_rgb(warning) for _, warning in NAMED.values()]
        return max([*choices, _rgb("0f0")], key=lambda colour: distance(colour[None], own))

    @property
    def _colours(self) -> str:
        return NAMED[self.source][0] if self.source in NAMED else self.source


def _rgb(stop: str) -> Array:
    digits = stop.removeprefix("#")
    wide = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    return frozen(np.array(list(bytes.fromhex(wide)), np.uint8), np.uint8, "stop", ranks=(1,))


def _ramp(stops: list[str]) -> Array:
    colours = np.array([_rgb(stop) for stop in stops])
    where = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(where, np.arange(len(stops)), channel) for channel in colours.T]
    return frozen(np.rint(channels).T.astype(np.uint8), np.uint8, "palette", ranks=(2,))


def _unknown(source: object) -> str:
    near = get_close_matches(str(source).lower(), NAMED, n=2, cutoff=0.4) or list(NAMED)
    return (
        f"Palette: expected a name or hex colours like '000,0f0,fff', got {source!r}. "
        f"Nearest names: {', '.join(near)}."
    )
