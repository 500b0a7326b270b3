"""How an explanation is painted: scale, outlines, redaction, veil, and the two signs."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import saliency as sal
from saliency.pipeline.redact import text_mask
from saliency.render.paint import paint

ROWS, COLUMNS = 60, 80
DISPLAY = np.random.default_rng(0).integers(0, 256, (ROWS, COLUMNS)) * 1.0
CORNER = np.zeros((ROWS, COLUMNS), bool)
CORNER[:6, :20] = True


def blob(sign=1.0):
    """Return heat that falls off from a point, and is 0 in half of the picture."""
    rows, columns = np.indices((ROWS, COLUMNS))
    heat = np.maximum(0, 1 - np.hypot(rows - 30, columns - 20) / 25)
    heat[:, 50:] = 0
    return (sign * heat).astype(np.float32)


def made(values, *, image=None, **fields):
    image = sal.DicomImage.from_array(DISPLAY) if image is None else image
    return sal.Explanation(
        sal.Heatmap(values), 1.5, 1, None, "GradCAM()", image, **fields
    )


def as_rgb(image):
    return np.repeat(image.display[..., None], 3, axis=-1)


def decoded(path):
    with Image.open(BytesIO(path.read_bytes())) as picture:
        return np.asarray(picture.convert("RGB"))


def test_one_scale_for_a_series():
    """With one vmax equal heat has equal colour on two maps of unequal maxima."""
    strong, weak = made(blob()), made(blob() / 4)
    pair = strong.overlay(vmax=4.0), made(blob() * 4).overlay(vmax=16.0)

    assert np.array_equal(pair[0].rgb, pair[1].rgb)
    assert np.array_equal(strong.overlay().rgb, weak.overlay().rgb)
    assert not np.array_equal(strong.overlay(vmax=1.0).rgb, weak.overlay(vmax=1.0).rgb)
    assert strong.overlay(vmax=4.0).full == 4.0


@pytest.mark.parametrize("name", ["vmax", "contour"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_scales_are_above_0(name, value):
    """A scale of nothing is refused by its name."""
    with pytest.raises(sal.InputError, match=name):
        made(blob()).overlay(**{name: value})


def test_outlines_surround_the_region_above_a_share():
    """Alone, at strength 0, they are exactly the region's pixels that touch another one."""
    heat, full = blob(), made(blob()).overlay().full
    hot = np.pad(heat >= 0.5 * full, 1)
    core = (
        hot[1:-1, 1:-1]
        & hot[:-2, 1:-1]
        & hot[2:, 1:-1]
        & hot[1:-1, :-2]
        & hot[1:-1, 2:]
    )
    rim = hot[1:-1, 1:-1] & ~core
    shown = made(heat).overlay(contour=0.5, strength=0)

    assert np.array_equal((shown.rgb != as_rgb(made(heat).image)).any(-1), rim)
    assert (shown.rgb[rim] == (0, 255, 0)).all()


def test_outlines_keep_to_signs_zones_and_hidden_pixels():
    """Below 0 blue, outside magenta, and nothing where the outside is hidden."""
    image = sal.DicomImage.from_array(DISPLAY).with_zone("text", CORNER)
    below = made(blob(-1.0), image=image).overlay(contour=0.5, strength=0).rgb
    outside = made(CORNER.astype(np.float32), image=image)
    warned = outside.overlay(contour=0.5, strength=0).rgb
    hidden = outside.overlay(contour=0.5, strength=0, outside="hide").rgb

    assert (below == (0x00, 0x80, 0xFF)).all(-1).any()
    assert (warned[0, 0] == (0xE0, 0x00, 0xFF)).all()
    assert np.array_equal(hidden, as_rgb(image))


def test_heat_against_is_never_green():
    """On a signed map the default palette parts the signs; orange speaks for, blue against."""
    heat = blob()
    heat[:, :15] *= -1
    image = sal.DicomImage.from_array(np.full((ROWS, COLUMNS), 0.0))
    shown = made(heat, image=image).overlay().rgb.astype(int)
    against, pro = heat < -0.3, heat > 0.3

    assert (shown[against][:, 2] > shown[against][:, 1]).all()
    assert (shown[pro][:, 0] > shown[pro][:, 2]).all()
    assert (made(np.abs(heat), image=image).overlay().rgb[..., [0, 2]] == 0).all()


def test_the_figure_has_one_language():
    """Map, bar and overlay of a signed map are of one palette."""
    heat = blob()
    heat[:, :15] *= -1
    whole = made(heat).figure()
    shown = whole.axes[1].images[0]

    assert (np.array(shown.cmap(shown.norm(-9.0))[:3]) * 255).round().tolist() == [
        0,
        128,
        255,
    ]
    assert np.array_equal(whole.axes[2].images[0].get_array(), made(heat).overlay().rgb)


def test_what_is_not_predicted_is_veiled_in_grey():
    """No colour is left in the picture, the heat is still seen, and the rest stays bit for bit."""
    doubted = made(blob(), probability=0.2)
    shown = doubted.overlay().rgb

    assert (np.ptp(shown.astype(int), axis=-1) == 0).all()
    changed = (shown != as_rgb(doubted.image)).any(-1)
    assert 0.2 < changed[blob() > 0.5].mean() < 0.8
    assert not changed[blob() == 0].any()


