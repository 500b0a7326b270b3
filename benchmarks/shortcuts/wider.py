"""Marks that no search names, whole-picture shortcuts, many architectures: who is found out.

``python benchmarks/shortcuts/wider.py [--only NAME ...] [--clean N] [--seeds N] [--images N]``
trains small models on real tissue with a drawn lesion, a line for each: the true reliance (every
mark is exchanged exactly), what the audit tells of the grid, of patterns and of bands, and its
verdict. Clean models see marks that have nothing to do with the label; untrained ones and models of
shuffled labels are audited on marks that do. None of the three may be accused.
"""

import argparse
import io
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np
from numpy.typing import NDArray
from pictures import Frame, tissue, tissue_with_lesion
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import saliency as sal

Array = NDArray[np.generic]
Mark = Callable[[Array, int, np.random.Generator], Array]
SIZE = 96, 128
FRAME = Frame(SIZE, (34, 30), (68, 98), 5.0)
TRAINED, EPOCHS = 384, 10
READ, WEAK = 0.3, 0.1


@dataclass(frozen=True)
class Task:
    """Marks that go with the label this often, on so many images of one seed."""

    mark: str
    agreement: float
    seed: int


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
        image = tissue_with_lesion(sources, FRAME, 0.35 * label, generator)
        of_mark = np.random.default_rng((task.seed, number))
        one = paint(image, int(marks[number] ^ swapped), of_mark)
        images.append(np.rint(255 * np.clip(one, 0, 1)).astype(np.uint8))
    return np.stack(images), labels, marks


def _stem(filters: int, **options: object) -> list[keras.layers.Layer]:
    conv = keras.layers.Conv2D
    return [
        conv(filters, 5, strides=2, activation="relu", **options),
        conv(2 * filters, 3, strides=2, activation="relu", **options),
        conv(2 * filters, 3, strides=2, activation="relu", **options),
    ]


def network(kind: str) -> keras.Model:
    """Return an untrained classifier of one of :data:`NETWORKS`."""
    inputs = keras.Input((*SIZE, 1))
    hidden = _pooled(kind, _features(kind, inputs))
    return keras.Model(
        inputs, keras.layers.Dense(2, activation="softmax")(hidden), name=kind
    )


