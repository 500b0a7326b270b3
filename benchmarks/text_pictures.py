"""Pictures with and without text for the benchmark of the text detector, in two halves."""

import json
import os
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import NamedTuple, TypeAlias

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import saliency as sal
from saliency.errors import DicomError

SHARED = Path(os.environ.get("SALIENCY_SHARED", "shared"))
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
FACES = re.split(
    " ",
    "DejaVuSans DejaVuSans-Bold DejaVuSansMono DejaVuSansMono-Bold DejaVuSerif "
    "DejaVuSerif-Bold STIXGeneral STIXGeneralBol cmss10 cmtt10",
)
WORDS = re.split(
    " ",
    "MERCY GENERAL HOSPITAL NORTHFIELD CLINIC PORTABLE SUPINE ERECT SEMI-UPRIGHT AP PA LAT Jane "
    "Doe Miller John chest St. Mary DOE^JANE kVp 110 mAs 2.5 W:400 L:40 Mag 1.5x 3/12 TE: 90 TR",
)
#: Seen by eye: files with text or test patterns in them, and files that are no pictures.
WITH_TEXT = re.compile(
    "OBXXXX1A|YBR_FULL|jpeg-ls-Palette|examples_jpeg2k|US1_J2KI|examples_rgb_color|JLS._RGB|mlut_18"
    "|signed-raw|vlut_04|GH538|VL1_|VL6_|examples_palette|examples_ybr|gdcm-CT-MONO2|JPGLosslessP14"
    "|US-MONO2-8|derived_burn|test_wsi|SC_rgb|SC_ybr|chrRuss|OT-PAL|^001_|pub0037|pub0051"
    "|GH364|US-PAL-8|US1_RLE|^test_65"
)
#: One picture in several encodings, or neighbouring slices: these go to the same half.
FAMILIES = re.split(
    "[|]",
    "XA1|MR4|CT2|NM1 JPEG-lossy|liver|TransferSyntax|adb1 mr_small_font|I_0000"
    "|goudurix derived_voi derived_padding nonsquare_pix ct16_corners"
    "|82764af nonsquare_par extended_off|emri MR_small|brucker|jpeg2000-multi|tumor"
    "|IM-0001-0001-0001_18 IM-0001-0002 IM-0001-0003 IM-0001-0004 cerebrix"
    "|MR-SIEMENS examples_overlay|h_2fb8|02099738",
)


#: Draws what is written.
Wording: TypeAlias = Callable[[np.random.Generator], str]
Font: TypeAlias = ImageFont.ImageFont | ImageFont.FreeTypeFont
#: Words in one of the fonts: coverage 0..1 (rows, columns).
Drawing: TypeAlias = Callable[[str, Sequence[Font], np.random.Generator], np.ndarray]
#: A ground and the coverage on it: grey levels, or None where nobody could read it.
Painting: TypeAlias = Callable[
    [np.ndarray, np.ndarray, np.random.Generator], np.ndarray | None
]
#: Fonts of Debian's xfonts-base.
X_FOLDER = Path("/usr/share/fonts/X11/misc")
X_FONTS = re.split(" ", "5x7 6x9 6x10 6x12 6x13 7x13 7x14 8x13 9x15")


class Edges(NamedTuple):
    """First row and column, last row and column + 1."""

    top: float
    left: float
    bottom: float
    right: float


class Truth(NamedTuple):
    """A line of text and what is known of it."""

    box: Edges
    kinds: tuple[str, ...] = ()


class Picture(NamedTuple):
    """A display, the text in it, and whether it is a radiograph, where lead markers stand."""

    name: str
    display: np.ndarray
    truths: tuple[Truth, ...]
    radiograph: bool


def half(name: str) -> str:
    """Return ``"tune"`` or ``"hold"``, by family."""
    family = next(
        (f for f in FAMILIES if any(part in name for part in f.split())), name
    )
    return "tune" if zlib.crc32(family.encode()) % 2 else "hold"


