"""Targets on outputs that are more than one number for each class."""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from probe import nets

import saliency as sal
from saliency.errors import InputError, TargetError

LAYERS = keras.layers


def unet(classes=3, activation="softmax", shape=nets.SHAPE):
    """A network that goes down and up again, and gives a class for each pixel."""
    inputs = keras.Input(shape)
    first = LAYERS.Conv2D(4, 3, padding="same", activation="relu", name="first")(inputs)
    deep = LAYERS.Conv2D(
        6, 3, strides=2, padding="same", activation="relu", name="deep"
    )(first)
    up = LAYERS.UpSampling2D()(deep)[:, : shape[0] or None, : shape[1] or None]
    both = LAYERS.Concatenate()([first, up]) if shape[0] else up
    outputs = LAYERS.Conv2D(classes, 1, activation=activation, name="scores")(both)
    return nets.filled(keras.Model(inputs, outputs))


def lesion(shape=nets.SHAPE[:2]):
    mask = np.zeros(shape, bool)
    mask[5:12, 20:31] = True
    return mask


def logits_of(model, inputs):
    """The last convolution by hand, without its activation."""
    before = keras.Model(model.inputs, model.layers[-1].input)(inputs)
    kernel, bias = model.layers[-1].get_weights()
    return np.asarray(before) @ kernel[0, 0] + bias


@pytest.fixture(scope="module")
def segmenter():
    return unet()


def test_a_region_is_the_mean_logit_inside(segmenter):
    """Numpy: the logits of the class, averaged over the selected pixels."""
    inputs = nets.pictures()
    expected = logits_of(segmenter, inputs)[:, lesion(), 2].mean(axis=1)
    found = sal.KerasProbe(segmenter).at(sal.Region(2, lesion())).score(inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_mask_of_a_finer_grid_is_averaged(segmenter):
    """A mask of twice the size counts each cell by the share of it that is selected."""
    inputs, fine = nets.pictures(), np.zeros((74, 106), bool)
    fine[11:24, 41:62] = True
    weights = fine.reshape(37, 2, 53, 2).mean(axis=(1, 3))
    logits = logits_of(segmenter, inputs)[..., 1]
    expected = (weights * logits).sum((1, 2)) / weights.sum()
    for mask in (fine, sal.Mask(fine)):
        found = sal.KerasProbe(segmenter).at(sal.Region(1, mask)).score(inputs)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "name", ["gradient", "gradcam", "fastcam", "integrated_gradients", "lrp"]
)
def test_a_region_does_not_see_what_cannot_reach_it(segmenter, name):
    """Pixels beyond the receptive field of the region have no gradient; every explainer answers."""
    inputs, probe = (
        nets.pictures(),
        sal.KerasProbe(segmenter).at(sal.Region(1, lesion())),
    )
    found = np.asarray(sal.catalogue()[name]()(probe, inputs))
    assert np.isfinite(found).all()
    assert np.ptp(found) > 0
    if name == "gradient":
        assert not found[:, 20:].any()
        assert found[:, 5:12, 20:31].any()


def test_one_channel_speaks_for_and_against():
    """A mask of sigmoid: class 1 has the logit, class 0 its opposite."""
    model, inputs = unet(1, "sigmoid"), nets.pictures()
    probe = sal.KerasProbe(model)
    expected = logits_of(model, inputs)[:, lesion(), 0].mean(axis=1)
    np.testing.assert_allclose(
        probe.at(sal.Region(1, lesion())).score(inputs), expected, rtol=1e-4
    )
    np.testing.assert_allclose(
        probe.at(sal.Region(0)).score(inputs),
        -logits_of(model, inputs).mean((1, 2, 3)),
        rtol=1e-4,
    )


def test_free_sizes_take_any_mask():
    """A network of any size is asked about a mask of one size on pictures of another."""
    probe = sal.KerasProbe(unet(shape=(None, None, 2))).at(
        sal.Region(1, lesion((40, 60)))
    )
    assert probe.score(nets.pictures(1, (40, 60, 2))).shape == (1,)
    assert probe.score(nets.pictures(1, (80, 120, 2))).shape == (1,)


def test_volumes_have_regions():
    """A mask (d, h, w) on the output's grid."""
    inputs = keras.Input((6, 10, 12, 1))
    model = keras.Model(inputs, LAYERS.Conv3D(2, 1, activation="softmax")(inputs))
    mask = np.zeros((6, 10, 12), bool)
    mask[2, 3, 4] = True
    gradient = (
        sal.KerasProbe(model)
        .at(sal.Region(1, mask))
        .gradient(np.ones((1, 6, 10, 12, 1)))
    )
    assert (np.asarray(gradient)[0, ..., 0] != 0).sum() == 1
    with pytest.raises(TargetError, match="output's grid"):
        sal.KerasProbe(model).at(sal.Region(1, mask[:5])).score(
            np.ones((1, 6, 10, 12, 1))
        )


