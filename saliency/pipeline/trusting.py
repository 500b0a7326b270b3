"""What an evaluation says of an explainer, told with each of its maps."""

from dataclasses import replace
from typing import Any

from saliency.errors import InputError
from saliency.pipeline.explanation import Explanation, with_asked
from saliency.probe.model.digest import model_digest
from saliency.values.trust import Trust


def trust_in(report: Any, probe: Any, recipe: str) -> Trust | None:
    """Return what a report says of a recipe, by its repr, on a probe's model; None without one.

    Raises
    ------
    InputError
        It is no report, or one of another model or of other explainers; or the probe is no Keras
        model, so that nobody can tell whether it was the one.
    """
    if report is None:
        return None
    if not callable(getattr(report, "trust_in", None)):
        msg = f"trust: expected what evaluate returned, got {type(report).__name__}."
        raise InputError(msg)
    model = getattr(getattr(probe, "source", probe), "model", None)
    if model is None:
        msg = "trust: expected a Keras model, whose weights can be compared with the report's."
        raise InputError(msg)
    known: Trust = report.trust_in(recipe, model_digest(model))
    return known


def trusted(result: Any, known: Trust | None) -> Any:
    """Return an explanation with what is known of its explainer.

    Raises
    ------
    InputError
        It is of a volume.
    """
    if known is None:
        return result
    if not isinstance(result, Explanation):
        msg = "trust: expected an image; evaluations know no volumes."
        raise InputError(msg)
    return with_asked(replace(result, trust=known), getattr(result, "_asked", None))
