"""Which frames of which files a command is about."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from saliency.cli.options import told_as
from saliency.cli.say import reading, say, words_of
from saliency.errors import DicomError, InputError, SaliencyError
from saliency.values.failure import Failure

ALL: Final = "all"
FIRST: Final = "first"


@final
@dataclass(frozen=True)
class Frame:
    """A frame of a file, from 0.

    Parameters
    ----------
    file
        As ``saliency.pipeline.files`` finds it.
    number
        Index of the frame.
    window
        (center, width) that it is shown through; None: the file's own.
    """

    file: Any
    number: int = 0
    window: tuple[float, float] | None = None

    def __str__(self) -> str:
        return str(self.file)

    def read(self) -> Any:
        """Return the DicomImage, or a Failure at index 0."""
        from saliency.dicom import read_dicom
        from saliency.pipeline.files import content_of
        from saliency.values.window import Window

        try:
            with reading(str(self)):
                shown = None if self.window is None else Window(*self.window)
                return read_dicom(content_of(self.file), frame=self.number, window=shown)
        except (SaliencyError, OSError, MemoryError) as error:
            words = words_of(error)
            if words.startswith("frame:"):
                words = f"there is no frame {self.number + 1}; frames count from 1"
            return Failure(0, type(error).__name__, words)


def files_of(options: argparse.Namespace, sources: Sequence[Any]) -> Sequence[Any]:
    """Return the pictures of the sources; say what was left out.

    Raises
    ------
    InputError
        A source does not exist; or none holds a picture.
    """
    from saliency.pipeline.files import NothingFoundError, exists, listing

    for source in sources:
        if not str(source) or not exists(str(source)):
            msg = f"{source or repr(source)}: no such file or folder."
            raise InputError(msg)
    try:
        found = listing(sources)
    except NothingFoundError as error:
        others = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        msg = f"{sources[0]}{others}: {error}"
        raise NothingFoundError(msg) from error
    if found.remark:
        say(options, found.remark)
    return found.files


def frames_of(
    files: Sequence[Any], frames: str, window: tuple[float, float] | None
) -> Iterator[Frame]:
    """Yield the frames that ``--frames`` asks for, file by file.

    Parameters
    ----------
    frames
        ``"first"``, ``"all"``, a number from 1, or ``"A:B"``, both included.
    """
    for file in files:
        numbers = range(1) if frames == FIRST else _numbers(file, frames)
        yield from (Frame(file, number, window) for number in numbers)


@told_as("first, all, a number from 1, or A:B")
def check_frames(text: str) -> str:
    """Return ``--frames`` as it is."""
    if text not in (FIRST, ALL):
        first, _, last = text.partition(":")
        if not 1 <= int(first) <= int(last or first):
            raise ValueError
    return text


def _numbers(file: Any, frames: str) -> range:
    """Return indices from 0; the first alone where the file cannot be read, which then fails."""
    from saliency.dicom import describe
    from saliency.pipeline.files import content_of

    first, _, last = frames.partition(":")
    wanted = range(0) if frames == ALL else range(int(first) - 1, int(last or first))
    try:
        count = int(str(describe(content_of(file))["frames"]))
    except DicomError:
        return range(1)
    if frames == ALL:
        return range(count)
    kept = range(wanted.start, min(wanted.stop, count))
    return kept or wanted[:1]  # a frame that is not there fails, and is told of
