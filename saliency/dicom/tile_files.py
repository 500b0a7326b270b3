"""A file of a slide, held open: tiles read one by one and decoded in any thread."""

from contextlib import ExitStack
from functools import cached_property
from threading import RLock
from typing import final

import numpy as np

from saliency.dicom.declared.slides import label_in_image
from saliency.dicom.display.colour import to_rgb
from saliency.dicom.display.icc import read_profiles
from saliency.dicom.file.groups import read_groups
from saliency.dicom.file.guard import contained
from saliency.dicom.file.open import Opened, open_source
from saliency.dicom.pixels.stored import stored_values
from saliency.dicom.read import Reader
from saliency.dicom.tile_headers import (
    TileHeader,
    TilePlaces,
    read_places,
    read_tile_header,
    slide_kind,
)
from saliency.values.arrays import Array
from saliency.values.window import Window


@final
class TileFile:
    """One file of a slide. Bytes are read by one thread at a time, and decoded side by side.

    Parameters
    ----------
    source
        What ``read_dicom`` takes. It stays open until :meth:`close`.

    Raises
    ------
    DicomError
        The file cannot be read; reason ``"no-slide"`` where it is no whole slide image.
    """

    def __init__(self, source: object) -> None:
        self._stack = ExitStack()
        self._lock = RLock()
        try:
            with contained():
                self._opened: Opened = self._stack.enter_context(open_source(source))
                self.kind: str = slide_kind(self._opened)
        except BaseException:
            self._stack.close()
            raise

    def close(self) -> None:
        """Close the file; closing it twice is no error."""
        with self._lock:
            self._stack.close()

    @property
    def shows_label(self) -> bool:
        """Whether the picture shows a label, or may (Specimen Label in Image (0048,0010))."""
        with contained(), self._lock:
            said = label_in_image(self._opened.elements)
        return self.kind == "LABEL" or said == "YES"

    @cached_property
    def header(self) -> TileHeader:
        """What the file says of its place in the slide."""
        with contained(), self._lock:
            return read_tile_header(self._opened)

    @cached_property
    def _reader(self) -> Reader:
        with contained(), self._lock:
            return Reader(self._opened)

    def places(self) -> TilePlaces:
        """Return where each frame lies."""
        with contained(), self._lock:
            return read_places(self._opened, self.header)

    def window(self, frame: int) -> Window:
        """Return what is shown of grey values: the window of a frame, else all they can be.

        Every tile of an optical path is shown through that of its first one, so that equal
        brightness means equal values.
        """
        with contained(), self._lock:
            own = self._reader.image(frame, None).window
        highest = 2**self.header.layout.bits - 1
        # LINEAR maps c - 0.5 -+ (w - 1) / 2 to black and white (PS3.3 C.11.2.1.2.1).
        return own or Window((highest + 1) / 2, highest + 1)

    def profile(self, frame: int) -> bytes:
        """Return the ICC profile of a frame's optical path, else of the file; empty without any."""
        with contained(), self._lock:
            top = self._opened.elements
            groups = read_groups(top).of(frame)
            return read_profiles(top).of(groups, frame, self.header.layout.frames)

    def tile(self, frame: int) -> Array:
        """Read and decode one frame.

        Returns
        -------
        Array
            uint8 (rows, columns, 3) RGB as it is stored, or float32 (rows, columns), grey values.

        Raises
        ------
        DicomError
            The frame is damaged, cut, or of another size than its header says.
        """
        reader = self._reader
        if self.header.grey:
            with contained(), self._lock:
                return reader.image(frame, None).pixels
        with contained():
            with self._lock:
                encoded = reader.encoded(frame)
            samples = reader.samples(encoded)
            layout = reader.layout.decoded(samples)
            stored = stored_values(samples, layout)
            rgb = to_rgb(stored, samples.space, layout.bits)
            return rgb if rgb.dtype == np.uint8 else np.rint(rgb).astype(np.uint8)
