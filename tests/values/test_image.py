"""The laws of the picture."""

import numpy as np
import pytest
from values.laws import BYTES, CORNER, GRID, NUMBERS, VALUES

from saliency.errors import InputError
from saliency.values.image import TRAVELS, DicomImage
from saliency.values.window import Window
from saliency.values.zone import Zone


def test_diagnostic_is_what_no_zone_covers():
    """Zones add up; padding is the zone of that name alone."""
    other = np.zeros(GRID, np.bool_)
    other[30:, 50:] = True
    image = DicomImage(
        NUMBERS, BYTES, zones=(Zone("text", CORNER), Zone("padding", other))
    )

    assert np.array_equal(image.diagnostic, ~(CORNER | other))
    assert np.array_equal(image.padding, other)
    assert not image.diagnostic.flags.writeable
    assert not image.padding.flags.writeable


def test_a_window_narrower_than_one_is_that_of_a_file():
    """Units of a PET or an ADC map are small: LINEAR_EXACT there, as where a file says so."""
    ramp = np.linspace(0, 1, 11, dtype=np.float32)[np.newaxis]
    shown = DicomImage.from_array(ramp, window=Window(0.5, 0.4)).display

    right = np.clip((ramp[0] - 0.3) / 0.4, 0, 1) * 255
    assert np.abs(shown[0] - right).max() <= 0.6


def test_a_zone_is_added_to_a_copy():
    """The picture itself does not change."""
    image = DicomImage(NUMBERS, BYTES)
    more = image.with_zone("text", CORNER)

    assert image.diagnostic.all()
    assert np.array_equal(more.diagnostic, ~CORNER)
    assert more.zones[0].evidence == "given by hand"


def ruler(image):
    """The corner, as a function of the image finds it."""
    return CORNER if image.size == GRID else None


def test_a_zone_is_found_by_a_function():
    """A function of the image is asked; its name is the evidence, None and nothing add no zone."""
    image = DicomImage(NUMBERS, BYTES)
    zone = image.with_zone("ruler", ruler).zones[0]

    assert np.array_equal(zone.mask, CORNER)
    assert zone.evidence == "found by ruler"
    assert image.with_zone("ruler", ruler, "a scale").zones[0].evidence == "a scale"
    assert image.with_zone("ruler", lambda _: None).zones == ()
    assert image.with_zone("ruler", np.zeros(GRID, np.bool_)).zones == ()


def test_zones_overlap_and_share_names():
    """What lies in any of them is not diagnostic, and it is counted once."""
    image = DicomImage(NUMBERS, BYTES).with_zone("a", CORNER).with_zone("b", CORNER)
    twice = image.with_zone("a", ~CORNER)

    assert (~image.diagnostic).sum() == CORNER.sum()
    assert [zone.name for zone in twice.zones] == ["a", "b", "a"]
    assert not twice.diagnostic.any()


@pytest.mark.parametrize(
    "mask",
    [CORNER[:-1], CORNER[None], CORNER.astype(np.float32), CORNER * 255, np.ones(())],
)
def test_a_mask_of_another_grid_or_kind_is_refused(mask):
    """By hand or by a function, a mask is bool on the grid of the picture."""
    with pytest.raises(InputError, match="mask"):
        DicomImage(NUMBERS, BYTES).with_zone("ruler", mask)
    with pytest.raises(InputError, match="mask"):
        DicomImage(NUMBERS, BYTES).with_zone("ruler", lambda _: mask)


@pytest.mark.parametrize("name", ["", "diagnostic"])
def test_what_lies_in_no_zone_is_no_zone(name):
    """The complement of all zones has its name already."""
    with pytest.raises(InputError, match="name"):
        DicomImage(NUMBERS, BYTES).with_zone(name, CORNER)


def test_without_a_window_grey_goes_from_black_to_white():
    """The least number is 0, the greatest 255."""
    display = DicomImage.from_array(NUMBERS).display

    assert display[np.unravel_index(NUMBERS.argmin(), GRID)] == 0
    assert display[np.unravel_index(NUMBERS.argmax(), GRID)] == 255