def clean(which: str) -> Iterator[Picture]:
    """Yield the pictures of a half in which nobody drew."""
    folders = ("corpus/corpus", "images/nih_boxes/dicom", "images/rsna_dicom")
    seen: set[int] = set()
    for folder in (*folders, "models/shortcut/dicom/test_clean"):
        for path in sorted((SHARED / folder).glob("*.dcm")):
            if WITH_TEXT.search(path.name) or half(path.stem) != which:
                continue
            picture = _read(path)
            if picture is None or min(picture.display.shape[:2]) < 64:
                continue
            digest = zlib.crc32(picture.display.tobytes())
            if digest not in seen:
                seen.add(digest)
                yield picture


def burned(which: str) -> Iterator[Picture]:
    """Yield the pictures of a half with burned-in text and its boxes."""
    notes = json.loads((SHARED / "models/shortcut/annotations.json").read_text())
    for note in notes["images"]:
        for kind in ("poisoned", "flipped"):
            path = SHARED / f"models/shortcut/dicom/test_{kind}/{note['id']}.dcm"
            if path.exists() and half(note["id"]) == which:
                boxes = [line["box"] for line in note[kind]]
                yield _with(
                    path, [Edges(y, x, y + h, x + w) for x, y, w, h in boxes], "names"
                )
    for path in sorted((SHARED / "corpus/corpus").glob("derived_burn_*.dcm")):
        lines = json.loads((SHARED / f"corpus/text_truth/{path.stem}.json").read_text())
        if half(path.stem) == which:
            yield _with(
                path,
                [Edges(b["y0"], b["x0"], b["y1"], b["x1"]) for b in lines],
                "burned",
            )
    if which == "hold":
        yield from _pseudonyms()


def drawn(
    which: str, seed: int = 0, wording: Wording | None = None
) -> Iterator[Picture]:
    """Yield the clean pictures of a half with words drawn on them, four or so a picture."""
    for picture in clean(which):
        if min(picture.display.shape[:2]) >= 128:
            rng = np.random.default_rng(zlib.crc32(picture.name.encode()) + seed)
            grey = np.array(Image.fromarray(picture.display).convert("L"))
            truths = tuple(_draw(grey, rng, wording or _words))
            if truths:
                yield Picture(picture.name, grey, truths, picture.radiograph)


def hard(which: str, seed: int = 5) -> Iterator[Picture]:
    """Yield the drawn pictures under harder conditions, one condition a picture."""
    for index, picture in enumerate(drawn(which, seed)):
        rng = np.random.default_rng(zlib.crc32(picture.name.encode()) + seed)
        yield HARD[(index + seed) % len(HARD)](picture, rng)


def consoles(which: str, count: int = 20) -> Iterator[Picture]:
    """Yield black screens of some 35 words each, letters of strokes one pixel wide."""
    fonts = bitmap_fonts(which)
    for number in range(count):
        rng = np.random.default_rng(number)
        screen = np.zeros((512, int(rng.choice((512, 640, 800)))), np.uint8)
        font, level = (
            fonts[number % len(fonts)],
            int(rng.choice((90, 130, 170, 210, 255))),
        )
        truths = tuple(_screen_lines(screen, font, level, rng))
        yield Picture(f"console {number}", screen, truths, radiograph=False)


def _screen_lines(
    screen: np.ndarray, font: Font, level: int, rng: np.random.Generator
) -> Iterator[Truth]:
    """Write rows of words in columns, as menus and tables stand."""
    top, (bottom, right) = 12, screen.shape
    while top < bottom - 40:
        left = 10 + 60 * int(rng.integers(0, 3))
        while True:
            ink = _bitmap(str(rng.choice(WORDS)), font)
            rows, columns = ink.shape
            if left + columns > right - 10:
                break
            place = slice(top, top + rows), slice(left, left + columns)
            screen[place] = np.maximum(screen[place], np.rint(level * ink))
            yield Truth(Edges(top, left, top + rows, left + columns), ("console",))
            left += columns + int(rng.integers(8, 160))
        top += int(rng.integers(22, 70))


def bitmap_fonts(which: str) -> tuple[Font, ...]:
    """Return fonts with strokes of one pixel: for hold those of X, where they are installed.

    They come with Debian's package xfonts-base. Tune has Pillow's own, and DejaVu drawn hard.
    """
    if which == "hold":
        # A bitmap font has one size, which its name ends in.
        sizes = {
            X_FOLDER / f"{name}.pcf.gz": int(name.split("x")[1]) for name in X_FONTS
        }
        return tuple(
            ImageFont.truetype(file, size)
            for file, size in sizes.items()
            if file.is_file()
        )
    hard = (
        ImageFont.truetype(FONTS / "DejaVuSansMono.ttf", size) for size in range(8, 15)
    )
    return (ImageFont.load_default_imagefont(), *hard)


