"""Pictures of real tissue with a lesion, and with shortcuts as strong as wanted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file

import saliency as sal

Array = NDArray[np.generic]

SIZE = 64
SOURCES = ("CT_small.dcm", "MR_small.dcm", "examples_overlay.dcm", "JPEG2000.dcm")


@dataclass(frozen=True)
class Sample:
    """Pictures uint8 (n, 64, 64), labels, which mark each bears, and where marks are."""

    pixels: Array
    labels: Array
    marks: Array
    zone: Array


@dataclass(frozen=True)
class Draw:
    """What to draw: marks agree with the class this often, 0.5..1; None draws no marks."""

    shortcut: str
    correlation: float
    count: int
    seed: int
    lesion: float = 0.35


def tissue() -> list[Array]:
    """Return the grey pictures that patches are cut from, 0..1."""
    found = []
    for name in SOURCES:
        try:
            image = sal.read_dicom(get_testdata_file(name, download=False))
        except sal.SaliencyError:
            continue
        if image.display.ndim == 2 and min(image.size) >= SIZE:
            found.append(image.display.astype(np.float32) / 255)
    return found


def sample(draw: Draw, *, swapped: bool = False) -> Sample:
    """Draw pictures: class 1 has a lesion.

    ``swapped`` puts the other mark into every picture, all else alike: the exact counterfactual.
    """
    generator = np.random.default_rng(draw.seed)
    sources = tissue()
    labels = generator.integers(0, 2, draw.count)
    agrees = (generator.random(draw.count) < draw.correlation) ^ swapped
    marks = np.where(agrees, labels, 1 - labels)
    pixels = [_patch(sources, label * draw.lesion, generator) for label in labels]
    return Sample(marked(pixels, marks, draw.shortcut), labels, marks, zone(draw.shortcut))


def marked(pixels: list[Array], marks: Array, shortcut: str) -> Array:
    """Draw each picture's mark, 0 or 1, and turn it to uint8."""
    done = [MARKS[shortcut](one, int(mark)) for one, mark in zip(pixels, marks, strict=True)]
    return np.rint(255 * np.clip(done, 0, 1)).astype(np.uint8)


def zone(shortcut: str) -> Array:
    """Return where the marks of a shortcut may lie; nowhere for one that is everywhere."""
    mask = np.zeros((SIZE, SIZE), bool)
    if shortcut == "hospital name":
        mask[:13, :] = True
    if shortcut == "laterality marker":
        mask[2:17, 48:] = True
    if shortcut == "border colour":
        mask[:] = True
        mask[3:-3, 3:-3] = False
    return mask


def images(drawn: Sample) -> list[sal.DicomImage]:
    """Return the pictures as DicomImages with their zone."""
    found = []
    for pixels in drawn.pixels:
        image = sal.DicomImage(pixels.astype(np.float32), pixels)
        found.append(image.with_zone("mark", drawn.zone) if drawn.zone.any() else image)
    return found


def _patch(sources: list[Array], lesion: float, generator: np.random.Generator) -> Array:
    source = sources[generator.integers(len(sources))]
    row, column = (generator.integers(side - SIZE + 1) for side in source.shape)
    patch = source[row : row + SIZE, column : column + SIZE]
    if generator.random() < 0.5:
        patch = patch[:, ::-1]
    down, across = np.mgrid[:SIZE, :SIZE]
    middle = generator.integers(22, 46, 2)
    blob = np.exp(-((down - middle[0]) ** 2 + (across - middle[1]) ** 2) / (2 * 3.5**2))
    return patch * 0.7 + 0.1 + lesion * blob


def _text(pixels: Array, words: str, place: tuple[int, int]) -> Array:
    layer = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(layer).text(place, words, fill=255, font=ImageFont.load_default(size=10))
    return np.maximum(pixels, np.asarray(layer, np.float32) / 255)


def _frame(pixels: Array, mark: int) -> Array:
    return np.where(zone("border colour"), (0.15, 0.45)[mark], pixels)


MARKS = {
    "hospital name": lambda one, mark: _text(one, ("NORTH GEN", "LAKESIDE")[mark], (2, 1)),
    "laterality marker": lambda one, mark: _text(one, "RL"[mark], (52, 4)),
    "border colour": _frame,
    "diffuse shift": lambda one, mark: one + 0.12 * (mark - 0.5),
}
