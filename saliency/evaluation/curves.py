"""Scores while the pixels that a map calls important are taken away, or given back.

All keep the model's own score: a logit where it has one. Curves of different images are therefore
comparable only within an image; :func:`saliency.evaluate` compares explainers image by image.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import tensorflow as tf

from saliency.errors import InputError
from saliency.evaluation.decision import per_group
from saliency.evaluation.imputation import imputed
from saliency.evaluation.ranking import (
    batch_of,
    cells_of,
    first,
    maps_of,
    ranks_of,
    shaped,
)
from saliency.evaluation.variant_scores import variant_scores
from saliency.explainers.queries import check_positive, check_whole
from saliency.kernels.baselines import Reference, check_reference, reference
from saliency.kernels.superpixels import superpixels
from saliency.probe.protocol import Probe, Tensor
from saliency.values.arrays import Array, frozen

_ROAD_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)
"""Of Rong et al., arXiv 2202.00449, section 5."""


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """Scores along a way of changing images.

    Parameters
    ----------
    shares
        float32 (steps + 1,), rising: which share of the pixels has been changed.
    scores
        float32 (N, steps + 1): the score of the target, in the model's unit. NaN where an image
        was not asked about.

    Raises
    ------
    InputError
        Shares do not rise, or scores are not as many.
    """

    shares: Array
    scores: Array

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "shares", frozen(self.shares, np.float32, "Curve", ranks=(1,))
        )
        object.__setattr__(
            self, "scores", frozen(self.scores, np.float32, "Curve", ranks=(2,))
        )
        if len(self.shares) != self.scores.shape[1] or not _rises(self.shares):
            msg = (
                "Curve: expected two shares or more, rising, and a score of each image at each, "
                f"got {self.shares.tolist()} and scores {self.scores.shape}."
            )
            raise InputError(msg)

    def __reduce__(self) -> tuple[object, ...]:
        return Curve, (self.shares, self.scores)

    @property
    def area(self) -> Array:
        """Area under each curve by the trapezoid rule, float64 (N,): the mean score of the way."""
        way = float(self.shares[-1] - self.shares[0])
        return np.asarray(
            np.trapezoid(self.scores.astype(np.float64), self.shares, axis=1) / way
        )


def mean_curve(curve: Curve, groups: Array) -> Curve:
    """Return the mean curve over groups, one row; a row that is NaN is left out.

    Parameters
    ----------
    curve
        A row for each of n images.
    groups
        int (n,): the patient of each.
    """
    of_groups = (per_group(column, groups) for column in curve.scores.T)
    means = [each.mean() if each.size else np.nan for each in of_groups]
    return Curve(curve.shares, np.asarray(means)[np.newaxis])


def deletion(
    probe: Probe,
    inputs: Any,
    attribution: Any,
    *,
    steps: int = 32,
    shares: Sequence[float] | None = None,
    fill: Reference = "mean",
) -> Curve:
    """Take the most important pixels away, a step at a time (Petsiuk et al., arXiv 1806.07421).

    Parameters
    ----------
    probe
        A model bound to a target; a target that is the predicted class is that of the whole image.
    inputs
        float32 (N, H, W, C), as the model takes them.
    attribution
        float (N, H, W) or (N, H, W, C), whose channels are summed. The greatest value goes first.
    steps
        Of equal numbers of pixels.
    shares
        The shares of changed pixels, rising, 0..1, two or more, in place of ``steps``.
    fill
        What lies where pixels were: ``"black"``, ``"white"``, ``"mean"``, ``"blur"``, ``"noise"``,
        a number, or an array that broadcasts to the inputs. A curve says nothing without its fill.

    Returns
    -------
    Curve
        From the whole image to the fill alone. The smaller its area, the better the map.

    Raises
    ------
    InputError
        Shapes do not fit, steps is below 1, or shares do not rise.
    """
    batch = batch_of(inputs)
    hidden = _fill(batch, fill)
    return _curve(
        probe,
        batch,
        attribution,
        _shares(steps, shares),
        lambda mask: _replaced(batch, hidden, mask),
    )


def insertion(
    probe: Probe,
    inputs: Any,
    attribution: Any,
    *,
    steps: int = 32,
    shares: Sequence[float] | None = None,
    fill: Reference = "blur",
) -> Curve:
    """Give the most important pixels back, a step at a time (Petsiuk et al., arXiv 1806.07421).

    Parameters
    ----------
    probe, inputs, attribution, steps, shares, fill
        As for :func:`deletion`.

    Returns
    -------
    Curve
        From the fill alone to the whole image. The greater its area, the better the map.
    """
    batch = batch_of(inputs)
    hidden = _fill(batch, fill)
    return _curve(
        probe,
        batch,
        attribution,
        _shares(steps, shares),
        lambda mask: _replaced(hidden, batch, mask),
    )


def exchange(  # noqa: PLR0913 - what is exchanged, and how much of it
    probe: Probe,
    inputs: Any,
    attribution: Any,
    *,
    donors: Any = None,
    grid: int = 8,
    steps: int = 32,
    shares: Sequence[float] | None = None,
) -> Curve:
    """Put the same cells of another image where the important ones were.

    Deletion without a fill that the model never saw: each changed cell is one of a real image
    (in-domain deletion, as in Hesse et al., arXiv 2407.11910). Whole cells are exchanged, since
    single pixels of two images make a speckle that breaks any model, whatever their order. It
    tells most for images that lie in one frame, as chest X-rays do.

    Parameters
    ----------
    probe, inputs, attribution, steps, shares
        As for :func:`deletion`; a cell's mean attribution counts.
    grid
        Cells along each side.
    donors
        float32 like ``inputs``: the other image of each. None: the next one of the batch.

    Returns
    -------
    Curve
        From the whole image to the whole donor. The smaller its area, the better the map, where
        the donor has another score.

    Raises
    ------
    InputError
        There is one image and no donor, or shapes do not fit.
    """
    batch = batch_of(inputs)
    if donors is None and batch.shape[0] < 2:
        msg = "exchange: expected donors, or two images or more that lend each other their pixels."
        raise InputError(msg)
    others = tf.roll(batch, -1, axis=0) if donors is None else batch_of(donors)
    if others.shape != batch.shape:
        msg = f"exchange: expected donors of {tuple(batch.shape)}, got {tuple(others.shape)}."
        raise InputError(msg)
    check_whole("exchange", least=1, grid=grid)
    cells, means = cells_of(maps_of(attribution, batch, "exchange"), grid)
    places = ranks_of(means)[:, cells]  # the rank of each pixel's cell
    way = _shares(steps, shares)
    count = means.shape[1]
    masks = [shaped(places < round(float(share) * count), batch) for share in way]
    scores = variant_scores(
        probe, batch, masks, lambda mask: _replaced(batch, others, mask)
    )
    return Curve(way, scores)


def road(
    probe: Probe,
    inputs: Any,
    attribution: Any,
    *,
    shares: Sequence[float] = _ROAD_SHARES,
    noise: float = 0.01,
    seed: int = 0,
) -> Curve:
    """Remove the most important pixels and debias (ROAD; Rong et al., arXiv 2202.00449).

    A removed pixel becomes the weighted mean of its eight neighbours (noisy linear imputation,
    section 4.2), so that the shape of the mask tells the model little.

    Parameters
    ----------
    probe, inputs, attribution
        As for :func:`deletion`; images, not volumes.
    shares
        Of removed pixels, rising, in (0, 1).
    noise
        Standard deviation of what is added to imputed pixels, in units of the inputs.
    seed
        Of the noise.

    Returns
    -------
    Curve
        At 0 and at ``shares``. The smaller its area, the better the map.
    """
    batch = batch_of(inputs)
    check_whole("road", least=0, seed=seed)
    if batch.shape.rank != 4:
        msg = f"road: expected images (N, H, W, C), got {tuple(batch.shape)}."
        raise InputError(msg)
    given = np.atleast_1d(shares)
    steps = np.concatenate([[0.0], given]) if given.dtype.kind in "fiu" else given
    if not _rises(steps) or steps[-1] >= 1:
        msg = f"road: expected rising shares in (0, 1), got {shares!r}."
        raise InputError(msg)
    if noise != 0:
        check_positive("road", noise=noise)
    # Each image has noise of its own: its curve does not hang on its batch.
    generators = [np.random.default_rng(seed) for _ in range(batch.shape[0])]

    def changed(mask: Tensor) -> Tensor:
        removed = np.asarray(mask)[..., 0] > 0
        triples = zip(np.asarray(batch), removed, generators, strict=True)
        filled = [
            imputed(image, missing, noise, generator)
            for image, missing, generator in triples
        ]
        return _replaced(batch, tf.constant(np.stack(filled)), mask)

    return _curve(probe, batch, attribution, steps, changed)


def irof(
    probe: Probe,
    inputs: Any,
    attribution: Any,
    *,
    grid: int = 8,
    fill: Reference = "mean",
) -> Array:
    """Return the area over the curve while whole segments are removed (IROF).

    Rieger and Hansen, arXiv 2003.08747, equation 3: segments are ordered by their mean
    attribution; the score is divided by that of the whole image. Segments are those of our
    superpixels, not of SLIC.

    Parameters
    ----------
    probe, inputs, attribution, fill
        As for :func:`deletion`.
    grid
        Segments along each side.

    Returns
    -------
    float64 (N,)
        Greater is better. NaN where the whole image's score is not above 0: a share of it means
        nothing. Probabilities are above 0, logits need not be.
    """
    batch = batch_of(inputs)
    check_whole("irof", least=1, grid=grid)
    labels = np.asarray(superpixels(batch, grid)).reshape(batch.shape[0], -1)
    flat = maps_of(attribution, batch, "irof").reshape(labels.shape)
    means = np.stack([_segment_means(*pair) for pair in zip(flat, labels, strict=True)])
    # Pixels of a segment share its mean; the segment's number keeps equal segments apart.
    ranks = np.stack(
        [_segment_ranks(*pair) for pair in zip(means, labels, strict=True)]
    )
    hidden = _fill(batch, fill)
    count = int(ranks.max()) + 1
    masks = [shaped(ranks < step, batch) for step in range(count + 1)]
    scores = variant_scores(
        probe, batch, masks, lambda mask: _replaced(batch, hidden, mask)
    ).astype(np.float64)
    whole = np.where(scores[:, :1] > 0, scores[:, :1], np.nan)
    lost = 1 - scores[:, 1:] / whole
    # A segment may be empty: an image that has fewer than others of its batch is done before them.
    counts = ranks.max(axis=1, keepdims=True) + 1
    of_image = np.arange(count) < counts
    return np.asarray(np.mean(lost, axis=1, where=of_image))


def _segment_means(heat: Array, labels: Array) -> Array:
    sizes = np.bincount(labels)
    sums = np.bincount(labels, heat, minlength=len(sizes))
    means: Array = np.divide(sums, sizes, out=np.zeros(len(sizes)), where=sizes > 0)[
        labels
    ]
    return means


def _segment_ranks(means: Array, labels: Array) -> Array:
    """Return the place of each pixel's segment, 0 the first."""
    order = sorted({(-mean, label) for mean, label in zip(means, labels, strict=True)})
    places = np.zeros(int(labels.max()) + 1, np.int64)
    for place, (_, label) in enumerate(order):
        places[label] = place
    found: Array = places[labels]
    return found


