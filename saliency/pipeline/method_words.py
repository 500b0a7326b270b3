"""What a method is called, and what its numbers mean, in words."""

import re
from typing import Final

from saliency.explainers.registry import DEMANDING, ENTRIES

_PER_INPUT: Final = "{score} per unit of input"
_SHARED: Final = "{score} a pixel"
_FALL: Final = "fall of the {score}"

#: Class of the recipe -> the unit of its map. What is not listed has a unit of its own.
_UNITS: Final = {
    **dict.fromkeys(("Gradient", "SmoothGrad", "GuidedBackprop", "DeconvNet"), _PER_INPUT),
    **dict.fromkeys(("BetaSmooth",), _PER_INPUT),
    **dict.fromkeys(("SmoothGradSquared", "VarGrad"), f"({_PER_INPUT}) squared"),
    **dict.fromkeys(("GradientTimesInput", "LRP", "DeepLIFT", "FullGrad"), _SHARED),
    **dict.fromkeys(("IntegratedGradients", "ExpectedGradients"), _SHARED),
    **dict.fromkeys(("GuidedIntegratedGradients", "BlurIntegratedGradients"), _SHARED),
    **dict.fromkeys(("IntegratedDecisionGradients",), _SHARED),
    **dict.fromkeys(("Occlusion", "FeatureAblation"), _FALL),
    **dict.fromkeys(("LIME", "KernelSHAP", "ShapleySampling"), "{score} of a region"),
    **dict.fromkeys(("RISE",), "mean {score} of random masks"),
    **dict.fromkeys(("FastCAM", "Smoe"), "relative activity, 0 to 1"),
    **dict.fromkeys(("CAM", "GradCAM", "GradCAMPlusPlus", "XGradCAM"), "weighted activation"),
    **dict.fromkeys(("HiResCAM", "LayerCAM", "EigenCAM", "EigenGradCAM"), "weighted activation"),
    **dict.fromkeys(("ScoreCAM", "AblationCAM"), "weighted activation"),
    **dict.fromkeys(("ReciproCAM",), "{score} of one place"),
}
_OWN_UNIT: Final = "heat, in the method's own unit"

_SUMMARIES: Final = {
    entry.where.rpartition(":")[2]: entry.summary for entry in {**ENTRIES, **DEMANDING}.values()
}


def class_of(recipe: str) -> str:
    """Return the class or function that the ``repr`` of a recipe names."""
    found = re.match(r"[\w.<>]+", recipe)
    return found[0].rpartition(".")[2] if found else recipe


def method_words(recipe: str) -> str:
    """Return name and summary: ``"GradCAM: the last layer's channels that raise the score"``."""
    name = class_of(recipe)
    summary = _SUMMARIES.get(name, "")
    return f"{name}: {summary[0].lower()}{summary[1:]}" if summary else name


def unit_of(recipe: str, score: str) -> str:
    """Return the unit of a recipe's map, where ``score`` names what is explained: "logit"."""
    return _UNITS.get(class_of(recipe), _OWN_UNIT).format(score=score)
