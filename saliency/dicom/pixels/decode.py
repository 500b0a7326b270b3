"""One encoded frame to samples: imagecodecs first, the plugins of pydicom where it gives up."""

import os
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import imagecodecs
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder

from saliency.dicom.file.guard import warn, without_warnings
from saliency.dicom.file.inflate import inflate
from saliency.dicom.file.limits import check_claim
from saliency.dicom.file.syntax import Syntax
from saliency.dicom.file.value_codec import swap_words
from saliency.dicom.pixels.codestream import (
    Stream,
    is_jpegls,
    read_jpeg,
    read_jpeg2k,
    read_jpegxl,
)
from saliency.dicom.pixels.image_pixel import Layout, Samples
from saliency.dicom.pixels.jpeg2000 import CODESTREAM, bare
from saliency.dicom.pixels.native import unpack
from saliency.dicom.pixels.rle import decode_rle, is_rle
from saliency.errors import DicomError
from saliency.values.arrays import Array

#: Plugins of pydicom by family; none of them loads a decoder under the GPL. pyjpegls is the same
#: CharLS again, without the guard below.
_PLUGINS: Final = MappingProxyType(
    {"jpeg": ("pillow",), "jpeg2k": ("pylibjpeg", "pillow")}
)
_END: Final = b"\xff\xd9"  # EOI of JPEG, EOC of JPEG 2000
_SIGNATURES: Final = MappingProxyType(
    {
        CODESTREAM: "jpeg2k",
        b"\0\0\0\x0cjP  ": "jpeg2k",
        b"\xff\x0a": "jpegxl",
        b"\0\0\0\x0cJXL ": "jpegxl",
    }
)
_READERS: Final = MappingProxyType(
    {
        "jpeg": read_jpeg,
        "jpegls": read_jpeg,
        "jpeg2k": read_jpeg2k,
        "jpegxl": read_jpegxl,
    }
)
#: Starting threads costs a frame of fewer pixels more than they save it.
_LEAST_PIXELS: Final = 2**17
_MOST_THREADS: Final = 8


def decode(
    data: bytes, layout: Layout, syntax: Syntax, threads: int | None = None
) -> Samples:
    """Decode one frame of encapsulated pixel data (PS3.5 8.2).

    The first bytes of the frame, not the label of the file, choose between the JPEG families;
    a file whose label is of native pixels may hold them too.

    Parameters
    ----------
    threads
        Of a decoder that shares a frame among some; None: :func:`threads_for`.

    Raises
    ------
    DicomError
        The codestream has another size than (0028,0010) x (0028,0011), is too short to hold so
        many samples, or is broken.
    """
    check_claim(layout.frame_samples, len(data))
    if syntax.family == "deflate":
        return _inflate(data, layout)
    family = _family(data, layout, syntax.family)
    if family == "rle":
        return decode_rle(data, layout)
    if family == "uncompressed":
        return _fragmented(data, layout, little=syntax.little_pixels)
    data = _from_its_start(data)
    if family != "jpegxl" and _END not in data[-64:]:
        warn("A frame of Pixel Data (7FE0,0010) has no end marker: it may be cut.")
    if family == "jpeg2k":
        data = bare(data)
    stream = _READERS[family](data)
    _check_size(stream, layout)
    most = threads or threads_for(stream.rows * stream.columns)
    samples = _decoded_samples(data, family, stream, layout, most) or _plugin(
        data, family, layout, syntax
    )
    shape = layout.size if layout.samples == 1 else (*layout.size, layout.samples)
    if samples.array.shape != shape:
        msg = (
            "Expected a frame of the size of its header, got another from the decoder."
        )
        raise DicomError(msg, reason="broken-codestream")
    bits = stream.precision if family == "jpeg2k" else 0
    return Samples(samples.array, samples.space, lossy=stream.lossy, bits=bits)


