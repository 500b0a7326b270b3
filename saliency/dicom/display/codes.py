"""Functions of single values, by a table of every stored value that occurs.

A frame of 2048 x 2048 has four million pixels and a few thousand values.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from saliency.values.arrays import Array

try:
    from saliency.dicom.display._look import look_up
except ImportError:  # nobody compiled it here
    look_up = None  # type: ignore[assignment]

_BLOCK: Final = 2**15  # indices that stay in the processor's cache


def has_codes(stored: Array) -> bool:
    """Whether a table of every stored value can be made: integers of up to 16 bits."""
    return stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2


def by_code(function: Callable[[Array], Array], stored: Array, dtype: type) -> Array:
    """Apply a function of single values to each code in use once, where that is less work."""
    if not has_codes(stored):
        return calmly(function, stored, dtype)
    low = int(stored.min()) if stored.dtype.kind == "i" else 0
    high = int(stored.max())
    if stored.size <= high - low:
        return calmly(function, stored, dtype)
    # A negative code is looked up as the unsigned number with its bits.
    codes = np.arange(low, high + 1)
    unsigned = np.dtype(f"u{stored.dtype.itemsize}")
    table = np.zeros(256**unsigned.itemsize, dtype)
    table[codes.astype(unsigned)] = calmly(function, codes, dtype)
    return taken(table, np.ascontiguousarray(stored).view(unsigned))


def calmly(function: Callable[[Array], Array], values: Array, dtype: type) -> Array:
    """Apply a function without a word on overflow: what is too large for float32 is infinite."""
    with np.errstate(all="ignore"):
        result: Array = function(values).astype(dtype)
    return result


def taken(table: Array, index: Array) -> Array:
    """Return ``table[index]``, of a contiguous index; that of a picture in C, if it was built."""
    result: Array = np.empty(index.shape, table.dtype)
    if look_up is not None and index.dtype == np.uint16 and table.itemsize in (1, 4):
        look_up(table, index, result)
        return result
    # Block by block: four times as fast as at once, as no long index is made.
    flat_index, flat_result = index.reshape(-1), result.reshape(-1)
    wide = np.empty(_BLOCK, np.intp)
    for start in range(0, index.size, _BLOCK):
        stop = min(start + _BLOCK, index.size)
        wide[: stop - start] = flat_index[start:stop]
        np.take(table, wide[: stop - start], out=flat_result[start:stop], mode="clip")
    return result
