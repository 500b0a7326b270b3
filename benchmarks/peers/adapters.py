"""One question, put to every library: maps of one picture for one class of a model of logits.

Each library is called as its own documentation shows, with the same settings. PAIR's library has
the import name of this one, so it is loaded from a folder of its own and renamed.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import saliency as sal
from saliency.explainers.cams import FEM, GradCAMPlusPlus

STEPS, SAMPLES, NOISE, WINDOW = 32, 25, 0.15, 32

Maps = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True)
class Question:
    """A model that ends in logits, a picture (1, H, W, C), a class, and the layer for CAMs."""

    model: Any
    inputs: Any
    target: int
    layer: str
    window: int = WINDOW

    @property
    def one_hot(self) -> Any:
        """The class as xplique takes it."""
        return tf.one_hot([self.target], self.model.output_shape[-1])


def ours(asked: Question) -> Maps:
    """Return this library's explainers."""
    probe, inputs = (
        sal.KerasProbe(asked.model).at(asked.target),
        tf.constant(asked.inputs),
    )
    window = sal.Occlusion(window=asked.window, stride=asked.window, fill=0.0)
    return {
        "gradient": lambda: sal.Gradient()(probe, inputs),
        "SmoothGrad": lambda: sal.SmoothGrad(samples=SAMPLES, spread=NOISE)(
            probe, inputs
        ),
        "integrated gradients": lambda: sal.IntegratedGradients(STEPS, baseline=0.0)(
            probe, inputs
        ),
        "Grad-CAM": lambda: sal.GradCAM()(probe, inputs),
        "Grad-CAM++": lambda: GradCAMPlusPlus()(probe, inputs),
        "FEM": lambda: FEM()(probe, inputs),
        "occlusion": lambda: window(probe, inputs),
        "FastCAM": lambda: sal.FastCAM()(probe, inputs),
    }


def tf_keras_vis(asked: Question) -> Maps:
    """Return tf-keras-vis's; it takes no integrated gradients."""
    from tf_keras_vis.gradcam import Gradcam  # noqa: PLC0415
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus  # noqa: PLC0415
    from tf_keras_vis.saliency import Saliency  # noqa: PLC0415
    from tf_keras_vis.utils.scores import CategoricalScore  # noqa: PLC0415

    score, inputs = CategoricalScore([asked.target]), asked.inputs
    plain = {"keepdims": True, "gradient_modifier": None, "normalize_map": False}
    saliency = Saliency(asked.model, clone=False)
    # Else the convolution before the layer is taken, without a word.
    cams = {
        "penultimate_layer": asked.layer,
        "seek_penultimate_conv_layer": False,
        "normalize_cam": False,
    }
    return {
        "gradient": lambda: saliency(score, inputs, **plain),
        "SmoothGrad": lambda: saliency(
            score, inputs, smooth_samples=SAMPLES, smooth_noise=NOISE, **plain
        ),
        "Grad-CAM": lambda: Gradcam(asked.model, clone=False)(score, inputs, **cams),
        "Grad-CAM++": lambda: GradcamPlusPlus(asked.model, clone=False)(
            score, inputs, **cams
        ),
    }


def xplique(asked: Question) -> Maps:
    """Return xplique's, in batches of eight; its gradient comes as its absolute value."""
    from xplique import attributions as made  # noqa: PLC0415

    model, inputs, hot, layer = (
        asked.model,
        tf.constant(asked.inputs),
        asked.one_hot,
        asked.layer,
    )
    spread = NOISE * float(np.ptp(asked.inputs))
    whole: dict[str, Any] = {"batch_size": 8, "reducer": None}
    found = {
        "gradient": made.Saliency(model, **whole),
        "SmoothGrad": made.SmoothGrad(model, nb_samples=SAMPLES, noise=spread, **whole),
        "integrated gradients": made.IntegratedGradients(model, steps=STEPS, **whole),
        "Grad-CAM": made.GradCAM(model, conv_layer=layer),
        "Grad-CAM++": made.GradCAMPP(model, conv_layer=layer),
        "FEM": made.FEM(model, conv_layer=layer),
        "occlusion": made.Occlusion(
            model, batch_size=8, patch_size=asked.window, patch_stride=asked.window
        ),
    }
    return {name: lambda one=one: one(inputs, hot) for name, one in found.items()}


