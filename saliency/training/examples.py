"""Files to examples: what TensorFlow calls from its threads."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final, TypeAlias

import numpy as np

from saliency.dicom.file.guard import contained
from saliency.dicom.file.open import Opened, open_source
from saliency.dicom.read import Reader
from saliency.errors import DicomError, InputError, SaliencyError
from saliency.pipeline.files import File, content_of
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import Preparation
from saliency.values.arrays import Array

Shape: TypeAlias = tuple[int, ...]
Key: TypeAlias = tuple[int, int]
"""Number of a file, and of a frame in it."""

#: Frames that are read while a file is open: many enough to share its header, few in memory.
_RUN: Final = 16
#: Bytes: glibc learns from blocks of up to 32 MiB, its own words included.
_LARGEST_BLOCK: Final = 2**25 - 2**16


class ExampleReader:
    """Reads, prepares and labels frames; keeps account of what is skipped.

    Parameters
    ----------
    files
        What is read, by number.
    labels
        (files, ...); None where there are none.
    prepare
        From image to input.
    skip
        Whether an image that cannot be read or prepared is left out; else its error is raised.
    tell
        Called with the file's name and the error for each that is left out.
    """

    def __init__(
        self,
        files: Sequence[File],
        labels: Array | None,
        prepare: Preparation,
        *,
        skip: bool,
        tell: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.files = files
        self.labels = labels
        self.skip = skip
        self._prepare = prepare
        self._tell = tell
        self._skipped: dict[Key, str] = {}
        self._shape = _said_by(prepare)
        self._any = False
        _let_memory_stay()

    @property
    def shape(self) -> Shape:
        """(H, W, C) of every example; read from the first image where ``prepare`` leaves it open.

        Raises
        ------
        SaliencyError
            The first image cannot be read; of images that may be skipped, none can.
        """
        if self._shape is None:
            any(self._inputs(number, 0, 1) for number in range(len(self.files)))
        if self._shape is None:
            raise self._nothing()
        return self._shape

    def runs(self, number: int, *, apart: bool) -> Array:
        """Return int64 (runs, 3): the file, and the first frame and the one after the last.

        Parameters
        ----------
        number
            Of the file.
        apart
            Whether each frame is a run of its own.
        """
        try:
            frames, step = self._counted(number)
        except Exception as error:  # noqa: BLE001 - the edge of a file
            self._failed((number, 0), error)
            return np.zeros((0, 3), np.int64)
        starts = np.arange(0, frames, 1 if apart else step)
        stops = np.minimum(starts + (1 if apart else step), frames)
        return np.stack([np.full_like(starts, number), starts, stops], axis=1).astype(
            np.int64
        )

    def _counted(self, number: int) -> tuple[int, int]:
        """Return how many frames a file has, and how many are read at once."""
        with ExitStack() as stack:
            opened, reader = self._opened(stack, number)
            frames = reader.layout.frames
            # A frame of a video is made of those before it: nobody may begin in the middle.
            return frames, frames if opened.syntax.family == "video" else _RUN

    def examples(self, run: Array) -> Any:
        """Return inputs float32 (N, H, W, C) of a run, and labels (N, ...) where there are some."""
        number, start, stop = map(int, run)
        inputs = self._inputs(number, start, stop)
        self._any = self._any or bool(inputs)
        return self._labelled(inputs, number)

    def report(self) -> Any:
        """Log what was skipped, at the end of a pass; return no example.

        Raises
        ------
        InputError
            There never was an example.
        """
        if not self._any:
            raise self._nothing()
        if self._skipped:
            kinds = sorted(Counter(self._skipped.values()).items())
            files = len({number for number, _ in self._skipped})
            logging.getLogger("saliency.training").warning(
                "tf_dataset: %d examples of %d files skipped: %s.",
                len(self._skipped),
                files,
                ", ".join(f"{count} {kind}" for kind, count in kinds),
            )
        return self._labelled([], 0)

    def _inputs(self, number: int, start: int, stop: int) -> list[Array]:
        """Return the inputs (H, W, C) of some frames of a file, but those that are skipped."""
        with ExitStack() as stack:
            try:
                _, reader = self._opened(stack, number)
            except Exception as error:  # noqa: BLE001 - the edge of a file
                self._failed((number, start), error)
                return []
            frames = (
                self._input(reader, number, frame) for frame in range(start, stop)
            )
            return [made for made in frames if made is not None]

    def _opened(self, stack: ExitStack, number: int) -> tuple[Opened, Reader]:
        with contained():
            opened = stack.enter_context(open_source(content_of(self.files[number])))
            return opened, Reader(opened, threads=1)  # as many files as cores at once

    def _input(self, reader: Reader, number: int, frame: int) -> Array | None:
        """Return the input of a frame; None where it is skipped."""
        try:
            with contained():
                image = reader.image(frame, None)
            made: Array = self._prepare(image).array[0]
            self._check(made.shape)
        except Exception as error:  # noqa: BLE001 - the edge of an image: a function of the user's
            self._failed((number, frame), error)
            return None
        return made

    def _check(self, shape: Shape) -> None:
        if self._shape is None:
            self._shape = shape
        if shape != self._shape:
            msg = (
                f"Expected an input of (H, W, C) = {self._shape}, as of the first image, got "
                f"{shape}. Say size= and channels= in Prepare."
            )
            raise InputError(msg)

    def _labelled(self, inputs: list[Array], number: int) -> Any:
        stacked = np.stack(inputs) if inputs else np.zeros((0, *self.shape), np.float32)
        if self.labels is None:
            return stacked
        return stacked, np.repeat(self.labels[number : number + 1], len(inputs), axis=0)

    def _failed(self, key: Key, error: Exception) -> None:
        """Keep account of an error, or raise it with the name of the file."""
        named = _named(self.files[key[0]], error)
        if not self.skip:
            raise named from None
        if key not in self._skipped:
            self._skipped[key] = getattr(error, "reason", type(error).__name__)
            if self._tell:
                self._tell(str(self.files[key[0]]), error)

    def _nothing(self) -> InputError:
        kinds = Counter(self._skipped.values()).most_common(1)
        why = f", most often for {kinds[0][0]!r}" if kinds else ""
        msg = f"tf_dataset: none of {len(self.files)} files gave an example{why}."
        return InputError(msg)


def _let_memory_stay() -> None:
    """Have glibc keep the memory of a file for the next one.

    It gives back what is free beyond twice the largest block that was freed so far (mallopt(3),
    M_TRIM_THRESHOLD). A file of 2048 x 2048 frees more than that of its own pixels, and taking
    3,000 pages anew costs a tenth of the time to read it. Of this block no page is ever taken.
    """
    np.empty(_LARGEST_BLOCK, np.uint8)


def _said_by(prepare: Preparation) -> Shape | None:
    """Return the (H, W, C) that a preparation makes of any image; None where it depends on it."""
    if (
        not isinstance(prepare, Prepare)
        or prepare.size is None
        or len(prepare.size) != 2
    ):
        return None
    planes = prepare.channels or len(prepare.windows)
    return (*prepare.size, planes) if planes else None


def _named(file: File, error: Exception) -> SaliencyError:
    """Return an error that begins with the file's name."""
    if isinstance(error, DicomError):
        return DicomError(f"{file}: {error}", reason=error.reason)
    if isinstance(error, SaliencyError):
        return InputError(f"{file}: {error}")
    lines = str(error).splitlines() or ["without a word"]
    return InputError(f"{file}: {type(error).__name__}: {lines[0][:300]}")