def jpeg_space(stream: Stream, layout: Layout) -> str:
    """Return what colours a JPEG stream holds.

    The strongest evidence first: Adobe's transform flag, chroma subsampling, component
    identifiers, JFIF (which is YCbCr, ISO/IEC 10918-5), Photometric Interpretation. Files that
    label a YCbCr stream RGB exist, and the stream is right (PS3.5 8.2.1). Lossless encoders write
    JFIF around RGB too.
    """
    if stream.components != 3:
        return layout.photometric
    if stream.adobe >= 0:
        return "YBR_FULL" if stream.adobe else "RGB"
    if stream.subsampled:
        return "YBR_FULL"
    if stream.ids == b"RGB":
        return "RGB"
    coded = stream.jfif and stream.lossy
    return "YBR_FULL" if coded or layout.photometric.startswith("YBR") else "RGB"


def jpeg2k_space(stream: Stream, layout: Layout) -> str:
    """Return what colours a JPEG 2000 decoder delivers: it undoes RCT and ICT (PS3.5 8.2.4)."""
    if stream.components != 3:
        return layout.photometric
    return (
        "RGB"
        if stream.mct or not layout.photometric.startswith("YBR_FULL")
        else "YBR_FULL"
    )


def _labelled_rgb(_stream: Stream, layout: Layout) -> str:
    return layout.photometric.replace("_422", "")


def _always_rgb(_stream: Stream, layout: Layout) -> str:
    return layout.photometric if layout.samples == 1 else "RGB"


_SPACES: Final[MappingProxyType[str, Callable[[Stream, Layout], str]]] = (
    MappingProxyType(
        {
            "jpeg": jpeg_space,
            "jpegls": _labelled_rgb,
            "jpeg2k": jpeg2k_space,
            "jpegxl": _always_rgb,
        }
    )
)


def _family(data: bytes, layout: Layout, labelled: str) -> str:
    """Return which decoder reads a frame: what it starts with is stronger than the label.

    Words that are not compressed start with anything, and are known by their number.
    """
    raw = labelled in ("native", "uncompressed")
    if raw and len(data) in _native_sizes(layout):
        return "uncompressed"
    if labelled == "rle" or (raw and is_rle(data[:64])):
        return "rle"
    data = _from_its_start(data)
    for signature, family in _SIGNATURES.items():
        if data.startswith(signature):
            return family
    if data.startswith(b"\xff\xd8"):
        return "jpegls" if is_jpegls(data) else "jpeg"
    return "uncompressed" if raw else labelled


def _from_its_start(data: bytes) -> bytes:
    """Return a codestream without zeros in front of it, with which some writers align it."""
    if data.startswith(tuple(_SIGNATURES)):
        return data
    stripped = data.lstrip(b"\0")
    return stripped if stripped.startswith((b"\xff\xd8", *_SIGNATURES)) else data


def _native_sizes(layout: Layout) -> tuple[int, ...]:
    """Return the bytes of a frame in a fragment, which is even where the frame is not (PS3.5 A.4).

    Writers that give each pixel its chroma and keep the label YBR_FULL_422 exist.
    """
    size = layout.frame_bytes
    full = (
        replace(layout, photometric="YBR_FULL").frame_bytes
        if layout.subsampled
        else size
    )
    return size, size + size % 2, full, full + full % 2


def _fragmented(data: bytes, layout: Layout, *, little: bool) -> Samples:
    """Lay out a frame of Encapsulated Uncompressed (PS3.5 A.4.11)."""
    layout = replace(layout, frames=1).fitted(len(data))
    needed = layout.frame_bytes
    if len(data) < needed:
        msg = f"Expected {needed:,} bytes in a frame, found {len(data):,}: it is cut."
        raise DicomError(msg, reason="truncated")
    swapped = swap_words(data) if not little and layout.allocated <= 8 else data
    return unpack(swapped[:needed], layout, little=little)


def _check_size(stream: Stream, layout: Layout) -> None:
    components = stream.components or layout.samples
    if (stream.rows, stream.columns, components) != (*layout.size, layout.samples):
        msg = (
            f"Expected a frame of {layout.rows} x {layout.columns} x {layout.samples} "
            "(0028,0010), (0028,0011), (0028,0002); its codestream has "
            f"{stream.rows} x {stream.columns} x {components}."
        )
        raise DicomError(msg, reason="size-mismatch")


