"""Tilted and many-sided collimators: their outside is found, and nothing else is taken for one."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from shared import shared

import saliency as sal
from saliency.zones.borders import border_zone
from saliency.zones.collimator import outside_of_collimator
from saliency.zones.detect import Hints, found_zones

SIZES = ((96, 128), (701, 503), (1200, 1500))


def tissue(size, seed=0):
    """Soft tissue with structures of many sizes, 60..220, and the noise of a detector."""
    generator = np.random.default_rng(seed)
    cells = generator.uniform(60, 220, (8, 8)).astype(np.uint8)
    grown = Image.fromarray(cells).resize(size[::-1], Image.Resampling.BICUBIC)
    grey = np.asarray(grown, np.float32) + generator.normal(0, 3, size)
    return np.clip(grey, 40, 255).astype(np.uint8)


def framed(size, corners, *, soft=0.0, level=4):
    """Return tissue inside a polygon (x, y as shares) in darkness; and what lies outside."""
    drawn = Image.new("L", size[::-1])
    places = [(x * size[1], y * size[0]) for x, y in corners]
    ImageDraw.Draw(drawn).polygon(places, fill=255)
    inside = np.asarray(drawn, np.float32) / 255
    soft_edge = drawn.filter(ImageFilter.GaussianBlur(soft))
    weight = np.asarray(soft_edge, np.float32) / 255
    dark = np.random.default_rng(1).integers(level - 2, level + 3, size)
    return (weight * tissue(size) + (1 - weight) * dark).astype(np.uint8), inside == 0


def rectangle(degrees, half=(0.36, 0.33), aspect=1.0):
    """Return the corners of a turned rectangle around the middle, as shares of the sides."""
    turn = np.radians(degrees)
    corners = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        across, down = x * half[0] * aspect, y * half[1]
        corners.append(
            (
                0.5 + (across * np.cos(turn) - down * np.sin(turn)) / aspect,
                0.5 + across * np.sin(turn) + down * np.cos(turn),
            )
        )
    return corners


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("degrees", [2, 5, 9, 17, -12, 30, 44])
def test_a_tilted_rectangle_is_a_border(size, degrees):
    """All sides but one at least are claimed, and of the inside no more than the edge itself."""
    display, outside = framed(
        size, rectangle(degrees, aspect=size[1] / size[0]), soft=max(size) / 700
    )
    mask = border_zone(display, "DX").mask

    assert mask[outside].mean() > 0.8
    assert mask[~outside].mean() < 0.002


def test_an_octagon_and_one_tilted_edge_are_borders():
    """A many-sided collimator; a straight top with one tilted side."""
    turns = np.radians(np.arange(22.5, 360, 45))
    octagon = [(0.5 + 0.42 * np.cos(t), 0.5 + 0.42 * np.sin(t)) for t in turns]
    side = [(0.1, 0.0), (1.0, 0.0), (1.0, 1.0), (0.25, 1.0), (0.1, 0.0)]
    display, outside = framed((400, 400), octagon)
    mask = border_zone(display, "CR").mask

    assert mask[outside].mean() > 0.9
    assert not mask[~outside].any() or mask[~outside].mean() < 0.002
    # One edge alone may be the side of a body.
    assert outside_of_collimator(framed((400, 400), side)[0]) is None


def shoulders(size=(400, 400)):
    """Air above two sloping shoulders and beside a neck."""
    return framed(
        size,
        [(0, 0.35), (0.3, 0.2), (0.42, 0.1), (0.42, 0), (0.58, 0), (0.58, 0.1),
         (0.7, 0.2), (1, 0.35), (1, 1), (0, 1)],
        soft=2,
    )[0]  # fmt: skip


def hand(size=(400, 400)):
    """Air around five fingers."""
    drawn = Image.new("L", size)
    pen = ImageDraw.Draw(drawn)
    pen.ellipse([110, 200, 300, 400], fill=255)
    for x, top in ((90, 170), (140, 70), (190, 40), (240, 60), (290, 120)):
        pen.rounded_rectangle([x, top, x + 30, 300], 15, fill=255)
    inside = np.asarray(drawn.rotate(12), np.float32) / 255
    return (inside * tissue(size) + (1 - inside) * 3).astype(np.uint8)


@pytest.mark.parametrize(
    "display",
    [shoulders(), hand(), tissue((400, 300)), np.zeros((200, 200), np.uint8),
     np.full((200, 200), 9, np.uint8), tissue((12, 15)), np.zeros((3, 500), np.uint8)],
    ids=["shoulders", "hand", "tissue", "black", "flat", "tiny", "a line"],
)  # fmt: skip
def test_bodies_and_empty_images_have_no_such_edge(display):
    """The side of a body is no straight line, or has no partner at right angles."""
    assert outside_of_collimator(display) is None


def test_other_modalities_have_bands_alone():
    """Of CT and MR the dark outside is air, which has its own rules; colour has no collimator."""
    display, _ = framed((300, 300), rectangle(9))

    bands = border_zone(display).mask
    assert (border_zone(display, "CT").mask == bands).all()
    assert (border_zone(np.stack([display] * 3, axis=2), "DX").mask == bands).all()
    zone = found_zones(display, Hints("DX"))[0]
    assert zone.name == "border"
    assert zone.mask.sum() > 1.2 * bands.sum()
    assert "outside of tilted straight edges" in zone.evidence


def test_chest_radiographs_have_none():
    """Dark corners beside a neck and an arm are no collimator."""
    files = sorted(shared("images", "nih_boxes", "dicom").glob("*.dcm"))[:40]
    found = [outside_of_collimator(sal.read_dicom(file).display) for file in files]

    assert files
    assert all(mask is None for mask in found)
