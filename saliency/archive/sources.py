"""Which frames of which files a run is about, found while it is under way."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any, Final, final

from saliency.dicom import describe, read_dicom
from saliency.dicom.file.dicomweb import fetched, frames_told, web_place_of
from saliency.dicom.file.remote import is_url
from saliency.errors import DicomError, InputError, SaliencyError
from saliency.pipeline.files import (
    File,
    Found,
    Member,
    content_of,
    exists,
    nothing,
    remark,
    walk,
)
from saliency.pipeline.label_table import decoded_text, table_in
from saliency.values.failure import Failure
from saliency.values.image import DicomImage
from saliency.values.window import Window

ALL: Final = "all"
FIRST: Final = "first"
#: Endings of lists of files, where the content is no DICOM.
TABLES: Final = (".csv", ".tsv")
TEXTS: Final = (".txt", ".lst")
#: Columns of a table that hold the files, and what is true of them; else the first, and none.
_FILES: Final = ("source", "file", "path", "filename", "image")
_TRUTHS: Final = ("label", "truth")


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
    truth
        What the list that named the file says of it, ``""`` where it says nothing.
    of
        How many frames the file has by the word of its server, which is checked; 0: nobody told.
    """

    file: File
    number: int = 0
    window: tuple[float, float] | None = None
    truth: str = ""
    of: int = 0

    def __str__(self) -> str:
        return str(self.file)

    def content(self) -> Any:
        """Return what ``read_dicom`` takes, unpacked or fetched: it can be read several times.

        Raises
        ------
        DicomError
            It is a member of a zip that cannot be unpacked, or a server does not send it.
        """
        place = web_place_of(self.file)
        return content_of(self.file) if place is None else fetched(place)

    def read(self, content: Any) -> DicomImage:
        """Return the image in what :meth:`content` returned.

        Raises
        ------
        SaliencyError
            There is none; or the file has other frames than its server told of.
        OSError
            The file cannot be opened.
        """
        shown = None if self.window is None else Window(*self.window)
        image = read_dicom(content, frame=self.number, window=shown)
        if self.of not in (0, image.frames):
            msg = (
                f"Expected {self.of} frames, as the server told, found {image.frames}. Keep it as "
                "a file, and explain that."
            )
            raise DicomError(msg, reason="frames")
        return image

    def failure(self, error: Exception) -> Failure:
        """Return what went wrong, at index 0."""
        kind = type(error).__name__
        words = str(error)
        if isinstance(error, OSError):
            words = error.strerror or words
        elif not isinstance(error, SaliencyError):  # nobody foresaw it
            words = f"{kind}: {error}"
        if words.startswith("frame:"):
            words = f"there is no frame {self.number + 1}; frames count from 1"
        return Failure(0, kind, words)

    def stamp(self) -> bytes:
        """Return what changes when the file does, without reading it; b"" where none can tell."""
        try:
            place = (
                self.file.archive if isinstance(self.file, Member) else Path(self.file)
            )
            told = place.stat()
        except OSError:
            return b""
        text = (
            f"{self.file}|{self.number}|{self.window}|{told.st_size}|{told.st_mtime_ns}"
        )
        return sha256(os.fsencode(text)).digest()


@final
@dataclass(frozen=True)
class Selection:
    """What of the sources is looked at.

    Parameters
    ----------
    frames
        ``"first"``, ``"all"``, a number from 1, or ``"A:B"``, both included.
    window
        (center, width) of the display; None: the file's own.
    part
        (i, n): the i-th of n parts, from 1, by a hash of each file's name.
    since
        Files that changed before this time are left out.
    limit
        At most so many frames.
    """

    frames: str = FIRST
    window: tuple[float, float] | None = None
    part: tuple[int, int] | None = None
    since: datetime | None = None
    limit: int | None = None

    def holds(self, file: File) -> bool:
        """Say whether a file is in the part and recent enough."""
        if self.part is not None:
            index, count = self.part
            if (
                int.from_bytes(sha256(os.fsencode(file)).digest()[:8]) % count
                != index - 1
            ):
                return False
        return self.since is None or _changed(file) >= self.since.timestamp()


