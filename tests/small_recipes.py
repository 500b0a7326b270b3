"""Recipes with few samples, for tests that ask many explainers."""

import saliency as sal
from saliency.explainers.ablation import FeatureAblation, ShapleySampling
from saliency.explainers.optimised import ExtremalPerturbation, MeaningfulPerturbation
from saliency.explainers.paths import (
    BlurIntegratedGradients,
    ExpectedGradients,
    GuidedIntegratedGradients,
    IntegratedDecisionGradients,
)
from saliency.explainers.perturbation import HSIC, LIME, RISE, KernelSHAP, Sobol
from saliency.explainers.regions import XRAI
from saliency.explainers.smooth import SmoothGradSquared, VarGrad

SMALL = {
    "rise": RISE(masks=16, grid=3),
    "lime": LIME(samples=16, grid=2),
    "kernel_shap": KernelSHAP(samples=16, grid=2),
    "feature_ablation": FeatureAblation(grid=2),
    "shapley_sampling": ShapleySampling(permutations=2, grid=2),
    "sobol": Sobol(designs=2, grid=2),
    "hsic": HSIC(masks=8, grid=2),
    "meaningful_perturbation": MeaningfulPerturbation(steps=3, grid=3),
    "extremal_perturbation": ExtremalPerturbation(steps=3, grid=3),
    "xrai": XRAI(inner=(sal.Gradient(),), grids=(2, 3)),
    "smoothgrad": sal.SmoothGrad(samples=3),
    "smoothgrad_squared": SmoothGradSquared(samples=3),
    "vargrad": VarGrad(samples=3),
    "integrated_gradients": sal.IntegratedGradients(steps=4),
    "expected_gradients": ExpectedGradients(samples=4),
    "guided_integrated_gradients": GuidedIntegratedGradients(steps=4),
    # A blur of 50 pixels leaves one grey value but for rounding: max pooling has ties there, which
    # each processor breaks in its own way.
    "blur_integrated_gradients": BlurIntegratedGradients(steps=4, sigma=2.0),
    "integrated_decision_gradients": IntegratedDecisionGradients(steps=4),
}
