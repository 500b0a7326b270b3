"""A user's mistake is not the file's: every argument is checked before the file is opened."""

from pathlib import Path

import numpy as np
import pytest
from dicom.build import dataset, ramp, written

from saliency.dicom import read_dicom, read_frames
from saliency.errors import DicomError, InputError
from saliency.values.window import Window

FILE = written(dataset(ramp(), WindowCenter=[40, 50], WindowWidth=[400, 500]))
WRONG = [
    ("window", (40, 400)),
    ("window", [40, 400]),
    ("window", 1.0),
    ("window", True),
    ("window", b"LUNG"),
    ("window", np.array([40, 400])),
    ("frame", 1.0),
    ("frame", "1"),
    ("frame", None),
    ("frame", True),
    ("frame", (0, 1)),
    ("icc", "yes"),
    ("icc", None),
    ("icc", 1),
    ("max_pixels", 1e6),
    ("max_pixels", "many"),
    ("max_pixels", 0),
    ("max_pixels", None),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_argument_is_named_before_the_file_is_opened(
    name: str, value: object, tmp_path: Path
) -> None:
    """The error is the user's, and comes though there is no such file."""
    for source in (FILE, tmp_path / "absent.dcm"):
        with pytest.raises(InputError, match=f"^{name}: expected"):
            read_dicom(source, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [each for each in WRONG if each[0] != "frame"]
)
def test_frames_are_as_strict_at_once(name: str, value: object) -> None:
    """Not when the first frame is asked for."""
    with pytest.raises(InputError, match=f"^{name}: expected"):
        read_frames(FILE, **{name: value})


def test_a_pair_is_told_how_to_be_a_window() -> None:
    """The message shows the right form."""
    with pytest.raises(InputError, match=r"window=Window\(40, 400\)"):
        read_dicom(FILE, window=(40, 400))


def test_numbers_of_numpy_are_numbers() -> None:
    """An index out of an array is an index."""
    found = read_dicom(FILE, frame=np.int64(0), window=np.uint8(1), icc=np.True_)

    assert found.window == Window(50, 500)


def test_a_frame_that_is_not_there_is_still_the_files() -> None:
    """Which frames there are is known when the file is open."""
    for frame in (1, -1):
        with pytest.raises(DicomError) as caught:
            read_dicom(FILE, frame=frame)
        assert caught.value.reason == "frame-out-of-range"
