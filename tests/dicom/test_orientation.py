"""Letters at the edges of an image: which side of the patient rows and columns run to."""

import numpy as np
import pytest
from dicom.build import dataset, item, ramp, written

from saliency.dicom import read_dicom


def orientation(**attributes):
    return read_dicom(written(dataset(ramp(), **attributes))).orientation


@pytest.mark.parametrize(
    ("cosines", "letters"),
    [
        ([1, 0, 0, 0, 1, 0], ("L", "P")),  # axial
        ([-1, 0, 0, 0, 1, 0], ("R", "P")),  # axial, mirrored
        ([1, 0, 0, 0, -1, 0], ("L", "A")),  # axial, upside down
        ([1, 0, 0, 0, 0, -1], ("L", "F")),  # coronal
        ([0, 1, 0, 0, 0, -1], ("P", "F")),  # sagittal
        ([0, 1, 0, 1, 0, 0], ("P", "L")),  # axial, turned by 90 degrees
    ],
)
def test_planes_along_the_body(cosines, letters):
    """PS3.3 C.7.6.2.1.1: x grows to the left, y to the back, z to the head."""
    assert orientation(ImageOrientationPatient=cosines) == letters


@pytest.mark.parametrize(
    ("angle", "letters"),
    [(10, ("P", "F")), (30, ("PL", "F")), (60, ("LP", "F")), (80, ("L", "F"))],
)
def test_an_oblique_plane_has_two_letters(angle, letters):
    """The greater part comes first; what is as good as perpendicular is not named."""
    turned = np.deg2rad(angle)
    row = [float(np.sin(turned)), float(np.cos(turned)), 0.0]

    assert orientation(ImageOrientationPatient=[*row, 0, 0, -1]) == letters


def test_a_doubly_oblique_plane_has_three():
    """Rows to the left, the back and the head alike."""
    third = float(np.sqrt(1 / 3))
    half = float(np.sqrt(1 / 2))
    found = orientation(ImageOrientationPatient=[third, third, third, half, -half, 0])

    assert sorted(found[0]) == sorted("LPH")
    assert sorted(found[1]) == sorted("LA")


@pytest.mark.parametrize("sides", [("L", "F"), ("R", "F"), ("P", "F"), ("AL", "PF")])
def test_projections_say_it_themselves(sides):
    """Patient Orientation (0020,0020) of a radiograph, also of one that was flipped."""
    assert orientation(PatientOrientation=list(sides)) == sides


def test_the_projection_s_word_goes_first():
    """Where both are there, the words of the image itself count."""
    found = orientation(
        PatientOrientation=["R", "F"], ImageOrientationPatient=[1, 0, 0, 0, 1, 0]
    )

    assert found == ("R", "F")


def test_the_frame_s_own_plane_counts():
    """A functional group's orientation is that of its frame."""
    plane = item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    made = dataset(
        ramp(),
        SharedFunctionalGroupsSequence=[item(PlaneOrientationSequence=[plane])],
    )

    assert read_dicom(written(made)).orientation == ("P", "F")


@pytest.mark.parametrize(
    "attributes",
    [{}, {"PatientOrientation": ["L"]}, {"PatientOrientation": ["DOE", "F"]}],
)
def test_what_is_not_said_has_no_letters(attributes):
    """Nothing is guessed, and no other text of the file is repeated."""
    assert orientation(**attributes) is None
