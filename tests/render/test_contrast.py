"""Palettes for pictures in colour stand out from the colours that the picture has."""

import numpy as np
import pytest
from render.eyes import lab
from shared import shared

import saliency as sal
from saliency.render import Palette, paint
from saliency.render.contrast import (
    ENOUGH,
    HALF,
    contrast_with_picture,
    lift,
    palette_for,
)
from saliency.values.heatmap import Heatmap

#: What pictures are made of: stained tissue, endoscopy, and greens as in a Doppler scale.
PINK, PURPLE, WHITE = (225, 160, 205), (120, 80, 160), (244, 243, 241)
SKIN, CAVITY, BLACK = (230, 140, 120), (70, 40, 35), (0, 0, 0)
GREEN, LEAF, OLIVE, CYAN = (0, 220, 60), (60, 250, 40), (120, 200, 60), (0, 200, 200)


def mosaic(*colours):
    """Return a picture of squares, as many of each colour."""
    rows = np.array(colours, np.uint8)[np.arange(24) % len(colours)]
    return np.kron(
        np.broadcast_to(rows, (len(colours), 24, 3)), np.ones((8, 8, 1), np.uint8)
    )


TISSUE = mosaic(PINK, PURPLE, WHITE)
DOPPLER = mosaic(BLACK, GREEN, LEAF, OLIVE, CYAN)


@pytest.mark.parametrize("picture", [TISSUE, mosaic(SKIN, CAVITY, BLACK)])
def test_green_is_taken_where_it_is_enough(picture):
    """So that most pictures have one colour of heat."""
    assert palette_for(picture, signed=False) == Palette("green")
    assert contrast_with_picture(Palette("green"), picture) >= ENOUGH


def test_another_is_taken_where_the_picture_is_green():
    """Half heat in green would be a colour of the picture itself."""
    assert contrast_with_picture(Palette("green"), DOPPLER) < ENOUGH
    assert palette_for(DOPPLER, signed=False) == Palette("yellow")
    assert contrast_with_picture(Palette("yellow"), DOPPLER) > contrast_with_picture(
        Palette("green"), DOPPLER
    )


@pytest.mark.parametrize(("signed", "name"), [(False, "green"), (True, "diverging")])
def test_greys_have_the_usual_palettes(signed, name):
    """In one channel or in three equal ones."""
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)

    assert palette_for(grey, signed=signed) == Palette(name)
    assert palette_for(np.stack([grey] * 3, axis=2), signed=signed) == Palette(name)


def test_signed_heat_keeps_its_signs():
    """On blue tissue blue heat is not seen; the other signed palette takes over."""
    blue = mosaic((30, 120, 200), (60, 140, 220), (20, 100, 180), (235, 240, 245))

    assert palette_for(blue, signed=True) == Palette("blue-yellow")
    assert (
        lift(Palette("diverging"), blue) < ENOUGH <= lift(Palette("blue-yellow"), blue)
    )


@pytest.mark.parametrize("name", ["green", "yellow", "diverging"])
def test_the_measure_is_that_of_the_standard(name):
    """The least difference between painted and unpainted colours, by another CIELAB."""
    palette = Palette(name)
    colours = np.array([PINK, PURPLE, WHITE], float)
    ends = [palette.positive[-1], palette.negative[-1]]
    gaps = [
        np.linalg.norm(
            lab((1 - HALF) * colours + HALF * end)[:, None] - lab(colours), axis=-1
        )
        for end in ends
    ]

    assert contrast_with_picture(palette, TISSUE) == pytest.approx(
        np.min(gaps), abs=0.1
    )
    itself = [np.diagonal(gap).min() for gap in gaps]
    assert lift(palette, TISSUE) == pytest.approx(min(itself), abs=0.1)


def test_overlays_take_it_by_name():
    """overlay, paint and animate know "auto", and say which it was."""
    heat = Heatmap(np.linspace(0, 1, DOPPLER[..., 0].size).reshape(DOPPLER.shape[:2]))
    image = sal.DicomImage.from_array(DOPPLER)
    result = sal.Explanation(heat, 1.0, 0, None, "GradCAM()", image)

    assert paint(DOPPLER, heat, palette="auto").palette == "yellow"
    assert np.array_equal(
        result.overlay(palette="auto").rgb, result.overlay(palette="yellow").rgb
    )
    assert np.array_equal(
        sal.animate([result], palette="auto").frames[0],
        sal.animate([result], palette="yellow").frames[0],
    )


FILES = [
    *(
        "VL1_RLE_6cc2ad",
        "VL6_J2KR_b0a63c",
        "GH538-jpeg14sv1_6023ff",
        "US-PAL-8-10x-echo_8e9ef1",
    ),
    *("US1_RLE", "IM-0001-0001-0001_189f13", "jpeg_fcad29", "GH195_bdb35c"),
]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_real_pictures_in_colour(name, signed):
    """Stained slides, endoscopy, Doppler, PET on MR, teeth: 25 units at half heat.

    Signed: from the pixel itself, for two hues can't both be far from every colour of a slide.
    """
    (file,) = shared("corpus", "corpus").glob(f"{name}*.dcm")
    display = sal.read_dicom(file).display
    palette = palette_for(display, signed=signed)

    assert (lift if signed else contrast_with_picture)(palette, display) >= ENOUGH
