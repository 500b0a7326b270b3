"""The metrics that ``evaluate`` knows: what each asks for, and which way is better."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, final

from saliency.errors import InputError
from saliency.evaluation import curves, faithfulness, sanity, truth

Kind: TypeAlias = Literal["truth", "map", "curve", "removal", "model", "recipe"]


@final
@dataclass(frozen=True)
class Metric:
    """A way of measuring a map.

    Parameters
    ----------
    kind
        What it is asked with. ``"truth"``: (heatmap, truth) of an image. ``"map"``: (heatmap).
        ``"curve"``: (probe, inputs, maps) of a batch, and shares of pixels. ``"removal"``: the same
        at shares of its own. ``"model"``: (probe, inputs, maps), whose size counts and not their
        order alone. ``"recipe"``: (probe, inputs, recipe).
    function
        Of this room.
    greater
        Whether greater is better.
    words
        What it asks, for a reader who has not met it.
    """

    kind: Kind
    function: Callable[..., Any]
    greater: bool
    words: str


METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        "exchange": Metric(
            "curve",
            curves.exchange,
            greater=False,
            words="mean score while the hottest cells become those of another image",
        ),
        "deletion": Metric(
            "curve",
            curves.deletion,
            greater=False,
            words="mean score while the hottest pixels become the image's mean",
        ),
        "insertion": Metric(
            "curve",
            curves.insertion,
            greater=True,
            words="mean score while the hottest pixels are put into the blurred image",
        ),
        "road": Metric(
            "removal",
            curves.road,
            greater=False,
            words="mean score while the hottest pixels are imputed from those around",
        ),
        "irof": Metric(
            "removal",
            curves.irof,
            greater=True,
            words="share of the score lost while the hottest segments are removed",
        ),
        "pointing_game": Metric(
            "truth",
            truth.pointing_game,
            greater=True,
            words="hottest pixel lies in the truth",
        ),
        "energy_inside": Metric(
            "truth",
            truth.energy_inside,
            greater=True,
            words="share of heat in the truth",
        ),
        "miou_otsu": Metric(
            "truth",
            truth.miou_otsu,
            greater=True,
            words="overlap of the truth and the map cut by Otsu's threshold",
        ),
        "auprc": Metric(
            "truth",
            truth.auprc,
            greater=True,
            words="area under precision against recall",
        ),
        "infidelity": Metric(
            "model",
            faithfulness.infidelity,
            greater=False,
            words="squared error of the change that the map promised under noise",
        ),
        "sensitivity_n": Metric(
            "model",
            faithfulness.sensitivity_n,
            greater=True,
            words="correlation of the heat and the loss of random pixels",
        ),
        "mufidelity": Metric(
            "model",
            faithfulness.mufidelity,
            greater=True,
            words="rank correlation of the heat and the loss of random cells",
        ),
        "max_sensitivity": Metric(
            "recipe",
            faithfulness.max_sensitivity,
            greater=False,
            words="greatest change of the map under a change that nobody sees",
        ),
        "randomisation": Metric(
            "recipe",
            sanity.randomisation,
            greater=False,
            words="likeness to the map of the same network with shuffled weights",
        ),
        "cascade": Metric(
            "recipe",
            sanity.cascade,
            greater=False,
            words="likeness to the map while weights are shuffled from the last layer down",
        ),
        "repeatability": Metric(
            "recipe",
            sanity.repeatability,
            greater=True,
            words="likeness of the maps of two seeds",
        ),
        "sparseness": Metric(
            "map",
            sanity.sparseness,
            greater=True,
            words="how few pixels hold the heat (Gini)",
        ),
    }
)

WITH_TRUTH: Final = ("energy_inside", "pointing_game", "miou_otsu", "auprc")
WITHOUT: Final = ("exchange",)


def chosen(metrics: Sequence[str] | None, *, truth: bool) -> tuple[str, ...]:
    """Return the metrics that are asked for; the first of them ranks the explainers.

    Raises
    ------
    InputError
        One is unknown, none is named, or one needs a truth that there is not.
    """
    if metrics is None:
        return (*WITH_TRUTH, *WITHOUT) if truth else WITHOUT
    several = isinstance(metrics, Iterable) and not isinstance(metrics, str)
    names: tuple[Any, ...] = tuple(dict.fromkeys(metrics)) if several else (metrics,)
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        got = ", ".join(map(repr, unknown)) or "none"
        msg = f"evaluate: expected metrics among {', '.join(METRICS)}; got {got}."
        raise InputError(msg)
    asking = [name for name in names if METRICS[name].kind == "truth"]
    if asking and not truth:
        msg = f"evaluate: {', '.join(asking)} compares with a truth: give truth=, a mask an image."
        raise InputError(msg)
    return names
