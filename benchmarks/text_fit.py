"""Fit the weights of saliency/zones/text_classifier.json on the tune half and write them.

``OMP_NUM_THREADS=1 SALIENCY_SHARED=... python benchmarks/text_fit.py``: every draw has a seed, so
the numbers that are shipped come again.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from network_file import write
from PIL import Image
from text_detection import marker
from text_pictures import (
    UNLIKE,
    Picture,
    Truth,
    burned,
    clean,
    consoles,
    cut,
    drawn,
    foreign_word,
    hard,
    hard_anatomy,
    jpeg,
    patches,
    rescaled,
    short_string,
    unlike,
    variants,
)

from saliency.values.placement import Box
from saliency.zones.pyramid import ink_levels
from saliency.zones.text import candidates
from saliency.zones.text_classifier import NETWORK, features

BATCH, RATE, DECAY = 2048, 0.005, 3e-4


def anatomy(which: str) -> Iterator[np.ndarray]:
    """Yield the features of lines that are none."""
    for picture in clean(which):
        yield from _no_writing(picture, variants(picture.display))
        yield from _no_writing(picture, rescaled(picture.display))
        yield from _no_writing(picture, patches(picture.display))
    for picture in hard_anatomy(which):
        yield from _no_writing(picture, iter([picture.display]))


def two_valued(which: str) -> Iterator[np.ndarray]:
    """Yield the features of lines in pictures cut at a level: one of thirty, there are too many."""
    lines = (
        line for one in clean(which) for line in _no_writing(one, cut(one.display))
    )
    yield from islice(lines, 0, None, 30)


def mosaics() -> Iterator[np.ndarray]:
    """Yield the features of lines in noise of blocks of two or three pixels."""
    rng = np.random.default_rng(1)
    for _ in range(150):
        noise = (255 * rng.uniform(0.3, 0.7, (37, 53))).astype(np.uint8)
        for size in ((2, 3), (3, 2), (2, 2), (3, 3)):
            display = np.kron(noise, np.ones(size, np.uint8))
            for _, line in _lines(Picture("mosaic", display, (), radiograph=False)):
                yield line


def _no_writing(
    picture: Picture, displays: Iterator[np.ndarray]
) -> Iterator[np.ndarray]:
    for display in displays:
        changed = picture._replace(display=display)
        yield from (line for box, line in _lines(changed) if not marker(box, changed))


def writing(which: str) -> Iterator[np.ndarray]:
    """Yield the features of lines of drawn and of burned-in text."""
    for picture in _written(which):
        yield from (line for _, line in _lines(picture, on_text=True))


def _written(which: str) -> Iterator[Picture]:
    for seed in range(4):
        yield from (_spoilt(picture, seed) for picture in drawn(which, seed))
    for seed in range(20, 23):
        yield from drawn(which, seed, short_string)
    for seed in range(30, 33):
        yield from drawn(which, seed, foreign_word)
    for seed in range(70, 75):
        yield from hard(which, seed)
    yield from burned(which)
    # Twice: they are few beside the others, and the hardest.
    for _ in range(2):
        yield from consoles(which)
        for seed in (9, 10):
            for kind in UNLIKE:
                yield from unlike(which, kind, seed)


def fit(
    lines: np.ndarray, is_text: np.ndarray, *, units: int = 12, steps: int = 12000
) -> list[np.ndarray]:
    """Minimise the cross entropy by Adam; the two classes weigh 1 to 0.3."""
    rng = np.random.default_rng(0)
    mean, spread = lines.mean(axis=0), lines.std(axis=0) + 1e-9
    inputs = (lines - mean) / spread
    weigh = np.where(is_text, 0.3 * (~is_text).sum() / is_text.sum(), 1.0)
    weigh /= weigh.mean()
    values = [
        rng.normal(0, 1.5 / lines.shape[1] ** 0.5, (lines.shape[1], units)),
        np.zeros(units),
    ]
    values += [rng.normal(0, 0.4, units), np.zeros(1)]
    first, second = ([np.zeros_like(value) for value in values] for _ in range(2))
    for step in range(1, steps + 1):
        chosen = rng.integers(0, len(inputs), BATCH)
        slopes = _slopes(values, inputs[chosen], is_text[chosen], weigh[chosen])
        for index, slope in enumerate(slopes):
            first[index] = 0.9 * first[index] + 0.1 * slope
            second[index] = 0.999 * second[index] + 0.001 * slope**2
            size = np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8
            values[index] = values[index] - RATE * first[index] / (1 - 0.9**step) / size
    hidden, bias, output, offset = values
    hidden = hidden / spread[:, None]
    return [hidden, bias - mean @ hidden, output, offset]


def _slopes(
    values: list[np.ndarray], inputs: np.ndarray, is_text: np.ndarray, weigh: np.ndarray
) -> list[np.ndarray]:
    hidden, bias, output, offset = values
    units = np.tanh(inputs @ hidden + bias)
    odds = units @ output + offset
    error = weigh * (1 / (1 + np.exp(-odds)) - is_text) / len(inputs)
    back = np.outer(error, output) * (1 - units**2)
    return [
        inputs.T @ back + DECAY * hidden,
        back.sum(axis=0),
        units.T @ error + DECAY * output,
        error.sum(keepdims=True),
    ]


def _lines(
    picture: Picture, *, on_text: bool = False
) -> Iterator[tuple[Box, np.ndarray]]:
    for level in ink_levels(np.ascontiguousarray(picture.display)):
        for box, line in candidates(level):
            if not on_text or _share_on(picture.truths, box) > 0.75:
                yield box, features(line)


def _share_on(truths: tuple[Truth, ...], box: Box) -> float:
    """Return the share of a box that lies on text, or within 3 px of it."""
    common = 0.0
    for truth in truths:
        top, left, bottom, right = truth.box
        down = min(box.top + box.rows, bottom + 3) - max(box.top, top - 3)
        across = min(box.left + box.columns, right + 3) - max(box.left, left - 3)
        common += max(0.0, down) * max(0.0, across)
    return common / (box.rows * box.columns)


def _spoilt(picture: Picture, seed: int) -> Picture:
    """Compress the pictures of seed 2, shrink those of seed 3."""
    if seed == 2:
        return picture._replace(display=jpeg(picture.display, 80))
    if seed < 3:
        return picture
    image = Image.fromarray(picture.display)
    small = np.asarray(image.resize([round(0.7 * side) for side in image.size]))
    kept = [truth for truth in picture.truths if "8-9 px" not in truth.kinds]
    shrunk = [t._replace(box=t.box._make(0.7 * edge for edge in t.box)) for t in kept]
    return picture._replace(display=small, truths=tuple(shrunk))


if __name__ == "__main__":
    plain, flat, text = (
        np.array(list(lines("tune"))) for lines in (anatomy, two_valued, writing)
    )
    examples = [np.concatenate([plain, flat, np.array(list(mosaics()))]), text]
    print(f"{len(examples[0])} lines of anatomy, {len(examples[1])} of text")
    is_text = np.repeat([False, True], [len(part) for part in examples])
    values = fit(np.concatenate(examples), is_text)
    write("text_classifier", "benchmarks/text_fit.py", NETWORK.features, values)
