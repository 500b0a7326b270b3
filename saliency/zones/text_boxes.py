"""Boxes around writing: padded, and joined where they are about the same thing."""

from collections.abc import Iterable

import numpy as np

from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.values.zone import Zone
from saliency.zones.components import near, unite


def pad_and_join(boxes: list[Box], size: tuple[int, ...]) -> tuple[Box, ...]:
    """Pad boxes by a quarter of their height, and join those that cover half of each other."""
    padded = []
    for box in boxes:
        margin = max(2, round(min(box.rows, box.columns) / 4))
        top, left = max(0, box.top - margin), max(0, box.left - margin)
        bottom = min(size[0], box.top + box.rows + margin)
        right = min(size[1], box.left + box.columns + margin)
        padded.append(Box(top, left, bottom - top, right - left))
    return joined_up(padded)


def joined_up(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Join boxes of which one covers half of the other, until none does; from top to bottom."""
    separate = list(boxes)
    while True:
        joined = _joined_once(separate)
        if len(joined) == len(separate):
            return tuple(sorted(joined))
        separate = joined


def mask_of(boxes: tuple[Box, ...], size: tuple[int, int]) -> Array:
    """Return bool (rows, columns), True in any box."""
    mask = np.zeros(size, np.bool_)
    for box in boxes:
        mask[box.slices] = True
    return mask


def zone_of(
    name: str,
    boxes: tuple[Box, ...],
    size: tuple[int, ...],
    what: str,
    declared: str = "",
) -> Zone | None:
    """Return the zone of some boxes, None of none.

    The evidence is their count, what they hold and their height, and then what is ``declared``.
    """
    if not boxes:
        return None
    heights = sorted(min(box.rows, box.columns) for box in boxes)
    count = f"{len(boxes)} box" + "es" * (len(boxes) > 1)
    evidence = f"{count} of {what}, {heights[0]}..{heights[-1]} px high{declared}"
    return Zone(name, mask_of(boxes, (size[0], size[1])), evidence)


def bounding_box(boxes: Iterable[Box]) -> Box:
    """Return the least box that holds some boxes."""
    return _box_around_corners(_box_corners(boxes))


def _box_corners(boxes: Iterable[Box]) -> Array:
    """Return (boxes, 4): top, left, bottom, right."""
    return np.array(
        [(b.top, b.left, b.top + b.rows, b.left + b.columns) for b in boxes]
    )


def _joined_once(boxes: list[Box]) -> list[Box]:
    if not boxes:
        return []
    corners = _box_corners(boxes)
    # Equal keys: all pairs.
    here, there = near(np.zeros(len(boxes)), 0)
    # (pairs, 2): upper left and lower right corner of what two boxes have in common.
    low = np.maximum(corners[here, :2], corners[there, :2])
    high = np.minimum(corners[here, 2:], corners[there, 2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    areas = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    half = 2 * common >= np.minimum(areas[here], areas[there])
    group = unite(len(boxes), here[half], there[half])
    return [
        _box_around_corners(corners[group == number])
        for number in range(group.max() + 1)
    ]


def _box_around_corners(corners: Array) -> Box:
    top, left = corners[:, :2].min(axis=0).tolist()
    bottom, right = corners[:, 2:].max(axis=0).tolist()
    return Box(top, left, bottom - top, right - left)
