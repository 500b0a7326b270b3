"""What of a JPEG 2000 frame reaches a decoder."""

import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from dicom.build import dataset, encoded, with_tlm, written

from saliency.dicom import read_dicom
from saliency.dicom.pixels.jpeg2000 import bare

VALUES = np.random.default_rng(0).integers(0, 4096, (64, 64)).astype(np.uint16)
JPEG_2000 = "1.2.840.10008.1.2.4.90"
#: Reads a file often enough for a broken heap to be noticed.
READ = """
import sys
from saliency.dicom import read_dicom
for _ in range(60):
    image = read_dicom(sys.argv[1])
print(int(image.pixels.sum()))
"""


def stream() -> bytes:
    """The values, lossless, with one tile-part."""
    return imagecodecs.jpeg2k_encode(
        VALUES, level=0, reversible=True, codecformat="j2k"
    )


@pytest.mark.parametrize("hidden", [False, True])
def test_tile_parts_that_tlm_does_not_count_break_no_heap(
    tmp_path: Path, *, hidden: bool
) -> None:
    """OpenJPEG 2.5.4 writes six kilobytes behind a table of one (OSV-2025-219)."""
    hostile = with_tlm(stream(), parts=255, hidden=hidden)
    path = tmp_path / "a.dcm"
    path.write_bytes(written(encoded(dataset(VALUES), [hostile], JPEG_2000)))

    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.strip()) == (0, str(VALUES.sum())), done.stderr


def test_an_honest_tlm_is_read() -> None:
    """What it says is for those who read a part of a frame."""
    file = written(encoded(dataset(VALUES), [with_tlm(stream())], JPEG_2000))
    assert np.array_equal(read_dicom(file).pixels, VALUES)


def test_only_the_index_becomes_a_comment() -> None:
    """Every other byte stays; a stream without one is handed on as it is."""
    honest = stream()
    indexed = with_tlm(honest)
    spot = indexed.index(b"\xff\x55")

    assert bare(honest) is honest
    assert bare(indexed) == indexed[:spot] + b"\xff\x64" + indexed[spot + 2 :]


def test_no_box_is_handed_on() -> None:
    """A JP2 file is opened at its codestream."""
    boxed = imagecodecs.jpeg2k_encode(
        VALUES, level=0, reversible=True, codecformat="jp2"
    )
    assert boxed[4:8] == b"jP  "
    assert bare(boxed)[:2] == b"\xff\x4f"
    assert np.array_equal(imagecodecs.jpeg2k_decode(bare(boxed)), VALUES)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\x4f", b"nothing", b"\xff\x4f\xff\x51\xff"]
)
def test_what_is_no_codestream_is_left_alone(data: bytes) -> None:
    """Whatever reads the header refuses it, in its own words."""
    assert bare(data) == data
