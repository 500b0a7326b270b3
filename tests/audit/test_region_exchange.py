"""Regions of one image that carry its decision: closed forms, and models that read nothing."""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from marked_pictures import CENTRE, pictures, reader, shown
from small_probes import FunctionProbe

from saliency.audit import regions
from saliency.errors import InputError
from saliency.statistics.discoveries import discovered

SIZE = (24, 24)
LESION = (slice(8, 16), slice(8, 16))
"""The middle one of nine cells."""


def images(count, seed=0, low=0.45, high=0.55):
    """Return pictures of faint noise."""
    generator = np.random.default_rng(seed)
    return [shown(generator.uniform(low, high, SIZE)) for _ in range(count)]


def with_lesion(seed=99):
    """Return one with a bright square that fills the middle cell."""
    pixels = np.random.default_rng(seed).uniform(0.45, 0.55, SIZE)
    pixels[LESION] += 0.4
    return shown(pixels)


def middle(inputs):
    """Score the mean of the middle cell's core, which no other region of the lesion touches."""
    return 10 * tf.reduce_mean(inputs[:, 10:14, 10:14], [1, 2, 3])


def test_the_region_that_is_read_is_found_and_no_other():
    """The effect is the weight times the change of the mean, and the mask lies on the lesion."""
    image, references = with_lesion(), images(22)
    result = regions(FunctionProbe(middle), image, references, regions=9)
    core = np.zeros(SIZE, bool)
    core[10:14, 10:14] = True
    change = (image.display[core].mean() - 0.5 * 255) / 255

    assert result.found.sum() == 1
    assert result.mask.values[core].all()
    assert result.mask.values.sum() == pytest.approx(64, abs=16)
    assert np.abs(result.effects[result.found] - 10 * change) < 0.15
    assert np.allclose(result.p_values[result.found], 1 / (1 + 9 * 20))
    assert "1 of 9 found" in repr(result)


BACKGROUND = np.random.default_rng(7).uniform(0, 1, (40, 6, 7))
"""Coarse structure of each picture, that no two share."""


def tissue(number, lesion=None):
    """Return coarse structure, smooth, and a bright spot around ``lesion``."""
    coarse = BACKGROUND[number]
    pixels = np.asarray(tf.image.resize(coarse[..., np.newaxis], (40, 48), "bicubic"))
    pixels = 0.2 + 0.3 * pixels[..., 0]
    if lesion is not None:
        down, across = np.mgrid[:40, :48]
        squares = (down - lesion[0]) ** 2 + (across - lesion[1]) ** 2
        pixels = pixels + 0.4 * np.exp(-squares / (2 * 3.0**2))
    return shown(pixels.clip(0, 1))


def brightest_spot(inputs):
    """Score the greatest mean of 7 x 7 beyond that of 15 x 15, wherever: as a max pool does."""
    near = tf.nn.avg_pool2d(inputs, 7, 1, "SAME")
    beyond = near - tf.nn.avg_pool2d(inputs, 15, 1, "SAME")
    return 20 * tf.reduce_max(beyond, [1, 2, 3])


@pytest.mark.parametrize("place", [(20, 24), (17, 28)])
def test_a_lesion_that_the_cut_divides_is_found(place):
    """A model that looks for a spot anywhere answers to seams and tissue: the spot is found.

    At (23, 20) it is not, and the sentence says how great it would have to be.
    """
    references = [tissue(number) for number in range(1, 23)]
    result = regions(
        FunctionProbe(brightest_spot), tissue(0, place), references, regions=16
    )
    rows, columns = (slice(middle - 6, middle + 7) for middle in place)
    inside = np.zeros((40, 48), bool)
    inside[rows, columns] = True

    assert result.found.any()
    assert set(result.labels[result.mask.values]) <= set(result.labels[inside])
    assert (result.effects[result.found] > result.least).all()


def test_without_a_lesion_the_sentence_says_what_would_be_found():
    """Nothing is found, and the least effect stands beside the distance of the scores."""
    references = [tissue(number) for number in range(1, 23)]
    result = regions(FunctionProbe(brightest_spot), tissue(0), references, regions=16)

    assert result.sentence.startswith("None of ")
    assert f"from an effect of {result.least:.2g} on" in result.sentence
    assert np.isfinite(result.least)


def test_what_was_found_is_outlined():
    """Outlines lie on the region alone, the rest of the display is untouched, and it is grey."""
    image = with_lesion()
    result = regions(FunctionProbe(middle), image, images(22), regions=9)
    drawn = (result.overlay().rgb != image.display[..., np.newaxis]).any(axis=2)

    assert drawn.any()
    assert not (drawn & ~result.mask.values).any()


def test_the_answer_travels():
    """It is the same after a journey to another process, and still cannot be changed."""
    result = regions(FunctionProbe(middle), with_lesion(), images(22), regions=9)
    copy = pickle.loads(pickle.dumps(result))  # noqa: S301

    assert (copy.effects == result.effects).all()
    assert not copy.p_values.flags.writeable


