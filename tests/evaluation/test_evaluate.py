"""The verb, on a network whose evidence is known: it reads one square of the image."""

import json
import pickle
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import saliency as sal
from saliency import png
from saliency.errors import InputError
from saliency.evaluation import Curve, deletion, energy_inside
from saliency.evaluation.baselines import CONTROLS
from saliency.evaluation.budget import PASSES, budget_of, spread_over_patients
from saliency.evaluation.cases import read, with_donors
from saliency.evaluation.curves import mean_curve
from saliency.evaluation.measuring import Batch, maps
from saliency.evaluation.metrics import WITH_TRUTH
from saliency.evaluation.page import _as_good
from saliency.evaluation.plot import plot_of
from saliency.evaluation.report import Measure
from saliency.evaluation.strip import Strip, strips_of
from saliency.explainers.controls import RandomMap
from saliency.statistics.significance import Interval
from saliency.values.mask import Mask

SIZE = 16
SQUARE = np.zeros((SIZE, SIZE), bool)
SQUARE[3:8, 9:14] = True
COUNT = 24


@pytest.fixture(scope="module")
def reader():
    """Sigmoid of 8 (mean of the square - 1/2): nothing else is read."""
    inputs = keras.Input((SIZE, SIZE, 1))
    outputs = keras.layers.Dense(1, activation="sigmoid")(
        keras.layers.Flatten()(inputs)
    )
    model = keras.Model(inputs, outputs)
    kernel = 8 * SQUARE.reshape(-1, 1) / SQUARE.sum()
    model.layers[-1].set_weights([kernel, np.array([-4.0])])
    return model


def images():
    generator = np.random.default_rng(0)
    window = sal.Window(127.5, 255)
    pixels = generator.integers(0, 256, (COUNT, SIZE, SIZE)).astype(np.float32)
    pixels[::2, SQUARE] = 255 - pixels[::2, SQUARE] / 8
    pixels[1::2, SQUARE] /= 8
    return [sal.DicomImage.from_array(each, window=window) for each in pixels]


def edges(probe, inputs):
    """Stands for a user's function that is called as a baseline is."""
    return probe.gradient(inputs)


@pytest.fixture(scope="module")
def report(reader):
    def noisy(probe, inputs):
        gradient = probe.gradient(inputs)
        return gradient + RandomMap(3)(probe, inputs)[..., None] * float(
            np.abs(gradient).max()
        )

    recipes = ("gradient", noisy, RandomMap(7))
    metrics = (*WITH_TRUTH, "exchange", "deletion")
    return sal.evaluate(
        reader, images(), recipes, target=1, truth=[SQUARE] * COUNT, metrics=metrics
    )


def test_the_reader_s_gradient_is_best(report):
    assert report.best == "gradient"
    assert report.explainers[0] == "gradient"
    assert "gradient is best by energy_inside on 24 images" in report.verdict
    found = report.scores["gradient", "energy_inside"]
    assert_allclose(found.value, 1, atol=1e-4)
    assert_allclose(found.baseline["random"], SQUARE.mean(), atol=0.03)
    assert set(found.baseline) == {"random", "centre", "edges", "mean"}
    # The evidence lies in one place: the mean map of other patients knows it as well.
    assert_allclose(found.baseline["mean"], 1, atol=1e-4)
    assert ("RandomMap(seed=7)", "exchange") in report.scores


def test_numbers_are_those_of_the_metrics(reader, report):
    """The mean over images of what each function says."""
    results = [sal.explain(reader, image, "gradient", target=1) for image in images()]
    heats = [np.abs(result.heatmap.values) for result in results]
    expected = np.mean([energy_inside(heat, SQUARE) for heat in heats])
    assert_allclose(
        report.scores["gradient", "energy_inside"].value, expected, rtol=1e-5
    )
    batch = np.stack([image.display / np.float32(255) for image in images()])[
        ..., np.newaxis
    ]
    shares = report.facts["curve_shares"]
    curve = deletion(
        sal.KerasProbe(reader).at(1), batch, np.stack(heats), shares=shares
    )
    found = report.scores["gradient", "deletion"].value
    assert_allclose(found, curve.area.mean(), rtol=1e-4)
    mean = report.curves["gradient", "deletion"]
    assert_allclose(mean.shares, shares, rtol=1e-6)
    assert_allclose(mean.scores, [curve.scores.mean(axis=0)], rtol=1e-4)
    assert_allclose(mean.area, found, rtol=1e-4)


