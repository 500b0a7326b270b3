"""From a model and a picture to an explanation, in one call."""

import gc
import pickle
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.explainers.registry import ENTRIES

CT = get_testdata_file("CT_small.dcm")


@pytest.mark.parametrize("explainer", ENTRIES)
def test_every_explainer_answers_on_the_picture_s_grid(model, image, explainer):
    """Whatever the recipe, heat lies on the image's own pixels."""
    result = sal.explain(model, image, explainer)

    assert result.heatmap.values.shape == (37, 53)
    assert np.isfinite(result.heatmap.values).all()
    assert result.overlay().rgb.shape == (37, 53, 3)


def test_the_predicted_class_is_the_default(model, image):
    """Target None explains the class that the model predicts, and says which."""
    given = sal.Prepare().filled((40, 56, 1))(image).array
    predicted = int(model.predict_on_batch(given).argmax())

    assert sal.explain(model, image, "gradient").target == predicted


def test_the_heat_is_the_gradient_of_the_logit(model, image):
    """At the model's own size heat is d logit / d input, by TensorFlow's own tape."""
    picture = sal.DicomImage.from_array(
        np.random.default_rng(1).uniform(0, 255, (40, 56))
    )
    inputs = tf.constant(sal.Prepare()(picture).array)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        logit = model.layers[-1].kernel[:, 2] * keras.Model(
            model.inputs, model.layers[-2].output
        )(inputs)
        logit = tf.reduce_sum(logit)
    truth = tape.gradient(logit, inputs)[0, ..., 0]

    heat = sal.explain(model, picture, "gradient", target=2).heatmap.values

    assert np.allclose(heat, truth, atol=1e-6)


def test_a_path_is_a_model(model, image, tmp_path):
    """A .keras file explains like the model in it."""
    model.save(tmp_path / "model.keras")
    one = sal.explain(str(tmp_path / "model.keras"), image, "gradient", target=1)
    two = sal.explain(model, image, "gradient", target=1)

    assert np.allclose(one.heatmap.values, two.heatmap.values, atol=1e-6)


def test_a_dicom_path_is_an_image(model):
    """Anything that read_dicom takes will do; the digest ties the result to the pixels."""
    result = sal.explain(model, CT, "gradcam")

    assert result.heatmap.values.shape == (128, 128)
    assert result.image.digest == sal.read_dicom(CT).digest


def test_a_second_call_traces_nothing(image):
    """A loop over explain(model, ...) is as fast as holding the probe."""
    from saliency.probe.cache import probe_for

    own = keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.Conv2D(2, 3),
            keras.layers.GlobalMaxPooling2D(),
        ]
    )
    sal.explain(own, image, "fastcam")
    before = probe_for(own).traces
    for target in (0, 1, None):
        sal.explain(own, image, "fastcam", target=target)

    assert probe_for(own).traces == before


def test_dropping_the_model_frees_it(image):
    """Nothing that explain keeps keeps the model alive."""
    own = keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.Conv2D(2, 3),
            keras.layers.GlobalMaxPooling2D(),
        ]
    )
    sal.explain(own, image, "gradient", target=0)
    model, kernel = weakref.ref(own), weakref.ref(own.layers[0])
    del own
    gc.collect()  # frees the model
    gc.collect()  # frees what was compiled for it, which waited for the model

    assert model() is None
    assert kernel() is None


def test_a_bound_probe_is_used_as_it_is(image):
    """A closed form can be explained; a target then has no meaning."""
    probe = sal.ClosedFormProbe(lambda x: tf.reduce_sum(x, (1, 2, 3)))

    assert (sal.explain(probe, image, "gradient").heatmap.values == 1).all()
    with pytest.raises(sal.TargetError, match="bound to a target already"):
        sal.explain(probe, image, "gradient", target=1)


def test_labels_are_targets(model, image):
    """A probe with labels takes them, and keeps the one asked for."""
    probe = sal.KerasProbe(model, labels=["normal", "mass", "nodule"])
    by_label = sal.explain(probe, image, "gradient", target="mass")
    by_index = sal.explain(probe, image, "gradient", target=1)

    assert by_label.target == "mass"
    assert (by_label.heatmap.values == by_index.heatmap.values).all()
    with pytest.raises(sal.TargetError, match="nodule"):
        sal.explain(probe, image, "gradient", target="nodul")


@pytest.mark.parametrize("target", [3, -4, 2.0, True])
def test_targets_out_of_range_are_refused(model, image, target):
    """A wrong class never explains another one."""
    with pytest.raises(sal.TargetError):
        sal.explain(model, image, "gradient", target=target)


def test_a_callable_target(model, image):
    """A function of the model's output is explained, and its name kept."""

    def contrast(output):
        return output[:, 1] - output[:, 0]

    both = [
        sal.explain(model, image, "gradient", target=k).heatmap.values for k in (0, 1)
    ]
    result = sal.explain(model, image, "gradient", target=contrast)

    assert result.target == "contrast"
    assert np.allclose(result.heatmap.values, both[1] - both[0], atol=1e-5)


