"""Networks of keras.applications cut down to seconds, made of the very same blocks."""

import keras
import numpy as np
from keras.src.applications import (
    convnext,
    densenet,
    efficientnet,
    mobilenet_v3,
    resnet,
)

SHAPE = (40, 56, 3)
CLASSES = 4


def convnext_block():
    """Patches, layer normalisation, depthwise convolution, GELU, layer scale; the first stages."""
    whole = convnext.ConvNeXt(
        depths=[1, 1, 0, 0],
        projection_dims=[4, 6, 8, 10],
        drop_path_rate=0.2,
        layer_scale_init_value=0.5,
        weights=None,
        include_top=False,
        input_shape=SHAPE,
        name="tiny_convnext",
    )
    stage = whole.get_layer("tiny_convnext_downsampling_block_1").input
    return headed(whole, stage, keras.layers.LayerNormalization(epsilon=1e-6))


def efficientnet_block():
    """Normalisation inside, expansion, squeeze and excitation, swish, a skip."""
    blocks = [
        dict(block, filters_in=filters, filters_out=8, repeats=1, strides=strides)
        for block, filters, strides in zip(
            efficientnet.DEFAULT_BLOCKS_ARGS[:2], (32, 8), (2, 1), strict=True
        )
    ]
    return living(
        efficientnet.EfficientNet(
            1.0,
            1.0,
            32,
            blocks_args=blocks,
            weights=None,
            input_shape=SHAPE,
            classes=CLASSES,
            name="tiny_efficientnet",
        )
    )


def mobilenet_block():
    """Hard swish, and gates that are hard sigmoids made of ReLU6."""

    def stack(x, kernel, activation, squeeze):
        block = mobilenet_v3._inverted_res_block
        x = block(x, 1, 8, 3, 2, squeeze, mobilenet_v3.relu, 0)
        return block(x, 3, 8, kernel, 1, squeeze, activation, 1)

    return living(
        mobilenet_v3.MobileNetV3(
            stack,
            16,
            SHAPE,
            0.5,
            "small",
            weights=None,
            classes=CLASSES,
            name="tiny_mobilenet",
        )
    )


def resnet_block(version=1):
    """Padding, bottlenecks, a skip with a convolution and one without; before or behind ReLUs."""
    stack = {1: resnet.stack_residual_blocks_v1, 2: resnet.stack_residual_blocks_v2}[
        version
    ]
    return living(
        resnet.ResNet(
            lambda x: stack(x, 4, 2, name="stack"),
            preact=version == 2,
            use_bias=True,
            weights=None,
            input_shape=SHAPE,
            classes=CLASSES,
            name=f"tiny_resnet_v{version}",
        )
    )


def densenet_block():
    """Concatenation of all that came before, and transitions of half the channels."""
    whole = densenet.DenseNet(
        [2, 1, 1, 1], weights=None, include_top=False, input_shape=SHAPE
    )
    return headed(whole, whole.get_layer("conv3_block1_concat").output)


def beginning(name, last, shape=SHAPE):
    """An application up to a layer, behind which its usual head follows."""
    whole = getattr(keras.applications, name)(
        weights=None, input_shape=shape, include_top=False
    )
    return headed(whole, whole.get_layer(last).output)


def headed(whole, maps, *between):
    """A network up to some maps, behind which their mean, more layers and a softmax follow."""
    x = keras.layers.GlobalAveragePooling2D()(maps)
    for layer in between:
        x = layer(x)
    outputs = keras.layers.Dense(CLASSES, activation="softmax")(x)
    return living(keras.Model(whole.input, outputs, name=f"short_{whole.name}"))


TINY = {
    "ConvNeXt": convnext_block,
    "EfficientNet": efficientnet_block,
    "MobileNetV3": mobilenet_block,
    "MobileNet": lambda: beginning("MobileNet", "conv_pw_3_relu"),
    "MobileNetV2": lambda: beginning("MobileNetV2", "block_2_add"),
    "ResNet": resnet_block,
    "ResNetV2": lambda: resnet_block(2),
    "DenseNet": densenet_block,
    "InceptionV3": lambda: beginning("InceptionV3", "mixed0", (75, 91, 3)),
    "Xception": lambda: beginning("Xception", "block3_sepconv2_bn", (71, 87, 3)),
    "VGG": lambda: beginning("VGG16", "block3_pool"),
}


def living(model, seed=5):
    """Give a network biases, and the statistics of noise: its signal neither dies nor grows.

    Fresh weights let the signal of deep networks die away; then every map is rounding noise.
    """
    generator = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    if not any(
        "ormalization" in type(each).__name__ for each in model._flatten_layers()
    ):
        for weight in (each for each in model.weights if "kernel" in each.path):
            weight.assign(2**0.5 * weight)  # a ReLU halves what is squared
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    for weight in model.trainable_weights:
        if "bias" in weight.path or "beta" in weight.path:
            weight.assign(generator.normal(0, 0.1, weight.shape))
    shape = (4, *(size or 64 for size in model.inputs[0].shape[1:]))
    model(generator.uniform(0, 255, shape).astype(np.float32), training=True)
    return model


def without_shifts(model):
    """Take away what is not proportional to the picture: biases, shifts and means."""
    for weight in model.weights:
        if any(part in weight.path for part in ("bias", "beta", "moving_mean")):
            weight.assign(np.zeros(weight.shape))
    return model
