"""The laws of the figures."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from saliency.errors import InputError
from saliency.render import paint
from saliency.render.figure import Control, figure, layers_figure, save
from saliency.render.scale import full
from saliency.values.heatmap import Heatmap

GRID = 37, 53
DISPLAY = np.random.default_rng(0).integers(0, 256, GRID).astype(np.uint8)
HEAT = np.random.default_rng(1).normal(size=GRID).astype(np.float32)


def drawn(values, **options):
    heatmap = Heatmap(values)
    return figure(DISPLAY, heatmap, paint(DISPLAY, heatmap), **options)


def test_shows_the_pixels_themselves():
    """The first panel holds the display, the second the raw heat, the third the overlay."""
    image, heat, overlay = (axes.images[0].get_array() for axes in drawn(HEAT).axes[:3])

    assert np.array_equal(image, DISPLAY)
    assert np.array_equal(heat, HEAT)
    assert np.array_equal(overlay, paint(DISPLAY, Heatmap(HEAT)).rgb)


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        (HEAT, "both"),
        (np.abs(HEAT), "max"),
        (np.round(HEAT > 1), "neither"),
        (np.where(HEAT < 0, np.float32(-0.5), np.abs(HEAT)), "max"),
    ],
)
def test_the_bar_is_pointed_where_the_map_goes_on(values, ends):
    """Clipped numbers are announced at the end where they are clipped."""
    bar = drawn(values).axes[1].images[0].colorbar

    assert bar.extend == ends


@pytest.mark.parametrize("palette", ["green", "hot", "diverging", "00f|f80"])
def test_the_map_speaks_the_colours_of_the_overlay(palette):
    """On a black picture, painted opaquely, map and overlay have one colour for one heat."""
    heatmap = Heatmap(np.abs(HEAT) if palette in {"green", "hot"} else HEAT)
    black = np.zeros(GRID, np.uint8)
    overlay = paint(black, heatmap, palette=palette, strength=1.0)
    heat = figure(black, heatmap, overlay).axes[1].images[0]
    shown = heat.cmap(heat.norm(heatmap.values))[..., :3] * 255

    assert np.abs(shown - overlay.rgb).max() <= 4


def test_heat_against_is_never_drawn_in_green():
    """Where an unsigned palette painted a signed map, the map panel parts the signs."""
    heat = drawn(HEAT).axes[1].images[0]
    red, green, blue, _ = heat.cmap(heat.norm(-100.0))

    assert blue > green
    assert blue > red


def test_a_given_scale_is_drawn():
    """The bar ends where the overlay's full colour stands."""
    heatmap = Heatmap(np.abs(HEAT))
    heat = figure(DISPLAY, heatmap, paint(DISPLAY, heatmap, vmax=7.0)).axes[1].images[0]

    assert (heat.norm.vmin, heat.norm.vmax) == (0.0, 7.0)


@pytest.mark.parametrize(
    ("spacing", "words", "columns"),
    [
        ((0.5, 0.5), "5 mm", 10),
        ((2.0, 4.0), "5 cm", 12.5),
        ((1e-3, 1e-3), "0.01 mm", 10),
    ],
)
def test_a_bar_says_how_long_a_millimetre_is(spacing, words, columns):
    """Its length in columns is what it says; 53 columns leave room for a third of them."""
    panel = drawn(HEAT, spacing=spacing).axes[0]
    start, end = panel.lines[0].get_xdata()

    assert [text.get_text() for text in panel.texts] == [words]
    assert end - start == pytest.approx(columns)


def test_letters_stand_at_their_sides():
    """The right of the picture is what rows run to; the opposite side faces it."""
    panel = drawn(HEAT, orientation=("L", "PF")).axes[0]
    found = {text.get_text(): text.get_position() for text in panel.texts}

    assert found == {
        "L": (0.98, 0.5),
        "R": (0.02, 0.5),
        "PF": (0.5, 0.02),
        "AH": (0.5, 0.98),
    }


def test_a_control_is_drawn_beside_with_its_correlation():
    """The fourth panel holds the map of the shuffled network."""
    control = Control(Heatmap(HEAT.T[:37, :37].repeat(2, axis=1)[:, :53]), 0.125)
    panel = drawn(HEAT, control=control).axes[3]

    assert np.array_equal(panel.images[0].get_array(), control.heatmap.values)
    assert panel.images[0].norm.vmax == full(np.abs(control.heatmap.values))
    assert "rank correlation 0.12" in panel.get_title()
    assert (
        "no rank correlation"
        in drawn(HEAT, control=Control(control.heatmap)).axes[3].get_title()
    )


def test_the_scale_of_signed_heat_is_symmetric():
    """0 is in the middle of the bar; without negative heat it is the start."""
    signed, unsigned = (
        drawn(values).axes[1].images[0].norm for values in (HEAT, np.abs(HEAT))
    )

    assert signed.vmin == -signed.vmax
    assert unsigned.vmin == 0


