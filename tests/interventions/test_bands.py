"""Grain, sharpness and shading travel; places and content do not."""

import numpy as np
import pytest
from marked_pictures import shown

from saliency.interventions.bands import (
    BANDS,
    recropped,
    regrained,
    requantised,
    reshaded,
)
from saliency.interventions.canvas import Canvas
from saliency.values.image import DicomImage

SIZE = 64, 96
DOWN, ACROSS = np.meshgrid(
    np.linspace(-1, 1, SIZE[0]), np.linspace(-1, 1, SIZE[1]), indexing="ij"
)


def canvas_of(pixels, **zones):
    image = DicomImage.from_array(np.asarray(pixels, np.float32))
    for name, mask in zones.items():
        image = image.with_zone(name, mask)
    return Canvas(image, "modality")


def fine_energy(pixels):
    steps = np.diff(pixels, n=3, axis=1)
    return float((steps**2).mean())


def noise(spread, seed):
    return 100 + spread * np.random.default_rng(seed).normal(size=SIZE)


@pytest.mark.parametrize("spreads", [(2, 10), (10, 2)], ids=["coarser", "finer"])
def test_grain_is_taken_over(spreads):
    """The host's fine energy becomes the donor's, up or down; its coarse waves stay."""
    ours, theirs = spreads
    wave = 60 * np.sin(3 * ACROSS)
    host, donor = canvas_of(noise(ours, 0) + wave), canvas_of(noise(theirs, 1))
    result = regrained(host, donor).pixels

    # Frequencies below an eighth of a cycle a pixel are left alone.
    assert np.isclose(fine_energy(result), fine_energy(donor.values), rtol=0.25)
    smooth = result.reshape(8, 8, 12, 8).mean(axis=(1, 3))
    assert np.allclose(
        smooth, host.values.reshape(8, 8, 12, 8).mean(axis=(1, 3)), atol=4
    )


def test_a_mark_does_not_travel_with_the_grain():
    """A square of the donor leaves no trace at its place."""
    plain, marked = noise(5, 2), noise(5, 3)
    marked[20:36, 40:56] += 60
    result = regrained(canvas_of(plain), canvas_of(marked)).pixels
    change = (result - plain)[20:36, 40:56].mean()

    assert abs(change) < 1
    # Its edges are no grain either: the whole image stays as it was.
    assert np.std(result - plain) < 1


def test_shading_by_hand():
    """A slope of 10 and a bowl of 6 come over; the mean of the host stays."""
    host = canvas_of(100 + 0 * ACROSS)
    donor = canvas_of(140 + 10 * ACROSS + 6 * DOWN**2)
    result = reshaded(host, donor).pixels
    wanted = 10 * ACROSS + 6 * (DOWN**2 - (DOWN**2).mean())

    # The range of both images cuts what the host's mean leaves no room for.
    inside = result < donor.values.max() - 1e-3
    assert np.allclose(
        result[inside] - 100, np.maximum(wanted, result.min() - 100)[inside], atol=1.5
    )


def test_a_lesion_is_no_shading():
    """A square a tenth of the frame large does not bend the fit."""
    host, donor = noise(1, 4), noise(1, 5)
    donor[20:44, 30:56] += 50
    change = reshaded(canvas_of(host), canvas_of(donor)).pixels - host

    assert np.abs(change).max() < 2


@pytest.mark.parametrize("band", BANDS.values(), ids=BANDS)
def test_zones_stay_and_odd_images_do_no_harm(band):
    """Zones keep their pixels; one value, colour and another grid give finite images."""
    mask = np.zeros(SIZE, bool)
    mask[:10] = True
    host = canvas_of(noise(5, 6), text=mask)
    donor = (noise(20, 7) + 20 * ACROSS).round()
    donor[:, :24] = 0
    result = band(host, canvas_of(donor))

    assert (result.pixels[mask] == host.values[mask]).all()
    assert (result.pixels[~mask] != host.values[~mask]).any()
    flat = band(canvas_of(np.full(SIZE, 80.0)), host)
    assert np.isfinite(flat.pixels).all()
    other = band(host, canvas_of(np.random.default_rng(8).normal(size=(31, 40))))
    assert np.isfinite(other.pixels).all()
    grey = shown(np.random.default_rng(9).uniform(size=SIZE))
    colour = DicomImage(
        np.repeat(grey.pixels[..., np.newaxis], 3, axis=2),
        np.repeat(grey.display[..., np.newaxis], 3, axis=2),
    )
    assert band(Canvas(colour), Canvas(grey)).display.shape == (*SIZE, 3)


