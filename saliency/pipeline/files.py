"""The one walk over folders: which files are pictures, for every verb.

Content decides, not the ending of a name. What is no picture by its kind is told apart from what
is a broken one: the former is left out and counted, the latter fails when it is read.
"""

import errno
import logging
import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, final

from saliency.dicom.file.dicomweb import instances_at, web_place_of
from saliency.dicom.file.guard import warn
from saliency.dicom.file.remote import check_no_password, expanded, is_url
from saliency.dicom.kind import (
    Kind,
    has_preamble,
    kind_of,
    kind_of_instance,
    referenced_files,
    starts_as_dicom,
)
from saliency.errors import DicomError, InputError, SaliencyError
from saliency.values.files import is_draft
from saliency.values.image import DicomImage

Left: TypeAlias = Kind | Literal["AppleDouble", "link", "zip in a zip"]

_ENDINGS: Final = (".dcm", ".dicom", ".dic", ".ima")
"""A file so named claims to be DICOM: if it is not, that is a failure and no other kind of file."""
_HEAD: Final = 132
"""Bytes of the preamble and the magic, PS3.10 7.1."""
_ZIP: Final = b"PK\x03\x04"
_MOST: Final = 2**31
"""Bytes of one member of a zip: it is unpacked in memory."""
_WORDS: Final = {
    "no DICOM": ("file that is no DICOM", "files that are no DICOM"),
    "no pixels": ("DICOM object without pixels", "DICOM objects without pixels"),
    "directory": ("DICOMDIR", "DICOMDIRs"),
    "result": ("result of this library", "results of this library"),
    "AppleDouble": ("AppleDouble file (._*)", "AppleDouble files (._*)"),
    "link": ("link to a folder", "links to folders"),
    "zip in a zip": ("zip in a zip", "zips in zips"),
}


@final
@dataclass(frozen=True)
class Member:
    """A file inside a zip.

    Parameters
    ----------
    archive
        The zip.
    name
        Of the member. As a path it is ``archive/name``, for tables; there is no such file.
    """

    archive: Path
    name: str

    def __fspath__(self) -> str:
        return str(self.archive / self.name)

    def __str__(self) -> str:
        return self.__fspath__()

    def content(self) -> bytes:
        """Return the unpacked bytes.

        Raises
        ------
        DicomError
            The zip or the member cannot be unpacked, or is larger than 2 GiB.
        """
        try:
            return self._unpacked()
        except SaliencyError:
            raise
        except Exception as error:  # noqa: BLE001 - each packer of a member has errors of its own
            kind = type(error).__name__
            msg = f"Expected a zip that can be unpacked, got {kind}: is it cut, or encrypted?"
            raise DicomError(msg, reason="cannot-open") from None

    def _unpacked(self) -> bytes:
        with zipfile.ZipFile(self.archive) as opened:
            size = opened.getinfo(self.name).file_size
            if size > _MOST:
                msg = f"Expected a member of a zip of at most {_MOST:,} bytes, found {size:,}."
                raise DicomError(msg, reason="over-limit")
            return opened.read(self.name)


def content_of(source: object) -> object:
    """Return what ``read_dicom`` takes: the bytes of a member, anything else as it is."""
    return source.content() if isinstance(source, Member) else source


File: TypeAlias = Path | Member | str
"""What a walk finds: a file, a member of a zip, or a URL."""


@final
@dataclass(frozen=True)
class Found:
    """One file, and what it is.

    Parameters
    ----------
    file, kind
        Where it lies, and what is in it.
    frames
        How many it has by the word of a server; 0 where nobody told.
    """

    file: File
    kind: Left
    frames: int = 0

    @property
    def meant(self) -> bool:
        """Whether it is to be read: a picture, or what should have been one."""
        return self.kind in ("image", "broken")


@final
@dataclass(frozen=True)
class Listing:
    """The pictures of some sources.

    Parameters
    ----------
    files
        In order, each once.
    left_out
        How many files were not, by kind.
    """

    files: tuple[File, ...]
    left_out: Mapping[str, int]

    @property
    def remark(self) -> str:
        """What was left out, in words; ``""`` where nothing was."""
        return remark(self.left_out)


def remark(left_out: Mapping[str, int]) -> str:
    """Return ``"left out: 2 files that are no DICOM"``; ``""`` where nothing was left out."""
    parts = [
        f"{count} {_WORDS[kind][count > 1]}" for kind, count in sorted(left_out.items())
    ]
    return f"left out: {', '.join(parts)}" if parts else ""


def listing(sources: Iterable[str | PathLike[str]]) -> Listing:
    """Return the pictures of files, folders, globs, zips and DICOMDIRs.

    Raises
    ------
    InputError
        A source does not exist, or no source holds a picture.
    """
    files: dict[str, File] = {}
    left_out: Counter[str] = Counter()
    for source in sources:
        for found in walk(source):
            if not found.meant:
                left_out[found.kind] += 1
            else:  # a folder and its DICOMDIR name the same files
                files.setdefault(os.path.abspath(found.file), found.file)  # noqa: PTH100 - no links
    if not files:
        raise nothing(left_out)
    return Listing(tuple(files.values()), dict(left_out))


