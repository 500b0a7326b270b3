"""The ends of the scales of known networks are the known layers."""

import keras
import numpy as np
import pytest
from probe import nets

from saliency.errors import ModelError
from saliency.probe.keras_probe import KerasProbe
from saliency.probe.model.drawing import graph_of
from saliency.probe.model.shapes import outline_of
from saliency.probe.model.taps import end_of_scales

STAGES = [(2, 3), (3, 4), (4, 6), (5, 3)]

KNOWN = [
    (
        "ResNet50",
        ["conv1_relu", *(f"conv{stage}_block{last}_out" for stage, last in STAGES)],
    ),
    ("VGG16", [f"block{scale}_conv{2 if scale < 3 else 3}" for scale in range(1, 6)]),
    ("DenseNet121", ["conv1_relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"]),
    (
        "MobileNetV2",
        [*(f"block_{block}_expand_relu" for block in (1, 3, 6, 13)), "out_relu"],
    ),
    ("InceptionV3", [None, None, "mixed2", "mixed7", "mixed10"]),
    (
        "EfficientNetB0",
        [
            *(f"block{block}a_expand_activation" for block in (2, 3, 4, 6)),
            "top_activation",
        ],
    ),
    (
        "ResNet50V2",
        [
            "conv2_block3_1_relu",
            "conv3_block4_1_relu",
            "conv4_block6_1_relu",
            "post_relu",
        ],
    ),
]


def named(model, shape):
    outline = outline_of(graph_of(model), (None, *shape))
    return [
        outline.steps[index].name for index in end_of_scales(outline, len(shape) + 1)
    ]


@pytest.mark.parametrize(
    ("application", "expected"), KNOWN, ids=[name for name, _ in KNOWN]
)
def test_the_scales_of_a_published_network(application, expected):
    """The last activated tensor before each down-sampling, and the last of all."""
    build = getattr(keras.applications, application)
    if application == "InceptionV3" and keras.__version__.startswith("3.5."):
        pytest.skip("Keras 3.5 cannot build it on a grid that ends one row high")
    found = named(
        build(weights=None, include_top=False, input_shape=(96, 128, 3)), (96, 128, 3)
    )
    assert len(found) == len(expected)
    assert [
        each if want else None for each, want in zip(found, expected, strict=True)
    ] == expected


def test_scales_do_not_depend_on_a_free_input_size():
    """Where the model leaves height and width free, the same layers are found."""
    model = keras.applications.MobileNetV2(weights=None, include_top=False, alpha=0.35)
    assert named(model, (None, None, 3))[0] == "block_1_expand_relu"
    assert named(model, (None, None, 3)) == named(model, (96, 128, 3))


@pytest.mark.parametrize(
    "pool",
    [keras.layers.MaxPooling2D(), lambda x: keras.ops.max_pool(x, 2)],
    ids=["layer", "ops"],
)
def test_a_pooling_that_does_not_say_its_strides(pool):
    """``keras.ops`` keeps None for strides as large as the window."""
    inputs = keras.Input(nets.SHAPE)
    layers = [
        keras.layers.Conv2D(3, 3, activation="relu", name="one"),
        pool,
        keras.layers.Conv2D(3, 3, activation="relu", name="two"),
        keras.layers.GlobalAveragePooling2D(),
    ]
    model = keras.Model(inputs, nets.chained(layers, inputs))
    assert named(model, nets.SHAPE) == ["one", "two"]


def test_a_pooling_alone_is_no_scale():
    """A scale without a convolution does not count: two poolings in a row end one scale."""
    inputs = keras.Input(nets.SHAPE)
    layers = [
        keras.layers.Conv2D(3, 3, activation="relu", name="one"),
        keras.layers.MaxPooling2D(),
        keras.layers.ZeroPadding2D(),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(3, 3, activation="relu", name="two"),
        keras.layers.GlobalMaxPooling2D(),
    ]
    assert named(keras.Model(inputs, nets.chained(layers, inputs)), nets.SHAPE) == [
        "one",
        "two",
    ]


def test_an_activation_behind_a_pooling_is_no_scale():
    """Convolution, pooling, activation: no convolution has run at the activation's scale."""
    inputs = keras.Input(nets.SHAPE)
    layers = [
        each
        for name in ("one", "two")
        for each in (
            keras.layers.Conv2D(3, 3, name=name),
            keras.layers.MaxPooling2D(),
            keras.layers.ReLU(),
        )
    ]
    assert named(keras.Model(inputs, nets.chained(layers, inputs)), nets.SHAPE) == [
        "one",
        "two",
    ]