def tf_explain(asked: Question) -> Maps:
    """Return tf-explain's functions before they make pictures of their answers."""
    from tf_explain.core.grad_cam import GradCAM  # noqa: PLC0415
    from tf_explain.core.integrated_gradients import IntegratedGradients  # noqa: PLC0415
    from tf_explain.core.smoothgrad import SmoothGrad  # noqa: PLC0415
    from tf_explain.core.vanilla_gradients import VanillaGradients  # noqa: PLC0415

    model, inputs, target = asked.model, asked.inputs, asked.target
    spread = NOISE * float(np.ptp(inputs))

    def integrated() -> Any:
        points = IntegratedGradients.generate_interpolations(inputs, STEPS)
        return IntegratedGradients.get_integrated_gradients(
            points, model, target, STEPS
        )

    def smooth() -> Any:
        noisy = SmoothGrad.generate_noisy_images(inputs, SAMPLES, spread)
        return SmoothGrad.get_averaged_gradients(noisy, model, target, SAMPLES)

    def cam() -> Any:
        use_guided_grads = False
        found = GradCAM.get_gradients_and_filters(
            model, inputs, asked.layer, target, use_guided_grads
        )
        return GradCAM.generate_ponderated_output(*found)

    return {
        "gradient": lambda: VanillaGradients.compute_gradients(inputs, model, target),
        "SmoothGrad": smooth,
        "integrated gradients": integrated,
        "Grad-CAM": cam,
    }


def pair(asked: Question) -> Maps:
    """Return PAIR's, with the eager function of its own example."""
    core = _pair_module()
    picture, batch = asked.inputs[0], {"x_steps": STEPS, "batch_size": 8}
    taps = keras.Model(
        asked.model.inputs,
        [asked.model.get_layer(asked.layer).output, asked.model.output],
    )

    def call(
        images: Any, call_model_args: Any = None, expected_keys: Any = None
    ) -> Any:
        del call_model_args
        images = tf.convert_to_tensor(images, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(images)
            layer, output = taps(images)
            score = output[:, asked.target]
        if expected_keys == [core.base.INPUT_OUTPUT_GRADIENTS]:
            return {expected_keys[0]: tape.gradient(score, images).numpy()}
        return {
            core.base.CONVOLUTION_LAYER_VALUES: layer.numpy(),
            core.base.CONVOLUTION_OUTPUT_GRADIENTS: tape.gradient(score, layer).numpy(),
        }

    return {
        "gradient": lambda: core.GradientSaliency().GetMask(picture, call)[np.newaxis],
        "SmoothGrad": lambda: core.GradientSaliency().GetSmoothedMask(
            picture, call, stdev_spread=NOISE, nsamples=SAMPLES, magnitude=False
        )[np.newaxis],
        "integrated gradients": lambda: core.IntegratedGradients().GetMask(
            picture, call, **batch
        )[np.newaxis],
        "Grad-CAM": lambda: core.GradCam().GetMask(picture, call, three_dims=False)[
            np.newaxis
        ],
    }


LIBRARIES: Mapping[str, Callable[[Question], Maps]] = {
    "ours": ours,
    "tf-keras-vis": tf_keras_vis,
    "xplique": xplique,
    "tf-explain": tf_explain,
    "PAIR": pair,
}


def each(asked: Question) -> Iterator[tuple[str, Maps]]:
    """Yield the libraries that can be loaded."""
    for name, library in LIBRARIES.items():
        try:
            yield name, library(asked)
        except Exception as error:  # noqa: BLE001 - whatever stops it, the others go on
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0][:120]}")


def _pair_module() -> ModuleType:
    """Load PAIR's package, and give the name back to this library."""
    folder = next(
        path for path in map(Path, sys.path) if (path / "pair/saliency").is_dir()
    )
    kept = {name: sys.modules.pop(name) for name in _named_saliency()}
    sys.path.insert(0, str(folder / "pair"))
    try:
        return importlib.import_module("saliency.core")
    finally:
        sys.path.pop(0)
        for name in _named_saliency():
            del sys.modules[name]
        sys.modules.update(kept)


def _named_saliency() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "saliency"]