def test_a_target_is_a_value(segmenter):
    """Equal regions are one target, compiled once; the repr says which without its pixels."""
    one = sal.Region(1, lesion())
    other = pickle.loads(pickle.dumps(one))  # noqa: S301
    probe = sal.KerasProbe(segmenter)
    for target in (one, other, sal.Region(1, sal.Mask(lesion()))):
        probe.at(target).score(nets.pictures())
    assert probe.traces["score"] == 1
    assert one != sal.Region(1, lesion()[::-1])
    assert one != sal.Region(2, lesion())
    assert repr(one) == repr(other)
    assert repr(one).startswith("Region(1, 77 of 37 x 53, ")
    assert not one.mask.flags.writeable
    model = unet(shape=(37, 53, 1))
    image = sal.DicomImage.from_array(np.eye(40))
    assert sal.explain(model, image, "gradient", target=one).target == repr(one)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, np.zeros((3, 4), bool)), "selects something"),
        ((1, np.ones((3, 4))), "bool"),
        ((1, np.ones(4, bool)), "rank"),
        ((-1,), "0 or more"),
        ((True,), "0 or more"),
        (("lung",), "0 or more"),
    ],
)
def test_a_region_is_checked_where_it_is_made(arguments, message):
    with pytest.raises(InputError, match=message):
        sal.Region(*arguments)


def test_a_region_of_the_wrong_output_is_refused(segmenter):
    """A classifier has no region, a segmentation no contrast, neither a class that is not there."""
    with pytest.raises(TargetError, match="from 0 to 2, got 7"):
        sal.KerasProbe(segmenter).at(sal.Region(7)).score(nets.pictures())
    with pytest.raises(TargetError, match=r"Region\(1\).*rank 4 or 5"):
        nets.probe().at(sal.Region(1)).score(nets.pictures())
    with pytest.raises(TargetError, match="both classes"):
        sal.KerasProbe(segmenter).at(sal.Contrast(1, 0)).score(nets.pictures())
    with pytest.raises(TargetError, match="both classes"):
        nets.probe().at(sal.Contrast(1, 3)).score(nets.pictures())


def test_a_contrast_is_a_difference():
    """Linearity: the gradient of a contrast is the difference of the gradients."""
    probe, inputs = nets.probe(), nets.pictures()
    expected = probe.at(2).gradient(inputs) - probe.at(0).gradient(inputs)
    found = probe.at(sal.Contrast(2, 0)).gradient(inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def detector():
    """Class scores and boxes for each cell of a grid, as one-stage detectors have them."""
    inputs = keras.Input(nets.SHAPE)
    trunk = nets.chained(nets.trunk_layers(), inputs)
    classes = LAYERS.Conv2D(3, 1, activation="sigmoid", name="classes")(trunk)
    boxes = LAYERS.Conv2D(4, 1, activation="relu", name="boxes")(trunk)
    flat = {
        "classes": LAYERS.Reshape((-1, 3))(classes),
        "boxes": LAYERS.Reshape((-1, 4))(boxes),
    }
    return nets.filled(keras.Model(inputs, flat))


def test_a_detector_is_explained_by_a_callable():
    """The best score of a class, weighted by nothing else; the other outputs may take part."""
    model, inputs = detector(), nets.pictures()

    def best_of_class(output):
        return tf.reduce_max(output["classes"][..., 1], axis=1)

    def width_of_best(output):
        best = tf.argmax(output["classes"][..., 1], axis=1)
        box = tf.gather(output["boxes"], best, batch_dims=1)
        return box[:, 0] + box[:, 2]

    found = model(inputs)
    for target in (best_of_class, width_of_best):
        probe = sal.KerasProbe(model).at(target)
        np.testing.assert_allclose(probe.score(inputs), target(found), rtol=1e-4)
        assert np.abs(probe.gradient(inputs)).max() > 0
        assert probe.layers == ("conv2", "conv3")
        assert np.asarray(sal.GradCAM()(probe, inputs)).shape == (2, 37, 53)


@pytest.mark.parametrize("part", ["grade", 1])
def test_one_of_several_outputs_is_chosen_by_name_or_index(part):
    """A multi-task model: each head is asked as if it were alone; a callable takes them all."""
    inputs = keras.Input(nets.SHAPE)
    x = LAYERS.GlobalAveragePooling2D()(nets.chained(nets.trunk_layers(), inputs))
    heads = [
        LAYERS.Dense(1, name="size")(x),
        LAYERS.Dense(4, "softmax", name="grade")(x),
    ]
    model = nets.filled(keras.Model(inputs, heads))
    alone = sal.KerasProbe(keras.Model(inputs, heads[1])).at(3)
    found = sal.KerasProbe(model, part=part).at(3)
    pictures = nets.pictures()
    np.testing.assert_allclose(
        found.gradient(pictures), alone.gradient(pictures), atol=1e-6
    )
    both = sal.KerasProbe(model).at(lambda output: output[0][:, 0] * output[1][:, 3])
    assert both.score(pictures).shape == (2,)


def test_labels_of_many_findings_are_asked_one_by_one():
    """A multi-label head of sigmoids: each unit has its own logit."""
    probe = sal.KerasProbe(
        nets.flat(3, "sigmoid"), labels=["mass", "nodule", "effusion"]
    )
    logits = nets.probe(nets.flat, 3, "linear")
    for index, name in enumerate(("mass", "nodule", "effusion")):
        np.testing.assert_allclose(
            probe.at(name).score(nets.pictures()),
            logits.at(index).score(nets.pictures()),
            rtol=1e-5,
        )