@final
@dataclass(frozen=True)
class _Named:
    """A source, and what a list says is true of it, "" where none does."""

    name: str
    truth: str = ""


@final
@dataclass(eq=False)
class FoundFrames:
    """The frames of some sources, as they are found; ``left_out`` grows meanwhile.

    Parameters
    ----------
    sources
        Files, folders, globs, zips, DICOMDIRs, URLs, and lists of them: a text with one a line, or
        a CSV with a column ``source``, ``file`` or ``path`` (else its first) and maybe ``label``.
        What a list names and is not there is a frame that cannot be read.
    selection
        What of them is looked at.

    Raises
    ------
    InputError
        A source does not exist: at the call.
    """

    sources: Sequence[str | PathLike[str]]
    selection: Selection
    left_out: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for source in self.sources:
            if not str(source) or not exists(str(source)):
                msg = f"{source or repr(source)}: no such file or folder."
                raise InputError(msg)

    @property
    def remark(self) -> str:
        """What was left out so far, in words."""
        return remark(self.left_out)

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames, each file once, in the order of the sources.

        Raises
        ------
        NothingFoundError
            No source holds an image.
        """
        yield from islice(self._frames(), self.selection.limit)

    def _frames(self) -> Iterator[Frame]:
        seen: set[str] = set()
        for found, truth in self._files():
            # a folder and its DICOMDIR name the same files
            place = os.path.abspath(found.file)  # noqa: PTH100 - links are files of their own
            if place in seen:
                continue
            seen.add(place)
            if self.selection.holds(found.file):
                yield from _frames_of(found, self.selection, truth)
        if not seen:
            others = (
                f" and {len(self.sources) - 1} more" if len(self.sources) > 1 else ""
            )
            raise nothing(self.left_out, f"{self.sources[0]}{others}: ")

    def _files(self) -> Iterator[tuple[Found, str]]:
        for named in _each_named(self.sources):
            for found in _found_at(named.name):
                if found.meant:
                    yield found, named.truth
                else:
                    self.left_out[found.kind] += 1


def _each_named(sources: Sequence[str | PathLike[str]]) -> Iterator[_Named]:
    """Yield each source, or those of a list in its place."""
    for source in sources:
        path = Path(source)
        ending = path.suffix.lower()
        if ending not in (*TABLES, *TEXTS) or not path.is_file() or _is_dicom(path):
            yield _Named(os.fspath(source))
        else:
            yield from _of_table(path) if ending in TABLES else _of_text(path)


def _of_text(path: Path) -> list[_Named]:
    """Return what a text lists, one a line; "Copy as path" of Windows puts names into quotes.

    Raises
    ------
    InputError
        It is no text, or nothing that it lists is there.
    """
    try:
        text = decoded_text(path.read_bytes())
    except UnicodeDecodeError as error:
        msg = f"{path}: expected a list in UTF-8, or in UTF-16 with a byte order mark."
        raise InputError(msg) from error
    lines = (line.strip() for line in text.replace("\r", "\n").split("\n"))
    names = (re.sub(r'^"(.+)"$', r"\1", line) for line in lines if line)
    return _placed(
        path,
        [_Named(name) for name in names if not name.startswith("#") or exists(name)],
    )


def _of_table(path: Path) -> list[_Named]:
    """Return what a table lists, with what is true of it.

    Raises
    ------
    InputError
        It is no table, has no header, says two things of one file, or nothing of it is there.
    """
    try:
        table = table_in(path)
    except InputError as error:
        msg = f"{path}: {str(error).removeprefix('labels: ')}"
        raise InputError(msg) from error
    names = [name.lower() for name in table.columns]
    files = next((names.index(name) for name in _FILES if name in names), None)
    truth = next((names.index(name) for name in _TRUTHS if name in names), None)
    if files is None and _place_of(path, table.columns[0]) is not None:
        msg = (
            f"{path}: expected a header, as file,label, found a file in the first row."
        )
        raise InputError(msg)
    listed = [
        _Named(row[files or 0], "" if truth is None else row[truth])
        for row in table.rows
        if row[files or 0]
    ]
    placed = _placed(path, listed)
    truths: dict[str, str] = {}
    for each in placed:
        place = os.path.abspath(each.name)  # noqa: PTH100 - one file by two names
        if truths.setdefault(place, each.truth) != each.truth:
            msg = f"{path}: expected one label a file, found two of {each.name}."
            raise InputError(msg)
    return placed


def _placed(listing: Path, listed: Sequence[_Named]) -> list[_Named]:
    """Return what a list names, each where it lies; what is nowhere stays as it is named.

    Raises
    ------
    InputError
        Nothing of it is there: this is another kind of list.
    """
    places = [_place_of(listing, each.name) for each in listed]
    if listed and not any(places):
        msg = (
            f"{listing}: it lists {listed[0].name}, and there is no such file, here or beside the "
            "list; nor any other of it. A column of files is called source, file or path."
        )
        raise InputError(msg)
    return [
        _Named(each.name if place is None else place, each.truth)
        for each, place in zip(listed, places, strict=True)
    ]


def _place_of(listing: Path, name: str) -> str | None:
    """Return where a file of a list lies: from here, or else from the folder of the list."""
    if is_url(name) or exists(name):
        return name
    beside = str(listing.parent / name)
    return beside if exists(beside) else None


def _found_at(source: str) -> Iterator[Found]:
    """Yield what lies there; what a list names in vain is missed when it is read."""
    return walk(source) if exists(source) else iter((Found(Path(source), "broken"),))


def _is_dicom(path: Path) -> bool:
    return next(iter(walk(path))).kind == "image"


def _changed(file: File) -> float:
    """Return when a file changed, in seconds since 1970; of a URL, or of what is gone: now."""
    try:
        return Path(file.archive if isinstance(file, Member) else file).stat().st_mtime
    except OSError:
        return float("inf")


def check_frames(text: str) -> str:
    """Return what ``frames`` says, as it is.

    Raises
    ------
    InputError
        It is none of the forms.
    """
    if text in (FIRST, ALL):
        return text
    first, colon, last = text.partition(":")
    last = last if colon else first
    whole = first.isdecimal() and last.isdecimal()
    if whole and 1 <= int(first) <= int(last):
        return text
    msg = f"frames: expected first, all, a number from 1, or A:B, got {text!r}."
    raise InputError(msg)


def part_of(text: str) -> tuple[int, int]:
    """Return (i, n) of ``"i/n"``.

    Raises
    ------
    InputError
        It is no part.
    """
    index, _, count = text.partition("/")
    whole = index.isdecimal() and count.isdecimal()
    if whole and 1 <= int(index) <= int(count):
        return int(index), int(count)
    msg = f"part: expected i/n, as 1/4 to 4/4, got {text!r}."
    raise InputError(msg)


def _frames_of(found: Found, selection: Selection, truth: str) -> Iterator[Frame]:
    """Yield the frames of a file that are wanted; a server's word spares fetching it to count."""
    file, frames = found.file, selection.frames
    place = web_place_of(file)
    told = 0
    if frames != FIRST and place is not None:
        told = found.frames or frames_told(place)
    for number in _frame_numbers(file, frames, told):
        yield Frame(file, number, selection.window, truth, told)


def _frame_numbers(file: File, frames: str, told: int) -> range:
    """Return indices from 0; the first alone where the file cannot be read, which then fails."""
    if frames == FIRST:
        return range(1)
    try:
        count: Any = told or describe(content_of(file))["frames"]
    except (DicomError, OSError):
        return range(1)
    if frames == ALL:
        return range(count)
    first, _, last = frames.partition(":")
    wanted = range(int(first) - 1, int(last or first))
    kept = range(wanted.start, min(wanted.stop, count))
    return kept or wanted[:1]  # a frame that is not there fails, and is told of
