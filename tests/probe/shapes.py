"""Shapes of model that people make, each with a flat twin that must have the same maps.

All of them are one function of one picture, or a cut-out of it: what is asked of a shape is asked
of plain functional layers with the same weights too.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from probe import nets

import saliency as sal
from saliency.probe.keras_probe import BoundProbe

layers, ops = keras.layers, keras.ops
SHAPE, VOLUME = (17, 22, 2), (7, 11, 14, 2)
AGE = 0.62
CLASS = 1


def trunk(**given):
    """Two convolutions, the second on half the grid; the end of each scale is tapped."""
    return [
        layers.Conv2D(4, 3, activation="relu", name="conv1", **given),
        layers.BatchNormalization(name="norm", axis=given.get("axis", -1)),
        layers.MaxPooling2D(name="pool", **given),
        layers.Conv2D(5, 3, activation="relu", name="conv2", **given),
    ]


def head(activation="softmax", units=3, **given):
    return [
        layers.GlobalAveragePooling2D(name="mean", **given),
        layers.Dropout(0.5, name="drop"),
        layers.Dense(units, activation=activation, name="scores"),
    ]


def functional(*steps, shape=SHAPE):
    inputs = keras.Input(shape)
    return keras.Model(inputs, nets.chained(steps, inputs))


@cache
def weights():
    """Weights by the name of the layer that has them."""
    model = nets.filled(functional(*trunk(), *head()), 7)
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def taught(model, **others):
    """Give layers their weights, by name; ``others`` has those that differ."""
    known = {**weights(), **others}
    for layer in model._flatten_layers():
        if layer.name in known and not isinstance(layer, keras.Model):
            layer.set_weights(known[layer.name])
    return model


def scores(columns=slice(None), sign=1.0, extra=None):
    """Weights of the head: some of its units, negated, or with a row for a held input."""
    kernel, bias = (sign * each[..., columns] for each in weights()["scores"])
    return [kernel if extra is None else np.concatenate([kernel, extra]), bias]


def asked(model, target=CLASS, **given):
    return sal.KerasProbe(model, **given).at(target)


def flat(activation="softmax", **others):
    return taught(functional(*trunk(), *head(activation)), **others)


# Twins: functional, one layer after the other.


HEADS = {
    "logit": scores,
    "negated": lambda: scores(sign=-1.0),
    "halved": lambda: scores(sign=0.5),
    "aged": lambda: aged()[0],
    "two views": lambda: seen_from_the_left()[0],
}
"""Twins that differ in the weights of the head alone: one network, whose weights are set anew."""


def twin(kind="logit"):
    """Return a flat network's probe, to be asked at once: the next call may change its weights."""
    if kind not in HEADS:
        return built(kind)
    probe = built("logit")
    probe.source.model.layers[-1].set_weights(HEADS[kind]())
    return probe


@cache
def built(kind):
    """Return one object for each kind: what is compiled is shared."""
    made = {
        "logit": lambda: asked(flat()),
        "probability": lambda: asked(flat(), output="probability"),
        "scaled": lambda: asked(scaled(lambda x: x * 0.5 + 1.0)),
        "inside": lambda: asked(inside(((1, 2), (2, 3)))),
        "one box": lambda: asked(inside(((1, 3), (4, 3)))),
        "unshared": lambda: asked(halves(shared=False)),
        "untied": lambda: asked(tied(shared=False)),
        "transformer": lambda: asked(transformer(nested=False)),
        "volume": lambda: asked(deep(functional)),
        "U-Net": lambda: asked(unet(nested=False), sal.Region(CLASS)),
        "dense": lambda: asked(dense(functional)),
    }
    return made[kind]()


def scaled(*steps):
    inputs = keras.Input(SHAPE)
    x = nets.chained(steps, inputs)
    return taught(keras.Model(inputs, nets.chained([*trunk(), *head()], x)))


def inside(crop):
    """The mean logit in a part of the last grid, 5 x 8: pooling after cropping."""
    return taught(functional(*trunk(), layers.Cropping2D(crop), *head("linear")))


def aged():
    """Weights of a head without the age that is held, and with it."""
    extra = np.array([[0.3, -0.7, 0.2]])
    kernel, bias = scores()
    return [kernel, bias + AGE * extra[0]], scores(extra=extra)


