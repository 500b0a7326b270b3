"""Which parts of a slide are tissue: saturation above a threshold, specks left out."""

from typing import Final

import numpy as np

from saliency.values.arrays import Array

#: mm of a pixel at which tissue is told from glass: a nucleus is one pixel, and noise averages out.
SPACING: Final = 0.008
#: Glass has a saturation (of 255) of no more: what is above is tissue on any slide, so that a slide
#: full of a faint stain is not taken for glass.
MOST: Final = 12
#: Tissue is above the glass by so many of its spreads, and by 4 of 255.
_SPREADS: Final = 3.0
_LEAST_STEP: Final = 4.0
#: A peak of saturations is glass where it holds this part of the pixels.
_PEAK: Final = 0.005
#: What is darker than this part of the glass is tissue of any saturation: pigment, ink, folds.
_DARK: Final = 0.88


def tissue_in(rgb: Array, absent: Array | None) -> Array:
    """Return bool (rows, columns), True where there is tissue.

    What is more saturated than glass, or darker; then an opening by 3 x 3 pixels, grown back by
    one where tissue goes on, and a closing.

    Parameters
    ----------
    rgb
        uint8 (rows, columns, 3), pixels of about :data:`SPACING`.
    absent
        bool (rows, columns), True where nothing was scanned; None: all was.
    """
    saturation, value = saturation_of(rgb), rgb.max(axis=-1)
    scanned = np.ones(saturation.shape, np.bool_) if absent is None else ~absent
    if not scanned.any():
        return scanned
    stained = np.greater(saturation, threshold_of(saturation[scanned]))
    glass = value[scanned & ~stained]
    # The bright half of what is not stained: unstained ink may be among it.
    dark = value < _DARK * np.percentile(glass, 75) if glass.size else stained
    found = (stained | dark) & scanned
    kept = morphologically_opened(found)
    kept |= _grown(kept) & found
    closed: Array = ~morphologically_opened(~kept) & scanned
    return closed


def threshold_of(saturation: Array) -> float:
    """Return the saturation above which there is tissue.

    Otsu's threshold (1979) parts glass from tissue, but among the glass it leaves what a strong
    stain makes look faint. So glass is the first peak of the values below it, and its spread is
    that of the values below the peak, where no tissue is.

    Parameters
    ----------
    saturation
        uint8 (pixels,).
    """
    lower = saturation[saturation <= otsu(saturation)]
    counts = np.bincount(lower, minlength=256).astype(np.float64)
    smooth = np.convolve(counts, np.ones(3) / 3, mode="same")
    following = np.append(smooth[1:], 0.0)
    peaks = (smooth >= following) & (counts >= _PEAK * saturation.size)
    peak = float(np.argmax(peaks)) if peaks.any() else 0.0
    below = lower[lower <= peak] - peak
    spread = float(np.sqrt(np.mean(below**2))) if below.size else 0.0
    return min(float(MOST), peak + max(_LEAST_STEP, _SPREADS * spread))


def saturation_of(rgb: Array) -> Array:
    """Return the saturation of HSV as uint8: (max - min) / max."""
    top = rgb.max(axis=-1).astype(np.int32)
    spread = top - rgb.min(axis=-1)
    share: Array = spread * 255 // np.maximum(top, 1)
    return share.astype(np.uint8)


def otsu(values: Array) -> int:
    """Return the value up to which uint8 values are the lower class (Otsu 1979).

    Between equal ones the least: it leaves more above.
    """
    counts = np.bincount(values.ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts)
    sums = np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    split = (below > 0) & (above > 0)
    means = np.divide(sums, below, out=np.zeros(256), where=split)
    rest = np.divide(sums[-1] - sums, above, out=np.zeros(256), where=split)
    return int(np.argmax(below * above * (means - rest) ** 2))


def morphologically_opened(mask: Array) -> Array:
    """Return the mask without what is narrower than 3 pixels."""
    return _grown(~_grown(~mask))


def _grown(mask: Array) -> Array:
    """Return the mask with every neighbour of its pixels, eight a pixel."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    grown: Array = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return grown


def on_grid(mask: Array, size: tuple[int, int]) -> Array:
    """Return a mask on another grid of the same area: True where any of a pixel is True."""
    for axis in (0, 1):
        count, length = size[axis], mask.shape[axis]
        edges = np.arange(count + 1) * length / count
        first = np.floor(edges[:-1]).astype(np.int64)
        if count >= length:  # each pixel of the finer grid lies in one of the coarser
            centres = ((np.arange(count) + 0.5) * length / count).astype(np.int64)
            mask = np.take(mask, centres, axis=axis)
        else:
            mask = np.logical_or.reduceat(mask, first, axis=axis)
    return mask