@pytest.mark.parametrize("value", [-1000.0, 0.0, 7.0])
def test_one_value_alone_is_black(value):
    """A picture of one value has no range to show."""
    assert not DicomImage.from_array(np.full(GRID, value)).display.any()


@pytest.mark.parametrize("center", [40.0, 0.5, -600.0])
@pytest.mark.parametrize("width", [1.0, 2.0, 400.0, 1500.5])
def test_a_window_is_the_clause(center, width):
    """LINEAR of PS3.3 C.11.2.1.2.1, number by number, within half a grey."""
    numbers = np.linspace(center - width, center + width, 37 * 53).reshape(GRID)
    display = DicomImage.from_array(numbers, window=Window(center, width)).display
    for value, shown in zip(
        numbers.astype(np.float32).ravel()[::40], display.ravel()[::40], strict=True
    ):
        if value <= center - 0.5 - (width - 1) / 2:
            expected = 0.0
        elif value > center - 0.5 + (width - 1) / 2:
            expected = 255.0
        else:
            expected = ((value - (center - 0.5)) / (width - 1) + 0.5) * 255

        assert abs(shown - expected) <= 0.501


def test_colour_is_shown_as_it_is():
    """RGB takes no window."""
    rgb = np.random.default_rng(0).integers(0, 256, (*GRID, 3))

    assert np.array_equal(DicomImage.from_array(rgb).display, rgb)


def test_the_digest_follows_the_pixels():
    """The same pixels give the same digest, one other pixel another."""
    changed = NUMBERS.copy()
    changed[0, 0] += 1
    first, same, other = (
        DicomImage.from_array(p).digest for p in (NUMBERS, NUMBERS, changed)
    )

    assert first == same != other


def test_nothing_of_a_patient_travels():
    """Only the listed keywords do, and none of them is a person, a place or a date."""
    with pytest.raises(
        InputError, match=r"\['PatientName'\] must not travel"
    ) as caught:
        DicomImage(NUMBERS, BYTES, info={"PatientName": "Doe^Jane"})
    assert "Doe" not in str(caught.value)
    assert not {k for k in TRAVELS if k.startswith(("Patient", "Institution", "Study"))}


def test_the_repr_tells_the_kind_of_picture():
    """Modality, grid, kind and frame: nothing else."""
    assert repr(VALUES["DicomImage"]) == "DicomImage(CR, 37 x 53 grey, frame 2 of 3)"
    assert (
        repr(DicomImage.from_array(np.zeros((2, 3, 3))))
        == "DicomImage(array, 2 x 3 RGB)"
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DicomImage(NUMBERS, BYTES[:-1]), "must be alike"),
        (
            lambda: DicomImage(np.zeros((*GRID, 4)), np.zeros((*GRID, 4), np.uint8)),
            "must be alike",
        ),
        (
            lambda: DicomImage(NUMBERS, BYTES, zones=(Zone("text", CORNER.T),)),
            "expected a mask of",
        ),
        (lambda: DicomImage.from_array(np.full(GRID, np.nan)), "finite"),
        (lambda: DicomImage.from_array(np.full((*GRID, 3), 256.0)), "RGB in 0..255"),
        (lambda: DicomImage.from_array(np.full((*GRID, 3), -1.0)), "RGB in 0..255"),
        (lambda: DicomImage.from_array(np.zeros(5)), "rank 2 or 3"),
        (lambda: Zone("", CORNER), "expected a name"),
        (lambda: Zone("text", CORNER.astype(np.uint8)), "bool"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    """An error says what was expected."""
    with pytest.raises(InputError, match=words):
        make()


def test_two_threads_compute_once():
    """Whoever comes second waits, and neither gets an AttributeError."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier
    from time import sleep

    from saliency.values.deferred import deferred

    calls, start = [], Barrier(8)

    def compute():
        calls.append(1)
        sleep(0.02)
        return np.zeros((3, 4), np.float32)

    image = DicomImage(pixels=deferred(compute), display=np.zeros((3, 4), np.uint8))

    def look(_):
        start.wait()
        return image.pixels

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(look, range(8)))
    assert len(calls) == 1
    assert all(pixels is found[0] for pixels in found)
