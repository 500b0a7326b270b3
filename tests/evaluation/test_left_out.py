"""Explainers that cannot explain a model, or some of its images, and questions of all kinds."""

import json
import pickle
from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import saliency as sal
from saliency.errors import ExplainerError, InputError, NotFiniteError
from saliency.evaluation import deletion
from saliency.evaluation.cases import read, with_donors

SIZE, COUNT = 12, 6
SQUARE = np.zeros((SIZE, SIZE), bool)
SQUARE[3:8, 4:9] = True
BRIGHT = sal.ClosedFormProbe(lambda x: 1 + tf.reduce_mean(x, (1, 2, 3)), tf.ones_like)


def images(count=COUNT):
    pixels = np.random.default_rng(0).uniform(0, 255, (count, SIZE, SIZE))
    window = sal.Window(127.5, 255)
    made = sal.DicomImage.from_array
    return [made(each.astype(np.float32), window=window) for each in pixels]


def of_pixels(outputs, *others):
    """Return a network of the pixels and other numbers, with no layer that can be tapped."""
    image = keras.Input((SIZE, SIZE, 1), name="image")
    parts = [keras.layers.Flatten()(image), *others]
    joined = keras.layers.Concatenate()(parts) if others else parts[0]
    return keras.Model([image, *others], keras.layers.Dense(outputs)(joined))


@pytest.fixture(scope="module")
def dense():
    model = of_pixels(1)
    model.set_weights([8.0 * SQUARE.reshape(-1, 1) / SQUARE.sum(), np.array([-4.0])])
    return model


@pytest.fixture(scope="module")
def report(dense):
    return sal.evaluate(dense, images(), truth=[SQUARE] * COUNT, metrics="auprc")


def test_what_refuses_the_model_is_left_out(report, tmp_path):
    """Page, record, sentence, and a pickle of it say which, and why in one sentence."""
    assert set(report.left_out) == {"fastcam", "gradcam"}
    assert set(report.explainers) == {"gradient", "gradient_times_input", "lrp"}
    assert "cannot explain this model: fastcam, gradcam." in report.verdict
    reason = report.left_out["gradcam"]
    assert reason.endswith("has no convolution whose end could be tapped.")
    page = report.save(tmp_path / "trust").read_text()
    assert "gradcam was not measured" in page
    assert "has no convolution whose end could be tapped" in page
    told = json.loads((tmp_path / "trust/report.json").read_text())
    assert told["left_out"] == dict(report.left_out)
    again = pickle.loads(pickle.dumps(report))  # noqa: S301 - our own
    assert again.left_out == report.left_out


def test_the_logger_says_so(dense, caplog):
    sal.evaluate(dense, images(2))
    assert "gradcam is left out: The model" in caplog.text


def test_who_is_left_out_is_no_rival(report):
    """Nobody can be shown to be better than what has no values."""
    assert report.decision.rival in {*report.explainers, "random", "centre", "edges"}


def test_a_map_says_why_it_has_no_trust(dense, report, tmp_path):
    """Of the report, and of its file."""
    report.save(tmp_path / "trust")
    for trust in (report, tmp_path / "trust"):
        with pytest.raises(InputError, match=r"GradCAM.* was not measured for this"):
            sal.explain(dense, images()[0], "gradcam", trust=trust)


@pytest.mark.parametrize("asked", ["gradcam", ("gradient", "gradcam")])
def test_what_was_asked_for_by_name_is_an_error(dense, asked):
    with pytest.raises(ExplainerError, match="gradcam cannot explain this model"):
        sal.evaluate(dense, images(2), asked)


@dataclass(frozen=True)
class OfSome:
    """The square, of images that are brighter than a level on average; else ``fault``."""

    level: float
    fault: str = "nan"

    def __call__(self, probe, inputs):
        del probe
        bright = tf.reduce_mean(inputs, (1, 2, 3)) > self.level
        if self.fault == "raise" and not bool(tf.reduce_all(bright)):
            raise ZeroDivisionError(self.fault)
        heat = tf.constant(SQUARE[np.newaxis], tf.float32)
        other = float("nan") if self.fault == "nan" else 0.5
        return tf.where(bright[:, None, None], heat, other)


