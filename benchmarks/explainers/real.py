"""The candidates on real images, where people drew boxes or burned a name in (SALIENCY_SHARED).

``python benchmarks/explainers/real.py [--count N] [--explainers NAMES] [SET ...]`` prints, for each
set, energy inside the truth and hits of each explainer, and paired differences against the three
that a new default would have to beat. Boxes say where an object is, not what the network looked at.
Whether it looks there is asked first: how much more of the score is lost when other images' pixels
lie in the box than when they lie elsewhere.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import tensorflow as tf
from candidates import CANDIDATES
from measure import recipe_of
from PIL import Image

import saliency as sal
from saliency.evaluation import energy_inside, pointing_game
from saliency.evaluation.measuring import Batch, maps
from saliency.statistics.significance import bootstrap

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SALIENCY_SHARED", ROOT.parent / "shared"))
BEATEN = ("gradient", "lrp", "fastcam")
"""What a new default has to beat."""
ASKED = (*BEATEN, "gradcam", "random", "centre", "edges", *CANDIDATES)
COUNT = 32
DONORS = 6
"""Images that lend their pixels."""


@dataclass(frozen=True)
class Sample:
    """Inputs float32 (N, H, W, C), truths bool (N, H, W), and what is asked of which model."""

    probe: object
    inputs: np.ndarray
    truths: np.ndarray


def kangaroos(count: int) -> Sample:
    """Return photographs of kangaroos, boxes, and a small MobileNet asked for wallabies."""
    folder = SHARED / "images/kangaroo"
    told = json.loads((folder / "boxes.json").read_text())
    model = SHARED / "models/mobilenet_v1_025_imagenet/mobilenet_v1_025_imagenet.keras"
    probe, target = sal.KerasProbe(model), told["class_index_1001"]
    inputs, truths = [], []
    for each in told["images"]:
        pixels = Image.open(folder / each["file"]).convert("RGB").resize((128, 128))
        array = np.asarray(pixels, np.float32) / 127.5 - 1
        boxes = np.array(each["boxes_xyxy_224"]) * 128 / 224
        truth = _inside((128, 128), boxes)
        if 0 < truth.mean() < 0.5:
            inputs.append(array)
            truths.append(truth)
        if len(inputs) == count:
            break
    return Sample(probe.at(target), np.stack(inputs), np.stack(truths))


def chests(count: int) -> Sample:
    """Return chest X-rays with boxes of opacities (NIH, RSNA), and a network of pneumonia."""
    probe = sal.KerasProbe(SHARED / "models/tm_cxr_a11pha/tm_cxr_a11pha.keras")
    prepare = sal.Prepare((224, 224), channels=3, scale="symmetric")
    inputs, truths = [], []
    for path, boxes in [*_boxed("images/nih_boxes"), *_boxed("images/rsna_dicom")]:
        image = sal.read_dicom(path)
        rows, columns = image.size
        factors = np.array([224 / columns, 224 / rows] * 2)
        inputs.append(prepare(image).array[0])
        truths.append(_inside((224, 224), boxes * factors))
    pneumonia = 2
    some = slice(count)
    return Sample(probe.at(pneumonia), np.stack(inputs)[some], np.stack(truths)[some])


def names(count: int) -> Sample:
    """Return chest X-rays with a hospital's name, and the network that reads it."""
    folder = SHARED / "models/shortcut"
    told = json.loads((folder / "annotations.json").read_text())["images"]
    texts = {each["id"]: each["poisoned"] for each in told}
    probe = sal.KerasProbe(folder / "models/poisoned.keras")
    inputs, truths = [], []
    for path in sorted((folder / "dicom/test_poisoned").glob("*.dcm"))[:count]:
        image = sal.read_dicom(path)
        inputs.append(np.asarray(image.stored, np.float32)[..., np.newaxis] / 4095)
        truths.append(_name_box(texts[path.stem], image.size))
    return Sample(probe.at(None), np.stack(inputs), np.stack(truths))


