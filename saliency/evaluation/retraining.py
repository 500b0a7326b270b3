"""What a new network still learns when the pixels that maps call important are gone, or alone.

ROAR removes them (Hooker et al., arXiv 1806.10758), KAR keeps them alone (Mundhenk et al., arXiv
1911.11293). Both train a network for each share, so they are for small sets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

import numpy as np
import tensorflow as tf

from saliency.errors import InputError
from saliency.evaluation.ranking import batch_of, first, maps_of, ranks_of
from saliency.evaluation.sanity import check_seeds
from saliency.kernels.baselines import Reference, check_reference, reference
from saliency.pipeline.checks import check_share
from saliency.values.arrays import Array

Fit: TypeAlias = Callable[[Array, Array, int], Callable[[Array], Any]]
"""(inputs (N, H, W, C), labels int (N,), seed) -> a network: inputs -> (N, classes) or (N, 1)."""

_SHARES: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of Hooker et al., section 4.1."""


@final
@dataclass(frozen=True, eq=False)
class Retrained:
    """Accuracies of networks that were trained on changed images.

    Parameters
    ----------
    shares
        float64 (S,): of the pixels that are removed (ROAR) or kept (KAR).
    accuracy
        float64 (S,): on images that were not trained on, the mean over seeds.
    baseline
        float64 (S,): the same with pixels in random order.
    gain
        How much better the maps' order is than a random one: the mean over shares of what accuracy
        falls more (ROAR) or less (KAR). 0 or less: the maps know nothing.
    """

    shares: Array
    accuracy: Array
    baseline: Array
    gain: float


def roar(  # noqa: PLR0913 - a training is made of many choices
    fit: Fit,
    inputs: Any,
    labels: Sequence[int],
    attribution: Any,
    *,
    shares: Sequence[float] = _SHARES,
    held_out: float = 0.25,
    fill: Reference = "mean",
    seeds: Sequence[int] = (0,),
) -> Retrained:
    """Remove the most important pixels and train again (ROAR).

    Parameters
    ----------
    fit
        Trains a new network: (inputs, labels, seed) -> callable on inputs, whose answers are
        (N, classes), or (N, 1) above 0.5 for class 1. A Keras model will do.
    inputs
        float32 (N, H, W, C).
    labels
        int (N,).
    attribution
        float (N, H, W) or (N, H, W, C): of every image, for its label. The greatest goes first.
    shares
        Of the pixels, in (0, 1).
    held_out
        Share of the images that is tested and not trained on.
    fill
        As for :func:`saliency.evaluation.deletion`.
    seeds
        Of division, random order and training.

    Returns
    -------
    Retrained
        The lower the accuracy, the better the maps; ``baseline`` says what a random order does.

    Raises
    ------
    InputError
        Shapes, labels or shares do not fit, or there is no seed.
    """
    trial = _trial(fit, inputs, labels, shares, held_out, fill, name="roar")
    return _retrained(trial, attribution, seeds)


def kar(  # noqa: PLR0913 - as roar
    fit: Fit,
    inputs: Any,
    labels: Sequence[int],
    attribution: Any,
    *,
    shares: Sequence[float] = _SHARES,
    held_out: float = 0.25,
    fill: Reference = "mean",
    seeds: Sequence[int] = (0,),
) -> Retrained:
    """Keep the most important pixels alone and train again (KAR).

    Parameters
    ----------
    fit, inputs, labels, attribution, held_out, fill, seeds
        As for :func:`roar`.
    shares
        Of the pixels that are kept.

    Returns
    -------
    Retrained
        The higher the accuracy, the better the maps.
    """
    trial = _trial(fit, inputs, labels, shares, held_out, fill, name="kar")
    return _retrained(trial, attribution, seeds)


@final
@dataclass(frozen=True, eq=False)
class _Trial:
    """All that stays the same from share to share; ``name`` is ``"roar"`` or ``"kar"``."""

    name: str
    fit: Fit
    inputs: Any
    labels: Array
    shares: Array
    held_out: float
    hidden: Any

    @property
    def keep(self) -> bool:
        """Whether the important pixels are kept, and not removed."""
        return self.name == "kar"


def _trial(  # noqa: PLR0913 - as roar
    fit: Fit,
    inputs: Any,
    labels: Sequence[int],
    shares: Sequence[float],
    held_out: float,
    fill: Reference,
    *,
    name: str,
) -> _Trial:
    batch, given, way = batch_of(inputs), np.asarray(labels), np.asarray(shares)
    _check_callable(fit, f"{name}: expected fit, a function that trains a network")
    whole = given.shape == batch.shape[:1] and given.dtype.kind in "iub"
    if not whole or given.min() < 0:
        msg = (
            f"{name}: expected whole numbers ({batch.shape[0]},) of 0 or more as labels, got "
            f"{given.dtype} {given.shape}."
        )
        raise InputError(msg)
    numbers = way.ndim == 1 and way.size and way.dtype.kind in "fiu"
    if not numbers or not np.all((way > 0) & (way < 1)):
        msg = f"{name}: expected shares in (0, 1), got {shares!r}."
        raise InputError(msg)
    check_share(name, "held_out", held_out)
    if not 1 <= round(held_out * len(given)) < len(given):
        msg = (
            f"{name}: expected held_out to leave images on both sides, got {held_out}."
        )
        raise InputError(msg)
    check_reference(fill)
    hidden = reference(batch, fill)
    return _Trial(name, fit, batch, given.astype(int), way, held_out, hidden)


def _check_callable(given: object, expected: str) -> None:
    if not callable(given):
        msg = f"{expected}, got {type(given).__name__}."
        raise InputError(msg)


def _retrained(trial: _Trial, attribution: Any, seeds: Sequence[int]) -> Retrained:
    """Train with pixels in the order of the maps, and in random order."""
    maps = maps_of(attribution, trial.inputs, trial.name)
    check_seeds(trial.name, seeds)
    found = []
    for seed in seeds:
        generator = np.random.default_rng(seed)
        tested = generator.permutation(len(maps)) < round(trial.held_out * len(maps))
        noise = generator.random(maps.shape)
        for order in (maps, noise):
            found += [
                _accuracy(trial, order, float(share), tested, seed)
                for share in trial.shares
            ]
    of_seeds = np.reshape(found, (len(seeds), 2, len(trial.shares)))
    accuracy, baseline = of_seeds.mean(axis=0)
    more = float(np.mean(accuracy - baseline))
    return Retrained(trial.shares, accuracy, baseline, more if trial.keep else -more)


def _accuracy(
    trial: _Trial, order: Array, share: float, tested: Array, seed: int
) -> float:
    chosen = first(ranks_of(order), share, trial.inputs) > 0
    stays = chosen if trial.keep else ~chosen
    changed = np.asarray(tf.where(stays, trial.inputs, trial.hidden))
    network = trial.fit(changed[~tested], trial.labels[~tested], seed)
    _check_callable(network, f"{trial.name}: expected fit to return a network")
    answers = np.asarray(network(changed[tested]))
    answers = answers.reshape(int(tested.sum()), -1)
    one = answers.shape[1] == 1
    predicted = answers[:, 0] > 0.5 if one else answers.argmax(axis=1)
    return float(np.mean(predicted == trial.labels[tested]))
