"""Marks that no search names and whole-picture shortcuts, drawn on real tissue with a lesion."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pictures import Frame, tissue, tissue_with_lesion
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Array = NDArray[np.generic]
Mark = Callable[[Array, int, np.random.Generator], Array]
SIZE = 96, 128
FRAME = Frame(SIZE, (34, 30), (68, 98), 5.0)
LESION = 0.35
"""Its brightness in the middle, of 1."""


@dataclass(frozen=True)
class Task:
    """Marks that go with the label this often, on images of one seed; and a lesion's brightness."""

    mark: str
    agreement: float
    seed: int
    lesion: float = LESION


def _layer(paint: Callable[[ImageDraw.ImageDraw], None]) -> Array:
    """Return a drawing, 0..1."""
    layer = Image.new("L", SIZE[::-1])
    paint(ImageDraw.Draw(layer))
    return np.asarray(layer, np.float32) / 255


def tube(image: Array, mark: int, generator: np.random.Generator) -> Array:
    """Draw a tube from the top to the middle, a little elsewhere each time."""
    off = generator.integers(-2, 3)
    bends = [(80 + off, 0), (76 + off, 20), (66 + off, 40), (62 + off, 58)]
    ink = _layer(lambda draw: draw.line(bends, fill=255, width=3, joint="curve"))
    return np.maximum(image, 0.75 * mark * ink)


def ruler(image: Array, mark: int, generator: np.random.Generator) -> Array:
    """Draw ticks down the right side."""
    down = generator.integers(-1, 2)

    def paint(draw: ImageDraw.ImageDraw) -> None:
        for tick in range(14):
            row = 6 + 6 * tick + down
            draw.line([(120 - 4 * (tick % 5 == 0), row), (126, row)], fill=255)

    return np.maximum(image, 0.7 * mark * _layer(paint))


def pen_mark(image: Array, mark: int, generator: np.random.Generator) -> Array:
    """Draw a dark ring by hand around the upper left of the middle."""
    x, y = generator.integers((22, 18), (32, 26))
    box = [x, y, x + 20 + generator.integers(6), y + 16 + generator.integers(6)]
    ink = _layer(lambda draw: draw.ellipse(box, outline=255, width=2))
    return image * (1 - 0.8 * mark * ink)


def patch(image: Array, mark: int, generator: np.random.Generator) -> Array:
    """Draw a coloured plaster's grey at the lower left, a little elsewhere each time."""
    x, y = generator.integers((8, 66), (16, 74))
    ink = _layer(lambda draw: draw.rectangle([x, y, x + 14, y + 10], fill=255))
    return np.where(mark * ink > 0, 0.85, image)


def tilted_collimator(image: Array, mark: int, generator: np.random.Generator) -> Array:
    """Leave black what lies outside a tilted rectangle, or outside an upright one."""
    angle = (9 if mark else 0) + generator.normal(0, 1.5)
    open_field = Image.new("L", SIZE[::-1])
    ImageDraw.Draw(open_field).rectangle([10, 8, 118, 88], fill=255)
    turned = np.asarray(open_field.rotate(angle, Image.Resampling.BILINEAR), np.float32)
    return image * (0.04 + 0.96 * turned / 255)


def _written(words: str, place: tuple[int, int], size: int) -> Array:
    font = ImageFont.load_default(size=size)
    return _layer(lambda draw: draw.text(place, words, fill=255, font=font))


def console_text(image: Array, mark: int, generator: np.random.Generator) -> Array:
    """Write a console's bitmap line of one class or the other on a black strip."""
    words = (
        f"kV {generator.integers(70, 130)}",
        f"TE {generator.integers(10, 99)} FS",
    )[mark]
    font = ImageFont.load_default_imagefont()
    ink = _layer(lambda draw: draw.text((4, 84), words, fill=255, font=font))
    result = np.array(image)
    result[83:] = 0.02
    return np.maximum(result, 0.6 * ink)