@cache
def features():
    """What the trunk gives to the head, of a model of its own."""
    return taught(functional(*trunk(), layers.GlobalAveragePooling2D()))


def seen_from_the_left():
    """Weights of a head for two views whose right one is held, and of the head for both."""
    extra = np.random.default_rng(5).normal(0, 0.4, (5, 3))
    kernel, bias = scores()
    right = features()(nets.pictures(1, SHAPE, seed=9)).numpy()[0]
    return [kernel, bias + right @ extra], scores(extra=extra)


def halves(*, shared):
    """The left and the right half of a picture through one convolution, or two alike."""
    inputs = keras.Input(SHAPE)
    made = [
        layers.Conv2D(4, 3, activation="relu", name=name) for name in ("conv1", "other")
    ]
    one, other = made[:1] * 2 if shared else made
    left, right = one(inputs[:, :, :11]), other(inputs[:, :, 11:])
    x = nets.chained(trunk()[1:] + head(), left - right)
    return taught(keras.Model(inputs, x), other=weights()["conv1"])


def tied(*, shared):
    """A convolution that is called three times on its own output, or three alike."""
    names = ("one", "two", "three")
    made = [
        layers.Conv2D(4, 3, padding="same", activation="relu", name=name)
        for name in names
    ]
    draw = np.random.default_rng(3)
    own = [draw.normal(0, 0.3, (3, 3, 4, 4)), draw.normal(0, 0.3, 4)]
    first, *rest = trunk()
    model = functional(first, *(made[:1] * 3 if shared else made), *rest, *head())
    return taught(model, **dict.fromkeys(names, own))


def patches():
    return [
        layers.Conv2D(6, (5, 5), strides=5, name="patches"),
        layers.Reshape((12, 6)),
    ]


def transformer(*, nested):
    """Patches of 5 x 5, self-attention, the mean of all tokens."""
    inputs = keras.Input((15, 20, 2))
    x = nets.chained(patches(), inputs)
    if nested:
        token = keras.Input((12, 6))
        attention = layers.MultiHeadAttention(2, 3, name="attention")
        x = keras.Sequential([keras.Model(token, token + attention(token, token))])(x)
    else:
        x = x + layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(x))
    return nets.filled(keras.Model(inputs, x), 5)


def deep(build):
    """A network of volumes, functional or Sequential."""
    steps = [
        layers.Conv3D(3, 3, activation="relu"),
        layers.MaxPooling3D(2),
        layers.Conv3D(4, 2, activation="relu"),
        layers.GlobalAveragePooling3D(),
        layers.Dense(3, activation="softmax"),
    ]
    return nets.filled(build(*steps, shape=VOLUME), 8)


def unet(*, nested):
    """A class for each pixel, from two scales; the encoder may be a model of two outputs."""
    inputs, symbol = keras.Input(SHAPE), keras.Input(SHAPE)
    start = symbol if nested else inputs
    fine = layers.Conv2D(3, 3, padding="same", activation="relu", name="fine")(start)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="coarse")(
        layers.MaxPooling2D(2, padding="same")(fine)
    )
    if nested:
        fine, x = keras.Model(symbol, [fine, x])(inputs)
    up = layers.Cropping2D(((0, 1), (0, 0)))(layers.UpSampling2D(2)(x))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(
        layers.Concatenate()([fine, up])
    )
    return nets.filled(
        keras.Model(inputs, layers.Conv2D(3, 1, activation="softmax")(x)), 6
    )


def dense(build):
    """Nothing but dense layers, on the pixels in a row."""
    steps = [
        layers.Flatten(),
        layers.Dense(6, activation="relu"),
        layers.Dense(3, activation="softmax"),
    ]
    return nets.filled(build(*steps, shape=SHAPE), 9)


# Shapes.


def in_a_row(*steps, shape):
    """Build a Sequential with its first layers in another."""
    return keras.Sequential(
        [keras.Input(shape), keras.Sequential(steps[:2]), *steps[2:]]
    )


def sequential():
    return asked(taught(keras.Sequential([keras.Input(SHAPE), *trunk(), *head()])))