def test_the_bar_has_numbers_and_a_unit():
    """A colour means a number in a unit."""
    bar = drawn(HEAT, unit="logit per pixel").axes[1].images[0].colorbar

    assert bar.ax.get_ylabel() == "logit per pixel"
    assert len(bar.get_ticks()) >= 3


def test_millimetres_are_square():
    """A pixel of 2 mm x 1 mm is drawn twice as high as wide."""
    assert [axes.get_aspect() for axes in drawn(HEAT, spacing=(2.0, 1.0)).axes[:3]] == [
        2.0
    ] * 3
    assert drawn(HEAT).axes[0].get_aspect() == 1.0


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_an_even_map_is_called_even(value):
    """A map of one value says so in words, and is drawn without a warning."""
    whole = drawn(np.full(GRID, value, np.float32))
    whole.savefig(BytesIO())

    assert whole.axes[1].get_title() == f"heatmap: {value:.3g} everywhere"


def test_the_share_outside_is_written():
    """The reader is told how much heat lies outside the diagnostic pixels."""
    heatmap = Heatmap(np.ones((4, 5)))
    overlay = paint(
        DISPLAY[:4, :5], heatmap, diagnostic=np.arange(20).reshape(4, 5) < 15
    )

    assert "25.0%" in figure(DISPLAY[:4, :5], heatmap, overlay).axes[2].get_title()


def test_is_a_picture():
    """What is saved is a picture with every panel in it."""
    sink = BytesIO()
    drawn(HEAT, title="Gradient").savefig(sink)
    width, height = Image.open(sink).size

    assert width > 2 * height


def test_files_hold_pixels_and_nothing_else(tmp_path):
    """A saved figure is as large as the figure, in its colours, without a word in it."""
    heatmap = Heatmap(np.abs(HEAT))
    whole = figure(
        DISPLAY, heatmap, paint(DISPLAY, heatmap, palette="hot"), title="Gradient"
    )
    file = save(whole, tmp_path / "a.png").read_bytes()
    picture = np.asarray(Image.open(BytesIO(file)))

    assert picture.shape[1::-1] == tuple(np.rint(whole.get_size_inches() * whole.dpi))
    assert (
        picture[..., 0].mean() > picture[..., 2].mean() + 1
    )  # the heat is red, not blue
    assert not any(
        name in file for name in (b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"tIME")
    )


def test_long_titles_are_broken_into_lines():
    """A recipe of 300 letters stays on the figure."""
    title = drawn(HEAT, title="SmoothGrad " * 30).get_suptitle()

    assert max(len(line) for line in title.splitlines()) < 130


def test_layers_are_framed_in_their_hue():
    """The frame of a layer's map is the colour that LOVI gives it."""
    whole = layers_figure(
        np.random.default_rng(2).random((37, 53, 3)), names=["a", "b", "c"]
    )
    frames = [axes.spines["left"].get_edgecolor()[:3] for axes in whole.axes[:3]]

    assert np.allclose(frames, [(1, 0, 1), (0, 1, 0.5), (1, 0, 0)])
    assert [axes.get_title() for axes in whole.axes[:3]] == ["a", "b", "c"]


def test_layers_share_one_scale():
    """The same grey is the same number in every map."""
    whole = layers_figure(np.random.default_rng(3).random((37, 53, 3)), spacing=(1, 2))
    norms = {
        (axes.images[0].norm.vmin, axes.images[0].norm.vmax) for axes in whole.axes[:3]
    }

    assert len(norms) == 1
    assert whole.axes[0].get_title() == "layer 1"


@pytest.mark.parametrize("spacing", [(0, 1), (1, -1), (np.inf, 1), (np.nan, 1)])
def test_spacings_are_positive(spacing):
    """A pixel has a size."""
    with pytest.raises(InputError, match="two positive numbers"):
        drawn(HEAT, spacing=spacing)


def test_grids_are_one():
    """Panels that do not belong together are refused."""
    heatmap = Heatmap(HEAT)
    with pytest.raises(InputError, match="on one grid"):
        figure(DISPLAY[:-1], heatmap, paint(DISPLAY, heatmap))


def test_every_layer_has_one_name():
    """Names that do not fit are refused."""
    with pytest.raises(InputError, match="expected 3 names"):
        layers_figure(np.ones((4, 5, 3)), names=["a"])


def test_words_are_drawn_as_they_are(tmp_path):
    """A dollar sign begins no formula, and a letter without a glyph is told by its code."""
    whole = drawn(HEAT, title="$x_1^ and {$ 50 %, 肺炎", names=("$a^$", "b", "c"))
    save(whole, tmp_path / "figure.png")

    assert whole.get_suptitle() == r"$x_1^ and {$ 50 %, \u80ba\u708e"


def test_rounding_below_0_is_no_heat_against():
    """What is too little to be painted changes neither colours nor scale of the map."""
    values = np.abs(HEAT)
    values[0, 0] = -1e-7
    heatmap = Heatmap(values)
    heat = figure(DISPLAY, heatmap, paint(DISPLAY, heatmap)).axes[1].images[0]

    assert heat.norm.vmin == 0
    assert heat.cmap(1.0)[:3] == (0, 1, 0)
