"""Explainers that only ask for scores of changed images: they work for any model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import tensorflow as tf

from saliency.explainers.queries import (
    check_positive,
    gap_from,
    score_copies,
    settled,
    tensor,
)
from saliency.explainers.superpixels import check_regions, parts
from saliency.kernels import grids, superpixels
from saliency.kernels.baselines import Reference, check_reference, reference
from saliency.kernels.resize import size_of
from saliency.probe.protocol import Probe, Tensor

#: Width of LIME's kernel on pictures, and its ridge penalty, as its authors' code has them.
_WIDTH, _PENALTY = 0.25, 1.0


@final
@dataclass(frozen=True)
class RISE:
    """The mean score of random masks that leave the pixel visible, less that of all masks.

    Returns float32 (N, H, W), signed, in units of the score. Petsiuk et al., arXiv 1806.07421.

    Parameters
    ----------
    masks
        How many; every image gets the same.
    grid
        Cells along each side of a mask.
    fill
        What replaces hidden pixels, see :func:`saliency.kernels.baselines.reference`.
    seed
        Of the masks. Each cell is visible with probability 0.5.
    """

    masks: int = 1000
    grid: int = 7
    fill: Reference = "black"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("RISE", masks=self.masks, grid=self.grid)
        check_reference(self.fill)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        filled = reference(inputs, self.fill, self.seed)
        return grids.seen_minus_average(
            probe.score, inputs, filled, self._masks(inputs), range(self.masks), many
        )

    def _masks(self, inputs: Tensor) -> Callable[[Sequence[int]], Tensor]:
        """Return a function that makes the masks of some draws."""
        side, axes = self.grid + 1, len(size_of(inputs))
        # Of each draw the first numbers are the shift along each axis, the others the cells.
        numbers = grids.random_cells(self.masks, side**axes + axes, self.seed)
        cells = tf.cast(numbers[:, axes:] < 0.5, tf.float32)
        cells = tf.reshape(cells, [-1, *[side] * axes])

        def masks(draws: Sequence[int]) -> Tensor:
            rows = list(draws)
            offsets = tf.gather(numbers[:, :axes], rows)
            return grids.shifted_masks(tf.gather(cells, rows), offsets, size_of(inputs))

        return masks


@final
@dataclass(frozen=True)
class LIME:
    """A linear model of which superpixels are visible, fitted near the whole image.

    Returns float32 (N, H, W), signed: a superpixel's coefficient, divided evenly among its pixels.
    Ribeiro et al., arXiv 1602.04938, algorithm 1; cosine distance, ridge.

    Parameters
    ----------
    samples
        Images with half of the superpixels hidden.
    grid
        Superpixels along each side.
    fill
        What replaces a hidden superpixel, see :func:`saliency.kernels.baselines.reference`.
    seed
        Of the choice of hidden superpixels.
    regions
        int (H, W), the number of each pixel's region, the same for all images, in place of
        superpixels. None: superpixels of each image.

    Raises
    ------
    InputError
        A number is not above 0, the fill is unknown, or regions are not whole numbers. On the call:
        their size is not the image's.
    """

    samples: int = 500
    grid: int = 7
    fill: Reference = "mean"
    seed: int = 0
    regions: Any = None

    def __post_init__(self) -> None:
        check_positive("LIME", samples=self.samples, grid=self.grid)
        check_reference(self.fill)
        check_regions("LIME", self.regions)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        labels, count = parts("LIME", inputs, self.grid, self.regions)
        drawn = grids.random_cells(self.samples, count, self.seed)
        cells = tf.cast(drawn < 0.5, tf.float32)
        filled = reference(inputs, self.fill, self.seed)
        scores = superpixels.scores_of(
            probe.score, (inputs, filled), labels, cells, many
        )
        weights = superpixels.closeness(cells, _WIDTH)
        coefficients = superpixels.ridge(cells, scores, weights, _PENALTY)
        return superpixels.shared(coefficients, labels)


@final
@dataclass(frozen=True)
class KernelSHAP:
    """Shapley values of superpixels, by weighted regression on coalitions.

    Returns float32 (N, H, W), signed, in units of the score: a superpixel's value, divided
    evenly among its pixels. Sums to score(image) - score(filled) exactly. Lundberg and Lee, arXiv
    1705.07874, theorem 2, with paired coalitions.

    Parameters
    ----------
    samples
        Coalitions, half of them drawn and half their complements.
    grid, fill, seed, regions
        As in :class:`LIME`; ``grid`` at least 2, and at least two regions.
    """

    samples: int = 500
    grid: int = 7
    fill: Reference = "mean"
    seed: int = 0
    regions: Any = None

    def __post_init__(self) -> None:
        check_positive("KernelSHAP", samples=self.samples - 1, grid=self.grid - 1)
        check_reference(self.fill)
        check_regions("KernelSHAP", self.regions, least=2)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        labels, count = parts("KernelSHAP", inputs, self.grid, self.regions)
        cells = superpixels.coalitions(self.samples // 2, count, self.seed)
        filled = reference(inputs, self.fill, self.seed)
        nothing = probe.score(filled)
        scores = superpixels.scores_of(
            probe.score, (inputs, filled), labels, cells, many
        )
        whole = probe.score(inputs) - nothing
        values = superpixels.shapley_values(cells, scores - nothing, whole)
        return superpixels.shared(values, labels)

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return the completeness gap, float32 (N,), >= 0: empty superpixels and rounding."""
        return gap_from(probe, inputs, attributions, self.fill, self.seed)


