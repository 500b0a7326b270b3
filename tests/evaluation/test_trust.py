"""An explanation says what an evaluation of its model found about its explainer."""

import json
import pickle
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.cli.main import DONE, FAILED, main
from saliency.errors import InputError
from saliency.pipeline.trusting import trust_in
from saliency.probe.model.digest import model_digest
from saliency.values.trust import Trust, TrustByRecipe

SIZE, COUNT = 12, 6
CT = get_testdata_file("CT_small.dcm")
SQUARE = np.zeros((SIZE, SIZE), bool)
SQUARE[3:8, 4:9] = True


def known(rank):
    """Return a trust of a rank."""
    counts = {"images": 4, "patients": 4, "rank": rank, "explainers": 2}
    return Trust("auprc", True, 0.5, (0.25, 0.75), **counts)  # noqa: FBT003 - greater


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
        sal.explain(model, images[0], "gradient", target=1, trust={"lrp": 1})
    probe = sal.ClosedFormProbe(lambda x: x[:, 0, 0, 0])
    with pytest.raises(InputError, match="expected a Keras model"):
        sal.explain(probe, images[0], "gradient", trust=report)


def test_another_question_is_refused(model, images, report):
    """Other layers, another preparation: the model was measured on other maps."""
    asked = {"target": 1, "trust": report}
    for prepare in (sal.Prepare(fit="letterbox"), lambda image: image.pixels / 255):
        with pytest.raises(InputError, match="expected images prepared as they were"):
            sal.explain(model, images[0], "gradient", prepare=prepare, **asked)
    same = sal.Prepare((SIZE, SIZE), channels=1)
    whole = sal.explain(model, images[0], "gradient", prepare=same, **asked)
    assert whole.trust.rank == 1

    def own(probe, inputs):
        return probe.gradient(inputs)

    with pytest.raises(InputError, match="its name tells from others"):
        sal.explain(model, images[0], own, **asked)


def test_layers_are_a_part_of_the_question():
    model = network()
    measured = {"GradCAM()": known(1)}
    table = TrustByRecipe(model_digest(model), ("low", "high"), None, measured)
    probe = SimpleNamespace(model=model, layers=("low",))
    with pytest.raises(InputError, match="expected the layers at which GradCAM"):
        trust_in(table, probe, sal.GradCAM(), "GradCAM()", None)
    probe.layers = ("low", "high")
    assert trust_in(table, probe, sal.GradCAM(), "GradCAM()", None).rank == 1
    of_input = replace(table, recipes={"Gradient()": known(2)})
    probe.layers = ("low",)
    assert trust_in(of_input, probe, sal.Gradient(), "Gradient()", None).rank == 2


def test_many_images_say_the_same(model, images, report, result):
    found = list(
        sal.explain_many(
            model, images, "gradient", target=1, batch_size=4, trust=report
        )
    )
    assert [each.trust for each in found] == [result.trust] * COUNT
    with pytest.raises(InputError, match="expected an explainer that was measured"):
        sal.explain_many(model, images, "edges", target=1, trust=report)


def test_a_report_on_the_disk_says_the_same(model, images, report, result, tmp_path):
    """The file, its folder, and the report after a pickle."""
    report.save(tmp_path / "kept")
    pickled = pickle.loads(pickle.dumps(report))  # noqa: S301 - our own
    for given in (tmp_path / "kept", str(tmp_path / "kept/report.json"), pickled):
        found = sal.explain(model, images[0], "gradient", target=1, trust=given)
        assert found.trust == result.trust


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"trust": null}', '{"trust": {"type": "Trust"}}', "\\ud800"],
)
def test_other_files_are_refused(model, images, tmp_path, text):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(InputError, match="of another kind, or of an earlier"):
        sal.explain(model, images[0], "gradient", target=1, trust=path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        sal.explain(model, images[0], "gradient", target=1, trust=path)


def test_a_volume_is_refused_before_it_is_asked(model, report):
    volume = SimpleNamespace(explained_by=None)
    volume.explained_by = lambda *_, **__: pytest.fail("asked")
    with pytest.raises(InputError, match="know no volumes"):
        sal.explain(model, volume, "gradient", target=1, trust=report)


def test_the_shell_says_so(model, report, tmp_path, capsys):
    """Captions and records; a run without trust is written again with it, and kept then."""
    model.save(tmp_path / "model.keras")
    report.save(tmp_path / "kept")
    place, out = tmp_path / "kept/report.json", tmp_path / "out"
    asked = ("explain", tmp_path / "model.keras", CT, "--out", out, "--save", "json")
    asked = [str(each) for each in (*asked, "--method", "gradient", "--target", "1")]

    def captions():
        lines = (out / "results.jsonl").read_text().splitlines()
        return [json.loads(line)["caption"] for line in lines]

    assert main(asked) == DONE
    assert main([*asked, "--trust", str(place)]) == DONE
    assert "(kept)" not in capsys.readouterr().out
    assert main([*asked, "--trust", str(place)]) == DONE
    assert "(kept)" in capsys.readouterr().out
    assert ["energy_inside 1" in caption for caption in captions()] == [True]
    (record,) = [path for path in out.glob("*.json") if path.name != "run.json"]
    assert json.loads(record.read_text())["trust"]["rank"] == 1
    assert main([*asked, "--trust", str(tmp_path / "none")]) == FAILED
    assert "none: expected the report.json" in capsys.readouterr().err


def test_an_archive_says_so(model, report, tmp_path):
    options = {"target": 1, "save": ("json",), "trust": report}
    sal.explain_archive(model, CT, tmp_path / "out", "gradient", **options)
    (row,) = (tmp_path / "out/results.jsonl").read_text().splitlines()
    assert "energy_inside 1" in json.loads(row)["caption"]


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