def test_a_mean_curve_is_over_patients():
    """Two images of one patient count as one; what was not asked is left out."""
    scores = [[1, 5], [3, 7], [10, 20], [np.nan, np.nan]]
    mean = mean_curve(Curve([0.1, 0.2], scores), np.array([0, 0, 1, 2]))
    assert_allclose(mean.scores, [[6, 13]])


def test_a_plot_s_axes_hold_all_lines():
    """Shares go to the right and scores up; the leader is painted last."""
    names = {"low": [0, 1], "high": [4, 2], "random": [1, 1], "mid": [2, 2]}
    curves = {name: Curve([0.1, 0.3], [each]) for name, each in names.items()}
    plot = plot_of(curves, ["low", "mid", "high"])
    kinds = {line.name: (line.kind, line.points) for line in plot.lines}
    assert kinds["low"] == ("leads", "0.0,220.0 640.0,165.0")
    assert kinds["high"] == ("last", "0.0,0.0 640.0,110.0")
    assert [line.kind for line in plot.lines] == ["control", "other", "last", "leads"]
    assert_allclose((plot.low, plot.high, plot.first, plot.last), (0, 4, 0.1, 0.3))
    assert plot.legend[:2] == [("low: leads", "leads"), ("high: last", "last")]


@pytest.mark.parametrize(("greater", "good"), [(True, ["edges"]), (False, ["random"])])
def test_a_baseline_that_is_as_good_is_marked(greater, good):
    name = "auprc" if greater else "deletion"
    baseline = {"random": 0.1, "edges": 0.9, "mean": np.nan}
    measure = Measure(0.5, Interval(0.4, 0.6), baseline)
    report = SimpleNamespace(scores={("lrp", name): measure})
    assert _as_good(report) == {("lrp", name, each) for each in good}


@pytest.mark.parametrize(
    ("name", "places"), [("auprc", (50, 200)), ("deletion", (150, 0))]
)
def test_the_right_end_of_a_strip_is_the_best(name, places):
    """By hand: 0.1 to 0.5 in steps of 0.1 are 0, 50, 100, 150, 200; turned where less is better."""
    baseline = {"random": 0.2, "centre": 0.5, "edges": np.nan, "mean": 9.0}
    measures = {
        "lrp": Measure(0.2, Interval(0.1, 0.3), baseline),
        "gradient": Measure(np.nan, Interval(np.nan, np.nan), baseline),
    }
    found = strips_of(measures, name)
    ends = (0, 100) if name == "auprc" else (100, 200)
    controls = (("random", places[0]), ("centre", places[1]))
    assert found["lrp"] == Strip(places[0], ends, controls)
    assert found["gradient"] == Strip(None, None, controls)
    assert strips_of({"lrp": measures["gradient"]}, name)["lrp"].controls


def test_a_strip_of_equal_or_no_values():
    none = Measure(np.nan, Interval(np.nan, np.nan), dict.fromkeys(CONTROLS, np.nan))
    assert strips_of({"lrp": none}, "auprc") == {}
    equal = Measure(1.0, Interval(1.0, 1.0), dict.fromkeys(CONTROLS, 1.0))
    assert strips_of({"lrp": equal}, "auprc")["lrp"].interval == (0, 0)


def test_copies_of_one_explainer_cannot_be_told_apart(reader):
    report = sal.evaluate(
        reader, images(), [RandomMap(seed) for seed in range(3)], target=1
    )
    assert report.best is None
    assert report.verdict.startswith("Cannot tell")
    assert report.facts["metric"] == "exchange"