def nested():
    """A functional trunk in a Sequential in a functional model."""
    backbone = functional(*trunk(), shape=(None, None, SHAPE[-1]))
    inner = keras.Sequential([keras.Input(SHAPE), backbone])
    return asked(taught(functional(inner, keras.Sequential(head()))))


def three_deep():
    """A Sequential in a Sequential in a Sequential."""
    first, *rest = trunk()
    middle = keras.Sequential([keras.Sequential([first, rest[0]]), *rest[1:]])
    return asked(taught(keras.Sequential([keras.Input(SHAPE), middle, *head()])))


class Written(keras.Model):
    """Layers in a class of one's own."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def call(self, pictures, training=None):
        for step in self.steps:
            named = {"training": training} if isinstance(step, layers.Dropout) else {}
            pictures = step(pictures, **named)
        return pictures


class Opaque(Written):
    """The same through an operation of TensorFlow, which takes no symbols."""

    def call(self, pictures, training=None):
        return super().call(tf.multiply(pictures, 1.0), training=training)


class Block(layers.Layer):
    """A layer of layers."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def call(self, pictures):
        return nets.chained(self.steps, pictures)


class Hidden(Block):
    """A layer of layers that cannot be drawn: it has an operation of TensorFlow."""

    def call(self, pictures):
        return super().call(tf.multiply(pictures, 1.0))


def with_hidden():
    first, *rest = trunk()
    return asked(taught(functional(Hidden([first]), *rest, *head())))


def subclassed(kind=Written):
    model = kind([*trunk(), *head()])
    model(tf.zeros((1, *SHAPE)))
    return asked(taught(model))


def with_a_block(kind):
    return asked(taught(functional(kind(trunk()), *head())))


def clinical():
    """A picture and an age, which is held."""
    picture, age = keras.Input(SHAPE, name="picture"), keras.Input((1,), name="age")
    pooled, _, dense = head()
    x = layers.Concatenate()([nets.chained([*trunk(), pooled], picture), age])
    model = taught(keras.Model([age, picture], dense(x)), scores=aged()[1])
    return asked(model, input="picture", held={"age": AGE})


def two_views():
    """Two pictures through one trunk; the left one is explained."""
    left, right = keras.Input(SHAPE, name="left"), keras.Input(SHAPE, name="right")
    shared = functional(*trunk(), layers.GlobalAveragePooling2D(), shape=SHAPE)
    x = layers.Concatenate()([shared(left), shared(right)])
    made = keras.Model([left, right], layers.Dense(3, "softmax", name="scores")(x))
    held = nets.pictures(1, SHAPE, seed=9)
    return asked(
        taught(made, scores=seen_from_the_left()[1]), input="left", held={"right": held}
    )


def outputs(kind):
    """Two heads on one trunk: a grade and a size."""
    inputs = keras.Input(SHAPE)
    x = nets.chained(trunk(), inputs)
    grade = nets.chained(head(), x)
    size = layers.Dense(1, name="size")(layers.Flatten()(x))
    given = {"size": size, "grade": grade} if kind is dict else [size, grade]
    return taught(keras.Model(inputs, given))


def grade(output):
    return output["grade"][:, CLASS]


def one_unit(activation, target):
    only = slice(CLASS, CLASS + 1)
    return asked(
        taught(functional(*trunk(), *head(activation, 1)), scores=scores(only)), target
    )


def segmenter(activation):
    """A class for each place of the last grid."""
    kernel, bias = scores()
    steps = [*trunk(), layers.Conv2D(3, 1, activation=activation, name="classes")]
    return taught(functional(*steps), classes=[kernel[None, None], bias])


def central():
    """The part of the last grid that :func:`inside` leaves."""
    mask = np.zeros((5, 8), bool)
    mask[1:3, 2:5] = True
    return mask


def detector():
    """A class and a frame for each place of the last grid."""
    inputs = keras.Input(SHAPE)
    x = nets.chained(trunk(), inputs)
    found = {
        "classes": layers.Reshape((-1, 3))(layers.Conv2D(3, 1, name="classes")(x)),
        "boxes": layers.Reshape((-1, 4))(layers.Conv2D(4, 1, name="boxes")(x)),
    }
    kernel, bias = scores()
    return taught(keras.Model(inputs, found), classes=[kernel[None, None], bias])


