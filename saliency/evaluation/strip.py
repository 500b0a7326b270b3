"""A row of a table as a picture: a mean, its interval, and maps that know nothing beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from saliency.evaluation.baselines import CONTROLS
from saliency.evaluation.metrics import METRICS

LENGTH: Final = 200
"""Of a strip, in units of the picture."""


@final
@dataclass(frozen=True)
class Strip:
    """Places on a line, 0 to ``LENGTH``, of which the right end is the best.

    Parameters
    ----------
    mean
        Of the explainer; None where there is no value.
    interval
        Its ends from left to right; None where there is none.
    controls
        (baseline, place) of maps that know nothing.
    """

    mean: float | None
    interval: tuple[float, float] | None
    controls: tuple[tuple[str, float], ...]


def strips_of(measures: Mapping[str, Any], metric: str) -> dict[str, Strip]:
    """Return a strip for each explainer, all on one scale.

    Parameters
    ----------
    measures
        Explainer -> Measure.
    metric
        Its name: where less is better, the scale is turned round.
    """
    sign = 1 if METRICS[metric].greater else -1
    values = [value for each in measures.values() for value in _all_of(each)]
    known = sign * np.array([value for value in values if np.isfinite(value)])
    if not known.size:
        return {}
    low, span = known.min(), np.ptp(known) or 1.0

    def place(value: float) -> float | None:
        if not np.isfinite(value):
            return None
        return round(float((sign * value - low) / span) * LENGTH, 1)

    return {name: _strip(each, place) for name, each in measures.items()}


def _strip(measure: Any, place: Any) -> Strip:
    ends = [place(end) for end in measure.interval]
    controls = [(name, place(measure.baseline[name])) for name in CONTROLS]
    return Strip(
        place(measure.value),
        None if None in ends else (min(ends), max(ends)),
        tuple((name, at) for name, at in controls if at is not None),
    )


def _all_of(measure: Any) -> list[float]:
    controls = [measure.baseline[name] for name in CONTROLS]
    return [measure.value, *measure.interval, *controls]
