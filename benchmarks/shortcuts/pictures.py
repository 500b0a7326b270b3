"""Pictures of real tissue with a lesion, and with shortcuts as strong as wanted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from pydicom.data import get_testdata_file

import saliency as sal

Array = NDArray[np.generic]

SIZE = 160, 208
"""Of the pictures; models see half of it, as they do of a radiograph."""
SOURCES = ("CT_small.dcm", "MR_small.dcm", "examples_overlay.dcm", "JPEG2000.dcm")


@dataclass(frozen=True)
class Frame:
    """Size of the pictures, and where the middles of lesions lie: (row, column), ``last`` excluded.

    ``spread`` is the standard deviation of a lesion in pixels.
    """

    size: tuple[int, int]
    first: tuple[int, int]
    last: tuple[int, int]
    spread: float


FRAME = Frame(SIZE, (60, 52), (116, 156), 8.0)


@dataclass(frozen=True)
class Sample:
    """Pictures uint8 (n, rows, columns), labels, and which mark, 0 or 1, each bears."""

    pixels: Array
    labels: Array
    marks: Array
    shortcut: str


@dataclass(frozen=True)
class Draw:
    """What to draw: marks agree with the class this often, 0.5..1."""

    shortcut: str
    correlation: float
    count: int
    seed: int
    lesion: float = 0.35


@dataclass(frozen=True)
class Shortcut:
    """How a mark is drawn, where both of its kinds lie, and which zones of an audit hold it.

    ``declared`` are zones that no search finds: of the header, or of the user.
    """

    draw: Callable[[Array, int], Array]
    where: Callable[[int], Array]
    zones: tuple[str, ...] = ()
    declared: str = ""


def tissue() -> list[Array]:
    """Return the grey pictures that patches are cut from, 0..1."""
    found = []
    for name in SOURCES:
        try:
            image = sal.read_dicom(get_testdata_file(name, download=False))
        except sal.SaliencyError:
            continue
        if image.display.ndim == 2:
            wide = Image.fromarray(image.display).resize(
                [
                    max(side, least)
                    for side, least in zip(image.size[::-1], SIZE[::-1], strict=True)
                ]
            )
            found.append(np.asarray(wide, np.float32) / 255)
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
    paint = SHORTCUTS[draw.shortcut].draw
    done = [
        paint(
            tissue_with_lesion(sources, FRAME, label * draw.lesion, generator),
            int(mark),
        )
        for label, mark in zip(labels, marks, strict=True)
    ]
    pixels = np.rint(255 * np.clip(done, 0, 1)).astype(np.uint8)
    return Sample(pixels, labels, marks, draw.shortcut)


def images(drawn: Sample) -> list[sal.DicomImage]:
    """Return the pictures with the zones that a header or a user would declare."""
    kind, found = SHORTCUTS[drawn.shortcut], []
    for pixels, mark in zip(drawn.pixels, drawn.marks, strict=True):
        image = sal.DicomImage(pixels.astype(np.float32), pixels, modality="DX")
        found.append(
            image.with_zone(kind.declared, kind.where(mark)) if kind.declared else image
        )
    return found


def marked(drawn: Sample) -> list[sal.DicomImage]:
    """Return the pictures with one zone, exactly where the marks lie."""
    where = SHORTCUTS[drawn.shortcut].where
    return [
        sal.DicomImage(pixels.astype(np.float32), pixels).with_zone("mark", where(mark))
        for pixels, mark in zip(drawn.pixels, drawn.marks, strict=True)
    ]


def tissue_with_lesion(
    sources: list[Array], frame: Frame, lesion: float, generator: np.random.Generator
) -> Array:
    """Cut a patch out of a source, turned or not, and add a lesion of that brightness."""
    source = sources[generator.integers(len(sources))]
    row, column = (
        generator.integers(side - wanted + 1)
        for side, wanted in zip(source.shape, frame.size, strict=True)
    )
    patch = source[row : row + frame.size[0], column : column + frame.size[1]]
    if generator.random() < 0.5:
        patch = patch[:, ::-1]
    down, across = np.mgrid[: frame.size[0], : frame.size[1]]
    y, x = generator.integers(frame.first, frame.last)
    squares = (down - y) ** 2 + (across - x) ** 2
    return patch * 0.7 + 0.1 + lesion * np.exp(-squares / (2 * frame.spread**2))


def _ink(words: str, place: tuple[int, int], size: int) -> Array:
    layer = Image.new("L", SIZE[::-1])
    ImageDraw.Draw(layer).text(
        place, words, fill=255, font=ImageFont.load_default(size=size)
    )
    return np.asarray(layer, np.float32) / 255


def _box(ink: Array) -> Array:
    """Return the box around ink, and two pixels more."""
    mask = np.zeros(SIZE, bool)
    rows, columns = (np.flatnonzero((ink > 0).any(axis=axis)) for axis in (1, 0))
    mask[rows[0] - 2 : rows[-1] + 3, columns[0] - 2 : columns[-1] + 3] = True
    return mask


def _written(
    words: tuple[str, str], place: tuple[int, int], size: int, zone: str
) -> Shortcut:
    ink = [_ink(each, place, size) for each in words]
    return Shortcut(
        lambda one, mark: np.maximum(one, ink[mark]),
        lambda mark: _box(ink[mark]),
        (zone,),
    )


def _frame(depth: int = 8) -> Array:
    mask = np.ones(SIZE, bool)
    mask[depth:-depth, depth:-depth] = False
    return mask


def _bars(mark: int) -> Array:
    """Return how a scanner pads: one to the sides, the other above and below."""
    mask = np.zeros(SIZE, bool)
    if mark:
        mask[:, :12] = mask[:, -12:] = True
    else:
        mask[:12] = mask[-12:] = True
    return mask


def _tube() -> Array:
    """Return a tube from the top to the middle, 0..1."""
    layer = Image.new("L", SIZE[::-1])
    bends = [(140, 0), (132, 32), (112, 60), (104, 92)]
    ImageDraw.Draw(layer).line(bends, fill=255, width=4, joint="curve")
    return np.asarray(layer, np.float32) / 255


def _around_tube(mark: int) -> Array:
    drawn = Image.fromarray((mark * _tube() > 0).astype(np.uint8))
    return np.asarray(drawn.filter(ImageFilter.MaxFilter(7)), bool)


def _nowhere(mark: int) -> Array:
    return np.full(SIZE, mark < 0)


SHORTCUTS: Mapping[str, Shortcut] = {
    "hospital name": _written(("NORTH GEN", "LAKESIDE"), (6, 5), 22, "text"),
    "laterality marker": _written(("R", "L"), (180, 8), 24, "marker"),
    "border colour": Shortcut(
        lambda one, mark: np.where(_frame(), (0.15, 0.45)[mark], one),
        lambda _: _frame(),
        ("border",),
    ),
    "padding": Shortcut(
        lambda one, mark: np.where(_bars(mark), 0, one),
        _bars,
        ("padding", "border"),
        "padding",
    ),
    "tube": Shortcut(
        lambda one, mark: np.maximum(one, 0.75 * mark * _tube()),
        _around_tube,
        ("tube",),
        "tube",
    ),
    "diffuse shift": Shortcut(lambda one, mark: one + 0.12 * (mark - 0.5), _nowhere),
}