def test_patients_are_counted(reader):
    groups = [index // 8 for index in range(COUNT)]
    given = sal.evaluate(reader, images(), ("gradient", "edges"), groups=groups)
    assert given.facts["patients"] == 3
    assert given.best is None  # three witnesses prove nothing
    assert "24 images of 3 patients" in given.verdict
    page = given.html(pictures=False)
    assert "truth" not in page
    assert "None can be named best." in page
    assert "2 explainers cannot be told apart with fewer than 6" in page


def test_a_page_and_a_record(report, tmp_path):
    page = report.save(tmp_path / "trust").read_text()
    assert report.verdict.split(":")[0] in page
    assert page.count("<figure>") == 4 * 7
    assert page.count("the truth in orange") == 4
    assert page.count("<circle") == 3 * 6
    assert "<script" not in page
    told = json.loads((tmp_path / "trust" / "report.json").read_text())
    assert told["best"] == "gradient"
    assert len(told["scores"]) == 3 * 6
    # Two curves of three explainers and three baselines.
    assert len(told["curves"]) == page.count("<polyline") == 2 * 6
    (line,) = [
        each["scores"]
        for each in told["curves"]
        if (each["explainer"], each["metric"]) == ("random", "deletion")
    ]
    assert_allclose(line, report.curves["random", "deletion"].scores[0])
    assert "at most 5% of evaluations" in page
    assert "Best of 3 explainers: gradient." in page
    assert "cannot be told apart" not in page
    again = pickle.loads(pickle.dumps(report))  # noqa: S301 - our own
    assert again.scores == report.scores
    with pytest.raises(InputError, match="folder"):
        report.save(tmp_path / "none" / "trust")


def test_the_curves_cost_no_more_than_said():
    """A curve of each map and each control, and of mean maps for a quarter of the images."""
    for images_, explainers in [(64, 5), (16, 3), (300, 1), (2000, 40), (1, 1)]:
        budget = budget_of(["exchange", "deletion", "auprc"], images_, explainers)
        curves = 2 * budget.images * (explainers + 3)
        curves += 2 * budget.mean_images * explainers
        assert curves * budget.points <= PASSES
        assert budget.images <= 4 * budget.mean_images < budget.images + 4
        assert len(budget.shares) == budget.points >= 2
        assert 1 <= budget.images <= images_


def test_curves_are_asked_about_as_many_patients_as_can_be():
    patients = np.array([0, 0, 0, 1, 2, 2])
    assert spread_over_patients(patients, 3).tolist() == [
        True,
        False,
        False,
        True,
        True,
        False,
    ]
    assert spread_over_patients(patients, 4).tolist() == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]


def test_what_cannot_be_read_is_a_failure(reader, tmp_path):
    report = sal.evaluate(
        reader, [*images()[:4], tmp_path / "none.dcm"], "gradient", target=1
    )
    assert [each.index for each in report.failures] == [4]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"truth": [SQUARE]}, "got 1 truths for 24 images"),
        ({"metrics": ["energy_inside"]}, "give truth="),
        ({"metrics": ["beauty"]}, "beauty"),
        ({"explainers": ()}, "one explainer or more"),
        ({"explainers": ("gradient", "gradient")}, "differ"),
        ({"truth": [np.ones((3, 3))] * COUNT}, "boxes"),
        ({"truth": {"no.dcm": SQUARE}}, "none of 1 truths belongs"),
        ({"truth": [(9, 3, 5, 14)] * COUNT}, "within the image"),
        ({"truth": [SQUARE, SQUARE[:5]] * 12}, r"truth of image 2 of 24: expected a"),
        ({"truth": [np.uint8([250, 3, 6, 5])] * COUNT}, "within the image"),
        ({"explainers": ("gradient", sal.Gradient())}, "differ"),
        ({"explainers": ("gradient_x_input", "gradient_times_input")}, "differ"),
        ({"explainers": [edges]}, "that of a baseline"),
        ({"labels": [0] * 23 + [2]}, "from 0 to 1"),
        ({"labels": [0.5] * COUNT}, "from 0 to 1"),
        ({"target": [0, 1]}, "from 0 to 1"),
    ],
)
def test_refusals(reader, more, words):
    with pytest.raises(InputError, match=words):
        sal.evaluate(reader, images(), **{"explainers": "gradient", **more})


def test_boxes_are_a_truth(reader):
    report = sal.evaluate(
        reader,
        images()[:4],
        "gradient",
        target=1,
        truth=[(3, 9, 5, 5)] * 4,
        metrics="auprc",
    )
    assert_allclose(report.scores["gradient", "auprc"].value, 1)


