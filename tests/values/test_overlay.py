"""The laws of the painted picture: file, notebook, refusals."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from saliency.errors import InputError
from saliency.values.image import DicomImage
from saliency.values.notebook import LONGEST, bundle
from saliency.values.overlay import Overlay

RGB = np.random.default_rng(0).integers(0, 256, (37, 53, 3)).astype(np.uint8)


def decoded(file):
    with Image.open(BytesIO(file)) as image:
        image.load()
        return np.asarray(image)


def test_the_file_is_the_picture(tmp_path):
    """What is saved is every pixel, and what ``png`` returns."""
    place = Overlay(RGB).save(tmp_path / "a.png")

    assert place == tmp_path / "a.png"
    assert place.read_bytes() == Overlay(RGB).png()
    assert np.array_equal(decoded(place.read_bytes()), RGB)


def test_saving_replaces_and_leaves_no_draft(tmp_path):
    """A second save replaces the first; nothing else lies in the folder."""
    Overlay(255 - RGB).save(str(tmp_path / "a.PNG"))
    Overlay(RGB).save(tmp_path / "a.PNG")

    assert [path.name for path in tmp_path.iterdir()] == ["a.PNG"]
    assert np.array_equal(decoded((tmp_path / "a.PNG").read_bytes()), RGB)


def test_a_failed_save_keeps_the_old_file(tmp_path):
    """Where the new file cannot take its place, the folder is as it was."""
    taken = tmp_path / "a.png"
    taken.mkdir()
    (taken / "inside").touch()

    with pytest.raises(
        InputError, match=r"^a\.png: expected a place that can be written"
    ):
        Overlay(RGB).save(taken)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.gz", ".png"])
def test_other_endings_are_refused(tmp_path, name):
    """A PNG file is called one."""
    with pytest.raises(InputError, match=r"ending in \.png"):
        Overlay(RGB).save(tmp_path / name)


def test_a_missing_folder_is_refused_without_naming_it(tmp_path):
    """Folders are not made up, and a path (it may hold a name) is not repeated."""
    with pytest.raises(InputError, match="folder that exists") as caught:
        Overlay(RGB).save(tmp_path / "Doe^Jane" / "a.png")
    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize(
    ("rgb", "outside", "words"),
    [
        (RGB[..., 0], 0.0, "rank 3"),
        (RGB[..., :2], 0.0, r"\(rows, columns, 3\)"),
        (RGB / 255, 0.0, "uint8"),
        (RGB, -0.01, "share in 0..1"),
        (RGB, 1.01, "share in 0..1"),
        (RGB, float("nan"), "share in 0..1"),
    ],
)
def test_other_arrays_are_refused(rgb, outside, words):
    """An overlay is RGB of uint8 with a share."""
    with pytest.raises(InputError, match=words):
        Overlay(rgb, outside)


@pytest.mark.parametrize("shown", [Overlay(RGB, 0.125), DicomImage.from_array(RGB)])
def test_shows_itself_in_a_notebook(shown):
    """The bundle is the repr and the picture; front ends that know PNG alone get the same."""
    forms = shown._repr_mimebundle_(include=None, exclude=None)

    assert set(forms) == {"text/plain", "image/png"}
    assert forms["text/plain"] == repr(shown)
    assert np.array_equal(decoded(forms["image/png"]), RGB)
    assert shown._repr_png_() == forms["image/png"]


def test_a_grey_image_is_previewed_in_grey():
    """A picture without colour needs one channel."""
    image = DicomImage.from_array(RGB[..., 0].astype(float))

    assert decoded(image._repr_png_()).shape == (37, 53)


def test_previews_are_small_and_say_so():
    """The long side is 1,024 at most, and the text tells."""
    forms = bundle("a picture", np.zeros((1500, 3000, 3), np.uint8))

    assert decoded(forms["image/png"]).shape == (512, LONGEST, 3)
    assert forms["text/plain"].startswith("a picture\n")
    assert "1500 x 3000" in forms["text/plain"]
    assert "1024" in forms["text/plain"]


def test_the_repr_tells_how_much_is_outside():
    """The number that must not be overlooked is in the text."""
    assert repr(Overlay(RGB, 0.125)) == (
        "Overlay(37 x 53, 12.5% of the heat outside the diagnostic pixels)"
    )


def test_nobody_looked_is_not_zero():
    """Where nothing was looked for, the repr has no share."""
    assert Overlay(RGB).outside is None
    assert repr(Overlay(RGB)) == "Overlay(37 x 53)"


def test_square_millimetres() -> None:
    """Pixels twice as high as wide are shown twice: 5 x 7 becomes 10 x 7, row by row."""
    rgb = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    shown = Overlay(rgb, 0.25).square((0.4, 0.2))

    assert (shown.rgb == rgb.repeat(2, axis=0)).all()
    assert shown.outside == 0.25
    assert (Overlay(rgb).square((0.3, 0.3)).rgb == rgb).all()


@pytest.mark.parametrize("spacing", [(0, 1), (1, -1), (float("nan"), 1)], ids=str)
def test_an_impossible_spacing_is_refused(spacing: tuple[float, float]) -> None:
    """A millimetre needs a size."""
    with pytest.raises(InputError, match="above 0"):
        Overlay(np.zeros((2, 2, 3), np.uint8)).square(spacing)