SETS: Mapping[str, Callable[[int], Sample]] = {
    "kangaroos": kangaroos,
    "chests": chests,
    "names": names,
}


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--explainers", default=",".join(ASKED))
    options = parser.parse_args()
    for name in options.sets:
        sample = SETS[name](options.count)
        print(f"### {name}: {len(sample.inputs)} images\n")
        lost = _lost_inside(sample)
        low, high = bootstrap(lost, np.random.default_rng(0))
        print(f"Lost by the box, more than elsewhere: {lost.mean():+.2f}", end=" ")
        print(f"({low:+.2f} to {high:+.2f}), logits; {(lost > 0).mean():.0%} above 0\n")
        asked = options.explainers.split(",")
        print(_table({each: _figures(sample, each) for each in asked}), flush=True)


def _lost_inside(sample: Sample) -> np.ndarray:
    """Return what the truth's exchange costs an image more than that of another place, (N,).

    The other place is the truth moved by half the image along both sides, so of equal area; what
    both share is left out. Pixels come from the same place of the next images.
    """
    inputs, truths = sample.inputs, sample.truths
    probe = sample.probe.settled(tf.constant(inputs))
    moved = np.roll(truths, [side // 2 for side in truths.shape[1:]], axis=(1, 2))
    scores = []
    for mask in (truths & ~moved, moved & ~truths):
        for step in range(1, DONORS + 1):
            other = np.roll(inputs, step, axis=0)
            changed = np.where(mask[..., np.newaxis], other, inputs)
            scores.append(np.asarray(probe.score(tf.constant(changed))))
    inside, elsewhere = np.reshape(scores, (2, DONORS, len(inputs))).mean(axis=1)
    return elsewhere - inside


def _figures(sample: Sample, name: str) -> np.ndarray:
    """Return energy inside and hit of each image, float (2, N)."""
    recipe, found = recipe_of(name), []
    for start in range(0, len(sample.inputs), 8):
        inputs = tf.constant(sample.inputs[start : start + 8])
        probe = sample.probe.settled(inputs)
        found.append(maps(Batch((), probe, inputs), recipe))
    pairs = list(zip(np.concatenate(found), sample.truths, strict=True))
    return np.array(
        [[metric(*pair) for pair in pairs] for metric in (energy_inside, pointing_game)]
    )


def _table(figures: Mapping[str, np.ndarray]) -> str:
    heads = [f"energy less {each}" for each in BEATEN]
    lines = [f"| explainer | energy | hit | {' | '.join(heads)} |", "|---" * 6 + "|"]
    for name in sorted(figures, key=lambda each: -np.nanmean(figures[each][0])):
        energy, hit = np.nanmean(figures[name], axis=1)
        apart = [_apart(figures[name][0], figures[each][0]) for each in BEATEN]
        cells = (f"`{name}`", f"{energy:.2f}", f"{hit:.2f}", *apart)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _apart(one: np.ndarray, other: np.ndarray) -> str:
    differences = one - other
    known = differences[np.isfinite(differences)]
    low, high = bootstrap(known, np.random.default_rng(0))
    return f"{known.mean():+.2f} ({low:+.2f} to {high:+.2f})"


def _inside(size: tuple[int, int], boxes: np.ndarray) -> np.ndarray:
    """Return bool of a size: pixels in boxes (x, y, x, y)."""
    inside = np.zeros(size, bool)
    for left, top, right, bottom in np.round(boxes).astype(int):
        inside[max(top, 0) : bottom, max(left, 0) : right] = True
    return inside


def _boxed(place: str) -> Iterator[tuple[Path, np.ndarray]]:
    folder = SHARED / place
    for each in json.loads((folder / "boxes.json").read_text()):
        found = np.array([box["bbox_xywh"] for box in each["boxes"]], float)
        if len(found):
            found[:, 2:] += found[:, :2]
            yield folder / each["file"], found


def _name_box(texts: list, size: tuple[int, int]) -> np.ndarray:
    boxes = [text["box"] for text in texts if text["kind"] == "class"]
    found = np.array(boxes, float).reshape(-1, 4)
    found[:, 2:] += found[:, :2]
    return _inside(size, found)


if __name__ == "__main__":
    main()
