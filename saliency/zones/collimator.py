"""The flat dark outside of a tilted or many-sided collimator: half planes behind straight edges."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from saliency.values.arrays import Array

#: Longer side, in blocks, of the image on which edges are looked for, and on which they are placed.
LOOK, PLACE = 64, 192
#: Blocks along the shorter side, below which a line is too short to be called straight.
SMALLEST = 16
#: Degrees between the directions that are looked at, and between those of the placing.
STEP, FINE = 3.0, 0.5
#: The outside is no brighter than this, and its values lie within so many grey levels.
DARKEST, SPREAD = 40, 12
#: Share of the outside that must be flat, and of the edge behind which the flat must end.
FLAT, SHARP = 0.98, 0.7
#: An edge has this share of the shorter side at least, and hides this share of the frame.
LONG, LARGE = 0.3, 0.01
#: Degrees: the same edge within the first, at right angles or opposite within the second.
SAME, SQUARE = 15.0, 3.0
#: Degrees from the frame's own sides from which an edge is tilted; others are bands.
TILTED: Final = 1.0


class _Edge(NamedTuple):
    """Outside is where ``x cos + y sin >= offset``, in pixels of the image it was found on."""

    degrees: float
    offset: float
    sharpness: float


def outside_of_collimator(grey: Array) -> Array | None:
    """Return what lies outside the straight edges of a tilted collimator.

    An edge is a line behind which the image is flat and dark, and in front of which it is not,
    along most of the line. The edge of a body is no such line. A collimator has two of them at
    least, opposite or at right angles, and one that is tilted against the frame.

    Parameters
    ----------
    grey
        uint8 (rows, columns).

    Returns
    -------
    Array or None
        bool (rows, columns); None where there is no such pair of edges.
    """
    small = _reduced(grey, LOOK)
    if min(small.shape) < SMALLEST:
        return None
    flat = _flat_outside(small)
    if flat is None:
        return None
    edges = _distinct([_edge(flat, degrees) for degrees in np.arange(0, 360, STEP)])
    if not _is_collimator(edges):
        return None
    placed = _placed(grey, edges)
    if not _is_collimator(placed):
        return None
    mask = np.zeros(grey.shape, np.bool_)
    for edge in placed:
        mask |= _beyond(edge, grey.shape)
    level = np.median(grey[mask]).astype(np.int16)
    mask &= np.abs(grey.astype(np.int16) - level) <= SPREAD
    return mask


def _reduced(grey: Array, longest: int) -> Array:
    """Return every n-th pixel, at most so many along the longer side."""
    step = _step(grey.shape, longest)
    # From the middle of each block.
    return grey[step // 2 :: step, step // 2 :: step].astype(np.int16)


def _step(size: tuple[int, ...], longest: int) -> int:
    return max(1, math.ceil(max(size) / longest))


def _flat_outside(grey: Array) -> Array | None:
    """Return what has the level of the darkest corner; None where no corner is dark."""
    corners = [
        part[:, edge]
        for part in (grey[:3], grey[-3:])
        for edge in (slice(3), slice(-3, None))
    ]
    level = min(int(np.median(corner)) for corner in corners)
    return None if level > DARKEST else np.abs(grey - level) <= SPREAD


def _edge(flat: Array, degrees: float) -> _Edge | None:
    """Return the deepest line of a direction behind which nearly all is flat; None if no edge."""
    along = _along(flat.shape, degrees)
    # One bin a pixel of depth, the outermost first.
    depth = (along.max() - along).astype(np.int64)
    counts = np.bincount(depth.ravel())
    flats = np.bincount(depth.ravel(), flat.ravel())
    mostly = np.cumsum(flats) >= FLAT * np.cumsum(counts)
    end = int(np.argmin(mostly)) if not mostly.all() else len(mostly)
    if counts[:end].sum() < LARGE * flat.size:
        return None
    # The edge itself may cross a pixel; in the next two the flat must have ended.
    ended = ((depth == end + 1) | (depth == end + 2)) & ~flat
    places = _along(flat.shape, degrees + 90)[ended]
    if places.size < 2 * LONG * min(flat.shape):
        return None
    # Where the line leaves the opening the outside goes on: nine tenths of what lies between count.
    length = max(1.0, float(np.ptp(np.quantile(places, (0.05, 0.95)))) / 0.9)
    sharpness = places.size / (2 * length)
    if sharpness < SHARP or length < LONG * min(flat.shape):
        return None
    return _Edge(degrees, float(along.max() - end), sharpness)


def _along(size: tuple[int, ...], degrees: float) -> Array:
    """Return how far each pixel lies in a direction; 0 degrees: to the right, 90: down."""
    down, across = np.ogrid[: size[0], : size[1]]
    turn = math.radians(degrees)
    cosine, sine = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    return np.asarray(across * cosine + down * sine, np.float32)


def _distinct(edges: Sequence[_Edge | None]) -> list[_Edge]:
    """Return the sharpest edges, each direction once."""
    kept: list[_Edge] = []
    found = [edge for edge in edges if edge is not None]
    for edge in sorted(found, key=lambda each: each.sharpness, reverse=True):
        if all(_apart(edge, other) > SAME for other in kept):
            kept.append(edge)
    return kept


def _apart(one: _Edge, other: _Edge) -> float:
    """Return the angle between two directions, 0..180 degrees."""
    return abs((one.degrees - other.degrees + 180) % 360 - 180)


def _is_collimator(edges: list[_Edge]) -> bool:
    """Whether two edges are opposite or at right angles, and one of the two is tilted."""
    return any(
        min(abs(_apart(one, other) - angle) for angle in (90, 180)) <= SQUARE
        and max(_tilt(one), _tilt(other)) >= TILTED
        for number, one in enumerate(edges)
        for other in edges[:number]
    )


def _tilt(edge: _Edge) -> float:
    """Return the angle to the nearest side of the frame."""
    return abs((edge.degrees + 45) % 90 - 45)


def _placed(grey: Array, edges: list[_Edge]) -> list[_Edge]:
    """Return the edges, and those at right angles and opposite, as they lie on a finer image."""
    flat = _flat_outside(_reduced(grey, PLACE))
    if flat is None:
        return []
    around = [
        edge._replace(degrees=(edge.degrees + turn) % 360)
        for turn in (0, 90, 180, 270)
        for edge in edges
    ]
    placed = []
    for edge in _distinct(around):
        turns = edge.degrees + np.arange(-STEP, STEP + FINE, FINE)
        found = [_edge(flat, float(turn)) for turn in turns]
        best = max(
            (each for each in found if each is not None),
            key=lambda each: each.sharpness,
            default=None,
        )
        if best is not None:
            placed.append(best)
    return placed


def _beyond(edge: _Edge, size: tuple[int, ...]) -> Array:
    """Return the half plane outside an edge that was placed, on the whole image."""
    step = _step(size, PLACE)
    turn = math.radians(edge.degrees)
    # A pixel of the placing lies in the middle of its block.
    middle = (step // 2) * (math.cos(turn) + math.sin(turn))
    return _along(size, edge.degrees) >= edge.offset * step + middle
