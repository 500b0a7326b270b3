"""Which colours heat takes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias, final

import numpy as np

from saliency.errors import InputError
from saliency.render.colour import distance
from saliency.render.colour_maps import (
    is_known_as,
    map_names,
    offered,
    offered_names,
    row_of_map,
)
from saliency.values.arrays import Array, frozen

AUTO = "auto"
"""In the place of a palette: the one that stands out from the picture."""

PaletteName: TypeAlias = Literal[
    "green", "hot", "diverging", "safe", "yellow", "blue-yellow", "auto"
]
"""Names of ours; colours, and names of matplotlib's colour maps, are strings, too."""

#: name -> (colours, warning). Measured in tests/render/test_palettes.py, chosen in decision 040.
NAMED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "green": ("0f0", "e000ff"),
        "hot": ("a00038,ff2000,ff9000,ffee00", "4060ff"),
        "diverging": ("0080ff|e06000", "ffff00"),
        "safe": ("ff6800", "4060ff"),
        "yellow": ("ffff00", "e000ff"),
        "blue-yellow": ("0000ff|ffff00", "ff0080"),
    }
)

_STOP = "#?(?:[0-9a-f]{6}|[0-9a-f]{3})"
_HALF = f"{_STOP}(?:,{_STOP})*"
_LANGUAGE = re.compile(rf"{_HALF}(?:\|{_HALF})?", re.IGNORECASE)


@final
@dataclass(frozen=True)
class Palette:
    """256 colours from the weakest heat to the strongest, and a warning hue.

    Opacity is not part of the palette: it grows with the heat, from 0.

    Parameters
    ----------
    source
        A name: ``"green"`` (far from every grey), ``"hot"`` (lightness grows with the heat),
        ``"diverging"`` (blue below 0, orange above), ``"safe"`` (orange: even for all kinds of
        colour blindness), ``"yellow"`` and, signed, ``"blue-yellow"`` (for colour images on which
        ``"green"`` and ``"diverging"`` do not stand out). Or hex colours from weak to strong,
        evenly spaced: ``"000,0f0,fff"``. A bar separates negative heat from positive, in the order
        of a colour bar: the strongest negative comes first, as in ``"00f,08f|f80,f00"``. Or a
        matplotlib colour map, or its name
        (``"magma"``): a diverging one (``"RdBu_r"``) has its middle at 0. Or the name of a palette
        of another package, an entry point of the group ``saliency.palettes``.

    Raises
    ------
    InputError
        None of these, a colour map without a hue, or an entry point that is no palette.
    """

    source: str = "green"

    def __post_init__(self) -> None:
        source, row = _resolved(self.source)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "_row", row)

    def __getstate__(self) -> dict[str, str]:
        """Keep the colours: a name that another package gave may mean nothing elsewhere."""
        return {"source": self.source, "_row": self._colours}

    @property
    def signed(self) -> bool:
        """True where heat below 0 has colours of its own; else |heat| is painted."""
        return "|" in self._colours

    @cached_property
    def positive(self) -> Array:
        """uint8 (256, 3) RGB for heat above 0, weakest first."""
        return _colours_between(self._colours.rpartition("|")[2].split(","))

    @cached_property
    def negative(self) -> Array:
        """uint8 (256, 3) RGB for heat below 0, weakest first; unsigned: as for heat above 0."""
        return (
            _colours_between(self._colours.partition("|")[0].split(",")[::-1])
            if self.signed
            else self.positive
        )

    @cached_property
    def warning(self) -> Array:
        """uint8 (3,) RGB for heat outside the diagnostic pixels, far from the other colours."""
        if self.source in NAMED:
            return _rgb_of_stop(NAMED[self.source][1])
        own = np.concatenate([self.positive[::5], self.negative[::5]])
        choices = [_rgb_of_stop(warning) for _, warning in NAMED.values()]
        return max(
            [*choices, _rgb_of_stop("0f0")],
            key=lambda colour: distance(colour[None], own),
        )

    @property
    def _colours(self) -> str:
        return str(self.__dict__["_row"])


def check_palette(source: str) -> None:
    """Refuse, by InputError, what neither is a palette nor chooses one."""
    if source != AUTO:
        Palette(source)


class _Resolved(NamedTuple):
    """What a palette is called, and its colours."""

    source: str
    row: str


def _resolved(source: object) -> _Resolved:
    if isinstance(source, str) and source in NAMED:
        return _Resolved(source, NAMED[source][0])
    if isinstance(source, str) and _LANGUAGE.fullmatch(source):
        return _Resolved(source, source)
    row = row_of_map(source)
    if row is None:
        row = _of_another_package(source)
    if isinstance(source, str):
        return _Resolved(source, row)
    name = str(getattr(source, "name", ""))
    known = name not in NAMED and is_known_as(name, row)
    return _Resolved(name if known else row, row)


def _of_another_package(name: object) -> str:
    given = offered(name) if isinstance(name, str) else None
    if given is None:
        raise InputError(_unknown(name))
    if isinstance(given, Palette):
        return given._colours  # noqa: SLF001 - of its own class
    row = (
        given
        if isinstance(given, str) and _LANGUAGE.fullmatch(given)
        else row_of_map(given)
    )
    if row is None:
        msg = (
            f"Palette: expected the palette {name!r} of another package to be hex colours, a "
            f"matplotlib colour map or a Palette, got {type(given).__name__}."
        )
        raise InputError(msg)
    return row


def _rgb_of_stop(stop: str) -> Array:
    digits = stop.removeprefix("#")
    wide = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    return frozen(
        np.array(list(bytes.fromhex(wide)), np.uint8), np.uint8, "stop", ranks=(1,)
    )


def _colours_between(stops: list[str]) -> Array:
    colours = np.array([_rgb_of_stop(stop) for stop in stops])
    where = np.linspace(0, len(stops) - 1, 256)
    channels = [
        np.interp(where, np.arange(len(stops)), channel) for channel in colours.T
    ]
    return frozen(np.rint(channels).T.astype(np.uint8), np.uint8, "palette", ranks=(2,))


def _unknown(source: object) -> str:
    known = [*NAMED, *map_names(), *offered_names()]
    near = get_close_matches(str(source).lower(), known, n=2, cutoff=0.6) or list(NAMED)
    return (
        "Palette: expected a name, hex colours like '000,0f0,fff' or a matplotlib colour map, "
        f"got {source!r}. Nearest names: {', '.join(near)}."
    )
