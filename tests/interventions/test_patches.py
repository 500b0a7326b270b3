"""What is exchanged is what was meant, and a control lies where nothing else does."""

import numpy as np
import pytest

from saliency.interventions.canvas import Canvas, like, mask_like
from saliency.interventions.patches import around, blended, elsewhere, pasted, removed
from saliency.values.image import DicomImage

SIZE = (37, 53)


@pytest.fixture
def mask():
    """A box of 6 x 12 pixels near the top left."""
    found = np.zeros(SIZE, bool)
    found[2:8, 3:15] = True
    return found


@pytest.fixture
def pair():
    """Two pictures of different ground and texture."""
    generator = np.random.default_rng(0)
    ramp = np.linspace(0, 60, SIZE[1])[np.newaxis]
    return (
        (generator.uniform(0, 10, SIZE) + ramp).astype(np.float32),
        (generator.uniform(0, 10, SIZE) + 150).astype(np.float32),
    )


@pytest.mark.parametrize("way", [pasted, blended])
def test_only_the_zone_is_exchanged(pair, mask, way):
    """Outside the mask the host stays bit for bit; the host handed in is not written to."""
    host, donor = pair
    before = host.copy()
    result = way(host, donor, mask)

    assert (result[~mask] == host[~mask]).all()
    assert (result[mask] != host[mask]).any()
    assert (host == before).all()


def test_pasted_is_the_donor(pair, mask):
    """Every pixel of the zone is the donor's."""
    host, donor = pair

    assert (pasted(host, donor, mask)[mask] == donor[mask]).all()


def test_blended_carries_letters_without_their_ground(mask):
    """A letter 100 above its ground stands 100 above the host's ground, 90 apart in grey."""
    host, donor = (np.full(SIZE, value, np.float32) for value in (20, 110))
    donor[4, 5:9] += 100
    result = blended(host, donor, mask)

    assert np.allclose(result[4, 5:9], 120, atol=1e-3)
    assert np.allclose(result[6, 5:9], 20, atol=1e-3)


def test_the_same_picture_changes_nothing(pair, mask):
    """Exchanging with itself is no exchange."""
    host, _ = pair

    assert np.allclose(blended(host, host, mask), host, atol=1e-4)
    assert (pasted(host, host, mask) == host).all()


def test_nothing_is_left_of_a_removed_zone(mask):
    """The background continues; the value that was there is gone."""
    picture = np.full(SIZE, 30, np.float32)
    picture[mask] = 200

    assert np.allclose(removed(picture, mask), 30)
    assert (removed(picture, np.ones(SIZE, bool)) == 0).all()


def test_a_control_has_the_zones_shape_and_lies_apart(mask):
    """As many pixels, in the same arrangement, on none that is taken."""
    taken = np.zeros(SIZE, bool)
    taken[20:] = True
    found = elsewhere(mask, taken, np.random.default_rng(0))

    assert found.sum() == mask.sum()
    assert not (found & (taken | mask)).any()
    rows, columns = np.nonzero(found)
    assert np.ptp(rows) == 5
    assert np.ptp(columns) == 11


def test_a_control_is_cut_where_another_zone_lies(mask):
    """One free corner, a little too small for the zone: what remains lies in it, and nowhere else.

    A control on another zone would borrow from that zone what is meant to be tissue's.
    """
    free = np.zeros(SIZE, bool)
    free[-6:, -9:] = True
    found = elsewhere(mask, ~free & ~mask, np.random.default_rng(0))

    assert not (found & ~free).any()
    assert found.sum() >= mask.sum() / 2


def test_a_frame_finds_room_around_the_corner():
    """A border as wide as the picture is moved into it; what falls on itself is cut out."""
    frame = np.ones(SIZE, bool)
    frame[3:-3, 3:-3] = False
    found = elsewhere(frame, np.zeros(SIZE, bool), np.random.default_rng(0))

    assert not (found & frame).any()
    assert found.sum() > 0.5 * frame.sum()


def test_no_room_no_control(mask):
    """A zone that leaves less than half of its area free has no control."""
    most = np.ones(SIZE, bool)
    most[:5] = False

    assert elsewhere(most, np.zeros(SIZE, bool), np.random.default_rng(0)) is None
    assert elsewhere(mask, np.ones(SIZE, bool), np.random.default_rng(0)) is None


def test_the_generator_decides_where(mask):
    """One seed, one place; many seeds, many places."""
    empty = np.zeros(SIZE, bool)
    places = {
        elsewhere(mask, empty, np.random.default_rng(k)).tobytes()
        for k in (1, 1, 2, 3, 4)
    }

    assert 3 <= len(places) <= 4


def test_around_holds_the_mask(mask):
    """The box that is worked on holds all of it, with a margin inside the picture."""
    box = around(mask)

    assert mask[box].sum() == mask.sum()
    assert mask[box].shape < SIZE


def test_grids_and_colours_are_brought_together(mask):
    """A coarse mask covers all it touched; grey becomes colour and colour grey."""
    grey = np.arange(37 * 53, dtype=np.float32).reshape(SIZE)

    assert mask_like(mask, (74, 106)).sum() >= 4 * mask.sum()
    assert like(grey, np.zeros((*SIZE, 3))).shape == (*SIZE, 3)
    assert np.allclose(like(np.stack([grey] * 3, 2), grey), grey)
    assert like(grey, np.zeros((10, 12))).shape == (10, 12)


@pytest.mark.parametrize("intensity", ["display", "modality", "stored"])
def test_only_what_the_model_sees_is_changed(intensity):
    """The array that Prepare reads is replaced; whole numbers stay whole and in range."""
    pixels = np.full(SIZE, 7)
    image = DicomImage(
        pixels.astype(np.float32),
        pixels.astype(np.uint8),
        stored=pixels.astype(np.int16),
    )
    changed = Canvas(image, intensity).with_values(np.full(SIZE, 300.6))
    wanted = {"display": 255, "modality": np.float32(300.6), "stored": 301}

    for name, array in (
        ("display", "display"),
        ("modality", "pixels"),
        ("stored", "stored"),
    ):
        expected = wanted[name] if name == intensity else 7
        assert (getattr(changed, array) == expected).all()
        assert getattr(changed, array).dtype == getattr(image, array).dtype
