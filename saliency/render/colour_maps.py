"""Colours of others: matplotlib's colour maps, and palettes that other packages offer by name."""

import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import numpy as np

from saliency.errors import InputError

GROUP: Final = "saliency.palettes"

#: matplotlib's maps whose middle stands for 0 (its reference, "Diverging"); "_r" is their reverse.
DIVERGING: Final = frozenset(
    (
        *(
            "PiYG",
            "PRGn",
            "BrBG",
            "PuOr",
            "RdGy",
            "RdBu",
            "RdYlBu",
            "RdYlGn",
            "Spectral",
        ),
        *("coolwarm", "bwr", "seismic", "berlin", "managua", "vanimo"),
    )
)

#: Colours whose channels differ by no more than this are greys: no heat is seen in them.
_GREY: Final = 8


def map_names() -> tuple[str, ...]:
    """Return the names of the colour maps that matplotlib knows."""
    return tuple(_registry())


def row_of_map(source: object) -> str | None:
    """Return the colours of a matplotlib colour map, or of its name, as hex colours.

    Parameters
    ----------
    source
        A ``Colormap``, or a name of ``matplotlib.colormaps``.

    Returns
    -------
    str or None
        256 colours from weak to strong; of a diverging map 128 on each side of a bar, which parts
        negative heat from positive. None where ``source`` is neither.

    Raises
    ------
    InputError
        Every colour of the map is a grey.
    """
    from matplotlib.colors import Colormap  # noqa: PLC0415 - slow to load

    found = _registry().get(source) if isinstance(source, str) else source
    if not isinstance(found, Colormap):
        return None
    colours = np.rint(255 * found(np.linspace(0, 1, 256))[:, :3]).astype(np.uint8)
    if (np.ptp(colours.astype(int), axis=1) <= _GREY).all():
        msg = (
            f"Palette: the colour map {found.name!r} has greys alone: heat would be taken for "
            "the picture. Take one with a hue, such as 'green' or 'magma'."
        )
        raise InputError(msg)
    stops = [colour.tobytes().hex() for colour in colours]
    if found.name.removesuffix("_r") not in DIVERGING:
        return ",".join(stops)
    return f"{','.join(stops[:128])}|{','.join(stops[128:])}"


def is_known_as(name: str, row: str) -> bool:
    """Say whether matplotlib gives these very colours to a name."""
    return name in _registry() and row_of_map(name) == row


def offered(name: str) -> Any:
    """Return what an installed package offers under a name; None where none does.

    Raises
    ------
    InputError
        Two packages offer the name, or what is offered cannot be imported.
    """
    return _offered(name, tuple(sys.path))


def offered_names() -> tuple[str, ...]:
    """Return the names of palettes of other packages; nothing is loaded."""
    return tuple(point.name for point in entry_points(group=GROUP))


@lru_cache(maxsize=16)
def _offered(name: str, path: tuple[str, ...]) -> Any:
    del path  # what entry_points looks at
    points = tuple(entry_points(group=GROUP, name=name))
    if not points:
        return None
    if len({point.value for point in points}) > 1:
        packages = " and ".join(sorted(map(_package, points)))
        msg = f"Palette: {packages} both offer {name!r}. Uninstall one, or write its colours."
        raise InputError(msg)
    try:
        return points[0].load()
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        msg = (
            f"Palette: {name!r} of {_package(points[0])} cannot be loaded: "
            f"{type(error).__name__}: {text}"
        )
        raise InputError(msg) from error


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _registry() -> Mapping[str, Any]:
    import matplotlib as mpl  # noqa: PLC0415 - slow to load

    found: Mapping[str, Any] = mpl.colormaps
    return found
