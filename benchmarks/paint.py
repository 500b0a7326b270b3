"""Time the paint and the PNG file against the obvious ways to do the same.

``python benchmarks/paint.py [side]`` prints CPU milliseconds of one core and the ratio to this
library. Runs are interleaved, so that a busy machine slows all of them alike; the median counts.

``python benchmarks/paint.py colours FILE...`` measures how far half heat stands out from pictures
in colour (DICOM or PNG): CIE 1976 differences, the least but for 5 % of the pixels.
"""

import sys
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

import saliency as sal
from saliency import png
from saliency.render import Palette, paint
from saliency.render.colour import EYES
from saliency.render.contrast import contrast_with_picture, lift, palette_for
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap

ROUNDS = 7


def naive(display: Array, values: Array) -> Array:
    """Return the overlay as most notebooks make it: float64 from end to end."""
    heat = np.abs(values.astype(np.float64))
    scaled = np.clip(heat / np.percentile(heat[heat > 0], 99.5), 0, 1)
    table = Palette("green").positive / 255
    colours = table[np.rint(scaled * 255).astype(int)]
    opacity = 0.65 * scaled[..., None]
    grey = np.repeat(display[..., None], 3, axis=2) / 255
    return np.rint(255 * ((1 - opacity) * grey + opacity * colours)).astype(np.uint8)


def pillow(level: int) -> Callable[[Array], bytes]:
    """Return Pillow's encoder at a level."""

    def encode(rgb: Array) -> bytes:
        sink = BytesIO()
        Image.fromarray(rgb).save(sink, "PNG", compress_level=level)
        return sink.getvalue()

    return encode


def up_zlib(rgb: Array) -> bytes:
    """Return the same filter, packed by zlib at level 1: the payload alone."""
    return zlib.compress(png._up_filtered(rgb).tobytes(), 1)  # noqa: SLF001


def measured(jobs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median CPU milliseconds of each job, run in turns."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            start = time.process_time()
            job()
            times[name].append(1000 * (time.process_time() - start))
    return {name: sorted(taken)[ROUNDS // 2] for name, taken in times.items()}


def pictures(side: int) -> tuple[Array, dict[str, Array]]:
    """Return a noisy grey picture, and a smooth and a rough map of both signs."""
    random = np.random.default_rng(0)
    row, column = np.mgrid[0:side, 0:side] / side
    grey = 128 + 90 * np.sin(9 * row * column) + random.normal(0, 3, (side, side))
    smooth = np.exp(-((row - 0.4) ** 2 + (column - 0.3) ** 2) / 0.02)
    rough = random.normal(size=(side, side)) ** 3
    return grey.clip(0, 255).astype(np.uint8), {
        "smooth": smooth.astype(np.float32),
        "rough": rough.astype(np.float32),
    }


def in_colour(files: list[str]) -> None:
    """Print what stands out from pictures: green, what "auto" takes, and signed heat."""
    print(
        "| picture | green | auto | | worst eye | from the pixel | signed | from the pixel |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for file in files:
        display = shown(file)
        chosen, signed = (palette_for(display, signed=sign) for sign in (False, True))
        worst = min(contrast_with_picture(chosen, display, eye) for eye in EYES)
        green = contrast_with_picture(Palette("green"), display)
        nearest = contrast_with_picture(chosen, display)
        print(
            f"| {Path(file).stem} | {green:.0f} | {chosen.source} | "
            f"{nearest:.0f} | {worst:.0f} | {lift(chosen, display):.0f} | "
            f"{signed.source} | {lift(signed, display):.0f} |"
        )


def shown(file: str) -> Array:
    """Return a picture, uint8 (rows, columns, 3)."""
    if file.endswith((".png", ".jpg")):
        return np.asarray(Image.open(file).convert("RGB"))
    return sal.read_dicom(file).display


def main(side: int) -> None:
    """Print both tables."""
    display, maps = pictures(side)
    for kind, values in maps.items():
        heatmap = Heatmap(values)
        times = measured(
            {
                "paint": lambda heatmap=heatmap: paint(display, heatmap),
                "naive float": lambda values=values: naive(display, values),
            }
        )
        for name, taken in times.items():
            print(f"{kind:<8}{name:<22}{taken:8.0f} ms {taken / times['paint']:6.2f} x")
        rgb = paint(display, heatmap).rgb
        encoders: dict[str, Callable[[Array], bytes]] = {
            "png": png.encode,
            "up filter, zlib 1": up_zlib,
            "imagecodecs png 1": lambda rgb: imagecodecs.png_encode(rgb, 1),
            "Pillow 1": pillow(1),
            "Pillow 6": pillow(6),
        }
        sizes = {name: len(encode(rgb)) for name, encode in encoders.items()}
        times = measured(
            {
                name: lambda encode=encode, rgb=rgb: encode(rgb)
                for name, encode in encoders.items()
            }
        )
        for name, taken in times.items():
            ratio, size = taken / times["png"], sizes[name] / min(sizes.values())
            print(
                f"{kind:<8}{name:<22}{taken:8.0f} ms {ratio:6.2f} x  size {size:.2f} x smallest"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["colours"]:
        in_colour(sys.argv[2:])
        sys.exit()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2048)