def box(output):
    """The logit of the class in the box at row 1, column 4."""
    return output["classes"][:, 1 * 8 + 4, CLASS]


def slice_of_a_volume():
    """A volume of one slice, with kernels one slice deep."""
    model = functional(
        layers.Conv3D(4, (1, 3, 3), activation="relu", name="conv1"),
        layers.BatchNormalization(name="norm"),
        layers.MaxPooling3D((1, 2, 2)),
        layers.Conv3D(5, (1, 3, 3), activation="relu", name="conv2"),
        layers.GlobalAveragePooling3D(),
        layers.Dense(3, activation="softmax", name="scores"),
        shape=(1, *SHAPE),
    )
    kernels = {
        name: [each[0][None], *each[1:]]
        for name, each in weights().items()
        if "conv" in name
    }
    return asked(taught(model, **kernels))


def channels_first():
    given = {"data_format": "channels_first"}
    first = [
        layers.Conv2D(4, 3, activation="relu", name="conv1", **given),
        layers.BatchNormalization(name="norm", axis=1),
        layers.MaxPooling2D(name="pool", **given),
        layers.Conv2D(5, 3, activation="relu", name="conv2", **given),
    ]
    shape = (SHAPE[-1], *SHAPE[:-1])
    return asked(taught(functional(*first, *head(**given), shape=shape)))


def half(policy):
    keras.config.set_dtype_policy(policy)
    try:
        return asked(flat())
    finally:
        keras.config.set_dtype_policy("float32")


def augmented():
    steps = [
        layers.RandomFlip(seed=0),
        layers.RandomRotation(0.5, seed=0),
        layers.GaussianNoise(1.0, seed=0),
        layers.Rescaling(0.5, offset=1.0),
    ]
    return asked(scaled(*steps))


def trained_by_default():
    """Batch normalisation and dropout that were drawn with training=True."""
    inputs = keras.Input(SHAPE)
    first, norm, *rest = trunk()
    x = nets.chained(rest, norm(first(inputs), training=True))
    pooled, drop, dense = head()
    return asked(taught(keras.Model(inputs, dense(drop(pooled(x), training=True)))))


def ending_in(last):
    return asked(taught(functional(*trunk(), *head("linear"), last)))


def lambda_of_tensorflow():
    return ending_in(layers.Lambda(lambda logits: tf.nn.softmax(logits * 1.0)))


def saved():
    """A SavedModel, as ``model.export`` writes it."""
    with tempfile.TemporaryDirectory() as folder:
        flat().export(folder, verbose=False)
        layer = layers.TFSMLayer(folder, call_endpoint="serve")
    return asked(keras.Sequential([keras.Input(SHAPE), layer]))


def free_sizes():
    return asked(taught(functional(*trunk(), *head(), shape=(None, None, SHAPE[-1]))))


CONTROL = frozenset({"randomised_model"})
DRAWN = frozenset(
    {
        *("rise", "lime", "kernel_shap", "shapley_sampling", "sobol", "hsic"),
        *("meaningful_perturbation", "extremal_perturbation"),
    }
)
OF_PARTS = frozenset({"lrp", "fullgrad"})
CHOSEN = frozenset({"guided_integrated_gradients"})


@dataclass(frozen=True)
class Shape:
    """A shape of model and its twin.

    Parameters
    ----------
    made
        Builds the model and binds it to its target.
    twin
        What must have the same maps, see :func:`twin`.
    apart
        Explainers whose map is another, and rightly so: ``CONTROL`` where the weights have another
        order, so that they are shuffled otherwise; ``DRAWN`` where masks have another axis;
        ``OF_PARTS`` where a head of convolutions stands for one of dense layers; ``CHOSEN`` in half
        precision, since a path that is chosen by the order of gradients jumps where two are all
        but equal.
    near
        The greatest difference of two maps, as a share of the greatest value.
    axis
        Where the pictures get a new axis.
    sized
        (H, W, C) of the pictures.
    """

    made: Callable[[], BoundProbe]
    twin: str = "logit"
    apart: frozenset[str] = frozenset()
    near: float = 2e-4
    axis: int | None = None
    sized: tuple[int, ...] = SHAPE

    def pictures(self) -> Any:
        return nets.pictures(2, self.sized)

    def inputs(self) -> Any:
        """Return the pictures with the axes that the model asks for."""
        pictures = self.pictures()
        return pictures if self.axis is None else tf.expand_dims(pictures, self.axis)

    def answered(self, recipe: Any, probe: BoundProbe) -> Any:
        """Return a map (N, H, W, ...) of the pictures."""
        found = recipe(probe, self.inputs())
        return np.asarray(found if self.axis is None else tf.squeeze(found, self.axis))


