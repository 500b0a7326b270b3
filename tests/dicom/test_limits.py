"""A few bytes cannot ask for minutes or gigabytes."""

import imagecodecs
import numpy as np
import pytest
from dicom.build import dataset, encoded, segment, written

from saliency.dicom import read_dicom
from saliency.dicom.file.limits import Clock
from saliency.errors import DicomError

SIDE = 1024


def recut(
    *, layers: int = 1, block: int = 4, precincts: int = 0x88, tiles: bool = False
) -> bytes:
    """A blank JPEG 2000 frame whose COD names other code-blocks, layers and precincts."""
    blank = np.zeros((SIDE, SIDE), "u1")
    stream = imagecodecs.jpeg2k_encode(
        blank, level=0, reversible=True, codecformat="j2k"
    )
    cod, qcd = stream.index(b"\xff\x52"), stream.index(b"\xff\x5c")
    after = qcd + 2 + int.from_bytes(stream[qcd + 2 : qcd + 4], "big")
    coding = (
        bytes([1, 0]) + layers.to_bytes(2, "big") + bytes([0, 5, block, block, 0, 1])
    )
    coding += bytes([precincts] * 6)
    if tiles:  # behind a COD that is honest, the one of a tile-part
        tile = stream.index(b"\xff\x90")
        return stream[: tile + 12] + segment(0x52, coding) + stream[tile + 12 :]
    steps = stream[qcd + 4 : qcd + 5] + bytes([0x48] * 16)
    return stream[:cod] + segment(0x52, coding) + segment(0x5C, steps) + stream[after:]


def file(stream: bytes) -> bytes:
    """The frame in a file."""
    made = dataset(np.zeros((2, 2), "u1"), Rows=SIDE, Columns=SIDE)
    return written(
        encoded(made, [stream + b"\0" * (len(stream) % 2)], "1.2.840.10008.1.2.4.90")
    )


@pytest.mark.parametrize("cut", [{}, {"layers": 90}, {"precincts": 0x66}])
def test_honest_cuts_are_shown(cut: dict[str, int]) -> None:
    """Precincts of 64 x 64, and 90 layers, are a picture."""
    assert read_dicom(file(recut(**cut))).display.shape == (SIDE, SIDE)


@pytest.mark.parametrize(
    "cut",
    [
        {"precincts": 0x22},
        {"precincts": 0},
        {"layers": 65535},
        {"block": 0},
        {"precincts": 0x22, "tiles": True},
    ],
)
def test_tiny_pieces_are_refused(cut: dict[str, int]) -> None:
    """Precincts of 4 x 4 took gigabytes, 65,535 layers seconds, of a blank of 600 bytes."""
    with pytest.raises(DicomError) as caught:
        read_dicom(file(recut(**cut)))
    assert caught.value.reason == "over-limit"


def run(clock: Clock) -> None:
    """Take ten thousand steps."""
    for _ in range(10_000):
        clock.step()


def test_a_walk_has_a_number_of_steps_and_a_time() -> None:
    """Either ends it: too many steps, or too much processor time."""
    for clock in (Clock("headers", 5000), Clock("headers", 10**9, seconds=-1)):
        with pytest.raises(DicomError, match="headers") as caught:
            run(clock)
        assert caught.value.reason == "over-limit"