def _bitmap(words: str, font: Font) -> np.ndarray:
    """Coverage, 0 or 1, of words in a font that is drawn hard, cut to its ink."""
    left, top, right, bottom = map(int, font.getbbox(words))
    page = Image.new("L", (right - left + 2, bottom - top + 2))
    pen = ImageDraw.Draw(page)
    pen.fontmode = "1"
    pen.text((-left, -top), words, fill=255, font=font)
    rows, columns = np.nonzero(np.asarray(page))
    return (
        np.asarray(page)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        / 255
    )


def hard_anatomy(which: str) -> Iterator[Picture]:
    """Yield the clean pictures, grey, under each of the harder conditions."""
    for (index, spoil), picture in product(enumerate(HARD), tuple(clean(which))):
        grey = np.array(Image.fromarray(picture.display).convert("L"))
        rng = np.random.default_rng(zlib.crc32(picture.name.encode()) + index)
        yield spoil(Picture(picture.name, grey, (), picture.radiograph), rng)


def _compressed(picture: Picture, _: np.random.Generator) -> Picture:
    return _kinds(picture, jpeg(picture.display, 50), "JPEG quality 50")


def _noisy(picture: Picture, rng: np.random.Generator) -> Picture:
    noise = picture.display + rng.normal(0, 12, picture.display.shape)
    return _kinds(
        picture, np.clip(np.rint(noise), 0, 255).astype(np.uint8), "noise of 12 levels"
    )


def _inverted(picture: Picture, _: np.random.Generator) -> Picture:
    return _kinds(picture, ~picture.display, "inverted")


def _tinted(picture: Picture, rng: np.random.Generator) -> Picture:
    """Colour the picture as a whole, as ultrasound and fusion do."""
    tint = rng.choice([[1, 1, 0.3], [0.3, 1, 0.4], [1, 0.6, 0.2], [0.5, 0.8, 1]])
    return _kinds(
        picture, np.rint(picture.display[..., None] * tint).astype(np.uint8), "tinted"
    )


