"""From a DICOM file to the image that a viewer shows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from saliency.dicom.choices import Choices, checked
from saliency.dicom.declared.no_image import note_kind
from saliency.dicom.declared.overlays import embedded_bits
from saliency.dicom.declared.padding import padding_mask
from saliency.dicom.declared.slides import label_in_image, shows_label_alone
from saliency.dicom.declared.zones import frame_zones, header_zones
from saliency.dicom.display.colour import to_rgb
from saliency.dicom.display.geometry import read_frame_seconds, spacing_of
from saliency.dicom.display.grey import DisplayedFrame, GreyDisplay, show_grey
from saliency.dicom.display.icc import read_profiles, through_profile
from saliency.dicom.display.modality import Modality, is_signed, read_modality
from saliency.dicom.display.orientation import read_orientation
from saliency.dicom.display.palette import paint_palette
from saliency.dicom.display.presentation import read_presentation
from saliency.dicom.display.supplement import read_supplement
from saliency.dicom.display.voi import Asked, Voi, WindowVoi, read_voi
from saliency.dicom.file.elements import Elements, let_through
from saliency.dicom.file.groups import Groups, read_groups
from saliency.dicom.file.guard import beside, contained, warn
from saliency.dicom.file.limits import MAX_SAMPLES, check_claim
from saliency.dicom.file.open import Opened, Pixels, open_source
from saliency.dicom.file.tags import TAGS, written
from saliency.dicom.pixels.decode import decode
from saliency.dicom.pixels.frames import (
    FrameIndex,
    PlainStream,
    is_encapsulated,
    is_plain_stream,
    native_frame,
)
from saliency.dicom.pixels.image_pixel import Layout, Samples, read_layout
from saliency.dicom.pixels.native import unpack
from saliency.dicom.pixels.stored import stored_values
from saliency.dicom.pixels.video import Video
from saliency.errors import DicomError
from saliency.values.arrays import Array
from saliency.values.deferred import deferred
from saliency.values.image import TRAVELS, DicomImage
from saliency.values.window import Window
from saliency.values.zone import Zone
from saliency.zones.detect import Hints, found_zones


def read_dicom(
    source: object,
    *,
    frame: int = 0,
    window: Window | int | str | None = None,
    icc: bool = False,
    max_pixels: int = MAX_SAMPLES,
) -> DicomImage:
    """Read one frame of a DICOM file.

    Parameters
    ----------
    source
        A path, a URL (extra ``remote``), bytes, a seekable binary file object, or a pydicom
        Dataset. A Dataset is never changed; a file object is read from its first byte and left at
        its position. Of a path, URL or file object only the header and the frame are read.
    frame
        Index from 0. The other frames are neither read nor decoded.
    window
        A window in modality units; or an index into the windows of the file, as it counts them;
        or the explanation (0028,1055) of one, in any case of letters; or None: the first window
        of the file that can be used, else its first VOI LUT, else from the least to the greatest
        value.
    icc
        Show colour through the ICC profile (0028,2000) of the file, or of the optical path of a
        slide's frame, as sRGB (PS3.3 C.11.15); False: as it is stored. Pixels do not change.
    max_pixels
        The most rows x columns x samples that the frame may claim; checked before it is decoded.

    Returns
    -------
    DicomImage
        Stored values, modality values, and the display.

    Raises
    ------
    DicomError
        The file cannot be shown; its ``reason`` says why in a word.
    InputError
        The source has a type that cannot be read, an argument is wrong (raised before the file is
        opened), or the file has no such window or one that cannot be used.
    """
    choices = checked(frame=frame, window=window, icc=icc, max_pixels=max_pixels)
    with contained(), open_source(source) as opened:
        reader = Reader(opened, icc=choices.icc, max_pixels=choices.max_pixels)
        return reader.image(choices.frame, choices.window)


def read_frames(
    source: object,
    *,
    window: Window | int | str | None = None,
    icc: bool = False,
    max_pixels: int = MAX_SAMPLES,
) -> Iterator[DicomImage]:
    """Read every frame in order, one in memory at a time.

    Parameters, errors and results are those of :func:`read_dicom`.
    """
    return _each_frame(source, checked(window=window, icc=icc, max_pixels=max_pixels))


def _each_frame(source: object, choices: Choices) -> Iterator[DicomImage]:
    with contained(), open_source(source) as opened:
        reader = Reader(opened, icc=choices.icc, max_pixels=choices.max_pixels)
        for frame in range(reader.layout.frames):
            yield reader.image(frame, choices.window)


@dataclass(frozen=True)
class Encoded:
    """The bytes of one frame, and the bit of the first of them at which it starts."""

    data: bytes | memoryview
    first_bit: int = 0


@dataclass(frozen=True)
class ShownFrame:
    """One frame on its way to a picture: bytes, samples, stored values, and what is shown."""

    raw: bytes | memoryview
    samples: Samples
    layout: Layout
    groups: Groups
    stored: Array
    picture: DisplayedFrame


def shown_through(source: object, frame: int) -> Voi | None:
    """Return what a frame is shown through where no window is asked for; None of colour.

    A window of the file with its function, a VOI LUT, or the range of the frame without padding.

    Raises
    ------
    DicomError
        The frame cannot be shown.
    """
    with contained(), open_source(source) as opened:
        return Reader(opened).shown(frame, None).picture.voi


class Reader:
    """Reads frames of an open data set.

    Parameters
    ----------
    opened
        What ``open_source`` found.
    icc
        Whether to show colour through the file's profile.
    max_pixels
        The most samples of a frame.
    threads
        That a frame is decoded in; None: one a core. 1 where others decode at the same time.

    Raises
    ------
    DicomError
        It has no pixel data, or an Image Pixel module that cannot be.
    """

    def __init__(
        self,
        opened: Opened,
        *,
        icc: bool = False,
        max_pixels: int = MAX_SAMPLES,
        threads: int | None = None,
    ) -> None:
        self._profiles = read_profiles(opened.elements) if icc else None
        self._elements = opened.elements
        self._syntax = opened.syntax
        self._threads = threads
        self._pixels = pixels_of(opened)
        self.layout = read_layout(
            opened.elements, self._pixels.tag, max_pixels=max_pixels
        )
        self.layout = replace(self.layout, overlay_bits=embedded_bits(opened.elements))
        check_claim(self.layout.frame_samples, self._pixels.there)
        self._groups = read_groups(opened.elements)
        self._hints = read_hints(opened.elements)
        beside(
            "Specimen Label in Image (0048,0010)",
            lambda: _note_label(opened.elements),
            None,
        )
        note_kind(opened.elements)
        self._zones = header_zones(opened.elements, self.layout.size)
        self._index: FrameIndex | PlainStream | None = None
        if is_encapsulated(self._pixels, opened.syntax):
            self._index = FrameIndex(
                self._pixels, opened.elements, self.layout, opened.syntax
            )
        elif is_plain_stream(self._pixels, self.layout, opened.syntax):
            warn(
                "The codestream in Pixel Data (7FE0,0010) lies in no item (PS3.5 A.4)."
            )
            self._index = PlainStream(self._pixels)
        else:
            self.layout = self.layout.fitted(self._pixels.there)
        self._video: Video | None = None

    def shown(self, frame: int, window: Asked) -> "ShownFrame":
        """Read, decode and show one frame."""
        _check_frame(frame, self.layout.frames)
        raw, samples = self._decoded(frame)
        layout, groups = self.layout.decoded(samples), self._groups.of(frame)
        stored = stored_values(samples, layout)
        modality = read_modality(groups, signed=layout.signed)
        voi = read_voi(groups, window, signed=is_signed(modality, layout))
        picture = self._picture(stored, samples, groups, modality, voi)
        return ShownFrame(raw, samples, layout, groups, stored, picture)

    def image(self, frame: int, window: Asked) -> DicomImage:
        """Return one frame as a picture with its zones."""
        shown = self.shown(frame, window)
        raw, stored, groups = shown.raw, shown.stored, shown.groups
        picture, voi = shown.picture, shown.picture.voi
        display = _sealed(self._through_profile(picture, groups, frame))
        told = frame_zones(groups, shown.samples, shown.layout, frame, picture.absent)
        declared = (*self._zones, *told)
        return DicomImage(
            pixels=deferred(lambda: _sealed(picture.pixels())),
            display=display,
            stored=_sealed(stored) if stored.ndim == 2 else None,
            zones=_all_zones(declared, display, self._hints),
            spacing=spacing_of(groups),
            frame=frame,
            frames=self.layout.frames,
            modality=self._hints.modality,
            digest=deferred(lambda: sha256(raw).hexdigest()),
            window=voi.window if isinstance(voi, WindowVoi) else None,
            info=read_info(self._elements),
            searched=True,
            orientation=read_orientation(groups),
            frame_seconds=read_frame_seconds(self._elements),
        ).remembering(self._elements.text(TAGS["SOPInstanceUID"]))

    def _decoded(self, frame: int) -> tuple[bytes | memoryview, Samples]:
        """Return the bytes of a frame, and its samples."""
        if self._index is not None and self._syntax.family == "video":
            return self._filmed(self._index, frame)
        encoded = self.encoded(frame)
        return encoded.data, self.samples(encoded)

    def encoded(self, frame: int) -> Encoded:
        """Read the bytes of one frame, as the file holds them; not from two threads at once."""
        _check_frame(frame, self.layout.frames)
        if self._index is not None:
            return Encoded(self._index.read(frame))
        little = self._syntax.little_pixels
        swapped = not little and self.layout.allocated <= 8 and self._pixels.vr != "OB"
        raw, bit = native_frame(self._pixels, self.layout, frame, swapped=swapped)
        return Encoded(raw, bit)

    def samples(self, encoded: Encoded) -> Samples:
        """Decode the bytes of one frame; any thread may."""
        if self._index is not None:
            data = bytes(encoded.data)
            return decode(data, self.layout, self._syntax, self._threads)
        little = self._syntax.little_pixels
        bit = encoded.first_bit
        return unpack(encoded.data, self.layout, little=little, first_bit=bit)

    def _filmed(
        self, index: FrameIndex | PlainStream, frame: int
    ) -> tuple[bytes, Samples]:
        """Return a frame of a video, and its decoded bytes: it has none of its own in the file."""
        self._video = self._video or Video(index.read(0))
        samples = self._video.frame(frame)
        if samples.array.shape != (*self.layout.size, self.layout.samples):
            msg = "Expected a frame of the size of its header, got another from the video."
            raise DicomError(msg, reason="size-mismatch")
        return samples.array.tobytes(), samples

    def _picture(
        self,
        stored: Array,
        samples: Samples,
        groups: Groups,
        modality: Modality,
        voi: Voi | None,
    ) -> DisplayedFrame:
        layout = self.layout.decoded(samples)
        if stored.ndim == 3:
            return _coloured(to_rgb(stored, samples.space, layout.bits))
        if samples.space == "PALETTE COLOR":
            return _coloured(
                paint_palette(self._elements, stored, signed=layout.signed)
            )
        absent = padding_mask(self._elements, stored, samples, layout)
        look = GreyDisplay(voi, read_presentation(self._elements, layout.photometric))
        supplement = read_supplement(groups, stored, signed=layout.signed)
        if supplement is None:
            return show_grey(stored, absent, modality, look)
        # Colours are no grey values: the range of the frame is that of the others.
        coloured = supplement.coloured
        grey = show_grey(
            stored, coloured if absent is None else coloured | absent, modality, look
        )
        return replace(
            _coloured(supplement.painted(grey.display, stored)), absent=absent
        )

    def _through_profile(
        self, picture: DisplayedFrame, groups: Groups, frame: int
    ) -> Array:
        """Return the display, its colours through the profile of the frame where one is wanted."""
        if self._profiles is None or picture.grey:
            return picture.display
        profile = self._profiles.of(groups, frame, self.layout.frames)
        return through_profile(picture.display, profile) if profile else picture.display


def _coloured(rgb: Array) -> DisplayedFrame:
    display = rgb if rgb.dtype == np.uint8 else np.rint(rgb).astype(np.uint8)
    return DisplayedFrame(lambda: rgb.astype(np.float32), display)


def _all_zones(
    declared: tuple[Zone, ...], display: Array, hints: Hints
) -> tuple[Zone, ...]:
    """Add what the picture shows to the zones of the header, when somebody asks for them."""
    return deferred(lambda: (*declared, *found_zones(display, hints)))


def read_hints(elements: Elements) -> Hints:
    """Return what helps to judge the pixels."""
    return Hints(
        _beside_text(elements, "Modality"), _beside_text(elements, "BurnedInAnnotation")
    )


def read_info(elements: Elements) -> dict[str, str]:
    """Return the attributes that may travel with the pixels, where they have a value."""
    found = {keyword: _beside_text(elements, keyword) for keyword in sorted(TRAVELS)}
    return {keyword: text for keyword, text in found.items() if text}


def _beside_text(elements: Elements, keyword: str) -> str:
    """Return a text that the picture can do without."""
    tag = TAGS[keyword]
    return beside(f"{keyword} {written(tag)}", lambda: let_through(elements, tag), "")


def _note_label(elements: Elements) -> None:
    """Say that a slide's label is somewhere in the picture: no attribute tells where."""
    if label_in_image(elements) == "YES" and not shows_label_alone(elements):
        warn(
            "Specimen Label in Image (0048,0010) is YES: the picture shows a slide's label, which "
            "may name a patient, and no attribute tells where. Only writing found in it is a zone."
        )


def pixels_of(opened: Opened) -> Pixels:
    """Return where the pixels lie; raise DicomError where there are none."""
    if opened.pixels is None or opened.pixels.length == 0:
        msg = (
            "Expected Pixel Data (7FE0,0010), Float Pixel Data (7FE0,0008) or Double Float Pixel "
            "Data (7FE0,0009), found none: the file holds no picture."
        )
        raise DicomError(msg, reason="no-pixel-data")
    return opened.pixels


def _check_frame(frame: int, frames: int) -> None:
    if not 0 <= frame < frames:
        msg = f"frame: expected an index in 0..{frames - 1}, got {frame}."
        raise DicomError(msg, reason="frame-out-of-range")


def _sealed(array: Array) -> Array:
    """Make an array read-only, so that the DicomImage need not copy it."""
    if array.base is None and array.flags.writeable:
        array.flags.writeable = False
    return array
