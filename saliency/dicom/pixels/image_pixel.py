"""How the stored values of a frame are laid out (PS3.3 C.7.6.3), and what a decoder hands on."""

import math
from dataclasses import dataclass, replace
from typing import Final

from saliency.dicom.file.elements import Elements, code, number
from saliency.dicom.file.limits import MAX_FRAMES, MAX_SAMPLES, check
from saliency.dicom.file.tags import DOUBLE_PIXELS, FLOAT_PIXELS, TAGS, written
from saliency.dicom.pixels.photometric import COLOURED, known_term
from saliency.errors import DicomError
from saliency.values.arrays import Array

_DEPTHS: Final = (1, 8, 12, 16, 32, 64)
_FLOAT_BITS: Final = {FLOAT_PIXELS: 32, DOUBLE_PIXELS: 64}


@dataclass(frozen=True)
class Layout:
    """The Image Pixel module of a data set, checked.

    ``bits`` is Bits Stored; ``allocated`` Bits Allocated; ``real`` is true of float pixels.
    ``signed`` is never true of colour, whatever Pixel Representation says (C.7.6.3.1.2).
    ``photometric`` is the Photometric Interpretation that the data set names. ``overlay_bits`` is a
    word with those bits set in which overlay planes lie (PS3.5-2004 8.1.2).
    """

    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    bits: int
    high: int
    signed: bool
    planar: bool
    photometric: str
    real: bool
    overlay_bits: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    @property
    def frame_samples(self) -> int:
        """Rows x columns x samples."""
        return self.rows * self.columns * self.samples

    @property
    def subsampled(self) -> bool:
        """Whether native pixels share their chroma, two by two (C.7.6.3.1.2)."""
        return self.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422")

    def fitted(self, there: int) -> "Layout":
        """Return the layout that ``there`` bytes of native pixels have.

        Writers that decompress YBR_FULL_422 give each pixel its chroma and keep the label.

        Raises
        ------
        DicomError
            Chroma is shared by four pixels, which is defined for videos alone (C.7.6.3.1.2).
        """
        whole = self.frame_samples * self.frames * self.allocated // 8
        if self.photometric.endswith("_420") and there < whole:
            msg = (
                "Expected a video under YBR_PARTIAL_420 in Photometric Interpretation "
                "(0028,0004) (PS3.3 C.7.6.3.1.2), found pixels that are not compressed. Convert "
                "the file to RGB."
            )
            raise DicomError(msg, reason="photometric")
        if self.subsampled and there >= whole:
            return replace(self, photometric=self.photometric.removesuffix("_422"))
        return self

    def decoded(self, samples: "Samples") -> "Layout":
        """Return the layout with the bits of a codestream that says more than the data set.

        A JPEG 2000 codestream is believed (PS3.5 A.4.4), unless overlays lie in those bits. Other
        lossless codecs are also given words of 16 bits as they lie: there the data set is right.
        So it is of signed values in a stream that says unsigned, where no sign was extended.
        """
        wider = samples.bits > self.bits and not self.overlay_bits
        if wider and self.signed and samples.array.dtype.kind == "u":
            wider = int(samples.array.max()) >> self.bits > 0
        return replace(self, bits=samples.bits) if wider else self

    @property
    def frame_bits(self) -> int:
        """Bits of a native frame."""
        samples = 2 if self.subsampled and self.samples == 3 else self.samples
        return self.rows * self.columns * samples * self.allocated

    @property
    def frame_bytes(self) -> int:
        """Bytes of a native frame that starts with a byte."""
        return (self.frame_bits + 7) // 8


@dataclass(frozen=True)
class Samples:
    """A decoded frame.

    Parameters
    ----------
    array
        (rows, columns) or (rows, columns, samples), as the decoder delivers it: integers that may
        lack their sign and carry other bits above Bits Stored, or floats.
    space
        Photometric Interpretation of ``array``, which need not be the one of the data set.
    lossy
        The values are not exactly those that were encoded: they may overshoot Bits Stored.
    bits
        Bits of a sample as a JPEG 2000 codestream says; 0 of all else.
    """

    array: Array
    space: str
    lossy: bool = False
    bits: int = 0