def _decoded_samples(
    data: bytes, family: str, stream: Stream, layout: Layout, threads: int
) -> Samples | None:
    """Decode by imagecodecs; None where it gives up."""
    space = _SPACES[family](stream, layout)
    try:
        if family == "jpeg":
            return _jpeg(data, space, stream)
        return Samples(np.asarray(_CODECS[family](data, threads)), space)
    except (ValueError, RuntimeError, TypeError, MemoryError):
        return None


def _jpeg(data: bytes, space: str, stream: Stream) -> Samples:
    """Decode any process of JPEG; colours are turned by libjpeg where the process allows it."""
    if stream.components != 3:
        return Samples(np.asarray(imagecodecs.jpeg8_decode(data)), space)
    coded = "YCBCR" if space == "YBR_FULL" else "RGB"
    wanted = "RGB" if stream.lossy else coded
    array = imagecodecs.jpeg8_decode(data, colorspace=coded, outcolorspace=wanted)
    return Samples(np.asarray(array), "RGB" if stream.lossy else space)


def threads_for(pixels: int) -> int:
    """Return threads for a frame: one a core of this process, or OMP_NUM_THREADS if that is less.

    Ray and schedulers of clusters set OMP_NUM_THREADS to the share of a worker.
    """
    if pixels < _LEAST_PIXELS:
        return 1
    share = os.environ.get("OMP_NUM_THREADS", "")
    most = max(1, int(share)) if share.isdecimal() else _MOST_THREADS
    return min(_MOST_THREADS, _cores(), most)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _jpegls(data: bytes, _threads: int) -> Array:
    """Decode JPEG-LS, to an end marker of our own: without one CharLS searches for seconds."""
    whole = data if data.endswith(_END) else data + _END
    array: Array = imagecodecs.jpegls_decode(whole)
    return array


def _jpeg2k(data: bytes, threads: int) -> Array:
    """Decode JPEG 2000 and HTJ2K: OpenJPEG clamps lossy HTJ2K, where OpenJPH's wrapper wraps."""
    array: Array = imagecodecs.jpeg2k_decode(data, numthreads=threads)
    return array


def _jpegxl(data: bytes, threads: int) -> Array:
    array: Array = imagecodecs.jpegxl_decode(data, index=0, numthreads=threads)
    return array


_CODECS: Final[MappingProxyType[str, Callable[[bytes, int], Array]]] = MappingProxyType(
    {"jpegls": _jpegls, "jpeg2k": _jpeg2k, "jpegxl": _jpegxl}
)


def _plugin(data: bytes, family: str, layout: Layout, syntax: Syntax) -> Samples:
    """Decode by a plugin of pydicom."""
    for plugin in _PLUGINS.get(family, ()):
        try:
            return _by_pydicom(data, layout, syntax, plugin)
        except Exception:  # noqa: BLE001, S112  whatever a plugin raises, the next is asked
            continue
    msg = "Expected a codestream that a decoder reads, found a broken one: the frame is damaged."
    raise DicomError(msg, reason="broken-codestream")


def _by_pydicom(data: bytes, layout: Layout, syntax: Syntax, plugin: str) -> Samples:
    decoder = get_decoder(syntax.uid)
    options = _options(layout)
    with without_warnings():
        array, meta = decoder.as_array(
            encapsulate([data]), index=0, raw=True, decoding_plugin=plugin, **options
        )
    space = str(meta["photometric_interpretation"])
    return Samples(array, space.replace("_422", ""))


def _options(layout: Layout) -> dict[str, Any]:
    return {
        "rows": layout.rows,
        "columns": layout.columns,
        "number_of_frames": 1,
        "samples_per_pixel": layout.samples,
        "bits_allocated": layout.allocated,
        "bits_stored": layout.bits,
        "pixel_representation": int(layout.signed),
        "planar_configuration": 0,
        "photometric_interpretation": layout.photometric,
        "pixel_keyword": "PixelData",
    }


def _inflate(data: bytes, layout: Layout) -> Samples:
    """Inflate one frame (Deflated Image Frame Compression, PS3.5 A.4.13)."""
    needed = layout.frame_bytes
    raw = inflate(data, needed) or b""
    if len(raw) < needed:
        msg = f"Expected {needed:,} bytes in a deflated frame, found {len(raw):,}: it is broken."
        raise DicomError(msg, reason="broken-codestream")
    return unpack(raw[:needed], layout, little=True)