MEANS = [float(image.display.mean() / 255) for image in images()]
LEVEL = sorted(MEANS)[1] + 1e-4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("nan", "NaN or infinite"), ("raise", "ZeroDivision"), ("even", "are equal")],
)
def test_an_image_without_a_map_counts_as_a_random_one(fault, reason, tmp_path):
    """Two of six fail. Left out, the explainer would be always right."""
    asked = {"truth": [SQUARE] * COUNT, "metrics": ("energy_inside", "sparseness")}
    found = sal.evaluate(BRIGHT, images(), OfSome(LEVEL, fault), **asked)
    ((name, missing),) = found.missing.items()
    assert missing.images == 2
    assert reason in missing.reason
    share = SQUARE.mean()
    value = found.scores[name, "energy_inside"].value
    assert_allclose(value, (4 + 2 * share) / 6, atol=0.02)
    assert "no map of 2 images" in found.save(tmp_path / "trust").read_text()
    assert found.to_dict()["missing"][name]["images"] == 2


def test_an_explainer_that_always_fails_is_an_error():
    with pytest.raises(ExplainerError, match=r"OfSome.*cannot explain.*NaN"):
        sal.evaluate(BRIGHT, images(), OfSome(2.0), metrics="sparseness")


def test_metrics_of_a_recipe_have_no_value_where_it_fails():
    asked = {"metrics": "max_sensitivity"}
    recipe = OfSome(LEVEL + 0.01)
    found = sal.evaluate(BRIGHT, images(), [recipe], **asked)
    (measure,) = found.scores.values()
    assert np.isfinite(measure.value)


def test_an_image_without_a_score_is_a_failure():
    """An even image, of a network that divides by its deviation."""
    probe = sal.ClosedFormProbe(lambda x: 1 / tf.math.reduce_std(x, (1, 2, 3)))
    even = sal.DicomImage.from_array(
        np.full((SIZE, SIZE), 9.0, np.float32), window=sal.Window(127.5, 255)
    )
    found = sal.evaluate(probe, [*images(2), even, *images(2)], "edges")
    assert [each.index for each in found.failures] == [2]
    assert "expected a finite number" in found.failures[0].message
    assert found.facts["images"] == 4


def test_a_changed_image_without_a_score_is_named():
    """Its own score is finite; without its one bright pixel the model's is not."""
    model = sal.ClosedFormProbe(
        lambda x: tf.math.log(tf.reduce_max(x, (1, 2, 3)) - 0.6), lambda x: x
    )
    lonely = np.full((16, 16), 20.0, np.float32)
    lonely[5, 7] = 250
    noise = np.random.default_rng(0).uniform(0, 255, (2, 16, 16)).astype(np.float32)
    given = [
        sal.DicomImage.from_array(each, window=sal.Window(127.5, 255))
        for each in (noise[0], lonely, noise[1])
    ]
    with pytest.raises(
        NotFiniteError, match=r"deletion of image 2: .* leave the image"
    ):
        sal.evaluate(model, given, "gradient", metrics="deletion")


def test_each_image_keeps_its_other_inputs():
    """A row for each image; classes part the images into batches that are no runs."""
    age = keras.Input((1,), name="age")
    model = of_pixels(2, age)
    weights = np.concatenate([np.ones((SIZE * SIZE, 2)) / 9, [[1.0, -1.0]]])
    model.layers[-1].set_weights([weights, np.zeros(2)])
    ages = np.arange(COUNT, dtype=np.float32).reshape(-1, 1) ** 2
    probe = sal.KerasProbe(model, input="image", held={"age": ages})
    labels = [0, 1, 0, 1, 1, 0]
    found = sal.evaluate(
        probe, images(), "gradient_times_input", labels=labels, metrics="deletion"
    )
    batch = np.stack([image.display / np.float32(255) for image in images()])[..., None]
    areas = []
    for row, (label, given) in enumerate(zip(labels, batch, strict=True)):
        own = probe.rows([row]).at(label)
        heat = sal.GradientTimesInput()(own, given[None])
        shares = found.facts["curve_shares"]
        areas.append(deletion(own, given[None], heat, shares=shares).area[0])
    (measure,) = found.scores.values()
    assert_allclose(measure.value, np.mean(areas), rtol=1e-5)


def test_a_target_of_the_user_needs_no_classes():
    """A segmentation has none: images lend each other their pixels all the same."""
    image = keras.Input((SIZE, SIZE, 1))
    probe = sal.KerasProbe(
        keras.Model(image, keras.layers.Conv2D(1, 1, use_bias=False)(image))
    )
    targets = [lambda output: tf.reduce_mean(output, (1, 2, 3))] * 4
    cases = with_donors(
        probe,
        read(probe, images(4), None, targets),
        np.arange(4),
        np.random.default_rng(0),
    )
    assert all(case.donor is not None for case in cases)