def read_layout(
    elements: Elements, pixels_tag: int, *, max_pixels: int = MAX_SAMPLES
) -> Layout:
    """Read the Image Pixel module; ``max_pixels`` is the most samples of a frame.

    Raises
    ------
    DicomError
        A number is missing, impossible, or over ``limits``.
    """
    samples, photometric = _samples(elements)
    allocated, bits, high = _bits(elements, pixels_tag)
    layout = Layout(
        rows=_whole(elements, "Rows", 1, 2**32 - 1),
        columns=_whole(elements, "Columns", 1, 2**32 - 1),
        frames=_number_of_frames(elements),
        samples=samples,
        allocated=allocated,
        bits=bits,
        high=high,
        signed=samples == 1 and number(elements, TAGS["PixelRepresentation"], 0) == 1,
        planar=samples > 1 and number(elements, TAGS["PlanarConfiguration"], 0) == 1,
        photometric=photometric,
        real=pixels_tag in _FLOAT_BITS,
    )
    check(layout.frame_samples, max_pixels, "samples in a frame (max_pixels)")
    _check_floats(layout)
    return layout


def _check_floats(layout: Layout) -> None:
    """Refuse floats as colours: neither an index of a table nor a sample of 0..1 is defined."""
    if layout.real and not layout.photometric.startswith("MONOCHROME"):
        msg = (
            "Expected MONOCHROME2 in Photometric Interpretation (0028,0004) of Float Pixel Data "
            "(PS3.3 C.7.6.24), found colour. Convert the file to integers."
        )
        raise DicomError(msg, reason="photometric")


def _samples(elements: Elements) -> tuple[int, str]:
    found = number(elements, TAGS["SamplesPerPixel"], 1)
    photometric = known_term(code(elements, TAGS["PhotometricInterpretation"]), found)
    colour = photometric.startswith(COLOURED)
    samples = int(_whole(elements, "SamplesPerPixel", 1, 4, 3 if colour else 1))
    if (samples == 3) != colour or samples == 2:
        msg = (
            "Expected 3 Samples per Pixel (0028,0002) of RGB and YBR and 1 of all else "
            f"(PS3.3 C.7.6.3.1.1), found {samples}. Correct (0028,0002) or (0028,0004)."
        )
        raise DicomError(msg, reason="samples")
    return samples, photometric


def _bits(elements: Elements, pixels_tag: int) -> tuple[int, int, int]:
    if pixels_tag in _FLOAT_BITS:
        depth = _FLOAT_BITS[pixels_tag]
        return depth, depth, depth - 1
    allocated = _whole(elements, "BitsAllocated", 1, 64)
    if allocated not in _DEPTHS:
        msg = f"Expected Bits Allocated (0028,0100) 1, 8, 16, 32 or 64, found {allocated}."
        raise DicomError(msg, reason="bits")
    bits = _whole(elements, "BitsStored", 1, allocated, allocated)
    return allocated, bits, _whole(elements, "HighBit", 0, 63, bits - 1)


def _number_of_frames(elements: Elements) -> int:
    frames = number(elements, TAGS["NumberOfFrames"], 1)
    if not math.isfinite(frames) or frames < 0:
        msg = "Expected Number of Frames (0028,0008) of 1 or more, found none or less."
        raise DicomError(msg, reason="frames")
    check(int(frames), MAX_FRAMES, "frames")
    return max(1, int(frames))


def _whole(
    elements: Elements, keyword: str, least: int, most: int, default: int | None = None
) -> int:
    found = number(elements, TAGS[keyword], math.nan if default is None else default)
    if not least <= found <= most:
        what = "none" if math.isnan(found) else f"{found:g}"
        msg = f"Expected {keyword} {written(TAGS[keyword])} in {least}..{most}, found {what}."
        raise DicomError(msg, reason="image-pixel")
    return int(found)
