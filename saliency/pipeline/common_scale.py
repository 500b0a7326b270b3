"""One scale for several maps."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.method_words import unit_of
from saliency.render.scale import full
from saliency.values.failure import Failure


def common_scale(results: Iterable[Any]) -> float | None:
    """Return one ``vmax`` for several explanations, so that equal heat has equal colour.

    ::

        vmax = sal.common_scale(results)
        for result in results:
            result.save(f"{result.image.digest[:8]}.png", vmax=vmax)

    Parameters
    ----------
    results
        Explanations or VolumeExplanations, of one model and images to compare, or of several
        targets. Failures among them are left out.

    Returns
    -------
    float or None
        The heat, in the method's unit, of full colour: the 99.5th percentile of all |heat| that is
        not 0. None where no pixel has heat; ``vmax=None`` is each map's own scale.

    Raises
    ------
    InputError
        There is no explanation, or their maps have different units: no number compares a
        gradient with an activation.
    """
    shown = [result for result in results if not isinstance(result, Failure)]
    if not shown:
        msg = "common_scale: expected explanations, got none."
        raise InputError(msg)
    units = sorted({_unit_of(result) for result in shown})
    if len(units) > 1:
        msg = (
            f"common_scale: expected maps in one unit, got {', '.join(map(repr, units))}. Maps of "
            "several methods have no common scale; make one for each method."
        )
        raise InputError(msg)
    heat = np.concatenate([np.abs(result.heatmap.values).ravel() for result in shown])
    return full(heat) or None


def _unit_of(result: Any) -> str:
    answer = getattr(result, "leading", result)  # of a volume
    return unit_of(answer.recipe, answer.explains)
