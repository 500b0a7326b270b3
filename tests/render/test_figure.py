"""The laws of the figures."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from saliency.errors import InputError
from saliency.render import paint
from saliency.render.figure import figure, layers_figure, save
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
    ("values", "ends"), [(HEAT, "both"), (np.abs(HEAT), "max"), (np.round(HEAT > 1), "neither")]
)
def test_the_bar_is_pointed_where_the_map_goes_on(values, ends):
    """Clipped numbers are announced at the end where they are clipped."""
    bar = drawn(values).axes[1].images[0].colorbar

    assert bar.extend == ends


def test_the_scale_of_signed_heat_is_symmetric():
    """0 is in the middle of the bar; without negative heat it is the start."""
    signed, unsigned = (drawn(values).axes[1].images[0].norm for values in (HEAT, np.abs(HEAT)))

    assert signed.vmin == -signed.vmax
    assert unsigned.vmin == 0


def test_the_bar_has_numbers_and_a_unit():
    """A colour means a number in a unit."""
    bar = drawn(HEAT, unit="logit per pixel").axes[1].images[0].colorbar

    assert bar.ax.get_ylabel() == "logit per pixel"
    assert len(bar.get_ticks()) >= 3


def test_millimetres_are_square():
    """A pixel of 2 mm x 1 mm is drawn twice as high as wide."""
    assert [axes.get_aspect() for axes in drawn(HEAT, spacing=(2.0, 1.0)).axes[:3]] == [2.0] * 3
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
    overlay = paint(DISPLAY[:4, :5], heatmap, diagnostic=np.arange(20).reshape(4, 5) < 15)

    assert "25.0%" in figure(DISPLAY[:4, :5], heatmap, overlay).axes[2].get_title()


def test_is_a_picture():
    """What is saved is a picture with every panel in it."""
    sink = BytesIO()
    drawn(HEAT, title="Gradient").savefig(sink)
    width, height = Image.open(sink).size

    assert width > 2 * height


def test_files_hold_pixels_and_nothing_else(tmp_path):
    """A saved figure is as large as the figure, in its colours, without a word in it."""
    whole = drawn(np.abs(HEAT), title="Gradient")
    file = save(whole, tmp_path / "a.png").read_bytes()
    picture = np.asarray(Image.open(BytesIO(file)))

    assert picture.shape[1::-1] == tuple(np.rint(whole.get_size_inches() * whole.dpi))
    assert picture[..., 0].mean() > picture[..., 2].mean() + 1  # the heat is red, not blue
    assert not any(name in file for name in (b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"tIME"))


def test_long_titles_are_broken_into_lines():
    """A recipe of 300 letters stays on the figure."""
    title = drawn(HEAT, title="SmoothGrad " * 30).get_suptitle()

    assert max(len(line) for line in title.splitlines()) < 130


def test_layers_are_framed_in_their_hue():
    """The frame of a layer's map is the colour that LOVI gives it."""
    whole = layers_figure(np.random.default_rng(2).random((37, 53, 3)), names=["a", "b", "c"])
    frames = [axes.spines["left"].get_edgecolor()[:3] for axes in whole.axes[:3]]

    assert np.allclose(frames, [(1, 0, 1), (0, 1, 0.5), (1, 0, 0)])
    assert [axes.get_title() for axes in whole.axes[:3]] == ["a", "b", "c"]


def test_layers_share_one_scale():
    """The same grey is the same number in every map."""
    whole = layers_figure(np.random.default_rng(3).random((37, 53, 3)), spacing=(1, 2))
    norms = {(axes.images[0].norm.vmin, axes.images[0].norm.vmax) for axes in whole.axes[:3]}

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
