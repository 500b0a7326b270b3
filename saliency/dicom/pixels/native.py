"""Frames that are not compressed (PS3.5 8.1.1, 8.2, A.1-A.3; PS3.3 C.7.6.3.1.3)."""

import numpy as np

from saliency.dicom.pixels.image_pixel import Layout, Samples
from saliency.errors import DicomError
from saliency.values.arrays import Array


def unpack(
    raw: bytes | memoryview, layout: Layout, *, little: bool, first_bit: int = 0
) -> Samples:
    """Lay out the bytes of one frame as samples.

    Parameters
    ----------
    raw
        The bytes that hold the frame.
    layout
        Its Image Pixel module.
    little
        Byte order of words.
    first_bit
        Where a frame of 1 or 12 bits starts in the first byte.

    Returns
    -------
    Samples
        Of unsigned integers or floats, in ``layout.photometric``, chroma at full resolution.
    """
    if layout.allocated == 1:
        flat = unpack_bits(raw, layout.frame_bits, first_bit)
    elif layout.allocated == 12:
        flat = unpack_twelve(raw, layout.frame_bits // 12, first_bit)
    else:
        flat = np.frombuffer(
            raw, word(layout, little=little), layout.frame_bits // layout.allocated
        )
    if layout.samples == 1:
        return Samples(flat.reshape(layout.size), layout.photometric)
    if layout.subsampled:
        return Samples(
            full_chroma(flat, layout), layout.photometric.replace("_422", "")
        )
    return Samples(by_pixel(flat, layout), layout.photometric)


def word(layout: Layout, *, little: bool) -> str:
    """Return the numpy name of a stored word: ``"<u2"``."""
    kind = "f" if layout.real else "u"
    return f"{'<' if little else '>'}{kind}{layout.allocated // 8}"


def unpack_bits(raw: bytes | memoryview, count: int, first_bit: int) -> Array:
    """Return bits, the least significant of a byte first (PS3.5 D.2)."""
    bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")
    return bits[first_bit : first_bit + count]


def unpack_twelve(raw: bytes | memoryview, count: int, first_bit: int = 0) -> Array:
    """Return 12-bit words, two in three bytes, the least significant bits first (PS3.5 D.2).

    A frame that starts at bit 4 starts with the second word of its first three bytes.
    """
    before = first_bit // 4
    padded = b"".join((bytes(before), raw, b"\0\0"))
    used = 3 * ((before + count + 1) // 2)
    triples = np.frombuffer(padded, np.uint8)[:used].reshape(-1, 3)
    low, middle, high = triples.astype(np.uint16).T
    first = low | (middle & 15) << 8
    second = middle >> 4 | high << 4
    return np.stack([first, second], axis=1).ravel()[before : before + count]


def by_pixel(flat: Array, layout: Layout) -> Array:
    """Return (rows, columns, samples), of planes where Planar Configuration is 1."""
    if not layout.planar:
        return flat.reshape(*layout.size, layout.samples)
    return np.moveaxis(flat.reshape(layout.samples, *layout.size), 0, -1)


def full_chroma(flat: Array, layout: Layout) -> Array:
    """Give both pixels of a pair their common chroma: Y Y Cb Cr (PS3.3 C.7.6.3.1.2).

    Raises
    ------
    DicomError
        A row has an odd number of pixels, which the standard forbids to native pixels (C.7.6.3).
    """
    if layout.columns % 2:
        msg = (
            "Expected an even number of Columns (0028,0011) of native YBR_FULL_422 (PS3.3 C.7.6.3),"
            " found an odd one: which pixels share a chroma is not said. Convert the file to RGB."
        )
        raise DicomError(msg, reason="image-pixel")
    pairs = flat.reshape(-1, 4)
    luma, chroma = pairs[:, :2], np.repeat(pairs[:, np.newaxis, 2:], 2, axis=1)
    return np.concatenate([luma[..., np.newaxis], chroma], axis=2).reshape(
        *layout.size, 3
    )
