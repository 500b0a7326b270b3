"""A volume: slices of one series on one grid, decoded when they are looked at."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from typing import Any, final

import numpy as np

from saliency.dicom.display.voi import Asked
from saliency.dicom.read import read_dicom, shown_through
from saliency.dicom.slices import FrameHeader
from saliency.errors import DicomError, InputError
from saliency.pipeline.files import content_of
from saliency.values.arrays import Array, finite, frozen
from saliency.values.image import DicomImage
from saliency.values.window import Window
from saliency.volumes.stack import Slice, Stack, stacked


@final
@dataclass(frozen=True, eq=False, repr=False)
class DicomVolume:
    """The slices of one series, sorted along the patient's axis.

    Pixels are decoded on first use: ``volume[k]`` decodes one slice, ``volume.pixels`` all
    of them, on every core, and keeps them.

    Parameters
    ----------
    stack
        The slices in order, and where their voxels lie.
    window
        The window of every slice; see :func:`read_series`.

    Raises
    ------
    InputError
        Colour slices: a volume is grey.
    """

    stack: Stack
    window: Window | int | str | None = None

    def __len__(self) -> int:
        return len(self.stack.slices)

    def __getitem__(self, index: int) -> DicomImage:
        """Read one slice, counted from 0; negative indices count from the end."""
        position = range(len(self))[index]
        return self._read(position, self._shown_with)

    def __iter__(self) -> Iterator[DicomImage]:
        return (self[k] for k in range(len(self)))

    @property
    def size(self) -> tuple[int, int, int]:
        """(slices, rows, columns)."""
        header = self.stack.slices[0].header
        return len(self), header.rows, header.columns

    @property
    def spacing(self) -> tuple[float, float, float]:
        """(slice, row, column) mm; the first from the places of the slices (PS3.3 C.7.6.2.1.1)."""
        return self.stack.spacing

    @property
    def affine(self) -> Array:
        """float64 (4, 4): (slice, row, column, 1) of a voxel's centre to mm in LPS."""
        return self.stack.affine

    @property
    def sheared(self) -> bool:
        """Whether the slices slide over each other, as under gantry tilt: then it is no box."""
        return self.stack.sheared

    @property
    def modality(self) -> str:
        """(0008,0060), ``""`` where unknown."""
        return self.stack.slices[0].header.modality

    @cached_property
    def pixels(self) -> Array:
        """float32 (slices, rows, columns) in modality units; decoded on all cores at first use."""
        return self._gathered(np.float32, lambda image: image.pixels)

    @cached_property
    def display(self) -> Array:
        """uint8 (slices, rows, columns): as a viewer shows the slices, all with one window."""
        return self._gathered(np.uint8, lambda image: image.display)

    @cached_property
    def digest(self) -> str:
        """sha256 of the digests of the slices, in order; reads every slice."""
        digests = self._mapped(lambda image: image.digest)
        return sha256("".join(digests).encode()).hexdigest()

    @cached_property
    def _shown_with(self) -> Asked:
        """One VOI transform for all slices, so that equal brightness means equal values.

        Slices of PET and MR often have a window each. Where none was asked for, the middle slice
        gives its own window with its function, or its VOI LUT; or its range without padding.
        """
        if self.window is not None:
            return self.window
        middle = len(self) // 2
        taken = self.stack.slices[middle]
        with self._numbered(middle):
            return shown_through(content_of(taken.source), taken.header.frame)

    @contextmanager
    def _numbered(self, position: int) -> Iterator[None]:
        """Begin what is wrong with a slice with its number."""
        try:
            yield
        except DicomError as error:
            msg = f"slice {position} of {len(self)}: {error}"
            raise DicomError(msg, reason=error.reason) from None

    def _read(self, position: int, window: Asked) -> DicomImage:
        taken = self.stack.slices[position]
        source = content_of(taken.source)
        if isinstance(source, DicomImage):
            return source
        with self._numbered(position):
            image = read_dicom(source, frame=taken.header.frame, window=window)  # type: ignore[arg-type]
        if image.pixels.ndim != 2:
            msg = "DicomVolume: expected grey slices, got colour. Read them with read_dicom."
            raise InputError(msg)
        return image

    def _gathered(self, dtype: Any, part: Callable[[DicomImage], Array]) -> Array:
        """Return one array of a part of every slice."""
        whole = np.empty(self.size, dtype)

        def put(position: int) -> None:
            whole[position] = part(self[position])

        self._in_threads(put)
        whole.flags.writeable = False
        return whole

    def _mapped(self, part: Callable[[DicomImage], str]) -> list[str]:
        return self._in_threads(lambda position: part(self[position]))

    def _in_threads(self, task: Callable[[int], Any]) -> list[Any]:
        _ = self._shown_with  # found once, before the threads ask for it
        with ThreadPoolExecutor(os.cpu_count() or 1, "saliency-slices") as pool:
            return list(pool.map(task, range(len(self))))

    def explained_by(self, model: object, explainer: Any, **asked: Any) -> Any:
        """Return the answer of a model about this volume; ``saliency.explain`` calls this."""
        room = import_module(
            "saliency.volumes.explain"
        )  # by name, since it imports this class
        return room.explain_volume(model, self, explainer, **asked)

    @classmethod
    def from_array(
        cls,
        pixels: Array,
        *,
        spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
        affine: Array | None = None,
        window: Window | None = None,
    ) -> "DicomVolume":
        """Make a volume of voxels that never were in a file.

        Parameters
        ----------
        pixels
            (slices, rows, columns), any real numbers.
        spacing
            (slice, row, column) mm, along the axes z, y, x; not with ``affine``.
        affine
            (4, 4): (slice, row, column, 1) to mm in LPS.
        window
            What the display shows; None: from the least to the greatest value.

        Raises
        ------
        InputError
            Wrong rank or shape, not finite, or fewer than two slices.
        """
        voxels = finite(frozen(pixels, np.float32, "pixels", ranks=(3,)), "pixels")
        given = _axial(spacing) if affine is None else affine
        matrix = frozen(given, np.float64, "affine", ranks=(2,))
        if matrix.shape != (4, 4):
            msg = f"DicomVolume.from_array: expected an affine (4, 4), got {matrix.shape}."
            raise InputError(msg)
        shown = window or _window_of_range(voxels)
        down, across = (float(np.linalg.norm(matrix[:3, axis])) for axis in (1, 2))
        slices = [
            Slice(
                DicomImage.from_array(plane, window=shown, spacing=(down, across)),
                FrameHeader(
                    frame=0,
                    frames=1,
                    rows=voxels.shape[1],
                    columns=voxels.shape[2],
                    position=tuple(matrix[:3, 3] + k * matrix[:3, 0]),
                    orientation=(*matrix[:3, 2] / across, *matrix[:3, 1] / down),
                    spacing=(down, across),
                ),
            )
            for k, plane in enumerate(voxels)
        ]
        return cls(stacked(slices), shown)

    def __repr__(self) -> str:
        slices, rows, columns = self.size
        spacing = " x ".join(f"{each:.3g}" for each in self.spacing)
        tilt = ", sheared" if self.sheared else ""
        name = self.modality or "array"
        return f"DicomVolume({name}, {slices} slices of {rows} x {columns}, {spacing} mm{tilt})"


def _axial(spacing: tuple[float, float, float]) -> Array:
    """Return the affine of slices that ascend to the head, with rows that run to the left."""
    deep, down, across = spacing
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = deep, down, across, 1.0
    return affine


def _window_of_range(voxels: Array) -> Window:
    low, high = float(voxels.min()), float(voxels.max())
    return Window((low + high) / 2 + 0.5, high - low + 1)
