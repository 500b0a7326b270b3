"""Pictures with letters, arrows and devices drawn near their edges, for the marker detector."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from text_pictures import FACES, FONTS, Edges, Picture

#: Lead letters of real radiographs of the tune half, found by eye.
LEAD = {
    "00002578_000": [Edges(112, 956, 172, 996)],
    "00007217_000": [Edges(102, 992, 118, 1014)],
    "00008386_000": [Edges(28, 916, 68, 948)],
    "02099738-7465-4786-b71c-de8cdac477c3_8aedbb": [Edges(60, 860, 96, 888)],
    "82764af4-85dc-4512-bdfe-d9e9f66e0fc4_bca644": [Edges(56, 872, 120, 924)],
    "pub0005": [Edges(24, 237, 40, 247)],
    "pub0007": [Edges(24, 242, 39, 251)],
    "pub0013": [Edges(21, 225, 32, 236)],
    "pub0059": [Edges(133, 227, 144, 233)],
    "pub0065": [Edges(8, 237, 26, 247)],
    "pub0087": [Edges(14, 8, 32, 24)],
    "pub0116": [Edges(4, 221, 15, 229)],
    "pub0120": [Edges(16, 226, 38, 244)],
    "pub0121": [Edges(22, 240, 39, 250)],
    "pub0135": [Edges(24, 241, 38, 250)],
    "udacity_test2": [Edges(14, 938, 56, 966)],
}
LETTERS = tuple("LLLLLLRRRRRRAPHF")


class Stamp(NamedTuple):
    """Coverage 0..1 of something drawn, the box of its ink in it, and of a black disc behind it."""

    ink: np.ndarray
    box: Edges
    disc: np.ndarray | None = None


def marked(
    picture: Picture, rng: np.random.Generator, count: int = 4, *, devices: bool = False
) -> tuple[np.ndarray, list[Edges]]:
    """Draw letters and arrows, or devices that are none, and return where."""
    grey = np.array(Image.fromarray(picture.display).convert("L")).astype(float)
    truths: list[Edges] = []
    for _ in range(4 * count):
        most = max(12, min(grey.shape) / (9 if picture.radiograph else 18))
        tall = float(np.exp(rng.uniform(np.log(9), np.log(most))))
        stamp = (
            _device(rng, tall / 2)
            if devices
            else _sign(rng, tall, lead=picture.radiograph)
        )
        level = float(rng.choice([255, 255, 255, 240, 225, 0]))
        truth = _press(grey, stamp, _corner(stamp, grey.shape, rng), level, truths)
        truths += [truth] if truth else []
        if len(truths) == count:
            break
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8), truths


def _press(
    grey: np.ndarray,
    stamp: Stamp,
    corner: tuple[int, int],
    level: float,
    taken: list[Edges],
) -> Edges | None:
    """Paint a stamp where it is legible and touches no other."""
    top, left = corner
    rows, columns = stamp.ink.shape
    box = Edges(*(edge + (top, left)[axis % 2] for axis, edge in enumerate(stamp.box)))
    inside = [slice(max(0, top), top + rows), slice(max(0, left), left + columns)]
    cut = (
        slice(max(0, -top), max(0, -top) + grey.shape[0] - inside[0].start),
        slice(max(0, -left), max(0, -left) + grey.shape[1] - inside[1].start),
    )
    ink = stamp.ink[cut]
    ground = grey[tuple(inside)]
    free = not any(_touch(box, other) for other in taken)
    if (
        not ground.size
        or not free
        or np.percentile(np.abs(level - ground[ink > 0.3]), 10) < 45
    ):
        return None
    if stamp.disc is not None and level > 200:
        ground *= 1 - stamp.disc[cut]
    ground += ink * (level - ground)
    return box


def _touch(one: Edges, other: Edges) -> bool:
    apart = 2 * max(one.bottom - one.top, other.bottom - other.top)
    down = one.top - apart < other.bottom and other.top - apart < one.bottom
    return down and one.left - apart < other.right and other.left - apart < one.right


def _corner(
    stamp: Stamp, grid: tuple[int, ...], rng: np.random.Generator
) -> tuple[int, int]:
    """Choose where the stamp begins, so that its ink lies near an edge, two pixels in."""
    sizes = (stamp.box.bottom - stamp.box.top, stamp.box.right - stamp.box.left)
    free = [
        max(3, int(side - size - 2)) for side, size in zip(grid, sizes, strict=True)
    ]
    place = [int(rng.integers(2, side)) for side in free]
    axis, margin = int(rng.integers(2)), max(3, round(0.12 * min(grid)))
    near = int(rng.integers(2, margin))
    place[axis] = near if rng.random() < 0.5 else max(2, free[axis] - near)
    return place[0] - int(stamp.box.top), place[1] - int(stamp.box.left)


def _sign(rng: np.random.Generator, tall: float, *, lead: bool) -> Stamp:
    if rng.random() < 0.06:
        return _stamped(_arrow(rng, tall / 2))
    font = ImageFont.truetype(FONTS / f"{rng.choice(FACES[:8])}.ttf", tall / 0.73)
    letter, pad = str(rng.choice(LETTERS)), int(tall)
    left, top, right, bottom = font.getbbox(letter)
    page = Image.new("L", (int(right - left) + 2 * pad, int(bottom - top) + 2 * pad))
    pen = ImageDraw.Draw(page)
    pen.fontmode = "1" if rng.random() < 0.3 else "L"
    pen.text((pad - left, pad - top), letter, fill=255, font=font)
    if rng.random() < (0.7 if lead else 0.15):
        page = _fallen(page, rng, tall)
    stamp = _stamped(page)
    return stamp._replace(disc=_disc(stamp, rng)) if rng.random() < 0.15 else stamp


def _disc(stamp: Stamp, rng: np.random.Generator) -> np.ndarray:
    """Return the coverage of a disc around the ink."""
    top, left, bottom, right = stamp.box
    reach = max(bottom - top, right - left) * rng.uniform(0.75, 1)
    down, across = np.mgrid[: stamp.ink.shape[0], : stamp.ink.shape[1]]
    far = np.hypot(down - (top + bottom) / 2, across - (left + right) / 2)
    return np.clip(reach - far, 0, 1)


def _fallen(page: Image.Image, rng: np.random.Generator, tall: float) -> Image.Image:
    """Tilt, mirror and blur a letter as lead lies on a cassette."""
    angle = rng.normal(0, 18) if rng.random() < 0.8 else rng.uniform(-180, 180)
    page = page.rotate(angle, Image.Resampling.BICUBIC)
    if rng.random() < 0.25:
        page = page.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return page.filter(ImageFilter.GaussianBlur(tall * rng.uniform(0, 0.05)))


def _arrow(rng: np.random.Generator, size: float) -> Image.Image:
    page = Image.new("L", (int(6 * size),) * 2)
    pen, middle, wide = ImageDraw.Draw(page), 3 * size, rng.uniform(0.5, 0.8) * size
    shaft = max(2, int(size * rng.uniform(0.2, 0.45)))
    pen.line(
        [middle, middle - 0.6 * size, middle, middle + size], fill=255, width=shaft
    )
    tip = (middle, middle - size)
    wings = [(middle + side * wide, middle - 0.1 * size) for side in (-1, 1)]
    pen.polygon([tip, *wings], fill=255)
    turned = page.rotate(
        90 * rng.integers(4) + rng.normal(0, 8), Image.Resampling.BICUBIC
    )
    return turned.resize((page.width // 2,) * 2, Image.Resampling.BOX)


def _device(rng: np.random.Generator, size: float) -> Stamp:
    """Draw a ring, a disc, a bar, a block, an arc or a wire: no letter."""
    page = Image.new("L", (int(8 * size),) * 2)
    pen, middle = ImageDraw.Draw(page), 4 * size
    wide = max(2, int(size * rng.uniform(0.15, 0.4)))
    box = [
        middle - size,
        middle - size * rng.uniform(0.6, 1),
        middle + size,
        middle + size,
    ]
    kind = rng.choice([0, 0, 0, 1, 2, 3, 4, 4, 5])
    if kind < 2:
        pen.ellipse(box, outline=255, fill=255 * int(kind), width=wide)
    elif kind == 2:
        pen.rectangle(box, fill=255)
    elif kind == 3:
        pen.line(
            [box[0], middle, box[2], middle + size * rng.uniform(-1, 1)], 255, wide
        )
    elif kind == 4:
        pen.arc(box, rng.uniform(0, 180), rng.uniform(180, 360), fill=255, width=wide)
    else:
        # A cubic Bezier curve: a wire has no corners, letters do.
        bends, at = (
            middle + size * rng.uniform(-1, 1, (4, 2)),
            np.linspace(0, 1, 20)[:, None],
        )
        shares = ((1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3)
        curve = sum(share * bend for share, bend in zip(shares, bends, strict=True))
        pen.line([tuple(point) for point in np.asarray(curve)], fill=255, width=wide)
    page = page.rotate(rng.uniform(0, 360), Image.Resampling.BICUBIC)
    page = page.resize((page.width // 2,) * 2, Image.Resampling.BOX)
    return _stamped(page.filter(ImageFilter.GaussianBlur(size * rng.uniform(0, 0.08))))


def _stamped(page: Image.Image) -> Stamp:
    ink = np.asarray(page) / 255
    rows, columns = (np.flatnonzero((ink > 0.3).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return Stamp(ink, Edges(0, 0, *ink.shape))
    return Stamp(ink, Edges(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1))


def changed(picture: Picture) -> Iterator[np.ndarray]:
    """Yield a picture cut at two levels, and turned and mirrored where no lead letter lies."""
    display = picture.display
    if not picture.radiograph:
        yield np.ascontiguousarray(np.rot90(display))
        yield np.ascontiguousarray(np.flipud(display))
    if display.ndim == 2:
        for share in (60, 90):
            yield np.where(display > np.percentile(display, share), 255, 0).astype(
                np.uint8
            )