def test_grey_levels_become_as_coarse_as_the_donors():
    """Of 16 levels, each 17 apart: the host has those of its own range, and its means stay."""
    fine = np.linspace(0, 255, SIZE[0] * SIZE[1]).reshape(SIZE).round()
    coarse = 17 * np.rint(noise(60, 1).clip(0, 255) / 17)
    result = requantised(canvas_of(fine), canvas_of(coarse)).pixels

    assert np.unique(result).tolist() == list(range(0, 256, 17))
    assert np.abs(result - fine).max() <= 8.5


def test_grey_levels_become_as_fine_as_the_donors():
    """Between 16 levels others appear, and the mean of a few pixels stays."""
    coarse = 17.0 * np.repeat(np.arange(16), SIZE[0] * SIZE[1] // 16).reshape(SIZE)
    result = requantised(canvas_of(coarse), canvas_of(noise(60, 1).round())).pixels
    inner = (coarse > 0) & (coarse < 255)

    assert len(np.unique(result)) > 200
    assert np.abs(result - coarse)[inner].max() <= 8.5 + 1e-3
    block = (slice(16, 24), slice(8, 16))
    assert np.isclose(result[block].mean(), coarse[block].mean(), atol=1)


def test_grey_levels_of_one_step_or_of_none_are_left():
    """Equal steps change nothing; two levels have none."""
    host = canvas_of(noise(20, 0).round())
    flags = canvas_of((noise(20, 1) > 100) * 1.0)

    assert requantised(host, canvas_of(noise(40, 1).round())) is host.image
    assert requantised(host, flags) is host.image


def body(top, bottom, left, right, seed=0):
    """Return a bright body with texture, and a spot at its middle, on black."""
    pixels = np.zeros(SIZE)
    pixels[top:bottom, left:right] = 150 + 10 * np.random.default_rng(seed).random(
        (bottom - top, right - left)
    )
    row, column = (top + bottom) // 2, (left + right) // 2
    pixels[row - 3 : row + 3, column - 3 : column + 3] = 250
    return pixels


def test_the_body_fills_the_frame_as_the_donors_does():
    """Its edges and its middle come to lie where the donor's lie; what it shows is the host's."""
    host, donor = canvas_of(body(8, 40, 12, 48)), canvas_of(body(16, 56, 24, 84))
    result = recropped(host, donor).pixels

    assert (result[20:52, 30:78] > 140).all()
    assert (result[:14] < 30).all()
    assert (result[:, :21] < 30).all()
    assert (result[59:] < 30).all()
    assert (result[:, 88:] < 30).all()
    down, across = np.nonzero(result > 220)
    assert abs(down.mean() - 35.5) < 1.5
    assert abs(across.mean() - 53.5) < 1.5


def test_images_that_the_body_fills_stay_as_they_are():
    """Nothing tells how far they were enlarged."""
    host = canvas_of(noise(5, 0) + 40)

    assert recropped(host, canvas_of(noise(5, 1) + 40)) is host.image


def test_zones_do_not_move_with_the_body():
    """A white name stays where it is, and none of it comes into the body."""
    name = np.zeros(SIZE, bool)
    name[2:6, 4:40] = True
    pixels = body(8, 40, 12, 48)
    pixels[name] = 255
    host, donor = canvas_of(pixels, text=name), canvas_of(body(16, 56, 24, 84))
    result = recropped(host, donor).pixels

    assert (result[name] == 255).all()
    assert (result[8:14] < 60).all()