SHAPES = {
    "Sequential": Shape(sequential),
    "functional": Shape(lambda: asked(flat())),
    "functional in Sequential in functional": Shape(nested),
    "Sequential, three deep": Shape(three_deep),
    "subclassed": Shape(subclassed),
    "subclassed model in functional": Shape(partial(with_a_block, Written)),
    "subclassed layer in functional": Shape(partial(with_a_block, Block)),
    "subclassed layer, TensorFlow's operations": Shape(
        with_hidden, apart=frozenset({"fullgrad"})
    ),
    "subclassed, TensorFlow's operations": Shape(
        partial(subclassed, Opaque), "probability"
    ),
    "several inputs, numbers held": Shape(clinical, "aged", CONTROL),
    "several inputs, a picture held": Shape(two_views, "two views", CONTROL),
    "several outputs, by name": Shape(
        lambda: asked(outputs(dict), part="grade"), apart=CONTROL
    ),
    "several outputs, by index": Shape(
        lambda: asked(outputs(list), part=1), apart=CONTROL
    ),
    "several outputs, a callable": Shape(
        lambda: asked(outputs(dict), grade), "probability", CONTROL
    ),
    "several sigmoids": Shape(lambda: asked(flat("sigmoid"))),
    "one sigmoid, target 1": Shape(partial(one_unit, "sigmoid", 1), apart=CONTROL),
    "one sigmoid, target 0": Shape(partial(one_unit, "sigmoid", 0), "negated", CONTROL),
    "regression": Shape(partial(one_unit, "linear", 0), apart=CONTROL),
    "segmentation": Shape(
        lambda: asked(segmenter("softmax"), sal.Region(CLASS)), apart=OF_PARTS | CONTROL
    ),
    "segmentation, a region": Shape(
        lambda: asked(segmenter("softmax"), sal.Region(CLASS, central())),
        "inside",
        OF_PARTS | CONTROL,
    ),
    "segmentation, U-Net on a nested encoder": Shape(
        lambda: asked(unet(nested=True), sal.Region(CLASS)), "U-Net"
    ),
    "detection": Shape(lambda: asked(detector(), box), "one box", OF_PARTS | CONTROL),
    "volume": Shape(lambda: asked(deep(in_a_row)), "volume", sized=VOLUME),
    "volume of one slice": Shape(slice_of_a_volume, apart=DRAWN, axis=1),
    "channels first": Shape(channels_first),
    "mixed_float16": Shape(partial(half, "mixed_float16"), apart=CHOSEN, near=0.05),
    "preprocessing and augmentation inside": Shape(augmented, "scaled"),
    "drawn with training=True": Shape(trained_by_default),
    "one layer at two places": Shape(
        lambda: asked(halves(shared=True)), "unshared", CONTROL
    ),
    "one layer on its own output": Shape(
        lambda: asked(tied(shared=True)), "untied", CONTROL
    ),
    "ends in a Softmax layer": Shape(lambda: ending_in(layers.Softmax())),
    "ends in an Activation layer": Shape(
        lambda: ending_in(layers.Activation("softmax"))
    ),
    "ends in a Lambda of softmax": Shape(lambda: ending_in(layers.Lambda(ops.softmax))),
    "ends in a Lambda of keras.ops": Shape(
        lambda: ending_in(layers.Lambda(lambda z: ops.softmax(z / 2))), "halved"
    ),
    "ends in a Lambda of TensorFlow": Shape(lambda_of_tensorflow, "probability"),
    "SavedModel (TFSMLayer)": Shape(saved, "probability"),
    "free height and width": Shape(free_sizes),
    "no convolution": Shape(lambda: asked(dense(in_a_row)), "dense"),
    "transformer": Shape(
        lambda: asked(transformer(nested=True)), "transformer", sized=(15, 20, 2)
    ),
}