def _shares(steps: int, shares: Sequence[float] | None) -> Array:
    check_whole("curve", least=1, steps=steps)
    way = np.linspace(0, 1, steps + 1) if shares is None else np.asarray(shares)
    if not _rises(way) or way[0] < 0 or way[-1] > 1:
        msg = f"shares: expected two or more, rising, 0..1, got {shares}."
        raise InputError(msg)
    return way


def _rises(shares: Array) -> bool:
    """Say whether shares are two or more, each greater than the one before; NaN is not."""
    several = shares.ndim == 1 and shares.size > 1 and shares.dtype.kind in "fiu"
    return several and bool(np.all(np.diff(shares) > 0))


def _fill(batch: Tensor, fill: Reference) -> Tensor:
    check_reference(fill)
    return reference(batch, fill)


def _curve(
    probe: Probe,
    batch: Tensor,
    attribution: Any,
    shares: Array,
    changed: Callable[[Tensor], Tensor],
) -> Curve:
    """Change the first pixels by ``changed``: a mask (N, H, W, 1) -> the batch so changed."""
    ranks = ranks_of(maps_of(attribution, batch, "attribution"))
    masks = [first(ranks, float(share), batch) for share in shares]
    return Curve(shares, variant_scores(probe, batch, masks, changed))


def _replaced(kept: Tensor, other: Tensor, mask: Tensor) -> Tensor:
    return tf.where(mask > 0, other, kept)
