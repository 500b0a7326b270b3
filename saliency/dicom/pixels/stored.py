"""Samples to stored values: the bits that count, with their sign (PS3.5 8.1.1)."""

import numpy as np

from saliency.dicom.file.guard import warn
from saliency.dicom.pixels.image_pixel import Layout, Samples
from saliency.values.arrays import Array


def stored_values(samples: Samples, layout: Layout) -> Array:
    """Return the stored values of a frame.

    Bits above Bits Stored (0028,0101) are masked: they may be an overlay (PS3.5 8.1.2). The sign
    bit is the highest of Bits Stored where Pixel Representation (0028,0103) is 1, whether or not
    the writer extended it; a JPEG 2000 codestream with a sign of its own is believed before the
    data set (8.2.4). Lossy codecs overshoot, so their values are cut off, not masked.
    """
    array = samples.array
    if (
        array.dtype.kind == "i" and layout.samples > 1
    ):  # colour is unsigned (C.7.6.3.1.2)
        unsigned = native_order(array).view(f"u{array.dtype.itemsize}")
        return masked(unsigned, layout.bits)
    if array.dtype.kind in "fi":
        return array
    words = shifted(native_order(array), layout)
    if samples.lossy and not layout.signed:
        return cut_off(words, layout.bits)
    values = (
        extend_sign(words, layout.bits) if layout.signed else masked(words, layout.bits)
    )
    if not np.may_share_memory(values, words) and _has_more(words, layout):
        warn(
            "Bits above Bits Stored (0028,0101) are set, and no overlay is said to lie there: "
            "they are left out (PS3.5 8.1.1). Correct Bits Stored if they belong to the values."
        )
    return values


def _has_more(words: Array, layout: Layout) -> bool:
    """Whether bits above Bits Stored are neither an overlay nor copies of the sign."""
    if layout.overlay_bits:
        return False
    above = words >> words.dtype.type(layout.bits)
    copies = (1 << words.dtype.itemsize * 8 - layout.bits) - 1 if layout.signed else 0
    return bool(np.any((above != 0) & (above != copies)))


def native_order(array: Array) -> Array:
    """Return the array in the byte order of this machine."""
    native: Array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return native


def masked(words: Array, bits: int) -> Array:
    """Keep the low ``bits`` bits; the words themselves where none has others."""
    if bits >= words.dtype.itemsize * 8 or not int(words.max()) >> bits:
        return words
    kept: Array = words & words.dtype.type((1 << bits) - 1)
    return kept


def extend_sign(words: Array, bits: int) -> Array:
    """Read the low ``bits`` bits as two's complement: 0xFFF of 12 bits is -1."""
    signed = np.dtype(f"i{words.dtype.itemsize}")
    shift = signed.type(words.dtype.itemsize * 8 - bits)
    values = words.view(signed)
    least = -(1 << bits - 1)
    if least <= int(values.min()) and int(values.max()) < -least:
        return values
    extended: Array = values << shift >> shift
    return extended


def cut_off(values: Array, bits: int) -> Array:
    """Clip to 0 .. 2**bits - 1."""
    if bits >= values.dtype.itemsize * 8 or not int(values.max()) >> bits:
        return values
    cut: Array = np.minimum(values, values.dtype.type((1 << bits) - 1))
    return cut


def shifted(words: Array, layout: Layout) -> Array:
    """Move left-justified values down, as High Bit (0028,0102) says."""
    lowest = lowest_bit(words, layout)
    down: Array = words >> words.dtype.type(lowest) if lowest else words
    return down


def lowest_bit(words: Array, layout: Layout) -> int:
    """Return the bit of a word at which a stored value starts: above 0 where it is left-justified.

    Since PS3.5-2014 High Bit must be Bits Stored - 1, and writers that set it wrongly exist. It is
    believed only where the bits in use say the same: one above Bits Stored, or none of those below,
    other than those of an embedded overlay.
    """
    lowest = min(layout.high, words.dtype.itemsize * 8 - 1) + 1 - layout.bits
    if lowest <= 0 or layout.bits == 1:
        return 0
    used = int(np.bitwise_or.reduce(words, axis=None)) & ~layout.overlay_bits
    left_justified = used >> layout.bits > 0 or used & ((1 << lowest) - 1) == 0
    return lowest if left_justified else 0