def test_donors_are_of_another_decision(reader):
    """What is exchanged has to speak for something else; images of both decisions alternate."""
    probe = sal.KerasProbe(reader)
    cases = read(probe, images(), None, [None] * COUNT)
    decided = [bool(case.given.array[0, 5, 11, 0] > 0.5) for case in cases]
    assert len(set(decided)) == 2
    alone = np.arange(COUNT)
    for case, own in zip(
        with_donors(probe, cases, alone, np.random.default_rng(0)), decided, strict=True
    ):
        assert bool(case.donor[0, 5, 11, 0] > 0.5) != own


@pytest.mark.parametrize("patients", [[0, 0, 0, 1], [0, 0, 0, 0]])
def test_donors_are_of_another_patient(patients):
    """Images of one patient have their evidence in one place. One patient alone lends to itself."""
    cases = read(BRIGHT, images()[:4], None, [None] * 4)
    given = {case.given.array.tobytes(): place for place, case in enumerate(cases)}
    whose = np.array(patients)
    for seed in range(5):
        generator = np.random.default_rng(seed)
        found = with_donors(BRIGHT, cases, whose, generator)
        donors = [given[case.donor.tobytes()] for case in found]
        assert all(donor != place for place, donor in enumerate(donors))
        assert len(set(patients)) == 1 or np.all(whose[donors] != whose)


def test_a_rate_is_ranked_by_its_size():
    """The sign of a gradient is a direction; that of gradient times input is for or against."""
    inputs = tf.constant([[[[2.0], [-1.0]]]])
    probe = sal.ClosedFormProbe(lambda x: tf.reduce_sum(x * [[-3.0], [1.0]], (1, 2, 3)))
    batch = Batch((), probe, inputs)
    assert_allclose(maps(batch, sal.Gradient()), [[[3, 1]]])
    assert_allclose(maps(batch, sal.GradientTimesInput()), [[[-6, -1]]])


def moving(count):
    """Return images of a bright square that is elsewhere in each, and where it is."""
    generator = np.random.default_rng(0)
    pixels = generator.uniform(0, 60, (count, SIZE, SIZE)).astype(np.float32)
    truths = np.zeros((count, SIZE, SIZE), bool)
    for image, truth, place in zip(
        pixels, truths, generator.integers(0, SIZE - 4, (count, 2)), strict=True
    ):
        inside = tuple(slice(start, start + 4) for start in place)
        image[inside], truth[inside] = 255, True
    window = sal.Window(127.5, 255)
    return [sal.DicomImage.from_array(each, window=window) for each in pixels], truths


def test_the_mean_map_is_that_of_other_patients(reader):
    """Of an explainer that is always right, where evidence moves: near to the share of the area.

    A map of the image itself in the mean would lift it well above.
    """

    def brightness(probe, inputs):
        del probe
        return tf.nn.relu(inputs[..., 0] - 0.5)

    given, truths = moving(12)
    found = sal.evaluate(
        reader, given, brightness, target=1, truth=list(truths), metrics="energy_inside"
    )
    measure = next(iter(found.scores.values()))
    assert measure.value > 0.99
    assert measure.baseline["mean"] < 3 * truths[0].mean()


def test_one_patient_has_no_mean_map_of_others(reader):
    given, truths = moving(3)
    found = sal.evaluate(
        reader,
        given,
        "gradient",
        target=1,
        truth=list(truths),
        groups=["a"] * 3,
        metrics="auprc",
    )
    assert np.isnan(found.scores["gradient", "auprc"].baseline["mean"])


