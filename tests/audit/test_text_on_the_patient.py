"""Text that lies on the patient: the name is told from the anatomy under it."""

import keras
import numpy as np
import pytest
from marked_pictures import shown
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import saliency as sal
from saliency.interventions.strokes import content

SIZE = (61, 97)
BOX = (slice(20, 40), slice(12, 85))
NAMES = ("NORTH", "SOUTH")


def letters(name):
    """Return how much ink lies on each pixel, 0..1."""
    page = Image.new("L", SIZE[::-1])
    ImageDraw.Draw(page).text(
        (17, 22), name, fill=255, font=ImageFont.load_default(size=15)
    )
    return np.asarray(page, np.float32) / 255


def pictures(count, *, names, body=1, seed=0):
    """Return pictures whose body tells the class; the name does so as far as ``names`` says.

    The body is a smooth bright or dark patch right under the name.
    """
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    down, across = np.mgrid[: SIZE[0], : SIZE[1]]
    patch = np.exp(-((down - 30) ** 2 / 150 + (across - 48) ** 2 / 900))
    mask = np.zeros(SIZE, bool)
    mask[BOX] = True
    images = []
    for label in labels:
        name = label if generator.random() < names else generator.integers(2)
        pixels = (
            generator.uniform(0.3, 0.4, SIZE) + 0.2 * body * (2 * label - 1) * patch
        )
        ink = letters(NAMES[name])
        images.append(shown(pixels * (1 - ink) + ink).with_zone("text", mask))
    return images, labels.tolist()


def model(*, name=0.0, body=0.0):
    """Return a classifier that weighs the letters of the two names, or the body between them."""
    free = (letters(NAMES[0]) == 0) & (letters(NAMES[1]) == 0)
    inside = np.zeros(SIZE, bool)
    inside[BOX] = True
    unlike = letters(NAMES[1]) - letters(NAMES[0])
    weights = (
        name * unlike / np.abs(unlike).sum()
        + body * (free & inside) / (free & inside).sum()
    )
    dense = keras.layers.Dense(2, activation="softmax")
    inputs = keras.Input((*SIZE, 1))
    found = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    kernel = np.stack([np.zeros(weights.size), weights.ravel()], axis=1)
    dense.set_weights([kernel, np.array([0, -0.35 * body])])
    return found


@pytest.mark.parametrize("names", [1, 0], ids=["names tell", "names do not"])
def test_a_model_of_the_body_is_not_accused_of_the_text_on_it(names):
    """The box of the text holds all that the model looks at, but the letters do not matter."""
    images, labels = pictures(16, names=names)
    verdict = sal.audit(model(body=40), images, labels=labels).verdicts["text"]

    assert verdict.finding == "no evidence"
    assert verdict.effect < 0.1


def test_a_reader_of_a_name_on_the_body_is_told():
    """The letters decide, whatever lies under them."""
    images, labels = pictures(16, names=1)
    verdict = sal.audit(model(name=40), images, labels=labels).verdicts["text"]

    assert verdict.finding == "reads"
    assert verdict.effect > 0.6


def test_strokes_are_the_letters_and_their_edges():
    """All of the ink, and no pixel further than the smallest step from it."""
    display = pictures(1, names=1)[0][0].display
    mask = np.zeros(SIZE, bool)
    mask[BOX] = True
    found = content("text", display, mask).mask
    ink = letters(NAMES[0])
    near = (
        np.asarray(
            Image.fromarray((ink > 0).astype(np.uint8)).filter(ImageFilter.MaxFilter(5))
        )
        > 0
    )

    assert found[ink > 0.6].all()
    assert not (found & ~near).any()


def test_a_zone_without_strokes_is_taken_whole():
    """A box of one grey, and zones of another name, are exchanged as they are."""
    mask = np.zeros(SIZE, bool)
    mask[BOX] = True
    flat = np.full(SIZE, 90, np.uint8)
    written_on = pictures(1, names=1)[0][0].display

    assert (content("text", flat, mask).mask == mask).all()
    assert (content("border", written_on, mask).mask == mask).all()
    assert (
        content("text", ~written_on, mask).mask.sum()
        == content("text", written_on, mask).mask.sum()
    )
