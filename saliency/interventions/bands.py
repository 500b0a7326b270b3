"""What lies in no place: grain, shading, bit depth and cropping of an image, given to another one.

No content travels. Of the donor only the strength of its fine structure, a plane and a bowl of
brightness, the step between its grey levels, or how its body fills the frame comes into the host;
what the host shows stays the host's. All are estimated so that a mark or a lesion in a part of the
frame does not count.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from saliency.interventions.canvas import Canvas, like
from saliency.interventions.framing import Ends
from saliency.interventions.patches import removed
from saliency.pipeline.resize import resized
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

FINE: Final = 0.125
"""Cycles a pixel from which structure counts as fine: eight pixels or less from crest to crest."""
RINGS: Final = 4
"""Rings of frequency between :data:`FINE` and the highest, each with one strength."""
BLOCKS: Final = 8
"""Blocks a side, of whose strengths the median is taken."""
MOST: Final = 20.0
"""Amplitudes are raised or lowered by this factor at most."""

COARSE: Final = 16
"""Cells a side of the grid that shading is fitted on."""
STEPS: Final = 12
"""Of the fit: weighted least squares, again and again."""

Band: TypeAlias = Callable[[Canvas, Canvas], DicomImage]
"""(host, donor) -> the host with the donor's band."""


def regrained(host: Canvas, donor: Canvas) -> DicomImage:
    """Return the host with the strength of the donor's fine frequencies.

    Noise, blur, sharpening and compression change it all over; where structure lies stays the
    host's. Diagnostic pixels alone change.
    """
    values = host.values.astype(np.float32)
    planes = np.atleast_3d(values)
    wanted = np.atleast_3d(like(donor.values, host.values))
    changed = [
        _with_grain(planes[..., k], wanted[..., k]) for k in range(planes.shape[2])
    ]
    return _changed_inside(
        host, donor, values, np.stack(changed, axis=2).reshape(values.shape)
    )


def reshaded(host: Canvas, donor: Canvas) -> DicomImage:
    """Return the host with the donor's slope and bowl of brightness, its own mean kept.

    The heel of an anode, a falling coil or a vignette is a plane and a bowl: 1, y, x, y**2, yx,
    x**2 are fitted to the difference of both images so that the sum of absolute errors is least
    (which a lesion or a mark in a tenth of the frame does not move), and the constant is left out.
    """
    values = host.values.astype(np.float32)
    difference = like(donor.values, host.values) - values
    weights = _least_absolute(_polynomials((COARSE, COARSE)), _coarse_means(difference))
    weights[0] = 0.0
    # Terms beyond the first have a mean of 0, so the host's brightness stays.
    shading = (_polynomials(values.shape[:2]) @ weights).reshape(values.shape)
    return _changed_inside(host, donor, values, values + shading)


def requantised(host: Canvas, donor: Canvas) -> DicomImage:
    """Return the host with the step between grey levels that the donor has.

    Where the donor's step is finer, half a step of the host is added or taken off at most, in an
    order that no image has: levels between its own appear, and means over a few pixels stay.
    """
    own, wanted = host.grey_step, donor.grey_step
    if own == wanted or not own or not wanted:
        return host.image
    values = host.values.astype(np.float32)
    if wanted > own:
        low = values[host.image.diagnostic].min()
        changed = low + wanted * np.rint((values - low) / wanted)
    else:
        down, across = np.indices(values.shape[:2])
        # Roberts 2018: multiples of the plastic number's inverses fill 0..1 evenly.
        order = (0.7548776662 * down + 0.5698402910 * across) % 1 - 0.5
        changed = values + own * order.reshape(*order.shape, *[1] * (values.ndim - 2))
    return _changed_inside(host, donor, values, changed)


def recropped(host: Canvas, donor: Canvas) -> DicomImage:
    """Return the host, moved and stretched so that its body fills the frame as the donor's does.

    The body is what is brighter than the darkest parts of the frame. Images that it fills from edge
    to edge stay as they are: how far they were enlarged cannot be told from their pixels.
    """
    own, wanted = host.body, donor.body
    if own == wanted:
        return host.image
    # Zones do not move, and nothing of them is left where the body comes from.
    values = removed(host.values, ~host.image.diagnostic)
    changed = values
    for axis in (0, 1):
        changed = _stretched_along(changed, own[axis], wanted[axis], axis)
    return _changed_inside(host, donor, host.values.astype(np.float32), changed)


BANDS: Mapping[str, Band] = MappingProxyType(
    {
        "grain and sharpness": regrained,
        "shading": reshaded,
        "bit depth": requantised,
        "cropping": recropped,
    }
)


