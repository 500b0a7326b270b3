"""Whether an attribution predicts what the model does when the image changes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from saliency.errors import InputError
from saliency.evaluation.ranking import batch_of, maps_of
from saliency.evaluation.variant_scores import variant_scores
from saliency.explainers.catalogue import resolve
from saliency.explainers.queries import check_positive, check_whole, settled
from saliency.kernels.baselines import Reference, check_reference, reference
from saliency.pipeline.checks import check_share
from saliency.probe.protocol import Probe, Tensor
from saliency.statistics.correlation import pearson, spearman
from saliency.values.arrays import Array

Explain = Callable[[Probe, Tensor], Any]


def infidelity(
    probe: Probe,
    inputs: Any,
    attribution: Any,
    *,
    samples: int = 64,
    noise: float = 0.1,
    seed: int = 0,
) -> Array:
    """Return the mean squared difference of what was promised and what happened.

    Yeh et al., arXiv 1901.09392, definition 2.1: E[(I . phi - (f(x) - f(x - I)))^2], with I drawn
    from a normal distribution. The attribution is taken in its own unit: a map that is rescaled
    has another infidelity.

    Parameters
    ----------
    probe, inputs
        As for :func:`saliency.evaluation.deletion`.
    attribution
        float (N, H, W, C); of a map (N, H, W) each channel gets an equal part.
    samples
        Draws of I.
    noise
        Standard deviation of I as a share of each image's range.
    seed
        Of the draws.

    Returns
    -------
    float64 (N,)
        0 is perfect; NaN for an image of one value, which has no range to draw from.
    """
    batch = batch_of(inputs)
    check_positive("infidelity", noise=noise)
    check_whole("infidelity", least=1, samples=samples)
    check_whole("infidelity", least=0, seed=seed)
    maps_of(attribution, batch, "attribution")  # checks it
    given = np.asarray(attribution, np.float64)
    if given.shape == tuple(batch.shape[:-1]):
        given = np.repeat(
            given[..., np.newaxis] / batch.shape[-1], batch.shape[-1], axis=-1
        )
    spread = noise * _range(batch)
    generator = np.random.default_rng(seed)
    # The same draws for each image: its value does not hang on its batch.
    steps = [
        (spread * generator.standard_normal(batch.shape[1:])).astype(np.float32)
        for _ in range(samples)
    ]
    scores = _scores(probe, batch, [0 * spread, *steps], lambda step: batch - step)
    axes = tuple(range(1, given.ndim))
    promised = np.stack([(step * given).sum(axis=axes) for step in steps], axis=1)
    errors = np.mean((promised - (scores[:, :1] - scores[:, 1:])) ** 2, axis=1)
    return np.where(spread.ravel() > 0, errors, np.nan)


def max_sensitivity(
    probe: Probe,
    inputs: Any,
    explainer: Explain | str,
    *,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
) -> Array:
    """Return how far a map moves when the image hardly does.

    Yeh et al., arXiv 1901.09392, definition 3.1, divided by the map's own length:
    max over |d| <= radius of |phi(x + d) - phi(x)| / |phi(x)|, with d drawn evenly.

    Parameters
    ----------
    probe, inputs
        As for :func:`saliency.evaluation.deletion`.
    explainer
        A recipe, (probe, inputs) -> attribution, or a name of ``catalogue()``.
    radius
        Greatest change of a value, as a share of each image's range.
    samples
        Draws; the greatest of few is less than the greatest of all.
    seed
        Of the draws.

    Returns
    -------
    float64 (N,)
        0 is steady; NaN where the map is blank, and for an image of one value.
    """
    batch = batch_of(inputs)
    check_positive("max_sensitivity", radius=radius)
    check_whole("max_sensitivity", least=1, samples=samples)
    check_whole("max_sensitivity", least=0, seed=seed)
    recipe, fixed = resolve(explainer), settled(probe, batch)
    before = maps_of(recipe(fixed, batch), batch, "max_sensitivity")
    axes = tuple(range(1, before.ndim))
    length = np.sqrt(np.sum(before.astype(np.float64) ** 2, axis=axes))
    generator = np.random.default_rng(seed)
    worst = np.zeros(len(before))
    reach = radius * _range(batch)
    for _ in range(samples):
        # The same draw for each image, as in infidelity.
        step = reach * generator.uniform(-1, 1, batch.shape[1:])
        near = batch + step.astype(np.float32)
        moved = maps_of(recipe(fixed, near), batch, "max_sensitivity") - before
        worst = np.maximum(
            worst, np.sqrt(np.sum(moved.astype(np.float64) ** 2, axis=axes))
        )
    known = (length > 0) & (reach.ravel() > 0)
    moved_by: Array = np.divide(
        worst, length, out=np.full(len(worst), np.nan), where=known
    )
    return moved_by


def sensitivity_n(  # noqa: PLR0913 - the sets of pixels
    probe: Probe,
    inputs: Any,
    attribution: Any,
    *,
    share: float = 0.1,
    samples: int = 64,
    fill: Reference = "black",
    seed: int = 0,
) -> Array:
    """Return how well the sum over random pixels goes with what their removal takes away.

    Ancona et al., arXiv 1711.06104, section 4.1: Pearson's correlation, over random sets of n
    pixels, of the sum of attributions and of the score's loss.

    Parameters
    ----------
    probe, inputs, attribution, fill
        As for :func:`saliency.evaluation.deletion`.
    share
        n as a share of the pixels.
    samples
        Random sets.
    seed
        Of the sets.

    Returns
    -------
    float64 (N,)
        -1..1; NaN where the sums or the losses are all alike.
    """
    batch = batch_of(inputs)
    _check_sets("sensitivity_n", share, samples, seed)
    pixels = int(np.prod(batch.shape[1:-1]))
    count = max(1, round(share * pixels))
    generator = np.random.default_rng(seed)
    order = np.argsort(generator.random((samples, pixels)), axis=1)
    chosen = np.zeros((samples, pixels), np.float32)
    np.put_along_axis(chosen, order[:, :count], 1.0, axis=1)
    sums, losses = _sums_and_losses(probe, batch, attribution, chosen, fill)
    return np.array([pearson(*pair) for pair in zip(sums, losses, strict=True)])


def mufidelity(  # noqa: PLR0913 - the sets of cells
    probe: Probe,
    inputs: Any,
    attribution: Any,
    *,
    grid: int = 9,
    share: float = 0.2,
    samples: int = 64,
    fill: Reference = "black",
    seed: int = 0,
) -> Array:
    """Return :func:`sensitivity_n` over cells of a grid, by ranks (muFidelity).

    Bhatt et al., arXiv 2005.00631, section 3.1, with Spearman's correlation and sets of cells as
    xplique has them.

    Parameters
    ----------
    probe, inputs, attribution, samples, fill, seed
        As for :func:`sensitivity_n`.
    grid
        Cells along each side.
    share
        Of the cells that a set holds.

    Returns
    -------
    float64 (N,)
        -1..1; NaN where the sums or the losses are all alike.
    """
    batch = batch_of(inputs)
    _check_sets("mufidelity", share, samples, seed)
    check_whole("mufidelity", least=1, grid=grid)
    size = batch.shape[1:-1]
    generator = np.random.default_rng(seed)
    cells = np.meshgrid(
        *(np.arange(length) * grid // length for length in size), indexing="ij"
    )
    number = sum(cell * grid**power for power, cell in enumerate(reversed(cells)))
    picked = generator.random((samples, grid ** len(size))) < share
    chosen = picked[:, np.asarray(number).ravel()].astype(np.float32)
    sums, losses = _sums_and_losses(probe, batch, attribution, chosen, fill)
    return np.array([spearman(*pair) for pair in zip(sums, losses, strict=True)])


def _check_sets(metric: str, share: float, samples: int, seed: int) -> None:
    """Refuse sets of which none is another, or that are no share of the image."""
    check_whole(metric, least=2, samples=samples)
    check_whole(metric, least=0, seed=seed)
    check_share(metric, "share", share)
    if share in (0, 1):
        msg = f"{metric}: expected a share in (0, 1), got {share}."
        raise InputError(msg)


def _sums_and_losses(
    probe: Probe, batch: Tensor, attribution: Any, chosen: Array, fill: Reference
) -> tuple[Array, Array]:
    """Return for each image and set the sum of its attributions, and the score lost with it."""
    check_reference(fill)
    maps = maps_of(attribution, batch, "attribution").reshape(batch.shape[0], -1)
    hidden = reference(batch, fill)
    masks = chosen.reshape(len(chosen), *batch.shape[1:-1], 1)
    scores = _scores(
        probe,
        batch,
        [0 * masks[0], *masks],
        lambda mask: tf.where(mask > 0, hidden, batch),
    )
    return maps.astype(np.float64) @ chosen.T, scores[:, :1] - scores[:, 1:]


def _scores(
    probe: Probe,
    batch: Tensor,
    changes: Sequence[Any],
    changed: Callable[[Any], Tensor],
) -> Array:
    """Return float64 (N, changes): differences of scores are taken."""
    return variant_scores(probe, batch, changes, changed).astype(np.float64)


def _range(batch: Tensor) -> Array:
    """Return greatest less least value of each image, (N, 1, ..., 1)."""
    flat = np.asarray(batch).reshape(batch.shape[0], -1)
    return np.asarray(np.ptp(flat, axis=1).reshape(-1, *[1] * (batch.shape.rank - 1)))