def test_what_was_stopped_goes_on(reader, tmp_path, monkeypatch):
    """Nothing is measured twice, and the numbers are those of a run that was never stopped."""
    from saliency.evaluation import study

    asked = {"metrics": ("exchange", "sparseness"), "target": 1}
    whole = sal.evaluate(reader, images(), ("gradient", "edges"), **asked)
    counts = []
    measured = study.measured

    def counted(name, batch, *rest):
        if len(counts) == 9:
            raise KeyboardInterrupt
        counts.append(name)
        return measured(name, batch, *rest)

    path = tmp_path / "state"
    monkeypatch.setattr(study, "measured", counted)
    with pytest.raises(KeyboardInterrupt):
        sal.evaluate(reader, images(), ("gradient", "edges"), resume=path, **asked)
    again = []

    def rest(name, *more):
        again.append(name)
        return measured(name, *more)

    monkeypatch.setattr(study, "measured", rest)
    found = sal.evaluate(reader, images(), ("gradient", "edges"), resume=path, **asked)
    assert found.scores == whole.scores
    assert found.curves.keys() == whole.curves.keys()
    for key, curve in whole.curves.items():
        assert_allclose(found.curves[key].scores, curve.scores, rtol=1e-6)
    assert not path.exists()
    # Three batches of four maps, two metrics each; four were kept. Of two mean maps one batch has a
    # curve as well: a quarter of the images. The rest are three batches.
    assert len(again) == 3 * 4 * 2 - 8 + 2 * (2 + 3)


def test_another_question_begins_anew(reader, tmp_path, caplog):
    from saliency.evaluation import study

    path = tmp_path / "state"

    def stop(*rest):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "_measure_means", stop)
        with pytest.raises(KeyboardInterrupt):
            sal.evaluate(reader, images(), "gradient", target=1, resume=path)
    sal.evaluate(reader, images(), "gradient", target=0, resume=path)
    assert "begun anew" in caplog.text


