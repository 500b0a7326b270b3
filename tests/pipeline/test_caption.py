"""What an explanation says of itself."""

import dataclasses

import keras
import numpy as np
import pytest

import saliency as sal
from saliency.pipeline.band import caption_lines
from saliency.pipeline.method_words import method_words, unit_of

LABELS = ["normal", "mass", "nodule"]


@pytest.fixture(scope="module")
def probe(model):
    return sal.KerasProbe(model, labels=LABELS)


@pytest.fixture(scope="module")
def result(probe, image):
    """Of the predicted class, with a cut-off that it passes."""
    return sal.explain(probe, image, "gradcam", cutoff=0.1)


def made(values, *, zones=(), **fields):
    """Return an explanation of a map alone."""
    image = sal.DicomImage.from_array(
        np.arange(values.size).reshape(values.shape) * 1.0
    )
    for name, mask in zones:
        image = image.with_zone(name, mask)
    return sal.Explanation(
        sal.Heatmap(values), 1.5, 1, None, "GradCAM()", image, **fields
    )


def test_the_probability_is_the_model_s_own(model, image):
    """For every class and for the predicted one, it is what ``predict`` gives."""
    given = sal.Prepare().filled((40, 56, 1))(image).array
    truth = model.predict_on_batch(given)[0]

    found = [
        sal.explain(model, image, "gradcam", target=k).probability for k in range(3)
    ]
    assert found == pytest.approx(truth, abs=1e-6)
    assert sal.explain(model, image, "gradient").probability == pytest.approx(
        truth.max()
    )


@pytest.mark.parametrize("output", ["logit", "probability"])
@pytest.mark.parametrize("units", [1, 3])
def test_sigmoids_have_probabilities_too(image, units, output):
    """One unit tells two classes apart, which sum to one; several units each have their own."""
    own = keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(units, activation="sigmoid"),
        ]
    )
    truth = own.predict_on_batch(sal.Prepare().filled((40, 56, 1))(image).array)[0]
    probe = sal.KerasProbe(own, output=output)
    classes = range(max(2, units))
    found = [
        sal.explain(probe, image, "gradient", target=k).probability for k in classes
    ]

    assert found == pytest.approx(
        [1 - truth[0], truth[0]] if units == 1 else truth, abs=1e-6
    )


def test_a_score_without_a_head_is_no_probability(model, image):
    """Regressions, callables and closed forms have none, and their captions give the score."""
    linear = keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )
    by_class = sal.explain(linear, image, "gradient", target=1)
    by_function = sal.explain(model, image, "gradient", target=sal.Contrast(0, 1))

    assert by_class.probability is by_function.probability is None
    assert by_class.caption.startswith(
        f"Class 1, output {by_class.score:.3g}. Gradient: "
    )
    assert by_function.caption.startswith("Contrast(index=0, against=1), score ")


def test_the_label_is_there_whatever_was_asked(probe, image):
    """By index, by label, or as the class that is predicted."""
    found = [sal.explain(probe, image, "gradient", target=k) for k in (1, "mass", None)]

    assert [each.label for each in found[:2]] == ["mass", "mass"]
    assert found[2].label == LABELS[found[2].target]


def test_all_that_a_record_needs(model, probe, image):
    """Prepare filled in, layers, seed, and what is explained."""
    found = sal.explain(probe, image, sal.SmoothGrad(samples=2, seed=7))

    assert found.prepare == sal.Prepare((40, 56), channels=1)
    assert found.model.name == model.name
    assert found.model.layers == probe.layers
    assert found.seed == 7
    assert found.explains == "logit"


def test_bulk_runs_keep_the_same_record(probe, image):
    """explain_many fills in what explain does, sample by sample."""
    one = sal.explain(probe, image, "gradcam", target=2)
    many = list(sal.explain_many(probe, [image, image], "gradcam", target=2))

    assert [each.probability for each in many] == pytest.approx(
        [one.probability] * 2, abs=1e-6
    )
    for name in ("label", "prepare", "model", "seed", "explains", "grid"):
        assert [getattr(each, name) for each in many] == [getattr(one, name)] * 2


def test_the_caption_says_everything(result):
    """Label, probability, logit, method in words; one line."""
    sure = f"{100 * result.probability:.0f} %"

    assert result.caption.startswith(
        f"{result.label.capitalize()}, probability {sure}, logit "
    )
    assert "GradCAM: the last layer's channels that raise the score" in result.caption
    assert "\n" not in result.caption


