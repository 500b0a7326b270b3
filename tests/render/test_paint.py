"""The laws of the paint."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from render import twins

from saliency.errors import InputError
from saliency.render import Palette, paint
from saliency.values.heatmap import Heatmap
from saliency.values.mask import Mask, top_fraction

GRID = 37, 53
EVERYWHERE = np.ones(GRID, np.bool_)


def numbers(seed):
    return np.random.default_rng(seed)


@pytest.fixture
def display():
    """Return a picture of every grey."""
    return numbers(0).integers(0, 256, GRID).astype(np.uint8)


@pytest.fixture
def heat():
    """Return heat of both signs with a long tail, and zeros."""
    values = (numbers(1).normal(size=GRID) ** 3).astype(np.float32)
    return Heatmap(
        np.where(numbers(2).random(GRID) < 0.2, 0, values).astype(np.float32)
    )


def colour(display):
    return np.repeat(display[..., None], 3, axis=-1)


@pytest.mark.parametrize(
    "palette", ["green", "hot", "safe", "diverging", "fff,000", "00f|0f0,f00"]
)
@pytest.mark.parametrize("strength", [0.0, 0.3, 0.65, 1.0])
@pytest.mark.parametrize("outside", ["warn", "hide"])
def test_equals_its_slow_twin(display, heat, palette, strength, outside):
    """Tables and bands give what the formula gives, pixel by pixel."""
    inside, padding = numbers(3).random(GRID) < 0.7, numbers(4).random(GRID) < 0.1
    mask = numbers(5).random(GRID) < 0.8
    shown = mask & ~padding & (inside if outside == "hide" else EVERYWHERE)
    slow = twins.paint(
        colour(display),
        heat.values,
        Palette(palette),
        strength,
        inside=inside,
        shown=shown,
    )
    fast = paint(
        display,
        heat,
        mask=Mask(mask),
        palette=palette,
        strength=strength,
        outside=outside,
        diagnostic=inside,
        padding=padding,
    )

    # A level may fall to the other side of a half in float32: one step of 255.
    gap = np.abs(fast.rgb.astype(int) - slow)
    assert gap.max() <= 3
    assert (gap > 0).mean() < 0.001


def test_colour_pictures_are_painted_channel_by_channel(heat):
    """An RGB display obeys the same formula."""
    display = numbers(6).integers(0, 256, (*GRID, 3)).astype(np.uint8)
    slow = twins.paint(
        display, heat.values, Palette("hot"), 0.65, inside=EVERYWHERE, shown=EVERYWHERE
    )

    assert np.abs(paint(display, heat, palette="hot").rgb.astype(int) - slow).max() <= 3


@pytest.mark.parametrize("grid", [(1, 70_001), (70_001, 1), (513, 129)])
def test_bands_leave_no_seam(grid):
    """A picture of several bands equals the same picture painted as a whole, in float64."""
    display = numbers(7).integers(0, 256, grid).astype(np.uint8)
    values = numbers(8).integers(0, 256, grid).astype(np.float32)
    full = np.percentile(values[values > 0], 99.5, method="inverted_cdf")
    levels = np.floor(np.minimum(values / full, 1) * 255 + 0.5).astype(int)
    opacity = 0.65 * np.linspace(0, 1, 256)[levels][..., None]
    whole = np.rint(
        (1 - opacity) * display[..., None] + opacity * np.array([0, 255, 0])
    )

    assert np.array_equal(paint(display, Heatmap(values)).rgb, whole)


@given(factor=some.floats(1e-20, 1e20))
@settings(max_examples=50, deadline=None)
def test_the_unit_of_heat_does_not_matter(factor):
    """Heat times a positive number is the same picture, up to one step of 255."""
    display = numbers(9).integers(0, 256, (7, 9)).astype(np.uint8)
    values = numbers(10).normal(size=(7, 9)).astype(np.float32)
    one, other = (
        paint(display, Heatmap(v)) for v in (values, values * np.float32(factor))
    )

    assert np.abs(one.rgb.astype(int) - other.rgb).max() <= 1


def test_a_mask_chooses_and_changes_nothing_else(display, heat):
    """What a mask selects looks as it does without the mask; the rest is the picture."""
    mask = top_fraction(heat, 0.1)
    masked, whole = paint(display, heat, mask=mask), paint(display, heat)

    assert np.array_equal(masked.rgb[mask.values], whole.rgb[mask.values])
    assert np.array_equal(masked.rgb[~mask.values], colour(display)[~mask.values])


def test_hiding_does_not_make_the_rest_look_hotter(display, heat):
    """Inside the diagnostic pixels "hide" and "warn" give the same picture."""
    inside = numbers(11).random(GRID) < 0.5
    shown, hidden = (
        paint(display, heat, diagnostic=inside, outside=way) for way in ("warn", "hide")
    )

    assert np.array_equal(shown.rgb[inside], hidden.rgb[inside])
    assert np.array_equal(hidden.rgb[~inside], colour(display)[~inside])
    assert shown.outside == hidden.outside > 0


def test_heat_outside_is_magenta_beside_green():
    """Where the picture is not diagnostic, green gives way to magenta."""
    inside = np.arange(53)[None].repeat(37, 0) < 40
    rgb = paint(
        np.full(GRID, 90, np.uint8), Heatmap(np.ones(GRID)), diagnostic=inside
    ).rgb

    assert (rgb[inside][:, 1] > rgb[inside][:, [0, 2]].max(1)).all()
    assert (rgb[~inside][:, 1] < rgb[~inside][:, [0, 2]].min(1)).all()


def test_padding_is_never_painted(display):
    """Where there is no picture nothing is painted, warned or not."""
    padding = np.zeros(GRID, np.bool_)
    padding[:, :9] = True
    rgb = paint(
        display, Heatmap(np.ones(GRID)), diagnostic=~padding, padding=padding
    ).rgb

    assert np.array_equal(rgb[padding], colour(display)[padding])


def test_the_share_outside_is_of_absolute_heat():
    """Heat of both signs counts by its size, wherever it may be painted: 3 of 8."""
    values = np.zeros(GRID, np.float32)
    values[0, 0], values[36, 52], values[5, 5] = -2, -1, 5
    inside = np.ones(GRID, np.bool_)
    inside[0, 0] = inside[36, 52] = False
    overlay = paint(
        np.zeros(GRID, np.uint8),
        Heatmap(values),
        diagnostic=inside,
        padding=~inside,
        mask=Mask(~EVERYWHERE),
    )

    assert overlay.outside == pytest.approx(3 / 8, abs=1e-12)


@pytest.mark.parametrize(("inside", "share"), [(True, 0.0), (False, 1.0)])
def test_the_share_outside_has_exact_ends(display, heat, inside, share):
    """All inside is exactly 0, all outside exactly 1."""
    assert paint(display, heat, diagnostic=np.full(GRID, inside)).outside == share


def test_a_map_of_zeros_has_no_share_outside(display):
    """0 of 0 is 0."""
    zeros = Heatmap(np.zeros(GRID))

    assert paint(display, zeros, diagnostic=~EVERYWHERE).outside == 0


@pytest.mark.parametrize("value", [1e-30, 1.0, -4.0, 3e38])
def test_a_map_of_one_value_is_an_even_wash(value):
    """The same everywhere looks the same everywhere, and cannot be taken for no heat."""
    rgb = paint(
        np.full(GRID, 100, np.uint8), Heatmap(np.full(GRID, value, np.float32))
    ).rgb

    assert len(np.unique(rgb.reshape(-1, 3), axis=0)) == 1
    assert rgb[0, 0].tolist() == [35, round(0.35 * 100 + 0.65 * 255), 35]


def test_subnormal_heat_is_no_heat(display):
    """Below the smallest normal float32 there are no bits left to tell heat from rounding."""
    values = numbers(12).random(GRID).astype(np.float32) * np.float32(1e-38)
    values[values >= np.finfo(np.float32).tiny] = 0

    assert values.any()
    assert np.array_equal(paint(display, Heatmap(values)).rgb, colour(display))


def test_the_widest_range_warns_of_nothing():
    """Heat from 1e-37 to 3e38 neither overflows nor divides by zero."""
    values = np.full(GRID, 1.2e-37, np.float32)
    values[0, 0] = 3e38

    assert paint(np.zeros(GRID, np.uint8), Heatmap(values)).rgb[20, 20, 1] == round(
        0.65 * 255
    )


def test_hotter_is_never_less_painted():
    """More heat is more colour on every grey, for every step of 255."""
    heat = Heatmap(np.arange(256, dtype=np.float32)[None].repeat(256, 0))
    greys = np.arange(256, dtype=np.uint8)[:, None].repeat(256, 1)
    shown = paint(greys, heat, strength=1).rgb.astype(int)

    assert (np.diff(shown[..., 1] - shown[..., 0], axis=1) >= 0).all()
    assert (shown[:, -1] == [0, 255, 0]).all()


def test_the_overlay_cannot_be_changed(display, heat):
    """The painted array is read-only and owns its memory."""
    rgb = paint(display, heat).rgb

    assert not rgb.flags.writeable
    assert rgb.base is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"strength": 1.01}, "strength in 0..1, got 1.01"),
        ({"strength": float("nan")}, "strength in 0..1, got nan"),
        ({"outside": "ignore"}, "'warn' or 'hide', got 'ignore'"),
        ({"palette": "rainbows"}, "Nearest names"),
        (
            {"mask": Mask(np.ones((53, 37), np.bool_))},
            r"mask to be bool \(37, 53\), got bool \(53, 37\)",
        ),
        ({"diagnostic": np.ones(GRID)}, "diagnostic to be bool .* got float64"),
        ({"padding": [[True]]}, "padding to be bool .* got list"),
        ({"heatmap": np.ones(GRID)}, "expected a Heatmap, got ndarray"),
        ({"display": [[1]]}, "uint8 display .* got list"),
        ({"display": np.ones((37, 53, 4), np.uint8)}, r"got uint8 \(37, 53, 4\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused_by_name(display, heat, arguments, words):
    """An error says what was expected and what came."""
    with pytest.raises(InputError, match=words):
        paint(**{"display": display, "heatmap": heat, **arguments})