def test_the_activation_counts_not_the_convolution():
    """Convolution, normalisation, activation: the activation is the end of the scale."""
    inputs = keras.Input(nets.SHAPE)
    layers = [
        keras.layers.Conv2D(3, 3, name="conv"),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(name="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.AveragePooling2D(2),
        keras.layers.Conv2D(3, 3, name="last"),
        keras.layers.LeakyReLU(name="leaky"),
        keras.layers.Flatten(),
    ]
    found = named(keras.Model(inputs, nets.chained(layers, inputs)), nets.SHAPE)
    assert found == ["relu", "leaky"]


def test_a_linear_network_has_taps_too():
    """Without any activation function the ends of the convolutions count."""
    inputs = keras.Input(nets.SHAPE)
    layers = [
        keras.layers.Conv2D(3, 3, name="conv"),
        keras.layers.GlobalAveragePooling2D(),
    ]
    assert named(keras.Model(inputs, nets.chained(layers, inputs)), nets.SHAPE) == [
        "conv"
    ]


def test_the_way_up_is_no_scale():
    """Of an encoder and decoder, the encoder's ends and the bottom are tapped."""
    inputs = keras.Input((32, 48, 1))
    down = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="down")(
        inputs
    )
    x = keras.layers.MaxPooling2D()(down)
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="bottom")(x)
    x = keras.layers.UpSampling2D()(x)
    x = keras.layers.Concatenate()([down, x])
    x = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="up")(x)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1, activation="softmax")(x))
    assert named(model, (32, 48, 1)) == ["down", "bottom"]


def test_a_gate_is_no_scale():
    """Squeeze and excitation works on one pixel: it is no scale of its own."""
    inputs = keras.Input(nets.SHAPE)
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = keras.layers.Conv2D(4, 1, activation="sigmoid", name="gate")(gate)
    x = keras.layers.Multiply(name="gated")([x, gate])
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    assert named(model, nets.SHAPE) == ["gated"]


def test_layers_can_be_named():
    """A bare name that is unique, or a full one; given in any order, earliest first."""
    model = nets.nested()
    for names in (["conv3", "conv1"], ["inner/backbone/conv1", "conv3"]):
        probe = KerasProbe(model, layers=names)
        assert probe.layers == ("inner/backbone/conv1", "inner/backbone/conv3")
    shapes = [each.shape for each in probe.at(0).activations(nets.pictures())]
    assert shapes == [(2, 18, 26, 4), (2, 7, 11, 6)]


def test_an_unknown_name_is_refused_with_the_nearest():
    """A misspelled layer is answered with names that exist."""
    with pytest.raises(ModelError, match="backbone/conv2"):
        KerasProbe(nets.nested(), layers=["convolution2"])


def test_a_layer_without_picture_is_refused():
    """A dense layer has no pixels to paint."""
    with pytest.raises(ModelError, match="scores"):
        KerasProbe(nets.flat(), layers=["scores"])


def shared_layer():
    inputs = keras.Input(nets.SHAPE)
    twice = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="twice")
    x = keras.layers.GlobalAveragePooling2D()(twice(twice(inputs)))
    return nets.filled(
        keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    )


def test_a_layer_that_stands_at_two_places_is_two_calls():
    """A shared layer has a tap for each call, with that call's own activation."""
    model = shared_layer()
    with pytest.raises(ModelError, match="twice#2"):
        KerasProbe(model, layers=["twice"])
    probe = KerasProbe(model, layers=["twice#1", "twice#2"])
    inputs = nets.pictures()
    layer = model.get_layer("twice")
    once, again = probe.at(0).activations(inputs)
    np.testing.assert_allclose(once, layer(inputs), atol=1e-6)
    np.testing.assert_allclose(again, layer(layer(inputs)), atol=1e-5)


def turned(by):
    """Build a network that turns its pictures to (N, C, H, W) inside."""
    inputs = keras.Input((24, 36, 3))
    options = {"data_format": "channels_first", "activation": "relu"}
    x = keras.layers.Conv2D(4, 3, name="inside", **options)(by(inputs))
    x = keras.layers.GlobalAveragePooling2D(data_format="channels_first")(x)
    return keras.Model(inputs, keras.layers.Dense(2)(x))


@pytest.mark.parametrize(
    "by",
    [
        keras.layers.Permute((3, 1, 2)),
        lambda x: keras.ops.transpose(x, (0, 3, 1, 2)),
        lambda x: keras.ops.moveaxis(x, -1, 1),
        lambda x: keras.ops.swapaxes(keras.ops.swapaxes(x, 1, 3), 2, 3),
    ],
)
def test_layers_behind_a_turn_of_axes_have_no_place(by):
    """Their channels would be taken for columns; the input keeps the order that it has."""
    model = turned(by)
    probe = KerasProbe(model)
    assert (probe.layers, probe.input_shape) == ((), (24, 36, 3))
    with pytest.raises(ModelError, match="'inside' is channels_first"):
        KerasProbe(model, layers=["inside"])


@pytest.mark.parametrize(
    "augmentation",
    [
        keras.layers.RandomFlip(seed=0),
        keras.layers.RandomContrast(0.1, seed=0),
        keras.layers.SpatialDropout2D(0.1),
    ],
)
def test_augmentation_says_nothing_of_the_axis_order(augmentation):
    """It is channels_last unless told otherwise, in a network that is channels_first."""
    inputs = keras.Input((3, 24, 36))
    conv = keras.layers.Conv2D(
        4, 3, data_format="channels_first", activation="relu", name="conv"
    )
    x = keras.layers.Flatten()(conv(augmentation(inputs)))
    probe = KerasProbe(keras.Model(inputs, keras.layers.Dense(2)(x)))
    assert (probe.layers, probe.input_shape) == (("conv",), (24, 36, 3))