def test_an_effect_has_a_sign():
    """A model that counts against a bright middle: the same region, below zero."""
    probe = FunctionProbe(lambda inputs: -middle(inputs))
    result = regions(probe, with_lesion(), images(22), regions=9)

    assert (result.effects[result.found] < -3).all()
    assert result.found.any()


def test_a_constant_model_has_no_regions():
    """Nothing moves the score: every p-value is 1, whatever the image shows."""
    probe = FunctionProbe(lambda inputs: tf.ones(inputs.shape[0]))
    result = regions(probe, with_lesion(), images(22), regions=9)

    assert (result.p_values == 1).all()
    assert not result.effects.any()
    assert not result.found.any()


@pytest.mark.parametrize("kind", ["noise", "weights"])
def test_an_image_like_its_references_has_few_regions(kind):
    """Scores of chance, and random weights on random images: at 20 %, found in 20 % of draws.

    Of 40 draws more than 15 have a probability of 0.3 %.
    """
    generator = np.random.default_rng(3)
    false = 0
    for draw in range(40):
        weights = generator.normal(size=(*SIZE, 1)).astype(np.float32)

        def score(inputs, weights=weights):
            if kind == "noise":
                return tf.constant(generator.normal(size=inputs.shape[0]), tf.float32)
            return tf.reduce_sum(inputs * weights, [1, 2, 3])

        image, *references = images(8, seed=100 + draw, low=0.0, high=1.0)
        result = regions(FunctionProbe(score), image, references, regions=4, rate=0.2)
        false += result.found.any()

    assert false <= 15


@pytest.mark.parametrize("draw", [0, 4, 27, 31])
def test_what_a_reference_shows_as_well_is_not_found(draw):
    """Answers of chance in which some regions pass their rate, but a reference's do so as well."""
    generator = np.random.default_rng(1000 + draw)

    def chance(inputs):
        return tf.constant(generator.normal(size=inputs.shape[0]), tf.float32)

    image, *references = images(8, seed=100 + draw, low=0.0, high=1.0)
    result = regions(FunctionProbe(chance), image, references, regions=9, rate=0.2)

    assert discovered(result.p_values, 0.2).any()
    assert not result.found.any()


def test_the_model_is_asked_as_often_as_the_docstring_says():
    """Regions times 4 times references less 1, and each image as it is; 32 at a time."""
    probe = FunctionProbe(middle)
    result = regions(probe, with_lesion(), images(23), regions=9)
    batches = [count for _, count in probe.calls]

    assert sum(batches) == len(result.effects) * 4 * (23 - 1) + 24
    assert max(batches) <= 32


def test_a_classifier_is_asked_about_references_of_another_decision():
    """Of 50 pictures of both kinds, those that are decided like the image are left out."""
    found, labels = pictures(50, zone=False)
    image = found[labels.index(1)]
    result = regions(reader(0, 40), image, found, regions=16)
    inside = np.zeros(image.size, bool)
    inside[CENTRE] = True

    assert result.found.any()
    assert (result.effects[result.found] > 0).all()
    assert result.labels.shape == image.size
    # Superpixels of noise are larger than the box, and cross its rim.
    mask = result.mask.values
    assert mask[inside].mean() > 3 * mask[~inside].mean()


def test_a_regression_is_asked_about_all_references():
    """A Keras model with one linear output decides nothing: no reference is left out for it."""
    inputs = keras.Input((*SIZE, 1))
    middle_of = keras.layers.Cropping2D(10)(inputs)
    score = keras.layers.GlobalAveragePooling2D()(middle_of)
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(score))
    result = regions(model, with_lesion(), images(22), regions=9)

    assert result.found.sum() == 1
    assert result.effects[result.found].item() > 0


def test_the_same_seed_gives_the_same_answer():
    """Hosts are drawn by the seed."""
    first, second = (
        regions(FunctionProbe(middle), with_lesion(), images(30), regions=9, seed=4)
        for _ in "12"
    )

    assert (first.effects == second.effects).all()
    assert (first.p_values == second.p_values).all()


@pytest.mark.parametrize(
    ("case", "match"),
    [
        ({"references": images(21)}, "22 references or more, got 21"),
        ({"references": [shown(np.ones((24, 25)) / 2)] * 22}, "reference 1 has"),
        ({"regions": 3}, "4 regions or more"),
        ({"rate": 0.0}, "a rate between 0 and 1"),
        ({"rate": 0.01}, "102 references or more, got 22"),
    ],
)
def test_what_cannot_be_asked_is_refused(case, match):
    """Too few references for the rate, other sizes, arguments out of range."""
    asked = {"references": images(22), **case}
    probe = FunctionProbe(middle)

    with pytest.raises(InputError, match=match):
        regions(probe, with_lesion(), asked.pop("references"), **asked)
    assert not probe.calls


def test_references_that_decide_alike_are_refused():
    """All pictures have one class: nothing to set the image against."""
    found, labels = pictures(50, zone=False)
    alike = [image for image, label in zip(found, labels, strict=True) if label]

    with pytest.raises(InputError, match="that the model decides otherwise"):
        regions(reader(0, 40), alike[0], alike)