def test_other_images_that_could_be_read_begin_anew(
    reader, tmp_path, caplog, monkeypatch
):
    """A share failed at one image, then at its neighbour: rows are kept by place among the rest."""
    from saliency.evaluation import cases, study

    given, read_one = images()[:4], cases.as_image
    state = {"resume": tmp_path / "state", "target": 1}

    def failing_at(lost):
        def read_all_but_one(source):
            if source is lost:
                raise OSError(5, "Input/output error")
            return read_one(source)

        monkeypatch.setattr(cases, "as_image", read_all_but_one)

    def stop(*rest):
        raise KeyboardInterrupt

    failing_at(given[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "_measure_means", stop)
        with pytest.raises(KeyboardInterrupt):
            sal.evaluate(reader, given, "gradient", **state)
    failing_at(given[2])
    found = sal.evaluate(reader, given, "gradient", **state)

    assert [each.index for each in found.failures] == [2]
    assert "begun anew" in caplog.text


BRIGHT = sal.ClosedFormProbe(lambda x: 1 + tf.reduce_mean(x, (1, 2, 3)), tf.ones_like)
"""A model that asks nothing to be traced: the mean of the image."""
CORNER = np.zeros((SIZE, SIZE), bool)
CORNER[:3, :3] = True


def blank(probe, inputs):
    """Stands for a method whose map is 0 everywhere."""
    del probe
    return tf.zeros_like(inputs)


def test_a_blank_map_knows_nothing():
    """In row order it would begin at the upper left, and hit what is burned in there."""
    asked = ("pointing_game", "energy_inside", "exchange")
    found = sal.evaluate(BRIGHT, images()[:4], blank, truth=[CORNER] * 4, metrics=asked)
    assert found.scores["blank", "pointing_game"].value == 0
    assert found.scores["blank", "energy_inside"].value < 3 * CORNER.mean()
    exchanged = found.scores["blank", "exchange"]
    assert_allclose(exchanged.value, exchanged.baseline["random"], rtol=0.05)


def test_a_map_without_an_overlap_counts():
    """It is blank on half of the images, and right on the others: half as good as always right."""

    def on_bright_ones(probe, inputs):
        bright = tf.reduce_mean(inputs[:, 3:8, 9:14], (1, 2, 3)) > 0.5
        square = tf.constant(SQUARE[np.newaxis], tf.float32)
        return square * tf.cast(bright, tf.float32)[:, None, None]

    found = sal.evaluate(
        BRIGHT, images()[:6], on_bright_ones, truth=[SQUARE] * 6, metrics="miou_otsu"
    )
    (measure,) = found.scores.values()
    assert measure.value < 0.65


def test_no_value_anywhere_is_said():
    """A share of a score that is not above 0 means nothing."""
    below = sal.ClosedFormProbe(
        lambda x: -1 - tf.reduce_mean(x, (1, 2, 3)), tf.ones_like
    )
    found = sal.evaluate(below, images()[:3], "gradient_x_input", metrics="irof")
    assert found.best is None
    assert "it has no value there" in found.verdict


def test_truths_without_a_pixel_rank_nobody():
    """That is told before hours of work; where they do not rank, they have no value."""
    nothing = [np.zeros((SIZE, SIZE), bool), [], None]
    asked = {"explainers": "gradient_x_input", "truth": nothing}
    with pytest.raises(InputError, match=r"auprc, which ranks, .* got none of 3\."):
        sal.evaluate(BRIGHT, images()[:3], metrics="auprc", **asked)
    found = sal.evaluate(BRIGHT, images()[:3], metrics=("sparseness", "auprc"), **asked)
    assert np.isnan(found.scores["gradient_x_input", "auprc"].value)


@pytest.mark.parametrize(
    ("given", "words"),
    [(SQUARE, "one mask"), (Mask(SQUARE), "one mask"), ((3, 9, 5, 5), "one box")],
)
def test_one_truth_is_no_truth_of_all(given, words):
    """Its rows, or the numbers of a box, are none either."""
    with pytest.raises(InputError, match=rf"{words}.*\* 4\."):
        sal.evaluate(BRIGHT, images()[:4], "edges", truth=given, metrics="auprc")


def test_a_folder_of_other_masks_says_what_to_do(tmp_path):
    (tmp_path / "0.png").write_bytes(png.encode(np.uint8(SQUARE) * 255))
    with pytest.raises(InputError, match=r"RT Structure Sets .* found none\. Masks of"):
        sal.evaluate(BRIGHT, images()[:4], "edges", truth=tmp_path, metrics="auprc")


def test_gaps_of_labels_and_groups_are_told(reader, tmp_path, caplog):
    """What a table leaves out is explained, and counted, in another way."""
    given = {"labels": [1, None, np.nan, 0], "groups": ["a", "a", "", None]}
    found = sal.evaluate(reader, images()[:4], "edges", metrics="sparseness", **given)
    assert "2 of 4 images have no label" in caplog.text
    assert "2 of 4 images are without a patient" in caplog.text
    assert (
        "2 of 4 images are without a patient" in found.save(tmp_path / "t").read_text()
    )
    assert found.facts["patients"] == 3
    caplog.clear()
    sal.evaluate(
        reader, images()[:4], "edges", metrics="sparseness", labels=[0, 1, 1, 1]
    )
    assert "no label" not in caplog.text


def test_too_few_patients_are_said_in_the_verdict():
    """Of one explainer five patients could name it, and four never."""
    for count, said in ((4, True), (5, False)):
        found = sal.evaluate(BRIGHT, images()[:count], "edges", metrics="sparseness")
        assert ("Fewer than 5 patients can never tell." in found.verdict) == said


def test_one_patient_has_no_interval(tmp_path):
    found = sal.evaluate(
        BRIGHT,
        images()[:3],
        "gradient_x_input",
        truth=[SQUARE] * 3,
        groups=["a"] * 3,
        metrics=["auprc", "auprc"],
    )
    (measure,) = found.scores.values()
    assert np.isfinite(measure.value)
    assert np.isnan(measure.interval).all()
    (trust,) = found.trust.recipes.values()
    assert trust.interval is None
    assert "of one patient" in trust.words
    assert "NaN" not in found.save(tmp_path / "trust").with_suffix(".json").read_text()


def test_an_image_of_its_own_size_has_no_exchange():
    """Nobody lends it pixels; the others are measured all the same."""
    odd = sal.DicomImage.from_array(
        np.arange(80, dtype=np.float32).reshape(8, 10), window=sal.Window(40, 80)
    )
    asked = {"explainers": "gradient_x_input", "metrics": "exchange"}
    found = sal.evaluate(BRIGHT, [*images()[:3], odd], **asked)
    (measure,) = found.scores.values()
    assert np.isfinite(measure.value)
    with pytest.raises(InputError, match="two images or more of one size"):
        sal.evaluate(BRIGHT, [images()[0], odd], **asked)
    with pytest.raises(InputError, match="two images or more of one size"):
        sal.evaluate(BRIGHT, images()[:1], **asked)
