"""What explain does besides asking the model, on a radiograph of 2048 x 2048."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import imagecodecs
import nets
import numpy as np
from clock import Row, goal_row, in_turns, plain_row
from PIL import Image

import saliency as sal
from saliency.pipeline.band import captioned
from saliency.pipeline.place_back import place_back


def rows(rounds: int) -> Iterator[Row]:
    """Yield the stages, and the file against other encoders."""
    image = nets.picture()
    prepare = sal.Prepare((224, 224), channels=3)
    given = prepare(image)
    values = np.random.default_rng(1).random((224, 224)).astype(np.float32)
    heatmap = place_back(values, given.placement)
    shown = sal.Explanation(heatmap, 0.0, 0, None, "", image)
    rgb = shown.overlay().rgb
    jobs = {
        "prepare": lambda: prepare(image),
        "place back": lambda: place_back(values, given.placement),
        "paint": shown.overlay,
    }
    together = lambda: [job() for job in jobs.values()]  # noqa: E731
    found = in_turns({"together": together, **jobs}, rounds)
    yield goal_row(
        "prepare, place back, paint", found["together"].milliseconds(), 80, "ms"
    )
    for name in jobs:
        yield plain_row(f"... {name}", found[name].milliseconds(), "ms")
    overlay = shown.overlay()
    told = {
        "digest of the image": lambda: sal.DicomImage.from_array(image.pixels).digest,
        "caption": lambda: shown.caption,
        "band below the image": lambda: captioned(shown, overlay),
    }
    for name, taken in in_turns(told, rounds).items():
        yield plain_row(name, taken.milliseconds(), "ms")
    yield from _files(rgb, rounds)


def _files(rgb: Any, rounds: int) -> Iterator[Row]:
    encoders = _encoders(sal.Overlay(rgb, 0.0))
    sizes = {name: len(encode(rgb)) for name, encode in encoders.items()}
    smallest = min(sizes.values())
    found = in_turns(
        {name: lambda encode=encode: encode(rgb) for name, encode in encoders.items()},
        rounds,
    )
    small = {
        name for name in encoders if sizes[name] <= 1.3 * smallest and name != "ours"
    }
    fastest = min(small, key=lambda name: found[name].milliseconds().cpu.middle)
    yield goal_row(f"PNG, of the fastest small one ({fastest})", found["ours"].over(found[fastest]), 1.1, "x")  # fmt: skip # noqa: E501
    share = sizes["ours"] / smallest
    yield Row("PNG, size", f"{share:.2f} x smallest", goal="<= 1.3 x", met=share <= 1.3)
    for name in encoders:
        size = f"; {sizes[name] / smallest:.2f} x smallest"
        yield plain_row(f"... {name}{size}", found[name].milliseconds(), "ms")


def _encoders(ours: Any) -> dict[str, Callable[[Any], bytes]]:
    return {
        "ours": lambda _: ours.png(),
        "imagecodecs png 1": lambda rgb: imagecodecs.png_encode(rgb, 1),
        "Pillow 1": lambda rgb: _pillow(rgb, 1),
        "Pillow 6": lambda rgb: _pillow(rgb, 6),
    }


def _pillow(rgb: Any, level: int) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(rgb).save(sink, "PNG", compress_level=level)
    return sink.getvalue()