def _slanted(picture: Picture, rng: np.random.Generator) -> Picture:
    """Turn the picture by up to four degrees: the boxes grow around what is in them."""
    angle = float(rng.uniform(2, 4) * rng.choice([-1, 1]))
    image = Image.fromarray(picture.display).rotate(angle, Image.Resampling.BICUBIC)
    centre = np.divide(picture.display.shape, 2)
    turn = np.deg2rad(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    truths = []
    for truth in picture.truths:
        top, left, bottom, right = truth.box
        corners = (
            np.array([[y, x] for y in (top, bottom) for x in (left, right)]) - centre
        )
        turned = corners @ matrix.T + centre
        truths.append(
            truth._replace(box=Edges(*turned.min(axis=0), *turned.max(axis=0)))
        )
    return _kinds(
        picture._replace(truths=tuple(truths)), np.asarray(image), "slanted 2-4 degrees"
    )


#: A hospital, in four alphabets.
SCRIPTS = {
    "Latin": "MERCY",
    "Greek": "\u039d\u039f\u03a3\u039f\u039a\u039f\u039c\u0395\u0399\u039f",
    "Cyrillic": "\u0411\u041e\u041b\u042c\u041d\u0418\u0426\u0410",
    "Arabic": "\u0645\u0633\u062a\u0634\u0641\u0649",
}
HARD = (_compressed, _noisy, _inverted, _tinted, _slanted)


def _kinds(picture: Picture, display: np.ndarray, kind: str) -> Picture:
    truths = tuple(truth._replace(kinds=(kind,)) for truth in picture.truths)
    return picture._replace(display=display, truths=truths)


def scripts() -> Iterator[Picture]:
    """Yield one word each of four alphabets, 12 to 28 px high, on a grey ramp."""
    for script, word in SCRIPTS.items():
        for tall in (12, 20, 28):
            ink = _ink(word, tall, "DejaVuSans", smooth=True)
            page = np.tile(np.linspace(20, 120, 400), (120, 1))
            page[30 : 30 + len(ink), 40 : 40 + ink.shape[1]] += ink * 130
            box = Edges(30, 40, 30 + len(ink), 40 + ink.shape[1])
            truth = Truth(box, (script,))
            yield Picture(
                script, np.rint(page).astype(np.uint8), (truth,), radiograph=False
            )


def variants(display: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a picture and it windowed, resized, sharpened and compressed: texture to refuse."""
    yield display
    image = Image.fromarray(display)
    low, high = np.percentile(display, [5, 95])
    quarter = (high - low) / 4
    for black, white in ((low + quarter, high - quarter), (low, low + 1.6 * quarter)):
        stretched = (display - black) * 255 / max(white - black, 1)
        yield np.clip(stretched, 0, 255).astype(np.uint8)
    for scale in (0.45, 0.7, 1.6):
        if max(display.shape) * scale < 1000:
            yield np.asarray(
                image.resize([max(1, round(side * scale)) for side in image.size])
            )
    yield np.asarray(image.filter(ImageFilter.UnsharpMask(3, 200, 0)))
    yield jpeg(display, 60)


def rescaled(display: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a picture at four more sizes."""
    image = Image.fromarray(display)
    for scale in (0.35, 0.55, 0.85, 1.25):
        if max(display.shape) * scale < 1000:
            yield np.asarray(
                image.resize([max(1, round(side * scale)) for side in image.size])
            )


def patches(display: np.ndarray, count: int = 6) -> Iterator[np.ndarray]:
    """Yield rectangles of a picture, stretched to the small squares that models are fed."""
    rng = np.random.default_rng(display.size)
    whole = Image.fromarray(display)
    for _ in range(count):
        width, height = (np.array(whole.size) * rng.uniform(0.3, 1, 2)).tolist()
        left, top = (
            rng.uniform(0, whole.width - width),
            rng.uniform(0, whole.height - height),
        )
        box = (left, top, left + width, top + height)
        side = int(rng.choice((96, 128, 192)))
        patch = np.asarray(
            whole.resize((side, side), Image.Resampling.BILINEAR, box=box)
        )
        noise = rng.normal(
            0, rng.uniform(0, 8), (*patch.shape[:2], *[1] * (patch.ndim - 2))
        )
        yield np.clip(patch * rng.uniform(0.7, 1) + noise, 0, 255).astype(np.uint8)


def cut(display: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a grey picture cut at three levels, as windows of width 1 do."""
    if display.ndim == 2:
        for share in (50, 60, 90):
            yield np.where(display > np.percentile(display, share), 255, 0).astype(
                np.uint8
            )


def jpeg(display: np.ndarray, quality: int) -> np.ndarray:
    """Compress and expand."""
    file = BytesIO()
    Image.fromarray(display).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _read(path: Path) -> Picture | None:
    try:
        image = sal.read_dicom(path)
    except DicomError:
        return None
    radiograph = image.modality in {"CR", "DX"} or "rsna" in str(path)
    return Picture(path.stem, np.asarray(image.display), (), radiograph)


def _with(path: Path, boxes: list[Edges], kind: str) -> Picture:
    picture = _read(path)
    assert picture is not None
    return picture._replace(truths=tuple(Truth(box, (kind,)) for box in boxes))


def _pseudonyms() -> Iterator[Picture]:
    """Yield two real pictures with invented names; their boxes are given in a frame of 25 px."""
    folder = SHARED / "images/burned_in_dicom"
    notes = json.loads((folder / "ground_truth.json").read_text())
    for name, key in (
        ("0_ORIGINAL_compressed", "0_ORIGINAL"),
        ("2_ORIGINAL", "2_ORIGINAL"),
    ):
        boxes = [
            Edges(top, left, top + b["height"], left + b["width"])
            for b in notes[f"sample_data/{key}.dcm"]
            for top, left in [(b["top"] - 25, b["left"] - 25)]
        ]
        yield _with(folder / f"{name}.dcm", boxes, "pseudonyms")


def _draw(
    grey: np.ndarray, rng: np.random.Generator, wording: Wording, count: int = 4
) -> Iterator[Truth]:
    """Paint up to so many legible words, apart from each other."""
    taken = np.zeros(grey.shape, bool)
    for _ in range(3 * count):
        words, tall = wording(rng), float(np.exp(rng.uniform(np.log(8), np.log(40))))
        tall = min(tall, max(9, grey.shape[0] / 10))
        smooth, turned = rng.random() < 0.6, rng.random() < 0.2
        face = str(rng.choice(FACES if words.isascii() else FACES[:2]))
        ink = _ink(words, tall, face, smooth=smooth)
        ink = np.rot90(ink, rng.choice([1, 3])) if turned else ink
        place = _place(ink.shape, grey.shape, rng)
        level = float(rng.choice([255, 255, 255, 230, 200, 0, 0]))
        if place is None or taken[place].any():
            continue
        ground = grey[place].astype(float)
        if np.percentile(np.abs(level - ground), 10) < 50:
            continue
        grey[place] = np.rint(ground + ink * (level - ground))
        taken[place] = True
        kinds = ("turned" if turned else "level", "smooth" if smooth else "hard")
        kinds += ("dark" if level < ground.mean() else "bright", _size(tall))
        kinds += ("under 5 letters" if len(words) < 5 else "5 letters and more",)
        rows, columns = place
        yield Truth(Edges(rows.start, columns.start, rows.stop, columns.stop), kinds)
        count -= 1
        if not count:
            return


def _size(tall: float) -> str:
    return "8-9 px" if tall < 10 else "10-15 px" if tall < 16 else "16-40 px"


def _words(rng: np.random.Generator) -> str:
    kind = rng.integers(5)
    if kind == 0:
        year, month, day = (
            rng.integers(1950, 2025),
            rng.integers(1, 13),
            rng.integers(1, 29),
        )
        return f"{year}-{month:02}-{day:02} {rng.integers(24):02}:{rng.integers(60):02}"
    if kind == 1:
        return f"ID {rng.integers(10**8):08}"
    return " ".join(rng.choice(WORDS, rng.integers(1, 4)))


def short_word(rng: np.random.Generator) -> str:
    """Choose a word of two to four letters from those that are drawn."""
    return str(rng.choice([word for word in WORDS if 2 <= len(word) < 5]))


def short_string(rng: np.random.Generator) -> str:
    """Return two to four letters and digits that are no word, some with a stop or a stroke."""
    text = "".join(rng.choice(list(SIGNS), rng.integers(2, 5)))
    kind = int(rng.integers(5))
    if kind == 0 and len(text) > 2:
        return f"{text[:-1]}."
    if kind == 1 and len(text) > 2:
        return f"{text[0]}{rng.choice(list('./:'))}{text[2:]}"
    return text


def foreign_word(rng: np.random.Generator) -> str:
    """Return three to eight letters of an alphabet that is not Latin; they make no word."""
    return "".join(rng.choice(list(rng.choice(ALPHABETS)), rng.integers(3, 9)))


#: Greek, Cyrillic, Arabic and Hebrew: first letter, and how many are taken.
ALPHABETS = tuple(
    "".join(map(chr, range(first, first + count)))
    for first, count in ((0x391, 17), (0x410, 32), (0x627, 20), (0x5D0, 27))
)
SIGNS = "ABCDEFGHIKLMNOPRSTUVWXYZabcdeghknorstuvx0123456789"


def _ink(words: str, tall: float, face: str, *, smooth: bool) -> np.ndarray:
    """Coverage 0..1 of words of that height in pixels."""
    font = ImageFont.truetype(FONTS / f"{face}.ttf", tall / 0.73)
    left, top, right, bottom = font.getbbox(words)
    page = Image.new("L", (int(right - left), int(bottom - top)))
    pen = ImageDraw.Draw(page)
    pen.fontmode = "L" if smooth else "1"
    pen.text((-left, -top), words, fill=255, font=font)
    return np.asarray(page) / 255


def _place(
    size: tuple[int, ...], grid: tuple[int, ...], rng: np.random.Generator
) -> tuple[slice, slice] | None:
    """Choose a place for a box, more often near the top and bottom than elsewhere."""
    free = [grid[axis] - size[axis] - 2 for axis in (0, 1)]
    if min(free) <= 3 or min(size) < 6:
        return None
    top, left = int(rng.integers(2, free[0])), int(rng.integers(2, free[1]))
    if rng.random() < 0.6:
        margin = max(3, free[0] // 6)
        top = (
            int(rng.integers(2, margin))
            if rng.random() < 0.5
            else free[0] - top % margin
        )
    return slice(top, top + size[0]), slice(left, left + size[1])


def unlike(which: str, kind: str, seed: int = 9) -> Iterator[Picture]:
    """Yield the clean pictures of a half with words of one kind of :data:`UNLIKE` on them."""
    drawing, painting = UNLIKE[kind]
    fonts = bitmap_fonts(which)
    for picture in clean(which):
        if min(picture.display.shape[:2]) < 256:
            continue
        rng = np.random.default_rng(
            zlib.crc32(f"{picture.name} {kind}".encode()) + seed
        )
        grey = np.array(Image.fromarray(picture.display).convert("L"))
        taken = np.zeros(grey.shape, bool)
        truths = []
        for _ in range(4):
            ink = drawing(_words(rng), fonts, rng)
            place = _place(ink.shape, grey.shape, rng)
            if place is None or taken[place].any():
                continue
            ground = grey[place].astype(float)
            painted = painting(ground, ink, rng)
            if painted is None:
                continue
            grey[place] = np.clip(np.rint(painted), 0, 255)
            taken[place] = True
            rows, columns = place
            box = Edges(rows.start, columns.start, rows.stop, columns.stop)
            truths.append(Truth(box, (kind,)))
        if truths:
            yield Picture(picture.name, grey, tuple(truths), picture.radiograph)


def _one_pixel(
    words: str, fonts: Sequence[Font], rng: np.random.Generator
) -> np.ndarray:
    return _bitmap(words, fonts[rng.integers(len(fonts))])


def _smooth(low: float, high: float) -> Drawing:
    """Return what draws smooth letters between two heights."""

    def draw(words: str, _: Sequence[Font], rng: np.random.Generator) -> np.ndarray:
        return _ink(words, rng.uniform(low, high), str(rng.choice(FACES)), smooth=True)

    return draw


def _blurred(words: str, fonts: Sequence[Font], rng: np.random.Generator) -> np.ndarray:
    sharp = np.pad(_smooth(14, 30)(words, fonts, rng), 4)
    image = Image.fromarray(np.rint(255 * sharp).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(1, 2)))) / 255


def _tilted(words: str, fonts: Sequence[Font], rng: np.random.Generator) -> np.ndarray:
    level = _smooth(10, 28)(words, fonts, rng)
    image = Image.fromarray(np.rint(255 * level).astype(np.uint8))
    angle = float(rng.uniform(5, 30) * rng.choice([-1, 1]))
    return np.asarray(image.rotate(angle, Image.Resampling.BICUBIC, expand=True)) / 255


def _white(
    ground: np.ndarray, ink: np.ndarray, _: np.random.Generator
) -> np.ndarray | None:
    """Cover the ground with white where it is dark enough to be read."""
    legible = np.percentile(255 - ground, 10) >= 50
    return ground + ink * (255 - ground) if legible else None


def _above(low: float, high: float) -> Painting:
    """Return what paints letters so many grey levels above their ground."""

    def paint(
        ground: np.ndarray, ink: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray | None:
        levels = rng.uniform(low, high)
        return ground + levels * ink if ground.max() + levels <= 255 else None

    return paint


#: Writing unlike that of :func:`drawn`: how its ink is drawn, and how that is painted.
UNLIKE: dict[str, tuple[Drawing, Painting]] = {
    "strokes of one pixel, white": (_one_pixel, _white),
    "strokes of one pixel, 60 to 120 levels": (_one_pixel, _above(60, 120)),
    "30 to 45 levels": (_smooth(10, 30), _above(30, 45)),
    "45 to 60 levels": (_smooth(10, 30), _above(45, 60)),
    "60 to 90 levels": (_smooth(10, 30), _above(60, 90)),
    "blurred by 1 to 2 px": (_blurred, _white),
    "turned by 5 to 30 degrees": (_tilted, _white),
    "40 to 80 px high": (_smooth(40, 80), _white),
    "80 to 160 px high": (_smooth(80, 160), _white),
    "watermark, 30 to 80 px, 40 to 80 levels": (_smooth(30, 80), _above(40, 80)),
}