def _features(kind: str, inputs: object) -> object:
    """Return a map of features."""
    layers, hidden = keras.layers, inputs
    if kind == "separable":
        hidden = layers.Conv2D(12, 5, strides=2, activation="relu")(hidden)
        for filters in (24, 32):
            hidden = layers.SeparableConv2D(filters, 3, strides=2, activation="relu")(
                hidden
            )
    elif kind == "patches":
        hidden = layers.Conv2D(24, 8, strides=8, activation="relu")(hidden)
        hidden = layers.Reshape((-1, 24))(hidden)
        hidden = layers.MultiHeadAttention(2, 12)(hidden, hidden) + hidden
        hidden = layers.Reshape((SIZE[0] // 8, SIZE[1] // 8, 24))(hidden)
        hidden = layers.Conv2D(32, 1, activation="relu")(hidden)
    else:
        for layer in _stem(12):
            hidden = layer(hidden)
    if kind == "residual":
        inner = layers.Conv2D(24, 3, padding="same", activation="relu")(hidden)
        hidden = layers.BatchNormalization()(hidden + inner)
    return hidden


def _pooled(kind: str, hidden: object) -> object:
    """Return a row of features."""
    layers = keras.layers
    if kind == "flat":
        flat = layers.Flatten()(layers.MaxPooling2D(2)(hidden))
        return layers.Dense(24, activation="relu")(flat)
    if kind in ("mean", "residual"):
        return layers.GlobalAveragePooling2D()(hidden)
    return layers.GlobalMaxPooling2D()(hidden)


NETWORKS = ("max", "mean", "flat", "residual", "separable", "patches")


def fitted(kind: str, task: Task, *, shuffled: bool = False) -> keras.Model:
    """Train a model of the task; of labels in no order where ``shuffled``."""
    keras.utils.set_random_seed(task.seed)
    model = network(kind)
    images, labels, _ = drawn(task, TRAINED)
    wanted = (
        np.random.default_rng(task.seed).permutation(labels) if shuffled else labels
    )
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(_inputs(images), wanted, batch_size=32, epochs=EPOCHS, verbose=0)
    return model


def reliance(model: keras.Model, task: Task) -> tuple[float, float]:
    """Return the mean move of the lead when every mark is exchanged, over the swing; accuracy."""
    before, labels, marks = drawn(task, 160)
    after, _, _ = drawn(task, 160, swapped=True)
    first, second = (_lead(model, images) for images in (before, after))
    moved = np.where(marks == 1, first - second, second - first).mean()
    accuracy = float(((first > 0) == labels).mean())
    return abs(float(moved)) / max(2 * np.abs(first).mean(), 1e-9), accuracy


def _lead(model: keras.Model, images: Array) -> Array:
    probability = np.clip(model.predict_on_batch(_inputs(images)), 1e-12, 1)
    return np.asarray(np.log(probability[:, 1]) - np.log(probability[:, 0]))


def _inputs(images: Array) -> Array:
    return images[..., np.newaxis].astype(np.float32) / 255


def row(kind: str, task: Task, model: keras.Model, count: int) -> tuple[float, bool]:
    """Audit, print a line; return the truth and whether the model was accused."""
    truth, accuracy = reliance(model, task)
    images, labels, _ = drawn(Task(task.mark, task.agreement, task.seed + 2000), count)
    shown = [
        sal.DicomImage(one.astype(np.float32), one, modality="DX") for one in images
    ]
    started = time.process_time()
    report = sal.audit(model, shown, labels=labels)
    spent = time.process_time() - started
    accused = {
        name: verdict
        for name, verdict in (*report.verdicts.items(), ("brightness", report.tone))
        if verdict.finding != "no evidence"
    }
    said = "; ".join(
        f"{name} {verdict.finding} {verdict.effect:.2f}"
        for name, verdict in accused.items()
    )
    effects = "  ".join(
        f"{report.verdicts[name].effect:4.2f}" for name in ("grid", "pattern", "band")
    )
    print(
        f"{kind:<10}{task.mark:<18}{task.agreement:>4.1f}{accuracy:>6.2f}{truth:>6.2f}   "
        f"{effects}  {said or 'no evidence'}  ({spent:.0f} s)",
        flush=True,
    )
    return truth, bool(accused)


def main() -> None:
    """Print a line for each model, then how often the audit was right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", metavar="MARK", help="marks to draw")
    parser.add_argument("--seeds", type=int, default=1, help="models of each mark")
    parser.add_argument(
        "--clean", type=int, default=6, help="models that must not be accused"
    )
    parser.add_argument("--images", type=int, default=48, help="audited of each model")
    options = parser.parse_args()
    tally: Counter[str] = Counter()
    marks = [mark for mark in MARKS if options.only is None or mark in options.only]
    print(
        "network   mark              agree   acc truth   grid  pattern  band  verdict"
    )
    for seed in range(options.seeds):
        for number, mark in enumerate(marks):
            kind = NETWORKS[(number + seed) % len(NETWORKS)]
            task = Task(mark, 0.95, 100 + seed)
            truth, accused = row(kind, task, fitted(kind, task), options.images)
            tally[outcome(truth, accused=accused)] += 1
    for number in range(options.clean):
        # Steps without a common divisor: every network meets every mark and state in time.
        kind = NETWORKS[(number + number // 3) % len(NETWORKS)]
        mark = list(MARKS)[5 * number % len(MARKS)]
        state = ("clean", "shuffled", "untrained")[number % 3]
        task = Task(mark, 0.5 if state == "clean" else 0.95, 500 + number)
        model = (
            network(kind)
            if state == "untrained"
            else fitted(kind, task, shuffled=state == "shuffled")
        )
        truth, accused = row(f"{kind}", task, model, options.images)
        if state == "clean" and truth >= WEAK:
            tally["clean by name, not by truth"] += 1
        else:
            tally[f"{state}, accused" if accused else f"{state}, silent"] += 1
    print(dict(tally))


def outcome(truth: float, *, accused: bool) -> str:
    """Say what an answer was; weak shortcuts count for nobody."""
    if WEAK <= truth < READ:
        return "weak"
    if truth >= READ:
        return "found" if accused else "missed"
    return "false alarm" if accused else "rightly silent"


if __name__ == "__main__":
    main()
