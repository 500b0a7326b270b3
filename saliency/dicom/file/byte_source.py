"""Bytes at an offset: one face for a file, a file object and bytes in memory."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import IO, TypeAlias

from saliency.dicom.file.remote import is_url, open_url
from saliency.errors import DicomError, InputError, SaliencyError

Source: TypeAlias = str | PathLike[str] | bytes | bytearray | memoryview | IO[bytes]
_CHUNK = 2**16


class Store:
    """Random access to a binary file.

    Small reads are served from a chunk of 64 KiB, so that a header costs a few reads. Nothing is
    read before it is asked for: a frame of a file of many gigabytes costs its own bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        with _medium_errors():
            self.size = file.seek(0, io.SEEK_END)
        self._start = 0
        self._chunk = b""

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes at ``offset``; fewer at the end of the file."""
        if offset < 0 or length <= 0:
            return b""
        begin = offset - self._start
        if begin >= 0 and begin + length <= len(self._chunk):
            return self._chunk[begin : begin + length]
        if length > _CHUNK // 4:
            return self._fetch(offset, min(length, max(0, self.size - offset)))
        self._start, self._chunk = offset, self._fetch(offset, _CHUNK)
        return self._chunk[:length]

    def held(self, offset: int) -> tuple[int, bytes]:
        """Return bytes around an offset, and where they start: what one read brings, or brought."""
        begin = offset - self._start
        if not 0 <= begin < len(self._chunk):
            self.read(offset, 1)
        return self._start, self._chunk

    def peek(self, offset: int, length: int) -> bytes:
        """Return a few bytes, mostly far from the last ones, without filling the chunk."""
        begin = offset - self._start
        if begin >= 0 and begin + length <= len(self._chunk):
            return self._chunk[begin : begin + length]
        return self._fetch(offset, length)

    def view(self, offset: int, length: int) -> bytes | memoryview:
        """Return the same as ``read``, without a copy where that is possible."""
        return self.read(offset, length)

    def _fetch(self, offset: int, length: int) -> bytes:
        parts: list[bytes] = []
        with _medium_errors():
            self._file.seek(offset)
            while length > 0:
                part = self._file.read(length)
                if not part:
                    break
                parts.append(part)
                length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class BytesStore(Store):
    """Random access to bytes in memory that nobody changes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._data = memoryview(data)

    def view(self, offset: int, length: int) -> bytes | memoryview:
        """Return most of the bytes as they lie; a lesser part must not keep the whole alive."""
        if 2 * length > self.size and offset >= 0:
            return self._data[offset : offset + length]
        return self.read(offset, length)


@contextmanager
def _medium_errors() -> Iterator[None]:
    """Keep what a drive, a share or a connection does apart from what is wrong with a file."""
    try:
        yield
    except SaliencyError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  file objects of other packages have errors of theirs
        msg = (
            f"Expected bytes of the file, got {type(error).__name__} while they were read: the "
            "medium or the connection failed, or the file was closed. Try again."
        )
        raise DicomError(msg, reason="cannot-open") from None


@contextmanager
def open_store(source: object) -> Iterator[Store]:
    """Open a path, a URL, bytes or a binary file object for reading.

    A file object is read from its first byte, and left open and where it was.

    Raises
    ------
    InputError
        The source is none of these.
    MissingExtraError
        It is a URL, and the extra ``remote`` is not installed.
    DicomError
        The path or URL does not lead to a file that can be read.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield BytesStore(bytes(source))
    elif isinstance(source, str) and is_url(source):
        with open_url(source) as file:
            yield Store(file)
    elif isinstance(source, (str, PathLike)):
        with _open_file(Path(os.fsdecode(source))) as file:
            yield Store(file)
    elif callable(getattr(source, "read", None)) and callable(
        getattr(source, "seek", None)
    ):
        with _kept_in_place(source) as file:
            yield Store(file)
    else:
        msg = (
            "read_dicom: expected a path, a URL, bytes, a seekable binary file object or a pydicom "
            f"Dataset, got {type(source).__name__}."
        )
        raise InputError(msg)


def _open_file(path: Path) -> IO[bytes]:
    try:
        if path.exists() and not path.is_file():
            msg = "Expected a regular file, found a folder, pipe or device."
            raise DicomError(msg, reason="not-a-file")
        return path.open("rb")
    except (OSError, ValueError) as error:
        msg = f"Expected a file that can be read, got {type(error).__name__} from the system."
        raise DicomError(msg, reason="cannot-open") from None


@contextmanager
def _kept_in_place(file: object) -> Iterator[IO[bytes]]:
    binary: IO[bytes] = file  # type: ignore[assignment]
    try:
        position, binary_mode = binary.tell(), type(binary.read(0)) is bytes
        binary.seek(position)
    except Exception as error:  # noqa: BLE001  io.UnsupportedOperation, and what others raise
        msg = (
            "read_dicom: expected an open file object that can seek, got "
            f"{type(error).__name__}. Hand in the bytes of a stream: stream.read()."
        )
        raise InputError(msg) from None
    if not binary_mode:
        msg = "read_dicom: expected a file object opened in binary mode, got text mode."
        raise InputError(msg)
    try:
        yield binary
    finally:
        with suppress(Exception):  # a medium that has failed fails here again
            binary.seek(position)
