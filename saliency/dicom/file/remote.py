"""Files behind a URL, of which only the bytes asked for are fetched (RFC 9110, 14.2)."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final, cast

from saliency.dicom.file.limits import MAX_FETCHED, check
from saliency.errors import DicomError, InputError, MissingExtraError, SaliencyError

#: A scheme; before it may stand file systems around the file, as fsspec chains them.
_URL: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*::)*[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_CHAINED: Final = "::"
#: A password, or over HTTP a user, before the host of any link of a chain (RFC 3986, 3.2.1).
_SECRET: Final = re.compile(
    r"(?:\bhttps?://[^/?#]*|://[^/?#]*:[^/?#]*)@", re.IGNORECASE
)
_BLOCK: Final = 2**16  # bytes that a request asks for: a header with what follows


def is_url(source: object) -> bool:
    """Whether a source is a string that starts with a scheme: ``"https://..."``, ``"s3://..."``.

    So do chains of fsspec: ``"zip://1.dcm::s3://bucket/study.zip"``, ``"simplecache::s3://..."``.
    """
    return isinstance(source, str) and _URL.match(source) is not None


def check_no_password(url: str) -> None:
    """Refuse a URL that tables and logs must not hold.

    Raises
    ------
    InputError
        It holds a password, or over HTTP a user.
    """
    if _SECRET.search(url):
        msg = (
            "Expected a URL without a password, which tables would hold: give it in "
            "SALIENCY_DICOMWEB_USER and SALIENCY_DICOMWEB_PASSWORD, or in the settings of fsspec."
        )
        raise InputError(msg)


@contextmanager
def open_url(url: str) -> Iterator[IO[bytes]]:
    """Open what lies behind a URL for random access.

    A server that cannot send a part of a file sends all of it, into memory and up to a limit.

    Raises
    ------
    MissingExtraError
        fsspec (extra ``remote``), or its package for the scheme, is not installed.
    DicomError
        The server does not send the file. No message holds the URL, which may name a patient.
    """
    with _server_errors():
        system, path = _file_system_of(url)
        file = RemoteFile(
            system.open(path, "rb", block_size=_BLOCK, cache_type="readahead")
        )
    with file:
        if _sends_parts(file):
            yield cast(IO[bytes], file)
            return
    with _server_errors():
        stream = RemoteFile(system.open(path, "rb", block_size=0))
    with stream:
        yield io.BytesIO(_fetched_whole(stream))


def expanded(url: str) -> Iterator[str]:
    """Yield the files behind a URL: those of a folder (``/`` at its end) or of a glob, or itself.

    Of a chain the first place is searched: ``zip://*.dcm::...`` for files of the zip.

    Raises
    ------
    MissingExtraError
        fsspec (extra ``remote``), or its package for the scheme, is not installed.
    DicomError
        The server does not list its files.
    """
    around, place, within = _links(url)
    folder, pattern = place.endswith("/"), any(sign in place for sign in "*[")
    if not (folder or pattern):
        yield url
        return
    with _server_errors():
        system, path = _file_system_of(url)
        names = sorted(system.find(path) if folder else system.glob(path))
        if (around, within) == ("", ""):
            found = [str(system.unstrip_protocol(name)) for name in names]
        else:
            found = [f"{around}{_placed_as(place, name)}{within}" for name in names]
    yield from found


def _links(url: str) -> tuple[str, str, str]:
    """Return what stands around the first place of a chain, that place, and what it lies in."""
    links = url.split(_CHAINED)
    first = next(index for index, link in enumerate(links) if "://" in link)
    around = "".join(f"{link}{_CHAINED}" for link in links[:first])
    within = "".join(f"{_CHAINED}{link}" for link in links[first + 1 :])
    return around, links[first], within


def _placed_as(place: str, name: str) -> str:
    """Return a name as a URL of the scheme of a place; fsspec forgets the chain it is of."""
    return name if is_url(name) else f"{place.partition('://')[0]}://{name}"


def _file_system_of(url: str) -> tuple[Any, str]:
    try:
        import fsspec  # noqa: PLC0415  an extra

        return cast(tuple[Any, str], fsspec.core.url_to_fs(url))
    except ImportError as error:
        msg = (
            "A URL is read by fsspec and its package for the scheme. For http and https: "
            "pip install 'dicom-saliency[remote]'"
        )
        raise MissingExtraError(msg) from error


class RemoteFile(io.BufferedIOBase):
    """A file of fsspec, whose errors are ours: theirs quote the URL."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        """Read from where the file stands."""
        with _server_errors():
            return bytes(self._file.read(-1 if size is None else size))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to an offset."""
        with _server_errors():
            return int(self._file.seek(offset, whence))

    def seekable(self) -> bool:
        """Whether parts can be asked for."""
        return bool(self._file.seekable())

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        super().close()


def _sends_parts(file: RemoteFile) -> bool:
    """Whether the server knows the length of the file, and sends the end of it alone."""
    if not file.seekable():
        return False
    try:
        file.seek(max(0, file.seek(0, io.SEEK_END) - 1))
        return len(file.read(1)) == 1
    except DicomError:
        return False


def _fetched_whole(file: RemoteFile) -> bytes:
    parts = []
    length = 0
    while part := file.read(2**20):
        parts.append(part)
        length += len(part)
        check(length, MAX_FETCHED, "bytes from a server that sends no ranges")
    return b"".join(parts)


@contextmanager
def _server_errors() -> Iterator[None]:
    try:
        yield
    except SaliencyError:
        raise
    except Exception as error:  # noqa: BLE001  each scheme has errors of its own
        msg = f"Expected a file from its server, got {type(error).__name__}. Check the URL."
        raise DicomError(msg, reason="cannot-open") from None