def test_an_unknown_explainer_names_the_nearest(model, image):
    """A typing error costs one look."""
    with pytest.raises(sal.ExplainerError, match="gradcam"):
        sal.explain(model, image, "gradcamm")


def test_colour_for_a_grey_model_is_refused(model):
    """Which grey a colour is, is not guessed."""
    colour = sal.DicomImage.from_array(np.zeros((8, 9, 3)))
    with pytest.raises(sal.InputError, match=r"takes 1 channel"):
        sal.explain(model, colour)


def test_a_wrong_size_is_refused(model, image):
    """A size that the model does not take is named before the model is asked."""
    with pytest.raises(sal.InputError, match=r"\(40, 56, 1\)"):
        sal.explain(model, image, prepare=sal.Prepare((30, 30)))


def test_a_side_that_the_model_fixes_is_asked_for(image):
    """Where the model leaves one side free, leaving the size open does not help."""
    model = keras.Sequential(
        [keras.Input((40, None, 1)), keras.layers.GlobalAveragePooling2D()]
    )
    with pytest.raises(sal.InputError, match=r"Give its size: Prepare\(size=\(H, W\)"):
        sal.explain(model, image, "random")


def test_a_model_of_bytes_is_asked_in_whole_numbers(image):
    """0..1 is refused; 0..255 gives what the model itself gives for bytes."""
    inputs = keras.Input((40, 56, 1), dtype="uint8")
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))
    with pytest.raises(sal.InputError, match=r"uint8.*scale='pixel'"):
        sal.explain(model, image, "random")
    result = sal.explain(
        model, image, "random", target=1, prepare=sal.Prepare(scale="pixel"), cutoff=0
    )
    given = result.prepare(image).array.astype(np.uint8)
    assert result.probability == pytest.approx(float(model(given)[0, 1]), abs=1e-6)


@pytest.mark.parametrize(
    ("factor", "scale", "told"),
    [
        (1 / 255, "unit", True),
        (1 / 127.5, "symmetric", True),
        (1 / 255, "pixel", False),
        (0.5, "unit", False),
    ],
)
def test_a_model_that_divides_its_input_is_not_asked_in_silence(
    image, caplog, factor, scale, told
):
    """0..1 of a model that begins with Rescaling(1 / 255) is nearly black; it is said once."""
    inputs = keras.Input((40, 56, 1))
    x = keras.layers.Conv2D(2, 3)(keras.layers.Rescaling(factor)(inputs))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(x))
    probe = sal.KerasProbe(keras.Model(inputs, x))
    for _ in range(2):
        sal.explain(probe, image, "random", prepare=sal.Prepare(scale=scale), cutoff=0)

    assert probe.input_factor == pytest.approx(factor)
    assert [r.name for r in caplog.records] == ["saliency.pipeline"] * told
    assert caplog.text.count("Prepare(scale='pixel')") == told


def test_nan_of_the_model_is_never_painted(image):
    """A broken model raises; it does not give a black or a vivid map."""
    broken = keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.Conv2D(2, 3),
            keras.layers.GlobalMaxPooling2D(),
        ]
    )
    broken.layers[0].set_weights([np.full((3, 3, 1, 2), np.nan), np.zeros(2)])
    with pytest.raises(sal.NotFiniteError, match="finite"):
        sal.explain(broken, image, "gradient", target=0)


def test_the_gap_is_small_and_only_where_promised(model, image):
    """IG says how complete it is; a gradient promises nothing."""
    assert sal.explain(model, image, "integrated_gradients").gap <= 0.01
    assert sal.explain(model, image, "gradient").gap is None


def test_an_explanation_travels(model, image):
    """It pickles, keeps its recipe, and shows itself without naming anybody."""
    result = sal.explain(model, image, sal.SmoothGrad(samples=3))
    copy = pickle.loads(pickle.dumps(result))  # noqa: S301

    assert (copy.heatmap.values == result.heatmap.values).all()
    assert "samples=3" in copy.recipe
    assert not copy.heatmap.values.flags.writeable
    assert copy._repr_mimebundle_()["image/png"][:4] == b"\x89PNG"


def test_the_model_is_left_as_it_was(model, image):
    """Weights, trainable flags, layers and nodes are the same after every explainer."""

    def state():
        nodes = [
            (len(each._inbound_nodes), len(each._outbound_nodes))
            for each in model.layers
        ]
        return nodes, [each.trainable for each in model.layers], model.get_weights()

    before = state()
    for name in ENTRIES:
        sal.explain(model, image, name)
    after = state()

    assert before[:2] == after[:2]
    assert all((old == new).all() for old, new in zip(before[2], after[2], strict=True))
