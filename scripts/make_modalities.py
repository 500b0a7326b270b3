"""Draw ten pictures of seven kinds, each explained by three methods: docs/images/modalities.jpg.

``PYTHONPATH=examples python scripts/make_modalities.py [SHEET.jpg [FILE.dcm ...]]``

CT, MR and ultrasound are pictures that pydicom brings along. A radiograph, a mammogram, a fundus
and stained tissue are drawn here, since no page shows a patient who is not public already. A blot
is put into each, and a small network learns to find it there: so one knows what to see.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

import saliency as sal
from lesions import bundled, ring
from saliency.cli.quiet import start_tensorflow
from small_net import block

SHEET: Final = Path(__file__).parents[1] / "docs" / "images" / "modalities.jpg"
METHODS: Final = ("fastcam", "gradcam", "lrp")
SIDE: Final = 96  # of the network's input
WIDTH: Final = 400  # of a column, before the sheet is made smaller
ACROSS: Final = 900  # pixels of the sheet
REAL: Final = {
    "CT, head": "J2K_pixelrep_mismatch.dcm",
    "CT, spine": "CT_small.dcm",
    "MR, abdomen": "examples_overlay.dcm",
    "MR, foot": "MR_small.dcm",
    "Ultrasound, Doppler": "examples_rgb_color.dcm",
    "Ultrasound, screen": "examples_palette.dcm",
}


def main(path: Path, files: list[str]) -> None:
    """Save the sheet."""
    start_tensorflow()
    named = {Path(file).stem: file for file in files} or {
        title: bundled(name) for title, name in REAL.items()
    }
    pictures = {
        title: enlarged(sal.read_dicom(file).display) for title, file in named.items()
    }
    if not files:
        pictures |= {"Radiograph (drawn)": radiograph(), "Mammogram (drawn)": mammogram(),
                     "Fundus (drawn)": fundus(), "Stained tissue (drawn)": tissue()}  # fmt: skip
    rows = [row(title, picture) for title, picture in pictures.items()]
    sheet = np.concatenate(rows)
    whole = Image.fromarray(sheet)
    size = (ACROSS, round(whole.height * ACROSS / whole.width))
    # A PNG of few colours would leave out those of a small legend; JPEG keeps them.
    smaller = whole.resize(size, Image.Resampling.LANCZOS)
    smaller.save(path, quality=72, subsampling=0, optimize=True)
    print(path)


def enlarged(picture: Any) -> Any:
    """Return a picture that is as wide as its caption."""
    factor = -(-300 // picture.shape[1])
    size = (picture.shape[1] * factor, picture.shape[0] * factor)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def row(title: str, picture: Any) -> Any:
    """Return the picture with a blot and its overlays with captions, side by side."""
    rng = np.random.default_rng(0)
    sick = with_blot(picture, rng, centre=(0.55, 0.42))
    image = sal.DicomImage.from_array(sick.astype(np.float32), window=sal.Window(128, 256)) \
        if sick.ndim == 2 else sal.DicomImage.from_array(sick)  # fmt: skip
    probe = sal.KerasProbe(trained(picture), labels=("as it was", "blot"))
    cells = [np.asarray(Image.fromarray(image.display).convert("RGB"))]
    with tempfile.TemporaryDirectory() as folder:
        for method in METHODS:
            result = sal.explain(probe, image, method, target="blot")
            saved = result.save(Path(folder) / f"{method}.png", palette="auto")
            cells.append(np.asarray(Image.open(saved).convert("RGB")))
            print(f"{title}: {result.caption}")
    return side_by_side(title, cells)


def side_by_side(title: str, cells: list[Any]) -> Any:
    """Return pictures of one width beside each other, on white, the title below the first."""
    resized = [np.asarray(Image.fromarray(cell).resize(
        (WIDTH, round(cell.shape[0] * WIDTH / cell.shape[1])), Image.Resampling.LANCZOS
    )) for cell in cells]  # fmt: skip
    rows = max(len(cell) for cell in resized) + 8
    sheet = np.full((rows, len(cells) * (WIDTH + 8), 3), 255, np.uint8)
    for place, cell in enumerate(resized):
        left = place * (WIDTH + 8)
        sheet[: len(cell), left : left + WIDTH] = cell
    titled = Image.fromarray(sheet)
    ImageDraw.Draw(titled).text((4, len(resized[0]) + 6), title, fill=0, font_size=22)
    return np.asarray(titled)


def with_blot(picture: Any, rng: Generator, centre: tuple[float, float]) -> Any:
    """Draw a ring into grey pictures, a dark blot into colour; centre in shares of the sides."""
    height, width = picture.shape[:2]
    radius = rng.uniform(0.055, 0.075) * min(height, width)
    place = (round(centre[0] * height), round(centre[1] * width))
    if picture.ndim == 2:
        drawn = ring(picture.astype(np.float32), place, (radius, radius), 170.0)
        return np.clip(drawn, 0, 255).astype(np.uint8)
    down, across = np.ogrid[:height, :width]
    reach = np.hypot(down - place[0], across - place[1]) / radius
    share = (0.85 / (1 + np.exp((reach.clip(max=3) - 1) / 0.12)))[..., np.newaxis]
    blot = np.array((60, 15, 70))
    return np.rint(picture * (1 - share) + blot * share).astype(np.uint8)


def trained(picture: Any) -> keras.Model:
    """Return a network that tells the picture with a blot from the picture without one."""
    rng, colours = np.random.default_rng(1), 3 if picture.ndim == 3 else 1
    labels = np.arange(256) % 2
    inputs = []
    for label in labels:
        shown = (
            with_blot(picture, rng, tuple(rng.uniform(0.25, 0.75, 2)))
            if label
            else picture
        )
        small = np.asarray(
            Image.fromarray(shown).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        )
        shifted = (
            np.roll(small, rng.integers(-6, 7, 2), (0, 1)).astype(np.float32) / 255
        )
        noise = rng.normal(0, 0.02, shifted.shape)
        inputs.append(np.clip(shifted * rng.uniform(0.8, 1.0) + noise, 0, 1))
    keras.utils.set_random_seed(0)
    model = network(colours)
    model.compile(keras.optimizers.Adam(4e-3), "sparse_categorical_crossentropy")
    stacked = np.stack(inputs).reshape(-1, SIDE, SIDE, colours).astype(np.float32)
    model.fit(stacked, labels, batch_size=16, epochs=20, verbose=0)
    return model


def network(colours: int) -> keras.Model:
    """Return convolutions down to 12 x 12, averaged, and a softmax."""
    inputs = keras.Input((SIDE, SIDE, colours))
    x = block(inputs, 8, size=5, strides=2)
    x = keras.layers.MaxPooling2D()(block(x, 16))
    x = keras.layers.MaxPooling2D()(block(x, 24))
    x = keras.layers.GlobalMaxPooling2D()(block(x, 24))
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))


def smooth(rng: Generator, shape: tuple[int, int], cells: int) -> Any:
    """Return noise of a scale, about -1..1: ``cells`` across the picture."""
    coarse = rng.normal(size=(cells, cells)).astype(np.float32)
    return np.asarray(
        Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC)
    )


def grid(shape: tuple[int, int]) -> tuple[Any, Any]:
    """Return row and column of each pixel, -1..1."""
    down, across = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return down, across


def radiograph() -> Any:
    """Draw a chest: two dark lungs with ribs, a bright heart and spine."""
    rng, shape = np.random.default_rng(2), (360, 340)
    y, x = grid(shape)
    body = 150 * np.exp(-((x / 0.95) ** 8)) * (y > -0.95)
    lungs = sum(
        np.exp(-((((x - side) / 0.36) ** 2 + (y / 0.72) ** 2) ** 3))
        for side in (-0.45, 0.45)
    )
    ribs = (np.sin(18 * (y + 0.35 * np.abs(x))) > 0.45) * 22 * lungs
    heart = 70 * np.exp(-((((x - 0.12) / 0.3) ** 2 + ((y - 0.35) / 0.35) ** 2) ** 2))
    spine = 45 * np.exp(-((x / 0.09) ** 4))
    grain = 5 * smooth(rng, shape, 90)
    return np.clip(body - 105 * lungs + ribs + heart + spine + grain, 0, 255).astype(
        np.uint8
    )


def mammogram() -> Any:
    """Draw a breast at the left side: fibrous tissue on black."""
    rng, shape = np.random.default_rng(3), (420, 300)
    y, x = grid(shape)
    inside = 1 / (1 + np.exp(((((x + 1) / 1.5) ** 2 + (y / 0.85) ** 2) - 1) / 0.03))
    fibres = 45 * np.abs(smooth(rng, shape, 14)) + 18 * smooth(rng, shape, 60)
    return np.clip(inside * (85 + fibres), 0, 255).astype(np.uint8)


def fundus() -> Any:
    """Draw the back of an eye: an orange disc, a bright optic disc, dark vessels."""
    rng, shape = np.random.default_rng(4), (360, 360)
    y, x = grid(shape)
    eye = (np.hypot(x, y) < 0.96)[..., np.newaxis]
    base = np.array((190, 95, 40.0)) * (1 - 0.3 * np.hypot(x, y)[..., np.newaxis])
    disc = np.exp(-((np.hypot(x - 0.45, y) / 0.14) ** 4))[..., np.newaxis]
    vessels = np.zeros(shape)
    for bend in (-1.4, -0.8, 0.8, 1.4):
        course = bend * np.abs(x - 0.45) ** 0.7 * 0.7 + 0.04 * np.sin(9 * x)
        vessels += np.exp(-(((y - course) / 0.022) ** 2))
    grain = 5 * smooth(rng, shape, 80)[..., np.newaxis]
    shown = (
        base
        + disc * np.array((60, 110, 90.0))
        - vessels[..., np.newaxis] * np.array((70, 55, 25.0))
    )
    return np.clip((shown + grain) * eye, 0, 255).astype(np.uint8)


def tissue() -> Any:
    """Draw tissue stained with haematoxylin and eosin: violet nuclei on pink."""
    rng, shape = np.random.default_rng(5), (340, 400)
    stroma = smooth(rng, shape, 20)[..., np.newaxis]
    shown = np.array((232, 170, 200.0)) + stroma * np.array((10, 22, 14.0))
    down, across = np.ogrid[: shape[0], : shape[1]]
    for row, column in rng.uniform((0, 0), shape, (260, 2)):
        reach = np.hypot(
            (down - row) / rng.uniform(3, 6), (across - column) / rng.uniform(3, 6)
        )
        nucleus = (0.8 / (1 + np.exp((reach.clip(max=3) - 1) / 0.15)))[..., np.newaxis]
        shown = shown * (1 - nucleus) + np.array((105, 70, 150.0)) * nucleus
    return np.clip(shown, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else SHEET, sys.argv[2:])
