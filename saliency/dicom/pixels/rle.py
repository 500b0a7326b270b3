"""RLE Lossless (PS3.5 G): PackBits by byte planes, the most significant first."""

import struct
from itertools import pairwise
from typing import Final

import imagecodecs
import numpy as np

from saliency.dicom.file.guard import warn
from saliency.dicom.pixels.image_pixel import Layout, Samples
from saliency.dicom.pixels.native import unpack_bits
from saliency.errors import DicomError
from saliency.values.arrays import Array

_MOST_SEGMENTS: Final = 15
#: Bytes that a segment may have behind its pixels: writers fill up what they have allocated.
_MOST_SPARE: Final = 2**16


def decode_rle(data: bytes, layout: Layout) -> Samples:
    """Decode one frame.

    Returns
    -------
    Samples
        Of unsigned integers, in ``layout.photometric``.

    Raises
    ------
    DicomError
        The header is not one of RLE, or a segment has too few bytes.
    """
    segments = _segment_places(data, layout)
    planes = [_segment(data[start:end], layout) for start, end in segments]
    if layout.allocated == 1:
        bits = unpack_bits(planes[0].tobytes(), layout.frame_bits, 0)
        return Samples(bits.reshape(layout.size), layout.photometric)
    depth = len(planes) // layout.samples
    shaped = [plane.reshape(layout.size) for plane in planes]
    words = [joined(shaped[k : k + depth]) for k in range(0, len(shaped), depth)]
    if layout.samples == 1:
        return Samples(words[0], layout.photometric)
    return Samples(np.stack(words, axis=-1), layout.photometric)


def is_rle(raw: bytes) -> bool:
    """Whether 64 bytes are the header of a frame (PS3.5 G.5): rising offsets, the rest zero."""
    if len(raw) < 64:
        return False
    count, *offsets = struct.unpack_from("<16I", raw)
    if not 1 <= count <= _MOST_SEGMENTS or offsets[0] != 64 or any(offsets[count:]):
        return False
    return all(a < b for a, b in pairwise(offsets[:count]))


def joined(planes: list[Array]) -> Array:
    """Return words of planes of bytes, the most significant first."""
    if len(planes) == 1:
        return planes[0]
    words = planes[0].astype(f"u{len(planes)}")
    for plane in planes[1:]:
        words <<= 8
        words |= plane
    return words


def _segment_places(data: bytes, layout: Layout) -> list[tuple[int, int]]:
    """Return where each segment starts and ends (PS3.5 G.3, G.5)."""
    if len(data) < 64:
        return _broken("a header of 64 bytes", "less")
    count, *offsets = struct.unpack_from("<16I", data)
    needed = layout.samples * max(1, layout.allocated // 8)
    # Values of 8 bits in words of 16 may leave out the plane that is 0.
    if layout.bits <= 8 and count == layout.samples:
        needed = count
    if count != needed or count > _MOST_SEGMENTS:
        return _broken(f"{needed} segments", "another number")
    starts = offsets[:count]
    segments = list(pairwise([*starts, len(data)]))
    if starts[0] < 64 or any(start >= end for start, end in segments):
        return _broken("rising offsets within the frame", "others")
    return segments


def _segment(data: bytes, layout: Layout) -> Array:
    """Return the bytes of a segment, with what an encoder adds to make it even cut off."""
    pixels = layout.rows * layout.columns
    needed = (pixels + 7) // 8 if layout.allocated == 1 else pixels
    room = needed + _MOST_SPARE
    try:
        plane = np.frombuffer(imagecodecs.packbits_decode(data, out=room), np.uint8)
    except (ValueError, RuntimeError):
        plane = np.empty(0, np.uint8)
    if plane.size < needed:
        _broken(f"{needed} bytes in a segment", "less or broken ones")
    if plane.size > needed + 2:
        warn("A segment of an RLE frame has more bytes than pixels: they are left out.")
    return plane[:needed]


def _broken(expected: str, found: str) -> list[tuple[int, int]]:
    msg = f"Expected {expected} in an RLE frame (PS3.5 G.5), found {found}."
    raise DicomError(msg, reason="broken-codestream")
