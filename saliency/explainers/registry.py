"""The explainers that come with the library."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final


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
        a probe's activation_gradients will do; study is had from Keras models alone.
    """

    where: str
    summary: str
    cost: str
    needs: str


ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        "fastcam": Entry(
            "fastcam:FastCAM",
            "Activity of every scale, times where the class is seen",
            "1 F + head B",
            "last_gradient",
        ),
        "smoe": Entry(
            "fastcam:Smoe", "Activity of every scale, whatever the class", "1 F", "activations"
        ),
        "gradcam": Entry(
            "cams:GradCAM",
            "The last layer's channels that raise the score",
            "1 F + head B",
            "last_gradient",
        ),
        "gradcam_plus_plus": Entry(
            "cams:GradCAMPlusPlus",
            "Grad-CAM that counts small objects too",
            "1 F + head B",
            "last_gradient",
        ),
        "xgradcam": Entry(
            "cams:XGradCAM",
            "Grad-CAM with gradients taken where channels are active",
            "1 F + head B",
            "last_gradient",
        ),
        "hirescam": Entry(
            "cams:HiResCAM",
            "Activation times gradient of the last layer",
            "1 F + head B",
            "last_gradient",
        ),
        "layercam": Entry(
            "cams:LayerCAM",
            "Activations times their positive gradients",
            "1 F + head B",
            "last_gradient",
        ),
        "eigencam": Entry(
            "cams:EigenCAM", "The strongest common pattern of the last layer", "1 F", "activations"
        ),
        "eigengradcam": Entry(
            "cams:EigenGradCAM",
            "The strongest common pattern of activation times gradient",
            "1 F + head B",
            "last_gradient",
        ),
        "fem": Entry(
            "cams:FEM",
            "Where the last layer's channels are active as seldom",
            "1 F",
            "activations",
        ),
        "scorecam": Entry(
            "masked_cams:ScoreCAM",
            "Channels weighted with the score seen through them",
            "1 F a channel",
            "activations, score",
        ),
        "gradient": Entry(
            "gradients:Gradient",
            "How the score answers to a small change of a pixel",
            "1 F + 1 B",
            "gradient",
        ),
        "gradient_x_input": Entry(
            "gradients:GradientTimesInput",
            "The gradient times the picture",
            "1 F + 1 B",
            "gradient",
        ),
        "smoothgrad": Entry(
            "smooth:SmoothGrad", "The mean gradient of noisy copies", "25 F + 25 B", "gradient"
        ),
        "smoothgrad_squared": Entry(
            "smooth:SmoothGradSquared",
            "The mean squared gradient of noisy copies",
            "25 F + 25 B",
            "gradient",
        ),
        "vargrad": Entry(
            "smooth:VarGrad", "The variance of the gradient under noise", "25 F + 25 B", "gradient"
        ),
        "integrated_gradients": Entry(
            "paths:IntegratedGradients",
            "The score's change from black, shared among the pixels",
            "33 to 257 F + 31 to 255 B",
            "gradient, score",
        ),
        "expected_gradients": Entry(
            "paths:ExpectedGradients",
            "Integrated gradients, averaged over many baselines",
            "64 F + 64 B",
            "gradient",
        ),
        "guided_integrated_gradients": Entry(
            "paths:GuidedIntegratedGradients",
            "Integrated gradients along the path of small gradients",
            "65 F + 65 B",
            "gradient",
        ),
        "blur_integrated_gradients": Entry(
            "paths:BlurIntegratedGradients",
            "The score's change while the picture comes into focus",
            "65 F + 65 B",
            "gradient",
        ),
        "integrated_decision_gradients": Entry(
            "paths:IntegratedDecisionGradients",
            "Integrated gradients where the score changes",
            "49 F + 32 B",
            "gradient, score",
        ),
        "occlusion": Entry(
            "occlusion:Occlusion",
            "The fall of the score when a window is filled",
            "1 F a window",
            "score",
        ),
        "random": Entry("controls:RandomMap", "Control: noise", "0", ""),
        "xrai": Entry(
            "regions:XRAI",
            "Regions in the order of how dense their attribution is",
            "64 F + 64 B",
            "gradient",
        ),
        "rise": Entry(
            "perturbation:RISE",
            "The mean score of random masks that show the pixel",
            "1000 F",
            "score",
        ),
        "lime": Entry(
            "perturbation:LIME", "A linear model of which superpixels are seen", "500 F", "score"
        ),
        "kernel_shap": Entry(
            "perturbation:KernelSHAP", "Shapley values of superpixels", "502 F", "score"
        ),
        "feature_ablation": Entry(
            "ablation:FeatureAblation",
            "The fall of the score when a superpixel or a region of yours is filled",
            "50 F",
            "score",
        ),
        "shapley_sampling": Entry(
            "ablation:ShapleySampling",
            "Shapley values of superpixels, by random orders of joining",
            "482 F",
            "score",
        ),
        "sobol": Entry(
            "perturbation:Sobol",
            "The share of the score's variance that a cell has a part in",
            "1600 F",
            "score",
        ),
        "hsic": Entry(
            "perturbation:HSIC",
            "How strongly the score depends on a cell, in any way",
            "500 F",
            "score",
        ),
        "meaningful_perturbation": Entry(
            "optimised:MeaningfulPerturbation",
            "The smallest blot that takes the score away",
            "102 F + 100 B",
            "gradient, score",
        ),
        "extremal_perturbation": Entry(
            "optimised:ExtremalPerturbation",
            "The part of a given area that by itself makes the score greatest",
            "103 F + 100 B",
            "gradient, score",
        ),
        "edges": Entry("controls:EdgeMap", "Control: the edges of the picture", "0", ""),
        "guided_backprop": Entry(
            "guided:GuidedBackprop",
            "The gradient through ReLUs that let only positive parts pass",
            "1 F + 1 B",
            "study",
        ),
        "deconvnet": Entry(
            "guided:DeconvNet",
            "The gradient, rectified at each ReLU whether it was open or not",
            "1 F + 1 B",
            "study",
        ),
        "beta_smooth": Entry(
            "guided:BetaSmooth",
            "The gradient with the corners of ReLUs rounded off",
            "1 F + 1 B",
            "study",
        ),
        "guided_gradcam": Entry(
            "guided:GuidedGradCAM",
            "Guided backpropagation where Grad-CAM is bright",
            "2 F + 1 B + head B",
            "study, last_gradient",
        ),
        "lrp": Entry(
            "relevance:LRP",
            "The score, shared out layer by layer among the inputs",
            "2 to 4 F + 2 B",
            "study",
        ),
        "deeplift": Entry(
            "deeplift:DeepLIFT",
            "The score's change from black, shared with slopes between the two",
            "2 F + 2 B",
            "study",
        ),
        "fullgrad": Entry(
            "fullgrad:FullGrad",
            "Gradient times picture, and the gradients of all biases",
            "1 F + 1 B",
            "study",
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
        ),
        "ablationcam": Entry(
            "masked_cams:AblationCAM",
            "Channels weighted with the fall of the score without them",
            "1 F + head F a channel",
            "activations, head",
        ),
        "reciprocam": Entry(
            "masked_cams:ReciproCAM",
            "The score of one place of the last layer at a time",
            "1 F + head F a place",
            "activations, head",
        ),
        "randomised_model": Entry(
            "controls:RandomisedModel",
            "Control: the gradient of the network with shuffled weights",
            "1 F + 1 B",
            "randomised",
        ),
        "attention_rollout": Entry(
            "attention:AttentionRollout",
            "Where a transformer's attention comes from, whatever the class",
            "1 F",
            "study",
        ),
        "gradient_attention": Entry(
            "attention:GradientAttention",
            "A transformer's attention where it raises the score",
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
    return _NAMES.get(_plain(name))


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold().replace("+", "plus")))


_NAMES: Mapping[str, str] = MappingProxyType(
    {_plain(alias): name for alias, name in ALIASES.items()}
    | {_plain(row.where.partition(":")[2]): name for name, row in {**ENTRIES, **DEMANDING}.items()}
    | {_plain(name): name for name in (*ENTRIES, *DEMANDING)}
)