@final
@dataclass(frozen=True)
class Sobol:
    """The share of the score's variance, under random fading, that involves a cell.

    Returns float32 (N, H, W), >= 0: total Sobol indices, enlarged. Fel et al., arXiv 2111.04138.

    Parameters
    ----------
    designs
        n; the model is asked n (grid^2 + 1) times for each image.
    grid
        Cells along each side.
    fill
        What a cell fades to, see :func:`saliency.kernels.baselines.reference`.
    seed
        Of the designs.
    """

    designs: int = 32
    grid: int = 7
    fill: Reference = "black"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("Sobol", designs=self.designs, grid=self.grid)
        check_reference(self.fill)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        count = grids.count_of(self.grid, inputs)
        drawn = grids.quasi_random_cells(self.designs, 2 * count, self.seed)
        # (n, 1, d) each; in design i of `changed`, (n, d, d), cell i alone is drawn anew.
        base, other = drawn[:, tf.newaxis, :count], drawn[:, tf.newaxis, count:]
        changed = tf.where(tf.eye(count, dtype=tf.bool), other, base)
        designs = _cells_on_grid(tf.concat([base, changed], 1), self.grid, inputs)
        filled = reference(inputs, self.fill, self.seed)
        scores = grids.scores_under(probe.score, inputs, filled, designs, many)
        scores = tf.reshape(scores, [self.designs, count + 1, -1])
        effects = grids.total_effects(scores[:, 0], scores[:, 1:])
        return grids.cell_masks(effects, self.grid, size_of(inputs))


@final
@dataclass(frozen=True)
class HSIC:
    """The dependence of the score on whether a cell is visible, of any form.

    Returns float32 (N, H, W), >= 0: the Hilbert-Schmidt independence criterion, enlarged. Novello
    et al., arXiv 2206.06219.

    Parameters
    ----------
    masks
        How many, each with half of the cells visible.
    grid, fill, seed
        As in :class:`Sobol`.
    """

    masks: int = 500
    grid: int = 7
    fill: Reference = "black"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("HSIC", masks=self.masks - 1, grid=self.grid)
        check_reference(self.fill)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        drawn = grids.random_cells(
            self.masks, grids.count_of(self.grid, inputs), self.seed
        )
        cells = tf.cast(drawn < 0.5, tf.float32)
        filled = reference(inputs, self.fill, self.seed)
        shown = _cells_on_grid(cells, self.grid, inputs)
        scores = grids.scores_under(probe.score, inputs, filled, shown, many)
        dependence = grids.dependence(cells, scores)
        return grids.cell_masks(dependence, self.grid, size_of(inputs))


def _cells_on_grid(cells: Tensor, grid: int, inputs: Tensor) -> Tensor:
    return tf.reshape(cells, [-1, *[grid] * len(size_of(inputs))])
