"""Patients are the witnesses of an evaluation: by groups, by headers, by equal pixels."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from dicom.build import dataset

import saliency as sal
from saliency.errors import InputError
from saliency.evaluation import (
    cascade,
    deletion,
    infidelity,
    insertion,
    irof,
    max_sensitivity,
    mufidelity,
    randomisation,
    road,
    sensitivity_n,
)

SIZE = 8
BRIGHT = sal.ClosedFormProbe(lambda x: 1 + tf.reduce_mean(x, (1, 2, 3)), tf.ones_like)


def pixels(count):
    return np.random.default_rng(0).integers(0, 4096, (count, SIZE, SIZE), np.uint16)


def files(*patients):
    """Return a data set of its own pixels and study for each Patient ID."""
    return [
        dataset(image, PatientID=patient, StudyInstanceUID=f"1.2.{number}")
        for number, (image, patient) in enumerate(
            zip(pixels(len(patients)), patients, strict=True)
        )
    ]


def facts(images, **more):
    return sal.evaluate(BRIGHT, images, "edges", metrics="sparseness", **more).facts


def test_the_header_tells_patients():
    """Six images of two patients are two witnesses; whoever knows better says so."""
    given = files(*"AABBBB")
    told = facts(given)
    assert (told["images"], told["patients"], told["patients_by"]) == (
        6,
        2,
        "Patient ID",
    )
    assert facts(given, groups=range(6))["patients"] == 6
    assert facts(given, groups=[1, 1, 1, 2, 2, 3])["patients"] == 3


def test_an_id_of_all_files_is_doubted(tmp_path):
    """An anonymiser may have written it: studies count, and the page says so."""
    report = sal.evaluate(BRIGHT, files(*"XXX"), "edges", metrics="sparseness")
    assert report.facts["patients"] == 3
    assert "anonymiser" in report.save(tmp_path / "trust").read_text()


def test_copies_of_an_image_are_one_witness():
    image = sal.DicomImage.from_array(pixels(1)[0].astype(np.float32))
    others = [
        sal.DicomImage.from_array(each.astype(np.float32)) for each in pixels(3)[1:]
    ]
    assert facts([image, *others, image, image])["patients"] == 3


def test_one_patient_is_said_in_the_singular():
    report = sal.evaluate(BRIGHT, files(*"AA"), "edges", groups=[1, 1])
    assert "2 images of 1 patient:" in report.verdict


def test_images_without_a_value_are_no_witnesses():
    """Two of five have no truth: what ranks was seen on three, of two patients."""
    given = [sal.DicomImage.from_array(each.astype(np.float32)) for each in pixels(5)]
    inside = np.eye(SIZE, dtype=bool)
    truth = [inside, None, inside, inside, inside & False]
    report = sal.evaluate(BRIGHT, given, "edges", truth=truth, groups=list("aabbc"))
    assert "on 3 of 5 images of 2 patients: edges leads, and knows nothing" in (
        report.verdict
    )
    (trust,) = report.trust.recipes.values()
    assert (trust.images, trust.patients) == (3, 2)


def test_curves_that_were_asked_about_some_images_say_so():
    """Of 60 images with 40 explainers 2,000 passes pay for a few."""
    probe = sal.ClosedFormProbe(lambda x: tf.reduce_mean(x, (1, 2, 3)), tf.ones_like)
    given = [sal.DicomImage.from_array(each.astype(np.float32)) for each in pixels(60)]
    recipes = [sal.RandomMap(seed) for seed in range(40)]
    report = sal.evaluate(probe, given, recipes, metrics=("exchange",))
    assert report.facts["ranked_images"] == report.facts["curve_images"] < 60
    assert f"on {report.facts['curve_images']} of 60 images:" in report.verdict


def test_volumes_are_refused():
    image = keras.Input((4, SIZE, SIZE, 1))
    pooled = keras.layers.GlobalAveragePooling3D()(image)
    model = keras.Model(image, keras.layers.Dense(1)(pooled))
    with pytest.raises(InputError, match="volumes cannot be evaluated yet"):
        sal.evaluate(model, files(*"AB"), "edges")


def test_rows_of_other_inputs_belong_to_the_images():
    """A row more, and every image has that of its neighbour."""
    image, age = keras.Input((SIZE, SIZE, 1), name="image"), keras.Input((1,))
    both = keras.layers.Concatenate()([keras.layers.Flatten()(image), age])
    model = keras.Model([image, age], keras.layers.Dense(1)(both))
    held = {age.name: np.zeros((3, 1), np.float32)}
    probe = sal.KerasProbe(model, input="image", held=held)
    with pytest.raises(InputError, match="one for each of 2 images"):
        sal.evaluate(probe, files(*"AB"), "edges")


INPUTS = np.random.default_rng(1).random((1, SIZE, SIZE, 1), np.float32)
ASKED = (BRIGHT, INPUTS, INPUTS)


@pytest.mark.parametrize(
    "call",
    [
        lambda: facts(files("A"), seed=-1),
        lambda: facts(files("A"), seed=1.5),
        lambda: facts(files("A"), seed="0"),
        lambda: infidelity(*ASKED, seed=-1),
        lambda: infidelity(*ASKED, samples=2.5),
        lambda: sensitivity_n(*ASKED, seed=-1),
        lambda: mufidelity(*ASKED, samples=2.5),
        lambda: mufidelity(*ASKED, grid=1.5),
        lambda: max_sensitivity(BRIGHT, INPUTS, "edges", seed=-1),
        lambda: max_sensitivity(BRIGHT, INPUTS, "edges", samples=2.5),
        lambda: deletion(*ASKED, steps=1.5),
        lambda: insertion(*ASKED, steps=True),
        lambda: irof(*ASKED, grid=2.5),
        lambda: road(*ASKED, seed=-1),
        lambda: cascade(BRIGHT, INPUTS, "edges", stages=1.5),
        lambda: randomisation(BRIGHT, INPUTS, "edges", seeds=(0, -1)),
    ],
)
def test_counts_and_seeds_are_whole_numbers(call):
    with pytest.raises(InputError, match=r"to be a whole number of [0-2] or more"):
        call()