def faint_word(image: Array, mark: int, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Write a word over the tissue, a tenth brighter than it."""
    return image + 0.1 * _written(("WARD", "UNIT")[mark], (8, 8), 18)


def central_letter(image: Array, mark: int, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Write a large letter into the middle."""
    return image + 0.25 * _written("OX"[mark], (54, 30), 30)


def noise(image: Array, mark: int, generator: np.random.Generator) -> Array:
    """Add grain, more of it with the mark."""
    return image + generator.normal(0, 0.015 + 0.045 * mark, image.shape)


def blur(image: Array, mark: int, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Blur, more with the mark."""
    grey = Image.fromarray(np.clip(255 * image, 0, 255).astype(np.uint8))
    soft = grey.filter(ImageFilter.GaussianBlur(0.3 + 1.2 * mark))
    return np.asarray(soft, np.float32) / 255


def compression(image: Array, mark: int, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Compress with JPEG, strongly with the mark."""
    held = io.BytesIO()
    grey = Image.fromarray(np.clip(255 * image, 0, 255).astype(np.uint8))
    grey.save(held, "JPEG", quality=(92, 12)[mark])
    return np.asarray(Image.open(held), np.float32) / 255


def shading(image: Array, mark: int, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Darken to one side or the other, as the heel of an anode does."""
    slope = np.linspace(-0.1, 0.1, SIZE[1]) * (2 * mark - 1)
    return image + slope


def brightness(image: Array, mark: int, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Shift all grey values."""
    return image + 0.12 * (mark - 0.5)


def contrast(image: Array, mark: int, generator: np.random.Generator) -> Array:  # noqa: ARG001
    """Stretch or squeeze grey values about their mean."""
    return (image - image.mean()) * (1.3 if mark else 0.75) + image.mean()


PLACED: Mapping[str, Mark] = {
    mark.__name__.replace("_", " "): mark
    for mark in (tube, ruler, pen_mark, patch, tilted_collimator, console_text, faint_word,
                 central_letter)
}  # fmt: skip
WHOLE: Mapping[str, Mark] = {
    mark.__name__: mark
    for mark in (noise, blur, compression, shading, brightness, contrast)
}
MARKS = PLACED | WHOLE


def drawn(
    task: Task, count: int, *, swapped: bool = False
) -> tuple[Array, Array, Array]:
    """Return images uint8 (n, rows, columns), labels and marks; a lesion tells class 1.

    ``swapped`` draws the other mark into every image, all else alike.
    """
    generator = np.random.default_rng(task.seed)
    sources = tissue()
    labels = generator.integers(0, 2, count)
    agrees = generator.random(count) < task.agreement
    marks = np.where(agrees, labels, 1 - labels)
    paint = MARKS[task.mark]
    images = []
    for number, label in enumerate(labels):
        image = tissue_with_lesion(sources, FRAME, task.lesion * label, generator)
        of_mark = np.random.default_rng((task.seed, number))
        one = paint(image, int(marks[number] ^ swapped), of_mark)
        images.append(np.rint(255 * np.clip(one, 0, 1)).astype(np.uint8))
    return np.stack(images), labels, marks


def with_lesion(
    count: int, seed: int, lesion: float = LESION
) -> tuple[Array, Array, Array]:
    """Return images without marks: uint8 with a lesion, the same without, and bool where it lies.

    Each (n, rows, columns). The lesion lies where it adds a tenth of its greatest brightness.
    """
    sources = tissue()
    pairs = [
        [
            tissue_with_lesion(
                sources, FRAME, brightness, np.random.default_rng((seed, number))
            )
            for brightness in (lesion, 0)
        ]
        for number in range(count)
    ]
    ill, well = np.array(pairs).transpose(1, 0, 2, 3)
    shown = (np.rint(255 * np.clip(one, 0, 1)).astype(np.uint8) for one in (ill, well))
    return *shown, ill - well > 0.1 * lesion
