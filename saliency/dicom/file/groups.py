"""Functional groups: what is said once for all frames, and what for each (PS3.3 C.7.6.16)."""

from collections.abc import Sequence
from dataclasses import dataclass

from saliency.dicom.file.elements import Elements, number
from saliency.dicom.file.guard import warn
from saliency.dicom.file.tags import PER_FRAME, TAGS


@dataclass(frozen=True)
class Groups:
    """The places where an attribute of one frame can be, the most particular first.

    Parameters
    ----------
    top
        The data set.
    shared, own
        Items of the Shared (5200,9229) and of the Per-Frame (5200,9230) Functional Groups
        Sequence; None where there are none.
    """

    top: Elements
    shared: Elements | None = None
    own: Elements | None = None

    def macro(self, sequence: str, keyword: str) -> Elements:
        """Return the item that holds ``keyword``: of the frame, shared, or the data set."""
        for group in (self.own, self.shared):
            items = () if group is None else group.items(TAGS[sequence])
            if len(items) and items[0].has(TAGS[keyword]):
                return items[0]
        return self.top

    def number(self, sequence: str, keyword: str, default: float) -> float:
        """Return the first number of an attribute."""
        return number(self.macro(sequence, keyword), TAGS[keyword], default)


@dataclass(frozen=True)
class GroupIndex:
    """Finds the groups of a frame without reading those of the others."""

    top: Elements
    shared: Sequence[Elements]
    frames: Sequence[Elements]

    def of(self, frame: int) -> Groups:
        """Return the groups of a frame (from 0)."""
        shared = self.shared[0] if len(self.shared) else None
        own = self.frames[frame] if frame < len(self.frames) else None
        if own is None and len(self.frames):
            warn(
                "Per-Frame Functional Groups Sequence (5200,9230) has no item of this frame: its "
                "rescale, window, spacing and place are those that all frames share, if any."
            )
        return Groups(self.top, shared, own)


def read_groups(top: Elements) -> GroupIndex:
    """Find the functional groups of a data set."""
    shared = top.items(TAGS["SharedFunctionalGroupsSequence"])
    return GroupIndex(top, shared, top.items(PER_FRAME))
