"""One small network, and which of our recipes answers which question of another library.

``benchmarks/agreement`` puts the questions to the other libraries; their answers lie in
``tests/explainers/peers.npz``, so that none of them is needed to compare.
"""

import keras
import numpy as np

import saliency as sal
from saliency.explainers.ablation import FeatureAblation, ShapleySampling
from saliency.explainers.catalogue import resolve
from saliency.explainers.deeplift import DeepLIFT
from saliency.explainers.masked_cams import ScoreCAM
from saliency.explainers.relevance import LRP

SHAPE, TARGET, LAYER = (12, 16, 2), 1, "seen"


def tiny(pool="max"):
    """Return a network of logits for 12 x 16 pictures: normalisation, pooling, two dense layers."""
    layers, draw = keras.layers, np.random.default_rng(17)
    pooling = {"max": layers.MaxPooling2D, "mean": layers.AveragePooling2D}[pool]
    steps = [
        layers.Conv2D(4, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
        pooling(2),
        layers.Conv2D(6, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(name=LAYER),
        layers.Flatten(),
        layers.Dense(5),
        layers.ReLU(),
        layers.Dense(3),
    ]
    start = end = keras.Input(SHAPE)
    for step in steps:
        end = step(end)
    model = keras.Model(start, end)
    model.set_weights([_filled(draw, weight) for weight in model.weights])
    return model


def _filled(draw, weight):
    """Draw a weight; variances of normalisations lie above 0."""
    if "variance" in weight.path:
        return draw.uniform(0.5, 1.5, weight.shape)
    fan_in = max(int(np.prod(weight.shape[:-1])), 1)
    spread = 0.2 if len(weight.shape) == 1 else (2 / fan_in) ** 0.5
    return draw.normal("gamma" in weight.path, spread, weight.shape)


def picture():
    """Return one picture, float32 (1, 12, 16, 2), brighter in one corner."""
    found = np.random.default_rng(5).uniform(0, 0.5, (1, *SHAPE))
    found[:, 3:8, 2:9] += 0.5
    return found.astype(np.float32)


STRIPS = np.repeat([0, 1, 1, 2], 3)[:, None] + np.zeros(SHAPE[:2], int)
HALVES = np.repeat([0, 1], 6)[:, None] + np.zeros(SHAPE[:2], int)
"""Regions: a quarter, a half and a quarter; and two halves, whose values need no drawing."""

CAMS = (
    "gradcam",
    "gradcam_plus_plus",
    "xgradcam",
    "hirescam",
    "layercam",
    "ablationcam",
)

OURS = {
    "PAIR/gradient": sal.Gradient(),
    "tf-explain/gradient": sal.Gradient(),
    "tf-keras-vis/gradient": sal.Gradient(),
    "xplique/occlusion": sal.Occlusion(4, 4, fill=0.0),
    "captum/gradient": sal.Gradient(),
    "captum/gradient_x_input": sal.GradientTimesInput(),
    "captum/integrated_gradients": sal.IntegratedGradients(32, baseline=0.0),
    "captum/guided_backprop": resolve("guided_backprop"),
    "captum/deconvnet": resolve("deconvnet"),
    "captum/guided_gradcam": resolve("guided_gradcam"),
    "captum/gradcam": sal.GradCAM(),
    "captum/deeplift": DeepLIFT(baseline=0.0),
    "captum/occlusion": sal.Occlusion(4, 4, fill=0.0),
    "captum/feature_ablation": FeatureAblation(regions=STRIPS, fill=0.0),
    "captum/shapley_values": ShapleySampling(permutations=2, regions=HALVES, fill=0.0),
    "zennit/gradient": sal.Gradient(),
    "zennit/guided_backprop": resolve("guided_backprop"),
    "zennit/deconvnet": resolve("deconvnet"),
    "zennit/lrp epsilon_plus": LRP("epsilon_plus"),
    "zennit/lrp epsilon_plus_flat": LRP("epsilon_plus_flat"),
    "zennit/lrp epsilon_alpha2_beta1": LRP("epsilon_alpha2_beta1"),
    "zennit/lrp epsilon_alpha2_beta1_flat": LRP("epsilon_alpha2_beta1_flat"),
    "zennit/beta_smooth": resolve("beta_smooth"),
    "zennit/lrp epsilon": LRP("epsilon"),
    "zennit/lrp epsilon_gamma": LRP("epsilon_gamma"),
    "zennit/lrp epsilon_gamma_box": LRP("epsilon_gamma_box", low=0.0, high=1.0),
    "zennit/lrp excitation_backprop": LRP("excitation_backprop"),
    **{f"pytorch-grad-cam/{name}": resolve(name) for name in CAMS},
    "pytorch-grad-cam/scorecam": ScoreCAM(fill=0.0),
}
"""``library/method``: the recipe of ours that should give the same map, up to rounding."""

MEAN_POOLED = {
    "captum/deeplift, mean pooling": DeepLIFT(baseline=0.0),
    "captum/deeplift_shap, mean pooling": DeepLIFT(baseline=(0.0, 0.5)),
}
"""The same of ``tiny("mean")``."""
