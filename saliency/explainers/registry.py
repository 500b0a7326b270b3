"""The explainers that come with the library."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, final


@final
@dataclass(frozen=True)
class Entry:
    """What is known of an explainer before it is loaded.

    Parameters
    ----------
    where
        ``"module:Class"``, below ``saliency.explainers``.
    summary
        One line.
    cost
        Of one map in passes of the network with the default numbers: F forward, B backward.
    needs
        The methods of a probe that it asks, ``""`` where it asks none. Where it says last_gradient
        a probe's activation_gradients will do; only Keras models answer study.
    unit
        Of the map; ``{score}`` stands for what is explained. ``""``: a unit of its own.
    """

    where: str
    summary: str
    cost: str
    needs: str
    unit: str = ""


_PER_INPUT: Final = "{score} per unit of input"
_PER_INPUT_SQUARED: Final = f"({_PER_INPUT}) squared"
_A_PIXEL: Final = "{score} a pixel"
_A_REGION: Final = "{score} of a region"
_DROP: Final = "drop of the {score}"
_ACTIVITY: Final = "relative activity, 0 to 1"
_WEIGHTED: Final = "weighted activation"


ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        "fastcam": Entry(
            "fastcam:FastCAM",
            "Activity at every scale of the network, times the evidence for the class",
            "1 F + head B",
            "last_gradient",
            unit=_ACTIVITY,
        ),
        "smoe": Entry(
            "fastcam:Smoe",
            "Activity at every scale of the network, independent of the class",
            "1 F",
            "activations",
            unit=_ACTIVITY,
        ),
        "gradcam": Entry(
            "cams:GradCAM",
            "The last layer's channels that raise the score",
            "1 F + head B",
            "last_gradient",
            unit=_WEIGHTED,
        ),
        "gradcam_plus_plus": Entry(
            "cams:GradCAMPlusPlus",
            "As Grad-CAM, but small objects count as much",
            "1 F + head B",
            "last_gradient",
            unit=_WEIGHTED,
        ),
        "xgradcam": Entry(
            "cams:XGradCAM",
            "As Grad-CAM, with gradients weighted by the activation",
            "1 F + head B",
            "last_gradient",
            unit=_WEIGHTED,
        ),
        "hirescam": Entry(
            "cams:HiResCAM",
            "Activation times gradient in the last layer",
            "1 F + head B",
            "last_gradient",
            unit=_WEIGHTED,
        ),
        "layercam": Entry(
            "cams:LayerCAM",
            "Activations times their positive gradients",
            "1 F + head B",
            "last_gradient",
            unit=_WEIGHTED,
        ),
        "eigencam": Entry(
            "cams:EigenCAM",
            "The strongest common pattern of the last layer, independent of the class",
            "1 F",
            "activations",
            unit=_WEIGHTED,
        ),
        "eigengradcam": Entry(
            "cams:EigenGradCAM",
            "The strongest common pattern of activation times gradient",
            "1 F + head B",
            "last_gradient",
            unit=_WEIGHTED,
        ),
        "fem": Entry(
            "cams:FEM",
            "Unusually strong activations of the last layer, independent of the class",
            "1 F",
            "activations",
        ),
        "scorecam": Entry(
            "masked_cams:ScoreCAM",
            "Channels weighted with the score of the image seen through them",
            "1 F a channel",
            "activations, score",
            unit=_WEIGHTED,
        ),
        "gradient": Entry(
            "gradients:Gradient",
            "The derivative of the score by each input value",
            "1 F + 1 B",
            "gradient",
            unit=_PER_INPUT,
        ),
        "gradient_x_input": Entry(
            "gradients:GradientTimesInput",
            "The gradient times the image",
            "1 F + 1 B",
            "gradient",
            unit=_A_PIXEL,
        ),
        "smoothgrad": Entry(
            "smooth:SmoothGrad",
            "The mean gradient of noisy copies",
            "25 F + 25 B",
            "gradient",
            unit=_PER_INPUT,
        ),
        "smoothgrad_squared": Entry(
            "smooth:SmoothGradSquared",
            "The mean squared gradient of noisy copies",
            "25 F + 25 B",
            "gradient",
            unit=_PER_INPUT_SQUARED,
        ),
        "vargrad": Entry(
            "smooth:VarGrad",
            "The variance of the gradient under noise",
            "25 F + 25 B",
            "gradient",
            unit=_PER_INPUT_SQUARED,
        ),
        "integrated_gradients": Entry(
            "paths:IntegratedGradients",
            "The score's change from black, shared among the pixels",
            "33 to 257 F + 31 to 255 B",
            "gradient, score",
            unit=_A_PIXEL,
        ),
        "expected_gradients": Entry(
            "paths:ExpectedGradients",
            "Integrated gradients, averaged over several baselines",
            "64 F + 64 B",
            "gradient",
            unit=_A_PIXEL,
        ),
        "guided_integrated_gradients": Entry(
            "paths:GuidedIntegratedGradients",
            "Integrated gradients along a path of small gradients",
            "65 F + 65 B",
            "gradient",
            unit=_A_PIXEL,
        ),
        "blur_integrated_gradients": Entry(
            "paths:BlurIntegratedGradients",
            "The score's change as a blurred image becomes sharp",
            "65 F + 65 B",
            "gradient",
            unit=_A_PIXEL,
        ),
        "integrated_decision_gradients": Entry(
            "paths:IntegratedDecisionGradients",
            "Integrated gradients, weighted with the score's change",
            "49 F + 32 B",
            "gradient, score",
            unit="squared {score} a pixel",
        ),
        "occlusion": Entry(
            "occlusion:Occlusion",
            "The drop of the score when a window is filled",
            "1 F a window",
            "score",
            unit=_DROP,
        ),
        "random": Entry("controls:RandomMap", "Control: noise", "0", ""),
        "xrai": Entry(
            "regions:XRAI",
            "Regions, ranked by the density of their attribution",
            "64 F + 64 B",
            "gradient",
        ),
        "rise": Entry(
            "perturbation:RISE",
            "The mean score of random masks that leave the pixel visible",
            "1000 F",
            "score",
            unit="mean {score} of random masks",
        ),
        "lime": Entry(
            "perturbation:LIME",
            "A linear model of which superpixels are visible",
            "500 F",
            "score",
            unit=_A_REGION,
        ),
        "kernel_shap": Entry(
            "perturbation:KernelSHAP",
            "The Shapley values of superpixels, by weighted regression",
            "502 F",
            "score",
            unit=_A_REGION,
        ),
        "feature_ablation": Entry(
            "ablation:FeatureAblation",
            "The drop of the score when a superpixel or a region of yours is filled",
            "50 F",
            "score",
            unit=_DROP,
        ),
        "shapley_sampling": Entry(
            "ablation:ShapleySampling",
            "The Shapley values of superpixels, by random orders",
            "482 F",
            "score",
            unit=_A_REGION,
        ),
        "sobol": Entry(
            "perturbation:Sobol",
            "The share of the score's variance that involves a cell",
            "1600 F",
            "score",
        ),
        "hsic": Entry(
            "perturbation:HSIC",
            "The dependence of the score on a cell, of any form",
            "500 F",
            "score",
        ),
        "meaningful_perturbation": Entry(
            "optimised:MeaningfulPerturbation",
            "The smallest blurred patch that removes the score",
            "102 F + 100 B",
            "gradient, score",
        ),
        "extremal_perturbation": Entry(
            "optimised:ExtremalPerturbation",
            "The part of a given area that keeps the score highest",
            "103 F + 100 B",
            "gradient, score",
        ),
        "edges": Entry("controls:EdgeMap", "Control: the edges of the image", "0", ""),
        "guided_backprop": Entry(
            "guided:GuidedBackprop",
            "The gradient, of which each ReLU passes positive parts only",
            "1 F + 1 B",
            "study",
            unit=_PER_INPUT,
        ),
        "deconvnet": Entry(
            "guided:DeconvNet",
            "The gradient, rectified at each ReLU, active or not",
            "1 F + 1 B",
            "study",
            unit=_PER_INPUT,
        ),
        "beta_smooth": Entry(
            "guided:BetaSmooth",
            "The gradient with the corners of all ReLUs rounded off",
            "1 F + 1 B",
            "study",
            unit=_PER_INPUT,
        ),
        "guided_gradcam": Entry(
            "guided:GuidedGradCAM",
            "Guided backpropagation times Grad-CAM",
            "2 F + 1 B + head B",
            "study, last_gradient",
        ),
        "lrp": Entry(
            "relevance:LRP",
            "The score, redistributed layer by layer to the inputs",
            "2 to 4 F + 2 B",
            "study",
            unit=_A_PIXEL,
        ),
        "deeplift": Entry(
            "deeplift:DeepLIFT",
            "The score's change from black, by slopes between the two images",
            "2 F + 2 B",
            "study",
            unit=_A_PIXEL,
        ),
        "fullgrad": Entry(
            "fullgrad:FullGrad",
            "Gradient times image, and the gradients of all biases",
            "1 F + 1 B",
            "study",
            unit="sum of layers, each stretched to 0 to 1",
        ),
    }
)
"""Explainers that every usual classifier can be asked for: what ``catalogue()`` lists."""

DEMANDING: Mapping[str, Entry] = MappingProxyType(
    {
        "cam": Entry(
            "cams:CAM",
            "Evidence at each place, before a global average pooling",
            "1 F",
            "last_gradient",
            unit=_WEIGHTED,
        ),
        "ablationcam": Entry(
            "masked_cams:AblationCAM",
            "Channels weighted with the drop of the score without them",
            "1 F + head F a channel",
            "activations, head",
            unit=_WEIGHTED,
        ),
        "reciprocam": Entry(
            "masked_cams:ReciproCAM",
            "The score of the last layer with one place left at a time",
            "1 F + head F a place",
            "activations, head",
            unit="relative {score} of one place, 0 to 1",
        ),
        "randomised_model": Entry(
            "controls:RandomisedModel",
            "Control: the gradient of the network with shuffled weights",
            "1 F + 1 B",
            "randomised",
        ),
        "attention_rollout": Entry(
            "attention:AttentionRollout",
            "A transformer's attention to each patch, independent of the class",
            "1 F",
            "study",
        ),
        "gradient_attention": Entry(
            "attention:GradientAttention",
            "A transformer's attention to each patch where it raises the score",
            "1 F + 1 B",
            "study",
        ),
    }
)
"""Explainers known by name that ask for a certain head, or more of a probe than its protocol."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "blur ig": "blur_integrated_gradients",
        "deconvolution": "deconvnet",
        "expected gradient": "expected_gradients",
        "full gradient": "fullgrad",
        "gradcampp": "gradcam_plus_plus",
        "gradient shap": "expected_gradients",
        "gradient input": "gradient_x_input",
        "guided backpropagation": "guided_backprop",
        "guided ig": "guided_integrated_gradients",
        "idg": "integrated_decision_gradients",
        "ig": "integrated_gradients",
        "input x gradient": "gradient_x_input",
        "layerwise relevance propagation": "lrp",
        "occlusion sensitivity": "occlusion",
        "rollout": "attention_rollout",
        "saliency": "gradient",
        "shap": "kernel_shap",
        "shapley": "shapley_sampling",
        "shapley values": "shapley_sampling",
        "smoe scale": "smoe",
        "smoothgrad sq": "smoothgrad_squared",
        "square grad": "smoothgrad_squared",
        "vanilla gradient": "gradient",
        "vanilla gradients": "gradient",
    }
)
"""What the field calls an explainer besides our name and our class's; each is one explainer's."""


def called_like(name: str) -> str | None:
    """Return the explainer of ours that a name means, None where there is none.

    Case, spaces, dots, hyphens and underscores do not count, and ``+`` is read "plus":
    "Grad-CAM++" is "gradcam_plus_plus". The name of a class will do, and what is in ALIASES.
    """
    return _NAMES.get(_letters_and_digits(name))


def _letters_and_digits(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold().replace("+", "plus")))


_NAMES: Mapping[str, str] = MappingProxyType(
    {_letters_and_digits(alias): name for alias, name in ALIASES.items()}
    | {
        _letters_and_digits(row.where.partition(":")[2]): name
        for name, row in {**ENTRIES, **DEMANDING}.items()
    }
    | {_letters_and_digits(name): name for name in (*ENTRIES, *DEMANDING)}
)