def test_the_band_says_everything(result):
    """And that this is no diagnosis, and how coarse the map is."""
    said = [line.text for line in caption_lines(result)]

    assert said[0] == f"{result.label}, probability {100 * result.probability:.0f} %"
    assert "the map has 20 x 28 cells, drawn smooth" in said
    assert said[-1] == "research use, not for diagnosis"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"),
        (0.001, "under 1 %"),
        (0.87, "87 %"),
        (0.9999, "over 99 %"),
        (1.0, "100 %"),
    ],
)
def test_certainty_is_not_rounded_up(share, words):
    """Neither never nor always is said of what is only nearly so."""
    assert (
        f"probability {words}"
        in made(np.ones((4, 5)), probability=share, cutoff=0.0).caption
    )


def test_the_share_outside_names_the_zones():
    """12 of 100 pixels' heat lies on text and border; what nobody looked for is not told."""
    text, border = np.zeros((2, 10, 10), bool)
    text[0, :9] = border[9, :3] = True
    found = made(np.ones((10, 10)), zones=[("text", text), ("border", border)])

    assert found.outside == pytest.approx(0.12)
    assert found.overlay().outside == pytest.approx(0.12)
    assert "12 % of the map lies on text and border" in found.caption
    border[9, 1:3] = False
    text[1, :9] = True
    mostly = made(np.ones((10, 10)), zones=[("text", text), ("border", border)])
    assert "19 % of the map lies on text." in mostly.caption + "."
    unknown = made(np.ones((10, 10)))
    assert unknown.outside is None
    assert unknown.overlay().outside is None
    assert "%" not in unknown.caption


def test_a_class_that_is_not_predicted_is_veiled(probe, image):
    """Below the cut-off the veil says so in caption, repr and band; the cut-off is the user's."""
    given = sal.explain(probe, image, "gradcam", target=0)
    low = dataclasses.replace(given, cutoff=given.probability + 0.01)
    high = dataclasses.replace(given, cutoff=given.probability - 0.01)

    assert low.veiled
    assert not high.veiled
    for text in (
        low.caption,
        repr(low),
        " ".join(line.text for line in caption_lines(low)),
    ):
        assert "probability is below" in text
    assert "below" not in high.caption + repr(high)


def test_the_default_cutoff_is_a_half():
    """0.5 is predicted, less is not."""
    assert made(np.ones((4, 5)), probability=0.499).veiled
    assert not made(np.ones((4, 5)), probability=0.5).veiled


def test_a_blank_map_is_veiled_and_says_so():
    """No heat is no answer."""
    blank = made(np.zeros((4, 5)))

    assert blank.veiled
    assert "blank" in blank.caption
    assert "blank" in repr(blank)


@pytest.mark.parametrize("activation", ["tanh", "hard_sigmoid", "softmax", "relu"])
def test_a_saturated_output_is_told(image, activation):
    """Where the output is flat, repr and caption say so; a class that is not asked for, too."""
    own = keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation=activation, bias_initializer="zeros"),
        ]
    )
    kernel = np.array([[1.0, -1.0]], np.float32) * (
        -1e4 if activation == "relu" else 1e4
    )
    own.layers[-1].set_weights([kernel, np.zeros(2, np.float32)])
    probe = sal.KerasProbe(own, output="probability")
    found = sal.explain(probe, image, "gradient", target=0)

    assert found.saturated
    assert found.veiled
    assert "saturated" in repr(found)
    assert "saturated" in found.caption


def test_an_output_with_a_slope_is_not_called_saturated(image):
    """A linear output of exactly 0 or 1 has a slope."""
    own = keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    own.layers[-1].set_weights([np.zeros((1, 1), np.float32), np.ones(1, np.float32)])

    assert not sal.explain(own, image, "gradient", target=0).saturated


def test_every_method_has_words():
    """Names of classes resolve to the registry's summaries; a plug-in has its name."""
    assert method_words("SmoothGrad(inner=Gradient())").startswith(
        "SmoothGrad: the mean gradient"
    )
    assert method_words("edge_weighted_gradient") == "edge_weighted_gradient"
    assert unit_of("Occlusion(window=16)", "logit") == "drop of the logit"
    assert unit_of("mine", "logit") == "heat, in the method's own unit"


@pytest.mark.parametrize("name", ["probability", "cutoff"])
def test_shares_are_shares(name):
    """A probability of 87 is refused."""
    with pytest.raises(sal.InputError, match=name):
        made(np.ones((4, 5)), **{name: 87.0})
