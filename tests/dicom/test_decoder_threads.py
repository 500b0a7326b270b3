"""Decoders share a large frame among the cores, and nothing else changes."""

from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from dicom.build import dataset, encoded, htj2k, written

from saliency.dicom import read_dicom
from saliency.dicom.pixels.decode import threads_for
from saliency.errors import DicomError

LARGE = 512 * 512
VALUES = (
    np.random.default_rng(0)
    .normal(2000, 300, (512, 512))
    .clip(0, 4095)
    .astype(np.uint16)
)
ENCODERS: dict[str, Callable[[], bytes]] = {
    "4.90": lambda: imagecodecs.jpeg2k_encode(VALUES, level=0, reversible=True),
    "4.201": lambda: htj2k(VALUES, reversible=True),
    "4.110": lambda: imagecodecs.jpegxl_encode(VALUES, lossless=True),
}


@pytest.fixture(params=[1, 2, 8])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A machine of so many cores, and nobody who shares them out."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("saliency.dicom.pixels.decode._cores", lambda: request.param)
    return int(request.param)


@pytest.mark.parametrize("syntax", ENCODERS)
def test_threads_change_no_value(syntax: str, cores: int) -> None:
    """Lossless frames come back whole, on any machine."""
    assert threads_for(LARGE) == cores
    uid = f"1.2.840.10008.1.2.{syntax}"
    image = read_dicom(written(encoded(dataset(VALUES), [ENCODERS[syntax]()], uid)))
    assert np.array_equal(image.pixels, VALUES)


def outcome(file: bytes) -> str:
    """What becomes of a file: the sum of its values, or why it is refused."""
    try:
        return str(read_dicom(file).pixels.sum(dtype=np.float64))
    except DicomError as error:
        return error.reason


DECODERS = {"4.90": "jpeg2k_decode", "4.201": "jpeg2k_decode", "4.110": "jpegxl_decode"}


@pytest.mark.parametrize("syntax", ENCODERS)
def test_the_decoder_is_told(
    syntax: str, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder itself gets the number of threads; what it does is what it always does."""
    real, told = getattr(imagecodecs, DECODERS[syntax]), []

    def listening(*args: object, **options: object) -> object:
        told.append(options["numthreads"])
        return real(*args, **options)

    monkeypatch.setattr(imagecodecs, DECODERS[syntax], listening)
    uid = f"1.2.840.10008.1.2.{syntax}"
    read_dicom(written(encoded(dataset(VALUES), [ENCODERS[syntax]()], uid)))
    assert told == [cores]


def cut(stream: bytes) -> bytes:
    """The beginning alone."""
    return stream[:100_000]


def bruised(stream: bytes) -> bytes:
    """Twenty bytes of the body changed: OpenJPEG shows what is left of a JPEG 2000 frame."""
    body = bytearray(stream + b"\0" * (len(stream) % 2))
    for spot in np.random.default_rng(3).integers(1000, len(stream) - 2, 20):
        body[spot] ^= 255
    return bytes(body)


@pytest.mark.parametrize("damage", [cut, bruised])
@pytest.mark.parametrize("syntax", ENCODERS)
@pytest.mark.usefixtures("cores")
def test_a_broken_frame_ends_alike(
    syntax: str, damage: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the same picture, or the same refusal, whoever decodes which part of it."""
    broken = damage(ENCODERS[syntax]())
    file = written(encoded(dataset(VALUES), [broken], f"1.2.840.10008.1.2.{syntax}"))
    shared = outcome(file)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert outcome(file) == shared
    assert shared != str(VALUES.sum(dtype=np.float64))


def test_a_small_frame_has_one(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    """Threads that start for a thumbnail cost more than they save."""
    monkeypatch.setenv("OMP_NUM_THREADS", str(cores))
    assert threads_for(256 * 256) == 1


@pytest.mark.parametrize(
    ("told", "expected"), [("1", 1), ("3", 3), ("64", 8), ("0", 1), ("two", 8), ("", 8)]
)
def test_a_worker_keeps_to_its_share(
    monkeypatch: pytest.MonkeyPatch, told: str, expected: int
) -> None:
    """Ray says in OMP_NUM_THREADS how many cores a worker has; what is no number says nothing."""
    monkeypatch.setattr("saliency.dicom.pixels.decode._cores", lambda: 64)
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert threads_for(LARGE) == expected
