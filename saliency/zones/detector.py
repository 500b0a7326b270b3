"""A detector of zones, and what it may ask of a picture."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, final

from saliency.errors import InputError
from saliency.values.arrays import Array
from saliency.zones.writing import Writing, find_writing


class Hints(NamedTuple):
    """What the header says that helps to judge: Modality (0008,0060), Burned In Annotation."""

    modality: str = ""
    burned: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """A picture as detectors see it.

    Parameters
    ----------
    display
        uint8 (rows, columns) or RGB (rows, columns, 3).
    hints
        What the header says.
    """

    display: Array
    hints: Hints

    @property
    def modality(self) -> str:
        """(0008,0060), ``""`` where unknown."""
        return self.hints.modality

    @property
    def burned(self) -> str:
        """(0028,0301), ``""`` where unknown."""
        return self.hints.burned

    @cached_property
    def writing(self) -> Writing:
        """All writing, looked for once for all detectors that need it."""
        return find_writing(self.display, self.modality)


#: What a detector may need: attributes of a :class:`View`.
NEEDS: Final = ("display", "modality", "burned", "writing")


@final
@dataclass(frozen=True)
class Detector:
    """A row of the table of detectors.

    Parameters
    ----------
    name
        Of the zone that it finds.
    find
        Called with what it needs, in that order; returns a bool mask (rows, columns), True inside,
        a :class:`~saliency.values.zone.Zone` of that name, or None where there is nothing.
    needs
        Of :data:`NEEDS`: ``"display"`` (uint8 (rows, columns) or RGB (rows, columns, 3)),
        ``"modality"`` (0008,0060), ``"burned"`` (0028,0301), ``"writing"``.

    Raises
    ------
    InputError
        It is not callable, or needs what no picture has.
    """

    name: str
    find: Callable[..., Any]
    needs: tuple[str, ...] = ("display",)

    def __post_init__(self) -> None:
        unknown = [need for need in self.needs if need not in NEEDS]
        if unknown or not callable(self.find):
            msg = (
                f"Detector {self.name!r}: expected a callable that needs some of "
                f"{', '.join(NEEDS)}, got {type(self.find).__name__} and {self.needs}."
            )
            raise InputError(msg)

    def __call__(self, view: View) -> Any:
        """Ask it for the zone of a picture."""
        return self.find(*(getattr(view, need) for need in self.needs))
