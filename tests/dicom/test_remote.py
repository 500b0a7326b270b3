"""Files that are not at hand: behind a URL, in an archive, larger than memory."""

import gzip
import io
import logging
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import imagecodecs
import numpy as np
import pydicom
import pytest
from dicom.build import dataset, encoded, ramp, written

from saliency.dicom import read_dicom, read_frames
from saliency.dicom.file import limits, remote
from saliency.errors import DicomError, InputError, MissingExtraError

FRAMES, SIZE = 1000, (1024, 1024)


class Server(ThreadingHTTPServer):
    """Sends files of a folder, by ranges where ``ranges``, and counts the bytes of their bodies."""

    def __init__(self, folder: Path, *, ranges: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.ranges, self.sent = folder, ranges, 0

    def url(self, name: str) -> str:
        """Return where a file is."""
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        """Answer with the length alone."""
        self.answer(body=False)

    def do_GET(self) -> None:
        """Answer with the file, or the part asked for."""
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        path = self.server.folder / self.path.lstrip("/")
        if not path.exists():
            self.send_error(404)
            return
        start, stop = 0, path.stat().st_size
        asked = self.headers.get("Range", "") if self.server.ranges else ""
        self.send_response(206 if asked else 200)
        if asked:
            first, last = asked.removeprefix("bytes=").split("-")
            self.send_header("Content-Range", f"bytes {first}-{last}/{stop}")
            start, stop = int(first), min(int(last) + 1, stop)
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        if body:
            self.send(path, start, stop)

    def send(self, path: Path, start: int, stop: int) -> None:
        with path.open("rb") as file:
            file.seek(start)
            try:
                while part := file.read(min(2**16, stop - start)):
                    self.wfile.write(part)
                    start += len(part)
                    self.server.sent += len(part)
            except ConnectionError:
                return  # the reader has enough

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[True, False], ids=["ranges", "no-ranges"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Return a server over an empty folder."""
    with Server(tmp_path, ranges=request.param) as made:
        thread = Thread(target=made.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def large(path: Path) -> None:
    """Write 2 GB in 1,000 frames that lie nowhere on the disk, but for a mark in frame 700."""
    made = dataset(np.zeros(SIZE, "u2"), WindowCenter=50, WindowWidth=100)
    made.NumberOfFrames = FRAMES
    head = written(made)[: -2 * SIZE[0] * SIZE[1] - 4]
    frame = 2 * SIZE[0] * SIZE[1]
    with path.open("wb") as file:
        file.write(head + (FRAMES * frame).to_bytes(4, "little"))
        file.seek(700 * frame, io.SEEK_CUR)
        file.write((77).to_bytes(2, "little"))
        file.truncate(len(head) + 4 + FRAMES * frame)


def test_a_url_is_the_file(server: Server) -> None:
    """What is behind a URL is what the same bytes are, from either kind of server."""
    data = written(dataset(ramp(), WindowCenter=300, WindowWidth=700))
    (server.folder / "a.dcm").write_bytes(data)

    image = read_dicom(server.url("a.dcm"))

    assert image.digest == read_dicom(data).digest
    np.testing.assert_array_equal(image.display, read_dicom(data).display)


@pytest.mark.parametrize("server", [True], ids=["ranges"], indirect=True)
def test_of_a_large_url_one_frame_is_sent(server: Server) -> None:
    """Of 2 GB behind a URL, the header and one frame travel."""
    large(server.folder / "large.dcm")

    image = read_dicom(server.url("large.dcm"), frame=700)

    assert image.stored is not None
    assert image.stored[0, 0] == 77
    assert server.sent < image.stored.nbytes + 5 * 2**16


@pytest.mark.parametrize("server", [True], ids=["ranges"], indirect=True)
def test_encapsulated_frames_are_asked_for_one_by_one(server: Server) -> None:
    """With an offset table, frame k of a URL costs its own bytes."""
    cine = np.random.default_rng(0).integers(0, 4096, (30, 256, 256)).astype("u2")
    streams = [imagecodecs.jpegls_encode(frame) for frame in cine]
    data = written(encoded(dataset(cine, frames=30), streams, "1.2.840.10008.1.2.4.80"))
    (server.folder / "c.dcm").write_bytes(data)

    image = read_dicom(server.url("c.dcm"), frame=21)

    np.testing.assert_array_equal(image.stored, cine[21])
    assert server.sent < len(data) / 30 + 8 * 2**16 < len(data)
    last = [each.stored for each in read_frames(server.url("c.dcm"))][-1]
    np.testing.assert_array_equal(last, cine[-1])


@pytest.mark.parametrize("server", [False], ids=["no-ranges"], indirect=True)
def test_a_server_without_ranges_has_a_limit(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that must come whole is refused where it is too large to hold."""
    monkeypatch.setattr(remote, "MAX_FETCHED", 2**20)
    (server.folder / "a.dcm").write_bytes(written(dataset(np.zeros((800, 800), "u2"))))

    with pytest.raises(DicomError, match="no ranges") as caught:
        read_dicom(server.url("a.dcm"))
    assert caught.value.reason == "over-limit"


def test_a_url_that_fails_says_nothing_of_itself(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """No message holds the URL: it may name a patient."""
    with (
        caplog.at_level(logging.INFO),
        pytest.raises(DicomError, match="server") as caught,
    ):
        read_dicom(server.url("SMITH-JOHN.dcm"))
    with pytest.raises(DicomError, match="URL"):
        read_dicom("nosuchscheme://SMITH-JOHN.dcm")

    assert caught.value.reason == "cannot-open"
    assert "SMITH" not in str(caught.value) + caplog.text


def test_without_the_extra_a_url_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fsspec the refusal says what to install."""
    monkeypatch.setitem(sys.modules, "fsspec", None)

    with pytest.raises(MissingExtraError, match=r"dicom-saliency\[remote\]"):
        read_dicom("https://example.org/a.dcm")


def test_a_file_of_two_gigabytes_opens_in_no_time(tmp_path: Path) -> None:
    """Of 2 GB in 1,000 frames, reading one frame costs that frame: in memory and in time."""
    path = tmp_path / "large.dcm"
    large(path)
    read_dicom(written(dataset(ramp())))  # what is made once

    tracemalloc.start()
    begin = time.process_time()
    image = read_dicom(path, frame=700)
    seconds = time.process_time() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert image.stored is not None
    assert image.stored[0, 0] == 77
    assert seconds < 1
    assert peak < 20 * SIZE[0] * SIZE[1]


def test_members_of_archives_are_read(tmp_path: Path) -> None:
    """A member of a zip, a gzip file, and a file object that stands anywhere are the file."""
    data = written(dataset(ramp(), WindowCenter=300, WindowWidth=700))
    digest = read_dicom(data).digest
    (tmp_path / "a.dcm.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", data)

    with gzip.open(tmp_path / "a.dcm.gz") as file:
        assert read_dicom(file).digest == digest
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("a.dcm") as file:
        file.read(99)
        assert read_dicom(file).digest == digest
    for name, what in (("a.dcm.gz", "gzip"), ("a.zip", "zipfile")):
        with pytest.raises(DicomError, match=what):
            read_dicom(tmp_path / name)


class Pipe(io.BytesIO):
    """A stream that cannot go back."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Refuse."""
        raise io.UnsupportedOperation

    def seekable(self) -> bool:
        """Say so."""
        return False


def test_a_stream_is_refused_with_the_remedy() -> None:
    """A stream that cannot seek is refused, and the message says what works."""
    with pytest.raises(InputError, match=r"stream\.read\(\)"):
        read_dicom(Pipe(written(dataset(ramp()))))


def test_a_dataset_without_a_file_is_read() -> None:
    """A FileDataset read from memory, deferred or not, has no file name and needs none."""
    data = written(dataset(ramp()))
    for defer in (None, 100):
        made = pydicom.dcmread(io.BytesIO(data), defer_size=defer)
        np.testing.assert_array_equal(read_dicom(made).stored, ramp())


def test_limits_are_the_callers_to_move() -> None:
    """A frame over ``max_pixels`` is refused before it is decoded; the default lets it pass."""
    data = written(dataset(ramp()))

    assert read_dicom(data, max_pixels=37 * 53).size == (37, 53)
    for read in (read_dicom, lambda *a, **k: next(iter(read_frames(*a, **k)))):
        with pytest.raises(DicomError, match="max_pixels") as caught:
            read(data, max_pixels=37 * 53 - 1)
        assert caught.value.reason == "over-limit"
    assert limits.MAX_SAMPLES == 2**31
