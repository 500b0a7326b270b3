"""What an evaluation says of an explainer, told with each of its maps."""

import json
import os
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Final

from saliency.errors import InputError
from saliency.pipeline.asked_layers import looks_at_layers
from saliency.pipeline.explanation import Explanation, with_asked
from saliency.pipeline.plain import plain, revived
from saliency.pipeline.preparing import Preparation
from saliency.probe.model.digest import model_digest
from saliency.values.trust import Trust, TrustByRecipe

REPORT: Final = "report.json"
"""What ``EvaluationReport.save`` writes for programs."""


def trust_table(trust: object) -> TrustByRecipe | None:
    """Return what ``trust=`` says of each explainer; None where nothing was handed in.

    Parameters
    ----------
    trust
        None, what ``evaluate`` returned, its report.json, or the folder of that.

    Raises
    ------
    InputError
        It is none of these.
    """
    if trust is None or isinstance(trust, TrustByRecipe):
        return trust
    if isinstance(trust, str | PathLike):
        return _in_file(trust)
    known = getattr(trust, "trust", None)
    if not isinstance(known, TrustByRecipe):
        msg = (
            "trust: expected what evaluate returned, or its report.json, got "
            f"{type(trust).__name__}."
        )
        raise InputError(msg)
    return known


def _in_file(path: str | PathLike[str]) -> TrustByRecipe:
    place = Path(path)
    file = place / REPORT if place.is_dir() else place
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        known = revived(told["trust"])
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else type(error).__name__
        msg = f"trust: expected the {REPORT} of an evaluation, which cannot be read: {words}."
        raise InputError(msg) from error
    except (InputError, ValueError, KeyError, TypeError) as error:
        known = error
    if not isinstance(known, TrustByRecipe):
        msg = (
            f"trust: expected the {REPORT} of an evaluation, got a file of another kind, or of an "
            "earlier version. Evaluate the model again."
        )
        raise InputError(msg)
    return known


def trust_in(
    known: TrustByRecipe, probe: Any, recipe: Any, name: str, prepare: Preparation
) -> Trust:
    """Return what was measured of a recipe, where it is asked as it was then.

    Parameters
    ----------
    known
        Of an evaluation.
    probe
        Of a Keras model.
    recipe, name
        The explainer, and its ``repr``.
    prepare
        With all open choices filled in.

    Raises
    ------
    InputError
        Another model was measured, or not this explainer, or with other layers or another
        preparation; or the probe is no Keras model, so that nobody can tell.
    """
    source = getattr(probe, "source", probe)
    _check_model(known, getattr(source, "model", None))
    if "<" in name:  # a lambda, or a function made in a function
        msg = (
            f"trust: expected an explainer that its name tells from others, got {name}."
        )
        raise InputError(msg)
    if name in known.left_out:
        msg = (
            f"trust: {name} was not measured for this model: {known.left_out[name]} Choose one "
            f"of {', '.join(known.recipes)}."
        )
        raise InputError(msg)
    if name not in known.recipes:
        msg = (
            f"trust: expected an explainer that was measured ({', '.join(known.recipes)}), got "
            f"{name}. Evaluate it."
        )
        raise InputError(msg)
    layers = tuple(source.layers)
    if looks_at_layers(recipe) and layers != known.layers:
        msg = (
            f"trust: expected the layers at which {name} was measured, {', '.join(known.layers)}, "
            f"got {', '.join(layers)}. Evaluate KerasProbe(model, layers=[...])."
        )
        raise InputError(msg)
    if plain(prepare) != plain(known.prepare):
        msg = (
            f"trust: expected images prepared as they were when {name} was measured, "
            f"{known.prepare!r}, got {prepare!r}. Hand in the same prepare."
        )
        raise InputError(msg)
    return known.recipes[name]


def _check_model(known: TrustByRecipe, model: Any) -> None:
    if model is None:
        msg = "trust: expected a Keras model, whose weights can be compared with the report's."
        raise InputError(msg)
    if known.sha256 != model_digest(model):
        msg = (
            "trust: expected a report of this model, got one of other weights or another "
            "architecture. Evaluate this model."
        )
        raise InputError(msg)


def trusted(result: Explanation, known: Trust | None) -> Explanation:
    """Return an explanation with what is known of its explainer."""
    if known is None:
        return result
    return with_asked(replace(result, trust=known), getattr(result, "_asked", None))
