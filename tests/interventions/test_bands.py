"""Grain, sharpness and shading travel; places and content do not."""

import numpy as np
import pytest
from marked_pictures import shown

from saliency.interventions.bands import BANDS, regrained, reshaded
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
    result = band(host, canvas_of(noise(20, 7) + 20 * ACROSS))

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
