"""Colour is shown through the file's profile when that is asked for, and only then."""

import struct

import numpy as np
from dicom.build import dataset, written
from PIL import ImageCms

from saliency.dicom import read_dicom

RGB = np.random.default_rng(0).integers(0, 256, (37, 53, 3)).astype(np.uint8)


def gamma_profile(gamma: float) -> bytes:
    """An RGB profile with the primaries of sRGB and a pure power as its curve (ICC.1:2010, 7-9)."""
    xyz = {"rXYZ": (0.4360, 0.2225, 0.0139), "gXYZ": (0.3851, 0.7169, 0.0971)}
    xyz |= {"bXYZ": (0.1431, 0.0606, 0.7141), "wtpt": (0.9642, 1.0, 0.8249)}
    tags = {
        name: b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(v * 65536)) for v in value)
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
    head = struct.pack(">I", start + len(data)) + bytes(4) + struct.pack(">I", 0x02400000)
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
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)

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