def _changed_inside(
    host: Canvas, donor: Canvas, values: Array, changed: Array
) -> DicomImage:
    """Return the host with changed diagnostic pixels, in the range of both images."""
    low = min(host.values.min(), donor.values.min())
    high = max(host.values.max(), donor.values.max())
    inside = host.image.diagnostic
    result = np.array(values)
    result[inside] = np.clip(changed, low, high)[inside]
    return host.with_values(result)


def _with_grain(plane: Array, donor: Array) -> Array:
    """Return the plane, each of its rings of frequency as strong as the donor's."""
    ring = _ring_of(plane.shape)
    spectra = np.fft.rfft2(plane), np.fft.rfft2(donor)
    result = np.array(plane, np.float64)
    for number in range(1, RINGS + 1):
        ours, theirs = (
            np.fft.irfft2(np.where(ring == number, spectrum, 0), s=plane.shape)
            for spectrum in spectra
        )
        # An image of one value has no grain: neither side may become infinite.
        least = 1e-6 * max(float(np.abs(plane).max()), float(np.abs(donor).max()), 1e-9)
        gain = (_strength(theirs) + least) / (_strength(ours) + least)
        result += (np.clip(gain, 1 / MOST, MOST) - 1) * ours
    return np.asarray(result, np.float32)


def _strength(structure: Array) -> float:
    """Return the median of blocks' root mean squares: a mark in a few of them does not count."""
    sums, counts = structure**2, np.ones(())
    for axis, length in enumerate(structure.shape):
        sides = _block_sides(length)
        sums = np.add.reduceat(sums, np.cumsum(sides) - sides, axis=axis)
        counts = np.multiply.outer(counts, sides)
    return float(np.median(np.sqrt(sums / counts)))


def _block_sides(length: int) -> Array:
    """Return the pixels of each block along a side, as even as they can be."""
    blocks = min(BLOCKS, length)
    sides = np.full(blocks, length // blocks)
    sides[: length % blocks] += 1
    return sides


def _ring_of(size: tuple[int, ...]) -> Array:
    """Return the ring of each frequency of ``rfft2``, int; 0 for coarse ones."""
    down = np.fft.fftfreq(size[0])[:, np.newaxis]
    across = np.fft.rfftfreq(size[1])
    radius = np.hypot(down, across)
    step = (np.sqrt(0.5) - FINE) / RINGS
    ring = 1 + np.floor((radius - FINE) / step).astype(np.int64)
    return np.asarray(np.clip(ring, 0, RINGS))


def _coarse_means(values: Array) -> Array:
    """Return means on a coarse grid, float64 (cells, channels)."""
    placed = resized(values.astype(np.float32), (COARSE, COARSE))
    return placed.reshape(COARSE**2, -1).astype(np.float64)


def _least_absolute(terms: Array, values: Array) -> Array:
    """Return the weights (terms, channels) whose sum of absolute errors is least.

    Iteratively reweighted least squares (Holland and Welsch 1977): each error weighs one over its
    size, so that what lies far off counts as one and not as its square.
    """
    columns = []
    for column in values.T:
        scale = np.ones(len(column))
        floor = 1e-3 * max(float(np.abs(column).max()), 1e-12)
        for _ in range(STEPS):
            weighted = terms * scale[:, np.newaxis]
            weights, *_ = np.linalg.lstsq(weighted, column * scale, rcond=None)
            errors = np.abs(column - terms @ weights)
            # The square root: both sides are multiplied by it.
            scale = 1 / np.sqrt(np.maximum(errors, floor))
        columns.append(weights)
    return np.stack(columns, axis=1)


def _polynomials(size: tuple[int, ...]) -> Array:
    """Return 1, y, x, y**2, yx, x**2 on -1..1, float (pixels, 6), each but the first of mean 0."""
    down, across = np.meshgrid(
        np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]), indexing="ij"
    )
    parts = [down, across, down**2, down * across, across**2]
    terms = [np.ones(size), *(part - part.mean() for part in parts)]
    return np.stack([term.ravel() for term in terms], axis=1)


def _stretched_along(values: Array, own: Ends, wanted: Ends, axis: int) -> Array:
    """Return values along an axis so that what lay between some ends lies between others."""
    length = values.shape[axis]
    middles = (np.arange(length) + 0.5) / length
    gain = (own.last - own.first) / (wanted.last - wanted.first)
    place = (own.first + (middles - wanted.first) * gain) * length - 0.5
    # Beyond the frame its edge is repeated.
    place = np.clip(place, 0, length - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, length - 1)
    share = np.expand_dims(place - below, [k for k in range(values.ndim) if k != axis])
    lower, upper = values.take(below, axis), values.take(above, axis)
    return np.asarray(lower + share * (upper - lower), np.float32)
