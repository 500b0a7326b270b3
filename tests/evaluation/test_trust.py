"""An explanation says what an evaluation of its model found about its explainer."""

import json
import pickle

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import saliency as sal
from saliency.errors import InputError
from saliency.values.trust import Trust

SIZE, COUNT = 12, 6
SQUARE = np.zeros((SIZE, SIZE), bool)
SQUARE[3:8, 4:9] = True


def network():
    inputs = keras.Input((SIZE, SIZE, 1))
    flat = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(flat))


@pytest.fixture(scope="module")
def model():
    found = network()
    found.set_weights([8.0 * SQUARE.reshape(-1, 1) / SQUARE.sum(), np.array([-4.0])])
    return found


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).uniform(0, 255, (COUNT, SIZE, SIZE))
    window = sal.Window(127.5, 255)
    made = sal.DicomImage.from_array
    return [made(each.astype(np.float32), window=window) for each in pixels]


@pytest.fixture(scope="module")
def report(model, images):
    recipes = ("gradient", sal.RandomMap(3))
    truth = [SQUARE] * COUNT
    metrics = ("energy_inside", "auprc")
    return sal.evaluate(model, images, recipes, target=1, truth=truth, metrics=metrics)


@pytest.fixture(scope="module")
def result(model, images, report):
    return sal.explain(model, images[0], "gradient", target=1, trust=report)


def test_the_figures_are_the_report_s(result, report):
    measure = report.scores["gradient", "energy_inside"]
    assert result.trust.metric == "energy_inside"
    assert_allclose(result.trust.value, measure.value)
    assert_allclose(result.trust.interval, measure.interval)
    assert dict(result.trust.baseline) == dict(measure.baseline)
    assert (result.trust.images, result.trust.rank, result.trust.explainers) == (
        6,
        1,
        2,
    )
    assert result.trust.best == report.best


def test_the_caption_says_so(result, model, images):
    random = f"random {result.trust.baseline['random']:.3g}"
    assert (
        "Measured on 6 images of this model: energy_inside 1 (1 to 1" in result.caption
    )
    assert random in result.caption
    assert "place 1 of 2" in result.caption
    without = sal.explain(model, images[0], "gradient", target=1)
    assert without.trust is None
    assert "easured on" not in without.caption


def test_it_is_kept_in_every_file(result, tmp_path):
    result.save(tmp_path / "one.npz")
    assert sal.load(tmp_path / "one.npz").trust == result.trust
    told = json.loads(result.save(tmp_path / "one.json").read_text())
    assert told["trust"]["metric"] == "energy_inside"
    assert told["trust"]["baseline"]["random"] == result.trust.baseline["random"]
    assert "easured on 6 images" in result.save(tmp_path / "one.html").read_text()
    again = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own
    assert again.trust == result.trust


def test_recipes_are_known_by_what_they_are(model, images, report):
    """A name, an alias and a recipe of the same repr are one explainer."""
    asked = {"target": 1, "trust": report}
    by_alias = sal.explain(model, images[0], "saliency", **asked)
    both = sal.explain(model, images[0], [sal.Gradient(), sal.RandomMap(3)], **asked)
    assert by_alias.trust == both[0].trust
    assert both[1].trust.rank == 2


def test_a_report_of_another_model_is_refused(images, report, model):
    other = network()
    other.set_weights([each + 1e-3 for each in model.get_weights()])
    with pytest.raises(InputError, match="other weights"):
        sal.explain(other, images[0], "gradient", target=1, trust=report)


def test_what_else_is_refused(images, report, model):
    with pytest.raises(InputError, match="expected an explainer that was measured"):
        sal.explain(model, images[0], "edges", target=1, trust=report)
    with pytest.raises(InputError, match="what evaluate returned"):
        sal.explain(model, images[0], "gradient", target=1, trust="report.json")
    probe = sal.ClosedFormProbe(lambda x: x[:, 0, 0, 0])
    with pytest.raises(InputError, match="expected a Keras model"):
        sal.explain(probe, images[0], "gradient", trust=report)


def test_words_where_there_is_no_number():
    nothing = Trust("auprc", *(True, None, None, {"random": None}, 4, 2))
    assert nothing.words == (
        "measured on 4 images of 2 patients of this model: auprc has no value there"
    )
    numbers = {"value": 0.5, "interval": (0.25, 0.75), "images": 4, "patients": 4}
    place = {"rank": 2, "explainers": 3, "best": "lrp"}
    some = Trust("road", greater=False, baseline={"mean": None}, **numbers, **place)
    assert some.words.endswith(
        "(0.25 to 0.75; less is better; mean none), place 2 of 3; lrp is named best"
    )