def nothing(left_out: Mapping[str, int], where: str = "") -> InputError:
    """Return the error of a search that found no picture; ``where`` begins its message."""
    words = f" ({remark(left_out)})" if left_out else ""
    return NothingFoundError(f"{where}Expected DICOM images, found none{words}.")


@final
class NothingFoundError(InputError):
    """There is nothing to do."""


@final
class AllFailedError(InputError):
    """There are images, and none of them can be used."""


def walk(source: str | PathLike[str]) -> Iterator[Found]:
    """Yield every file of a source with its kind; files of a folder by name, folder by folder.

    Parameters
    ----------
    source
        A file, a folder (searched to its depth; links to folders are counted), a glob, a zip,
        a DICOMDIR, or a URL: a folder or a glob behind it is listed, and so is a study or series of
        DICOMweb.

    Raises
    ------
    InputError
        There is no such file or folder; or a URL holds a password.
    SaliencyError
        A server does not list what is behind a URL.
    """
    text = os.fspath(source)
    path = Path(text)
    if is_url(text):
        yield from _behind(text)
    elif path.is_dir():
        yield from _folder(path)
    elif path.exists():
        yield from _found_by_name(path)
    elif has_magic(text):
        for match in sorted(glob(text, recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute one
            yield from walk(match)
    else:
        msg = "Expected a file, a folder or a glob, found nothing under that path."
        raise InputError(msg)


def exists(source: str) -> bool:
    """Say whether there is anything to walk through; of a URL only whether it can be one.

    Raises
    ------
    InputError
        A URL holds a password, or is none of DICOMweb though it begins as one.
    """
    return (
        _is_good_url(source)
        or _is_there(source)
        or bool(has_magic(source) and glob(source))  # noqa: PTH207
    )


def _is_there(source: str) -> bool:
    try:
        return Path(source).exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # a text that is no name at all
            return False
        raise


def _behind(url: str) -> Iterator[Found]:
    """Yield what is behind a URL."""
    _is_good_url(url)
    place = web_place_of(url)
    if place is None:
        yield from (Found(file, _kind_of_url(file)) for file in expanded(url))
    elif place.instance:
        yield Found(url, "image")
    else:
        for each in instances_at(place):
            yield Found(each.place.url, kind_of_instance(each), each.frames)


def _kind_of_url(url: str) -> Left:
    """Say what a file is by its name, which is in the first link of a chain."""
    name = url.partition("::")[0].rpartition("/")[2]
    return "AppleDouble" if name.startswith("._") else "image"


def _is_good_url(source: str) -> bool:
    """Say whether a source is a URL; refuse one that tables and logs must not hold."""
    if not is_url(source):
        return False
    check_no_password(source)
    web_place_of(source)
    return True


def _folder(folder: Path) -> Iterator[Found]:
    for path in files_below(folder):
        if _is_linked_folder(path):
            yield Found(path, "link")
        elif path.is_dir():
            yield Found(path, "broken")
        else:
            yield from inside(path)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder by name, folder by folder.

    Links to folders come with them: they are not followed, for they may lead round in a circle.
    Folders that cannot be read come last.
    """
    unreadable: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=unreadable.append):
        folders.sort()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted([*names, *links]):
            if not is_draft(name):  # results may go into the folder that is searched
                yield Path(place) / name
    yield from (Path(error.filename) for error in unreadable)


def _is_linked_folder(path: Path) -> bool:
    return path.is_symlink() and path.is_dir()


def inside(path: Path) -> Iterator[Found]:
    """Yield a file that nobody named; a zip's members in its place."""
    kind = _kind_of_path(path)
    if kind == "no DICOM" and _first_bytes_of(path).startswith(_ZIP):
        yield from _members(path)
    else:
        yield Found(path, _claimed(kind, path.name))


def _claimed(kind: Left, name: str) -> Left:
    """Return the kind of a file, given what its ending claims."""
    claims = name.lower().endswith(_ENDINGS)
    return "broken" if kind == "no DICOM" and claims else kind


def _found_by_name(path: Path) -> Iterator[Found]:
    """Yield a file that the user named: a DICOMDIR and a zip stand for what they hold."""
    kind = _kind_of_path(path)
    if kind == "directory":
        yield from _referenced(path)
    elif kind == "no DICOM" and _first_bytes_of(path).startswith(_ZIP):
        yield from _members(path)
    else:
        yield Found(path, "broken" if kind == "no DICOM" else kind)


def _referenced(directory: Path) -> Iterator[Found]:
    """Yield the files of a DICOMDIR; one that is missing is to be missed."""
    try:
        files = referenced_files(directory)
    except DicomError:
        files = (directory,)
    for file in files:
        kind = _kind_of_path(file) if file != directory and file.exists() else "broken"
        yield Found(file, kind)


def _kind_of_path(path: Path) -> Left:
    if path.name.startswith("._"):
        return "AppleDouble"
    try:
        return _kind_by_head(_first_bytes_of(path), path)
    except OSError:
        return "broken"


def _kind_by_head(head: bytes, source: Any) -> Kind:
    """Return the kind of a file; without a preamble it must be whole to count as DICOM."""
    if not starts_as_dicom(head):
        return "no DICOM"
    kind = kind_of(source)
    return "no DICOM" if kind == "broken" and not has_preamble(head) else kind


def _first_bytes_of(path: Path) -> bytes:
    if not path.is_file():  # a pipe would wait for ever
        return b""
    with path.open("rb") as file:
        return file.read(_HEAD)


def _members(archive: Path) -> Iterator[Found]:
    try:
        with zipfile.ZipFile(archive) as opened:
            names = sorted(
                info.filename for info in opened.infolist() if not info.is_dir()
            )
            kinds = [
                (name, _claimed(_kind_of_member(opened, name), name)) for name in names
            ]
    except Exception:  # noqa: BLE001 - the edge of a file
        yield Found(archive, "broken")
        return
    if all(kind == "no DICOM" for _, kind in kinds):  # a document, a model, a package
        yield Found(archive, "no DICOM")
        return
    yield from (Found(Member(archive, name), kind) for name, kind in kinds)


def _kind_of_member(opened: zipfile.ZipFile, name: str) -> Left:
    if name.rpartition("/")[2].startswith("._"):
        return "AppleDouble"
    try:
        with opened.open(name) as file:
            head = file.read(_HEAD)
            if head.startswith(_ZIP) and name.lower().endswith(".zip"):
                return "zip in a zip"
            return _kind_by_head(head, file)
    except Exception:  # noqa: BLE001 - each packer of a member has errors of its own
        return "broken"


def sources_in(images: object) -> Iterator[Any]:
    """Yield what is to be explained, one after the other, reading nothing.

    Parameters
    ----------
    images
        A path, folder, glob, zip, DICOMDIR or URL, as text or path: what :func:`walk` finds there.
        A DicomImage, bytes, an open file or a Dataset: itself, and never its parts. Anything else
        that can be gone through: its items.

    Raises
    ------
    InputError
        There is nothing under the path, or no picture; or what came is none of these. Raised at
        the call, before the first image.
    """
    if isinstance(images, str | PathLike) and not isinstance(images, Member):
        return _found_in(images)
    if _is_one(images):
        return iter((images,))
    if isinstance(images, Iterable) or hasattr(images, "__getitem__"):
        return iter(images)
    kind = type(images).__name__
    msg = f"Expected a path, a folder, a glob, or a sequence of images, got {kind}."
    raise InputError(msg)


def contents_of_files(sources: Sequence[Any]) -> Iterator[object]:
    """Yield what a header can be read of: bytes of members of a zip, the rest as it is."""
    for source in sources:
        try:
            yield content_of(source)
        except SaliencyError:  # reading it says why
            yield b""


def candidates_in(source: object) -> Iterator[Any]:
    """Yield what may be an image; of a folder each file, so that its header is read once.

    What kind of file it is shows when its header is read; :func:`walk` would read it before.
    """
    if not (isinstance(source, str | PathLike) and Path(source).is_dir()):
        yield from sources_in(source)
        return
    for path in files_below(Path(source)):
        if _is_linked_folder(path):
            warn("A link to a folder is not followed.")
            continue
        apart = path.is_dir() or path.name.startswith("._")
        if path.is_dir() or (not apart and starts_as_dicom(_first_bytes_of(path))):
            yield path
        else:
            yield from (found.file for found in inside(path) if found.meant)


def _found_in(source: str | PathLike[str]) -> Iterator[File]:
    """Return the pictures of a source; look for the first one at once, for the others later."""
    left_out: Counter[str] = Counter()
    found = walk(source)
    for first in found:
        if first.meant:
            return chain((first.file,), _others(source, found, left_out))
        left_out[first.kind] += 1
    raise nothing(left_out)


def _others(
    source: str | PathLike[str], found: Iterator[Found], left_out: Counter[str]
) -> Iterator[File]:
    """Yield the later pictures of a source; then tell what was left out."""
    for each in found:
        if each.meant:
            yield each.file
        else:
            left_out[each.kind] += 1
    tell_left_out(source, left_out)


def tell_left_out(source: object, left_out: Mapping[str, int]) -> None:
    """Say in the logger ``saliency.pipeline`` what of a source is no picture, if anything."""
    if left_out:
        logging.getLogger("saliency.pipeline").warning(
            "%s: %s.", source, remark(left_out)
        )


def _is_one(images: object) -> bool:
    """Say whether something is one image, though it can be gone through: a Dataset, a file."""
    single = DicomImage | Member | bytes | bytearray | memoryview
    is_file = callable(getattr(images, "read", None)) and callable(
        getattr(images, "seek", None)
    )
    return isinstance(images, single) or is_file or hasattr(images, "file_meta")