def test_heat_outside_is_seen_through_the_veil():
    """A map that is not to be believed still tells that the model reads the text."""
    image = sal.DicomImage.from_array(DISPLAY).with_zone("text", CORNER)
    shown = made(np.ones((ROWS, COLUMNS)), image=image, probability=0.2).overlay()
    trusted = made(np.ones((ROWS, COLUMNS)), image=image, probability=0.8).overlay()

    assert np.array_equal(shown.rgb[CORNER], trusted.rgb[CORNER])
    assert shown.outside == trusted.outside


@pytest.mark.parametrize("veiled", [False, True])
def test_redaction_blackens_text_and_nothing_else(veiled):
    """Where text is, the overlay is black, whatever the heat; elsewhere it is as it was."""
    image = sal.DicomImage.from_array(DISPLAY).with_zone("text", CORNER)
    one = made(
        np.ones((ROWS, COLUMNS)), image=image, probability=0.2 if veiled else 0.8
    )
    shown = one.overlay(redact=True).rgb

    assert not shown[CORNER].any()
    assert np.array_equal(shown[~CORNER], one.overlay().rgb[~CORNER])


def test_redaction_looks_where_nobody_looked(tmp_path):
    """Text of an array, which is never searched, is found for a redaction."""
    from PIL import ImageDraw

    page = Image.new("L", (400, 200), 60)
    ImageDraw.Draw(page).text((20, 20), "SMITH JOHN 1970", fill=255, font_size=22)
    image = sal.DicomImage.from_array(
        np.asarray(page) * 1.0, window=sal.Window(128, 256)
    )
    bright = image.display > 200
    one = made(np.zeros(image.size), image=image)

    assert text_mask(image)[bright].mean() > 0.99
    known = image.with_zone("shutter", np.eye(*image.size, dtype=bool))
    assert np.array_equal(text_mask(known), text_mask(image))
    assert not one.overlay(redact=True).rgb[bright & text_mask(image)].any()
    page = one.save(tmp_path / "a.html", redact=True).read_text()
    assert page != one.save(tmp_path / "a.html").read_text()


@pytest.mark.parametrize("size", [(ROWS, COLUMNS), (500, 700)])
def test_the_band_is_below_the_picture_and_never_on_it(tmp_path, size):
    """The saved pixels are the overlay's, bit for bit; the band says something under them."""
    image = sal.DicomImage.from_array(
        np.random.default_rng(1).integers(0, 256, size) * 1.0
    )
    one = made(
        np.eye(*size, dtype=np.float32), image=image, probability=0.9, label="mass"
    )
    whole = decoded(one.save(tmp_path / "a.png"))
    bare = decoded(one.save(tmp_path / "b.png", caption=False))

    assert np.array_equal(bare, one.overlay().rgb)
    assert np.array_equal(whole[: size[0], : size[1]], bare)
    assert whole.shape[0] > size[0] + 60
    assert (whole[size[0] :] > 200).any()


def test_words_never_run_out_of_the_band(tmp_path):
    """Long labels are broken into lines, and a word without blanks is cut: no ink at the edge."""
    label = "adenocarcinoma in situ of the upper lobe " * 3 + "x" * 200
    whole = decoded(made(blob(), label=label, probability=0.9).save(tmp_path / "a.png"))

    assert (whole[ROWS:, -4:] == whole[ROWS, -1]).all()
    assert whole.shape[0] < 1000


def test_the_options_of_save_are_those_of_the_overlay(tmp_path):
    """Palette, scale and outlines reach the saved picture."""
    one = made(blob())
    look = {"palette": "hot", "vmax": 3.0, "contour": 0.2}
    saved = decoded(one.save(tmp_path / "a.png", caption=False, **look))

    assert np.array_equal(saved, one.overlay(**look).rgb)
    assert np.array_equal(saved, paint(one.image.display, one.heatmap, **look).rgb)


def test_the_notebook_shows_the_caption():
    """HTML with caption and picture; the PNG has the band, too."""
    one = made(blob(), probability=0.9, label="<mass>")
    page = one._repr_html_()
    shown = np.asarray(Image.open(BytesIO(one._repr_mimebundle_()["image/png"])))

    assert "&lt;mass&gt;, probability 90 %" in page.lower()
    assert "<script" not in page
    assert page.count("<img") == 1
    assert np.array_equal(shown[:ROWS, :COLUMNS], one.overlay().rgb)
    assert shown.shape[0] > ROWS


def test_a_veil_has_the_scale_that_is_asked_for():
    """Equal heat is hatched alike on two maps, as it is painted alike."""
    unsure = {"probability": 0.1}
    pair = made(blob(), **unsure), made(blob() * 4, **unsure)

    assert np.array_equal(pair[0].overlay(vmax=1.0).rgb, pair[1].overlay(vmax=4.0).rgb)
    assert not np.array_equal(
        pair[0].overlay(vmax=1.0).rgb, pair[0].overlay(vmax=4.0).rgb
    )


@pytest.mark.parametrize(
    ("share", "signed"), [(0.0, False), (1e-3, False), (0.01, True)]
)
def test_heat_against_counts_where_it_is_painted(share, signed):
    """Half of one of 255 steps is the least that is seen."""
    heat = blob()
    heat[heat == 0] = -share

    assert made(heat).signed is signed
