"""Names of explainers. A name loads its module when it is asked for, no earlier."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, final

from saliency.errors import ExplainerError

_GROUP = "saliency.explainers"


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
        Of one map in passes of the network: F forward, B backward.
    needs
        The methods of a probe that it asks.
    """

    where: str
    summary: str
    cost: str
    needs: str


ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        "fastcam": Entry(
            "fastcam:FastCAM", "Activity of every scale, times where the class is seen",
            "1 F + head B", "activation_gradients or last_gradient",
        ),
        "smoe": Entry(
            "fastcam:Smoe", "Activity of every scale, whatever the class", "1 F", "activations",
        ),
        "gradcam": Entry(
            "cams:GradCAM", "The last layer's channels that raise the score",
            "1 F + head B", "activation_gradients or last_gradient",
        ),
        "gradient": Entry(
            "gradients:Gradient", "How the score answers to a small change of a pixel",
            "1 F + 1 B", "gradient",
        ),
        "gradient_x_input": Entry(
            "gradients:GradientTimesInput", "The gradient times the picture",
            "1 F + 1 B", "gradient",
        ),
        "smoothgrad": Entry(
            "smooth:SmoothGrad", "The mean gradient of noisy copies",
            "25 x (1 F + 1 B)", "gradient",
        ),
        "integrated_gradients": Entry(
            "paths:IntegratedGradients", "The score's change from black, shared among the pixels",
            "32 to 288 x (1 F + 1 B)", "gradient, score",
        ),
        "expected_gradients": Entry(
            "paths:ExpectedGradients",
            "Integrated gradients, averaged over many baselines",
            "64 x (1 F + 1 B)",
            "gradient, score",
        ),
        "guided_integrated_gradients": Entry(
            "paths:GuidedIntegratedGradients",
            "Integrated gradients along the path of small gradients",
            "129 x (1 F + 1 B)",
            "gradient, score",
        ),
        "blur_integrated_gradients": Entry(
            "paths:BlurIntegratedGradients",
            "The score's change while the picture comes into focus",
            "65 x (1 F + 1 B)",
            "gradient, score",
        ),
        "integrated_decision_gradients": Entry(
            "paths:IntegratedDecisionGradients",
            "Integrated gradients where the score changes",
            "32 x (1 F + 1 B) + 17 F",
            "gradient, score",
        ),
        "smoothgrad_squared": Entry(
            "smooth:SmoothGradSquared",
            "The mean squared gradient of noisy copies",
            "25 x (1 F + 1 B)",
            "gradient",
        ),
        "vargrad": Entry(
            "smooth:VarGrad",
            "The variance of the gradient under noise",
            "25 x (1 F + 1 B)",
            "gradient",
        ),
        "occlusion": Entry(
            "occlusion:Occlusion", "The fall of the score when a window is filled",
            "1 F a window", "score",
        ),
        "random": Entry("controls:RandomMap", "Control: noise", "0", "nothing"),
    }
)  # fmt: skip


@final
class _Catalogue(Mapping[str, type]):
    """The classes behind :data:`ENTRIES`; a class is imported when it is looked up."""

    def __getitem__(self, name: str) -> type:
        module, _, attribute = ENTRIES[name].where.partition(":")
        found: type = getattr(import_module(f"saliency.explainers.{module}"), attribute)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(ENTRIES)

    def __len__(self) -> int:
        return len(ENTRIES)

    def __repr__(self) -> str:
        return f"catalogue({', '.join(ENTRIES)})"


def catalogue() -> Mapping[str, type]:
    """Return our explainers by name. Reading the names loads nothing."""
    return _Catalogue()


def resolve(explainer: Any) -> Any:
    """Return the explainer that a user means.

    Parameters
    ----------
    explainer
        A name of :func:`catalogue` or of an installed plugin (entry points of the group
        ``saliency.explainers``); an explainer, which is returned as it is; or a class, which is
        called without arguments.

    Raises
    ------
    ExplainerError
        The name is unknown, or what came is neither a name nor callable.
    """
    found = _named(explainer) if isinstance(explainer, str) else explainer
    if isinstance(found, type):
        found = found()
    if not callable(found):
        msg = (
            "explainer: expected a name or a callable (probe, inputs) -> tensor, "
            f"got {type(found).__name__}. Names: {', '.join(ENTRIES)}."
        )
        raise ExplainerError(msg)
    return found


def _named(name: str) -> Any:
    if name in ENTRIES:
        return catalogue()[name]
    plugins = {plugin.name: plugin for plugin in entry_points(group=_GROUP)}
    if name in plugins:
        return plugins[name].load()
    known = [*ENTRIES, *plugins]
    near = get_close_matches(name, known, n=3) or known
    msg = f"explainer: there is no {name!r}. Did you mean {', '.join(near)}?"
    raise ExplainerError(msg)
