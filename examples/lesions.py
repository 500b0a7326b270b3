"""Pictures that everybody has who installed pydicom, with ring-shaped lesions drawn into them.

The pixels are real: an abdominal MR, a head CT and a small spine CT that pydicom brings along.
The lesions are not: a bright rim around a dark core, as a ring-enhancing lesion looks.
Class 0 is the picture as it is, class 1 the picture with one lesion.
"""

from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image
from pydicom.data import get_testdata_file

import saliency as sal

SIZE = (128, 128)
SLICES = (
    ("examples_overlay.dcm", sal.Window(450, 790)),
    ("J2K_pixelrep_mismatch.dcm", sal.Window(40, 200)),
    ("CT_small.dcm", sal.Window(40, 400)),
    ("examples_overlay.dcm", sal.Window(200, 443)),
    ("J2K_pixelrep_mismatch.dcm", sal.Window(40, 100)),
    ("CT_small.dcm", None),
)


def bundled(name: str) -> str:
    """Return the path of a file inside the pydicom package; nothing is downloaded."""
    return str(get_testdata_file(name, download=False))


def slices() -> list[Any]:
    """Return the real slices as a viewer shows them, float32 (rows, columns) in 0..1."""
    images = [sal.read_dicom(bundled(name), window=window) for name, window in SLICES]
    return [(image.display / np.float32(255)).astype(np.float32) for image in images]


def ring(
    picture: Any, centre: tuple[int, int], radius: tuple[float, float], gain: float
) -> Any:
    """Draw a bright rim around a dark core; radius down and across, gain in the picture's unit."""
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    reach = np.hypot((rows - centre[0]) / radius[0], (columns - centre[1]) / radius[1])
    rim = np.exp(-(((reach - 1) / 0.2) ** 2))
    core = 1 / (1 + np.exp((reach - 1) / 0.1))
    return picture * (1 - 0.6 * core) + gain * rim


def on_ring(heatmap: sal.Heatmap, centre: tuple[int, int], radius: float) -> float:
    """Return the share of the hottest 1 % of the pixels that lie on the drawn lesion."""
    rows, columns = np.nonzero(sal.top_fraction(heatmap, 0.01).values)
    return float(
        (np.hypot(rows - centre[0], columns - centre[1]) < 1.3 * radius).mean()
    )


def crop(picture: Any, rng: Generator) -> Any:
    """Cut a random rectangle that shows enough body, stretch it to the model's size."""
    whole = Image.fromarray(picture)
    for _ in range(20):
        width, height = (
            np.array(whole.size) * rng.uniform(0.5, 1.2, 2).clip(0, 1)
        ).tolist()
        left, top = (
            rng.uniform(0, whole.width - width),
            rng.uniform(0, whole.height - height),
        )
        box = (left, top, left + width, top + height)
        cut = np.asarray(whole.resize(SIZE[::-1], Image.Resampling.BILINEAR, box=box))
        if (cut > 0.15).mean() > 0.3:
            break
    return cut[:, :: rng.choice((-1, 1))]


def with_lesion(picture: Any, rng: Generator, *, easy: bool = False) -> Any:
    """Draw one ring of random place, shape and brightness, away from the upper edge."""
    for _ in range(100):
        row, column = (int(number) for number in rng.integers((30, 16), (112, 112)))
        if picture[row - 6 : row + 7, column - 6 : column + 7].min() > 0.08:
            break
    mean, shape = rng.uniform(7, 13), rng.uniform(0.8, 1.25)
    radius = (mean * shape, mean / shape)
    return ring(picture, (row, column), radius, rng.uniform(0.7 if easy else 0.4, 0.8))


def varied(picture: Any, rng: Generator) -> Any:
    """Vary grey and noise: after the lesion is drawn, or its quiet would give it away."""
    noise = rng.normal(0, rng.uniform(0, 0.03), SIZE)
    return np.clip(picture * rng.uniform(0.7, 1) + noise, 0, 1)


def pictures(count: int, seed: int, *, easy: bool = False) -> tuple[Any, Any]:
    """Return float32 (count, 128, 128, 1) in 0..1 and labels: 0, 1, 0, 1, ...

    Easy ones have brighter rims, and one window a slice.
    """
    rng, sources = np.random.default_rng(seed), slices()[: 3 if easy else None]
    labels = np.arange(count) % 2
    drawn = [crop(sources[rng.integers(len(sources))], rng) for _ in labels]
    pairs = zip(drawn, labels, strict=True)
    shown = [
        varied(with_lesion(one, rng, easy=easy) if label else one, rng)
        for one, label in pairs
    ]
    return np.stack(shown).astype(np.float32)[..., np.newaxis], labels
