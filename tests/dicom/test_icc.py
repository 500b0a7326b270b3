"""Colour is shown through the file's profile when that is asked for, and only then."""

import struct

import numpy as np
import pytest
from dicom.build import dataset, item, written
from PIL import ImageCms

from saliency.dicom import read_dicom

RGB = np.random.default_rng(0).integers(0, 256, (37, 53, 3)).astype(np.uint8)


def gamma_profile(gamma: float) -> bytes:
    """An RGB profile with the primaries of sRGB and a pure power as its curve (ICC.1:2010, 7-9)."""
    xyz = {"rXYZ": (0.4360, 0.2225, 0.0139), "gXYZ": (0.3851, 0.7169, 0.0971)}
    xyz |= {"bXYZ": (0.1431, 0.0606, 0.7141), "wtpt": (0.9642, 1.0, 0.8249)}
    tags = {
        name: b"XYZ "
        + bytes(4)
        + b"".join(struct.pack(">i", round(v * 65536)) for v in value)
        for name, value in xyz.items()
    }
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags |= dict.fromkeys(("rTRC", "gTRC", "bTRC"), curve)
    tags["desc"] = b"desc" + bytes(4) + struct.pack(">I", 2) + b"g\0" + bytes(78)
    tags["cprt"] = b"text" + bytes(4) + b"none\0\0\0\0"
    table, data, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name.encode() + struct.pack(">II", start + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    head = (
        struct.pack(">I", start + len(data)) + bytes(4) + struct.pack(">I", 0x02400000)
    )
    head += b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    head += b"".join(struct.pack(">i", round(v * 65536)) for v in (0.9642, 1.0, 0.8249))
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + data


def shown(profile: bytes, *, icc: bool) -> np.ndarray:
    """The display of a colour file with that profile."""
    return read_dicom(written(dataset(RGB, ICCProfile=profile)), icc=icc).display


def test_without_the_option_colours_are_as_stored() -> None:
    """A profile alone changes nothing."""
    assert (shown(gamma_profile(1.0), icc=False) == RGB).all()


def test_a_linear_profile_gets_the_curve_of_srgb() -> None:
    """Linear light v is shown as 1.055 v^(1/2.4) - 0.055 (IEC 61966-2-1, 5.2)."""
    linear = RGB / 255
    curve = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )

    assert np.abs(shown(gamma_profile(1.0), icc=True) - curve * 255).max() <= 3


def test_srgb_stays_srgb() -> None:
    """The profile of sRGB itself changes no colour by more than rounding."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert np.abs(shown(profile, icc=True).astype(int) - RGB).max() <= 1


def test_a_broken_profile_is_passed_over() -> None:
    """Bytes that are no profile leave the colours as they are stored."""
    assert (shown(b"no profile at all!", icc=True) == RGB).all()


def test_pixels_stay() -> None:
    """Only the display goes through the profile."""
    image = read_dicom(written(dataset(RGB, ICCProfile=gamma_profile(1.0))), icc=True)

    assert (image.pixels == RGB).all()


def paths(*gammas: float) -> list:
    """Optical paths "1", "2", ... of a slide, each with a profile of its own."""
    return [
        item(OpticalPathIdentifier=str(k), ICCProfile=gamma_profile(gamma))
        for k, gamma in enumerate(gammas, 1)
    ]


def test_a_slide_has_the_profile_of_its_optical_path() -> None:
    """One in (0048,0105) does what the same at the top does, from a file and from a Dataset."""
    made = dataset(RGB, OpticalPathSequence=paths(1.0))

    for source in (written(made), made):
        assert (
            read_dicom(source, icc=True).display == shown(gamma_profile(1.0), icc=True)
        ).all()
        assert (read_dicom(source).display == RGB).all()


def test_the_optical_path_is_nearer_than_the_top() -> None:
    """Where both have a profile, the one of the path is used."""
    made = dataset(RGB, OpticalPathSequence=paths(1.0), ICCProfile=gamma_profile(3.0))

    assert (
        read_dicom(written(made), icc=True).display
        == shown(gamma_profile(1.0), icc=True)
    ).all()


def of_frame(name: str) -> object:
    """A functional group that says which optical path a frame has (0048,0207)."""
    return item(OpticalPathIdentificationSequence=[item(OpticalPathIdentifier=name)])


@pytest.mark.parametrize(
    "groups",
    [
        {
            "PerFrameFunctionalGroupsSequence": [
                of_frame(name) for name in ("2", "1", "1", "2")
            ]
        },
        {"SharedFunctionalGroupsSequence": [of_frame("2")]},
        {"DimensionOrganizationType": "TILED_FULL"},
    ],
)
def test_each_frame_has_its_own_path(groups: dict) -> None:
    """By its own group, the shared one, or, tiled in full, by its place: one path after another."""
    frames = np.stack([RGB] * 4)
    made = dataset(frames, frames=4, OpticalPathSequence=paths(1.0, 3.0), **groups)
    file = written(made)
    first, second = (shown(gamma_profile(gamma), icc=True) for gamma in (1.0, 3.0))
    wanted = {
        "PerFrameFunctionalGroupsSequence": (second, first, first, second),
        "SharedFunctionalGroupsSequence": (second,) * 4,
        "DimensionOrganizationType": (first, first, second, second),
    }[next(iter(groups))]

    for frame, display in enumerate(wanted):
        assert (read_dicom(file, frame=frame, icc=True).display == display).all()


def test_a_path_that_is_not_said_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    """Two profiles, and no word of which: colours stay as they are stored, with a note."""
    made = dataset(RGB, OpticalPathSequence=paths(1.0, 3.0))

    assert (read_dicom(written(made), icc=True).display == RGB).all()
    assert any("Optical Path" in each.message for each in caplog.records)
    made.OpticalPathSequence = paths(1.0, 1.0)
    assert (
        read_dicom(written(made), icc=True).display
        == shown(gamma_profile(1.0), icc=True)
    ).all()
