"""Numbers that a map must pass before its picture is believed."""

from collections.abc import Sequence
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np

from saliency.errors import ExplainerError, InputError
from saliency.evaluation.ranking import batch_of, maps_of
from saliency.explainers.catalogue import resolve
from saliency.explainers.controls import RandomisedModel
from saliency.explainers.protocol import Explainer, RandomisedProbe
from saliency.explainers.queries import check_whole, settled
from saliency.probe.protocol import Probe
from saliency.statistics.correlation import spearman
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap


def randomisation(
    probe: Probe,
    inputs: Any,
    explainer: Explainer | str,
    *,
    seeds: Sequence[int] = (0,),
) -> Array:
    """Return how much a map looks like that of the same network with shuffled weights.

    Adebayo et al., arXiv 1810.03292: Spearman's correlation of absolute values, the mean over
    seeds. A map that stays the same does not speak of what the network learnt.

    Parameters
    ----------
    probe
        A model bound to a target, whose weights can be shuffled.
    inputs
        float32 (N, H, W, C).
    explainer
        A recipe, (probe, inputs) -> attribution, or a name of ``catalogue()``.
    seeds
        Of the weights.

    Returns
    -------
    float64 (N,)
        -1..1, near 0 is good; NaN where a map is blank.

    Raises
    ------
    ExplainerError
        The probe cannot be asked about other weights.
    """
    batch = batch_of(inputs)
    check_seeds("randomisation", seeds)
    recipe, fixed = resolve(explainer), settled(probe, batch)
    learnt = maps_of(recipe(fixed, batch), batch, "randomisation")
    found = []
    for seed in seeds:
        shuffled = RandomisedModel(recipe, seed)(fixed, batch)
        found.append(_alike(learnt, maps_of(shuffled, batch, "randomisation")))
    return np.asarray(np.mean(found, axis=0))


def cascade(
    probe: Probe,
    inputs: Any,
    explainer: Explainer | str,
    *,
    stages: int = 4,
    seed: int = 0,
) -> Array:
    """Return how much of a map outlives the loss of the network's weights, from the top down.

    The cascading randomisation of Adebayo et al., arXiv 1810.03292, section 3.1, as a number: the
    last 1/stages of the weight tensors are shuffled, then the last 2/stages, until all are; each
    time the map is compared with that of the trained network by Spearman's correlation of
    absolute values. Their mean is returned.

    Parameters
    ----------
    probe, inputs, explainer
        As for :func:`randomisation`.
    stages
        The network is traced anew for each.
    seed
        Of the weights.

    Returns
    -------
    float64 (N,)
        -1..1, near 0 is good; 1 is a map that never asks the weights, as of edges. NaN where a map
        is blank.

    Raises
    ------
    ExplainerError
        The probe cannot be asked about other weights.
    InputError
        ``stages`` is below 1.
    """
    check_whole("cascade", least=1, stages=stages)
    check_whole("cascade", least=0, seed=seed)
    batch = batch_of(inputs)
    fixed = settled(probe, batch)
    if not isinstance(fixed, RandomisedProbe):
        msg = (
            "cascade: expected a probe with a method randomised(seed, top=...), got "
            f"{type(fixed).__name__}."
        )
        raise ExplainerError(msg)
    recipe = resolve(explainer)
    learnt = maps_of(recipe(fixed, batch), batch, "cascade")
    likeness = []
    for stage in range(1, stages + 1):
        shuffled = fixed.randomised(seed, top=stage / stages)
        found = maps_of(recipe(shuffled, batch), batch, "cascade")
        likeness.append(_alike(learnt, found))
    return np.asarray(np.mean(likeness, axis=0))


def repeatability(
    probe: Probe,
    inputs: Any,
    explainer: Explainer | str,
    again: Explainer | str | None = None,
) -> Array:
    """Return how alike the maps of two seeds are: Spearman's correlation.

    Parameters
    ----------
    probe, inputs, explainer
        As for :func:`randomisation`.
    again
        The same recipe with another seed. None: the recipe's own with ``seed + 1``; 1.0 for a
        recipe that has no seed.

    Returns
    -------
    float64 (N,)
        -1..1, 1 is good; NaN where a map is blank.
    """
    batch = batch_of(inputs)
    recipe = resolve(explainer)
    other = _reseeded(recipe) if again is None else resolve(again)
    fixed = settled(probe, batch)
    these, those = (
        maps_of(each(fixed, batch), batch, "repeatability") for each in (recipe, other)
    )
    return np.array([spearman(*pair) for pair in zip(these, those, strict=True)])


def sparseness(heatmap: Any) -> float:
    """Return how few pixels hold the heat: the Gini index of its size (Chalasani 2020).

    Parameters
    ----------
    heatmap
        Heatmap, or float of any shape.

    Returns
    -------
    float
        0 where all pixels are alike, towards 1 where one holds all; NaN where the map is blank.
    """
    values = np.asarray(heatmap.values if isinstance(heatmap, Heatmap) else heatmap)
    numbers = values.size and values.dtype.kind in "fiub"
    if not numbers or not np.isfinite(values).all():
        msg = f"sparseness: expected finite numbers, got {values.dtype} {values.shape}."
        raise InputError(msg)
    heat = np.sort(np.abs(values, dtype=np.float64).ravel())
    if heat[-1] == 0:
        return float("nan")
    places = np.arange(1, heat.size + 1)
    # Hurley and Rickard, arXiv 0811.4706, table 1.
    return float(
        1 - 2 * np.sum(heat / heat.sum() * (heat.size - places + 0.5) / heat.size)
    )


def check_seeds(metric: str, seeds: Sequence[int]) -> None:
    """Refuse no seeds, and those that are no whole numbers of 0 or more."""
    if not isinstance(seeds, Sequence | np.ndarray) or not len(seeds):
        msg = f"{metric}: expected one seed or more, got {seeds!r}."
        raise InputError(msg)
    for seed in seeds:
        check_whole(metric, least=0, seed=seed)


def _alike(these: Array, those: Array) -> Array:
    pairs = zip(np.abs(these), np.abs(those), strict=True)
    return np.array([spearman(*pair) for pair in pairs])


def _reseeded(explainer: Explainer) -> Explainer:
    recipe: Any = explainer
    seed = getattr(recipe, "seed", None)
    if (
        not is_dataclass(recipe)
        or isinstance(recipe, type)
        or not isinstance(seed, int)
    ):
        return explainer
    found: Explainer = replace(recipe, seed=seed + 1)  # type: ignore[assignment]
    return found
