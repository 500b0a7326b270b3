"""Code strings in any case of letters, wherever one decides (PS3.5 6.2)."""

import io

import numpy as np
import pydicom
import pytest
from dicom.build import dataset, item, ramp, written
from pydicom.dataset import Dataset

from saliency.dicom import describe, read_dicom

SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
SHUTTER = {"ShutterLeftVerticalEdge": 5, "ShutterRightVerticalEdge": 30,
           "ShutterUpperHorizontalEdge": 5, "ShutterLowerHorizontalEdge": 30}  # fmt: skip
ROUND = {"CenterOfCircularCollimator": [15, 20], "RadiusOfCircularCollimator": 9}
COLOUR = np.stack([ramp("u1")] * 3, axis=-1)


@pytest.fixture(autouse=True)
def _lax(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pydicom write what the standard forbids, without a warning."""
    for mode in ("_reading_validation_mode", "writing_validation_mode"):
        monkeypatch.setattr(pydicom.config.settings, mode, pydicom.config.IGNORE)


def with_plane(subtype: str, kind: str) -> Dataset:
    """A grey Dataset with an overlay plane."""
    made = dataset(ramp("u1"))
    for element, vr, value in (
        (0x0010, "US", 16), (0x0011, "US", 16), (0x0040, "CS", kind), (0x0045, "LO", subtype),
        (0x0050, "SS", [1, 1]), (0x0100, "US", 1), (0x0102, "US", 0),
        (0x3000, "OW", b"\xff\x0f" * 16),
    ):  # fmt: skip
        made.add_new(0x60000000 | element, vr, value)
    return made


#: What is built from a code.
CASES = {
    "MONOCHROME1": lambda code: dataset(ramp(), PhotometricInterpretation=code),
    "YBR_FULL": lambda code: dataset(COLOUR, PhotometricInterpretation=code),
    "SIGMOID": lambda code: dataset(
        ramp(), WindowCenter=500, WindowWidth=300, VOILUTFunction=code
    ),
    "LINEAR_EXACT": lambda code: dataset(
        ramp(), WindowCenter=500, WindowWidth=3, VOILUTFunction=code
    ),
    "INVERSE": lambda code: dataset(ramp(), PresentationLUTShape=code),
    "RECTANGULAR": lambda code: dataset(ramp(), ShutterShape=code, **SHUTTER),
    "CIRCULAR": lambda code: dataset(ramp(), CollimatorShape=code, **ROUND),
    "LABEL": lambda code: dataset(
        COLOUR, SOPClassUID=SLIDE, ImageType=["ORIGINAL", "PRIMARY", code, "NONE"]
    ),
    "R": lambda code: with_plane("USER", code),
    "ACTIVE 2D/BMODE IMAGE AREA": lambda code: with_plane(code, "G"),
    "CT": lambda code: dataset(ramp(), Modality=code),
    "YES": lambda code: dataset(ramp(), BurnedInAnnotation=code),
}


def shown(source: object) -> tuple[object, ...]:
    """All that a code could change."""
    image = read_dicom(source)
    zones = [(zone.name, zone.evidence, zone.mask.tobytes()) for zone in image.zones]
    said = describe(source)
    return (
        image.display.tobytes(),
        zones,
        image.modality,
        said["burned"],
        said["photometric"],
    )


@pytest.mark.parametrize("code", CASES)
@pytest.mark.parametrize(
    "change", [str.lower, str.title, lambda code: f" {code.lower()} "]
)
@pytest.mark.parametrize("converted", [False, True])
def test_a_code_in_another_case(code: str, change: type, *, converted: bool) -> None:
    """Letters and blanks of a code change nothing, in a file or a Dataset."""
    made = CASES[code]
    right = shown(written(made(code)))
    file = written(made(change(code)))

    source = pydicom.dcmread(io.BytesIO(file)) if converted else file

    assert shown(source) == right


@pytest.mark.parametrize("code", CASES)
def test_each_code_here_decides_something(code: str) -> None:
    """The cases above are none where the code does not matter."""
    other = (
        "MONOCHROME2"
        if code == "MONOCHROME1"
        else "RGB"
        if code == "YBR_FULL"
        else "NONE"
    )

    assert shown(written(CASES[code](code))) != shown(written(CASES[code](other)))


def test_functional_groups_too() -> None:
    """The VOI LUT Function of a frame is a code as well."""
    voi = {"WindowCenter": 500, "WindowWidth": 300}
    displays = []
    for code in ("SIGMOID", "Sigmoid"):
        made = dataset(ramp())
        made.SharedFunctionalGroupsSequence = [
            item(FrameVOILUTSequence=[item(**voi, VOILUTFunction=code)])
        ]
        displays.append(read_dicom(written(made)).display)

    np.testing.assert_array_equal(*displays)
