"""Which regions of one image carry its decision, with p-values."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import tensorflow as tf

from saliency.audit.exchange.intervene import ROUNDING, score_of, scorer_of_one
from saliency.errors import InputError
from saliency.interventions.canvas import Canvas, canvas, reduced
from saliency.interventions.scoring import Scorer
from saliency.kernels.superpixels import superpixels
from saliency.pipeline.explain import as_image
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.resize import resized
from saliency.probe.protocol import Target
from saliency.render.paint import paint
from saliency.statistics.discoveries import (
    discovered,
    from_median,
    pooled_ranks,
    stands_out,
)
from saliency.values.arrays import Array, frozen
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage
from saliency.values.mask import Mask
from saliency.values.overlay import Overlay

HOSTS: Final = 2
"""References that contents are put into."""
MOST_REFERENCES: Final = 40
"""References that are exchanged, at most."""
FINEST_CUT: Final = 256
"""Pixels of the longer side of what is cut into superpixels, at most."""
PARTS: Final = 4
"""Parts of a region along a side that are told apart where it is cut."""
MARGIN: Final = 0.45
"""Part of a cell's shorter side by which what is exchanged reaches beyond its region.

A third of it is exchanged wholly, the rest fades: a lesion that the cut divides goes as a whole.
"""
ECHO: Final = 0.5
"""Of the strongest effect that was found: what has less may only be its echo.

A neighbour's margin holds a part of it; and beside a lesion a score answers to any change by more.
"""

_TRACED: Final = tf.function(superpixels)
"""One trace for each size of image: eagerly, 21 images cost a second."""


@final
@dataclass(frozen=True, eq=False)
class Regions:
    """What each region of an image does to the score.

    Parameters
    ----------
    image
        The image.
    labels
        int32 (rows, columns): the region of each pixel, 0..n - 1.
    effects
        float64 (n,), in units of the score (a logit where the model has one): how much more the
        region's content raises the score of images of the other decision than their own contents.
    p_values
        float64 (n,): of the size of the effects, in (0, 1].
    found
        bool (n,): regions found at the false discovery rate.
    rate
        That rate.
    least
        How far an effect must lie from its region's median to be found alone, in units of the
        score.
    apart
        How far the image's score lies from the references' mean.
    """

    image: DicomImage
    labels: Array
    effects: Array
    p_values: Array
    found: Array
    rate: float
    least: float = math.nan
    apart: float = math.nan

    def __post_init__(self) -> None:
        kinds = {
            "labels": (np.int32, 2),
            "effects": (np.float64, 1),
            "p_values": (np.float64, 1),
            "found": (np.bool_, 1),
        }
        for name, (kind, rank) in kinds.items():
            array = frozen(getattr(self, name), kind, f"Regions.{name}", ranks=(rank,))
            object.__setattr__(self, name, array)

    def __reduce__(self) -> tuple[object, ...]:
        arrays = self.labels, self.effects, self.p_values, self.found
        return Regions, (self.image, *arrays, self.rate, self.least, self.apart)

    @property
    def mask(self) -> Mask:
        """The pixels of the regions that were found."""
        return Mask(self.found[self.labels])

    @property
    def sentence(self) -> str:
        """What was found, and what an effect must be to be found, in one sentence."""
        count, found = len(self.found), int(self.found.sum())
        return (
            f"{found or 'None'} of {count} regions found at a false discovery rate of "
            f"{self.rate:g}; with these references a region alone is found from an effect of "
            f"{self.least:.2g} on, and the image's score lies {abs(self.apart):.2g} from theirs."
        )

    def overlay(self) -> Overlay:
        """Outline what was found on the display: orange raises the score, blue lowers it."""
        signs = np.where(self.found, np.sign(self.effects), 0)[self.labels]
        return paint(
            self.image.display,
            Heatmap(signs.astype(np.float32)),
            palette="diverging",
            strength=0,
            vmax=1.0,
            contour=0.5,
        )

    def __repr__(self) -> str:
        return (
            f"Regions({int(self.found.sum())} of {len(self.found)} found at a false discovery "
            f"rate of {self.rate:g})"
        )


def regions(  # noqa: PLR0913 - a model, an image, what it is set against, and how to ask
    model: object,
    image: object,
    references: Iterable[object],
    *,
    target: Target = None,
    prepare: Prepare | None = None,
    regions: int = 48,
    rate: float = 0.05,
    seed: int = 0,
) -> Regions:
    """Find the regions of an image whose content carries its decision, at a false discovery rate.

    The image and the references of another decision are cut into superpixels that grow from one
    grid. The content of each region, with a soft margin around it, is exchanged between the image
    and two hosts, which are references too; so is the content of each other reference. Nothing is
    filled or made up. The effect is the mean of what the content gives the host and what the image
    loses with it, less that of the references. What a seam alone does is in both, and cancels.

    **The null.** The image is one more reference: its contents do what contents of references do.
    Hosts, seams and ways of cutting are the same for all, and the image's own pixels are never a
    host, so under the null the image and the references are exchangeable. How far each effect lies
    from its region's median is ranked among the same of the references in all regions: one region's
    20 references allow p >= 1/21, and 48 questions need 0.001. So the rate holds for the regions of
    an image together, not for each of them. Each reference is asked the same in turn, and nothing
    is named unless the image's discoveries stand out from theirs: where an image is like its
    references, any region is found with a probability of at most ``rate``.

    A region with less than half of the strongest effect that was found is not named: margins
    overlap, and beside a lesion a score may answer to any change by more than in the references.

    **What it does not find.** Effects below ``Regions.least``, which is one for all regions; those
    of less than half of the strongest; and those that hang on two regions at once. A region that is
    found may hold anatomy in which the image differs from the references by chance of their choice:
    take them from the same site, device and view.

    **Cost.** ``regions * 4 * (references - 1) + 2 * references + 3`` forward passes at most, in
    batches of 32; with the 22 references that a rate of 0.05 needs, and 49 regions, 4163.

    Parameters
    ----------
    model, image, target, prepare
        As for ``explain``. The score is the target's, or the predicted class's; of two classes, how
        far the predicted one is ahead.
    references
        Images of the same size, that the model decides otherwise. Those that it decides like the
        image are left out; of a model with one score, as of a regression, all are used. At most 40,
        drawn by the seed.
    regions
        About how many: the nearest square is taken, and superpixels without a pixel are left out.
    rate
        False discovery rate, in (0, 1); 2 + 1 / rate references are needed.
    seed
        Of the choice of hosts.

    Raises
    ------
    InputError
        There are too few references, their size is another, or an argument is out of range.
    """
    grid = _checked_grid_of(regions, rate)
    scorer = scorer_of_one(model, prepare, "regions")
    original = as_image(image)
    others = [as_image(reference) for reference in references]
    _check_sizes(original, others)
    needed = math.ceil(1 / rate - 1e-9) + HOSTS
    _check_enough(len(others), needed, "")
    targets = score_of(scorer, target, original)
    deciding = _of_another_decision(scorer, original, others)
    _check_enough(len(deciding), needed, " that the model decides otherwise")
    order = np.random.default_rng(seed).permutation(len(deciding))[:MOST_REFERENCES]
    shown = [
        canvas(reduced(one, scorer.size), prepare)
        for one in (original, *(deciding[place] for place in order))
    ]
    hosts, donors = shown[1 : 1 + HOSTS], [shown[0], *shown[1 + HOSTS :]]
    cuts = _cuts([donor.image for donor in donors], grid)
    kept = np.unique(cuts[0])
    plain, by_donor = _effects(
        scorer, targets, hosts, donors, _weights(cuts, kept, grid)
    )
    rounding = ROUNDING + 1e-4 * float(np.ptp(by_donor))
    distances = from_median(by_donor, rounding)
    p_values = pooled_ranks(distances)
    effects = by_donor[:, 0] - by_donor[:, 1:].mean(axis=1)
    found = discovered(p_values, rate) & stands_out(distances, rate)
    return Regions(
        original,
        np.searchsorted(kept, _labels_on(cuts[0], original.size)).astype(np.int32),
        effects,
        p_values,
        found & ~_echoes(effects, found),
        rate,
        _least(distances, rate) + rounding,
        float(plain[0] - plain[1:].mean()),
    )


def _checked_grid_of(count: int, rate: float) -> int:
    """Return the regions along each side."""
    if count < 4 or not 0 < rate < 1:
        msg = (
            "regions: expected 4 regions or more and a rate between 0 and 1, got "
            f"{count} and {rate:g}."
        )
        raise InputError(msg)
    return round(math.sqrt(count))


def _check_sizes(original: DicomImage, others: Sequence[DicomImage]) -> None:
    wanted = original.display.shape
    for number, other in enumerate(others, 1):
        if other.display.shape != wanted:
            msg = (
                f"regions: expected references of the image's size {wanted}, reference {number} "
                f"has {other.display.shape}. Bring all to one grid first."
            )
            raise InputError(msg)


def _check_enough(count: int, needed: int, which: str) -> None:
    if count < needed:
        msg = (
            f"regions: expected {needed} references{which} or more, got {count}: with fewer, no "
            "p-value can reach the rate. Give more, or a greater rate."
        )
        raise InputError(msg)


def _of_another_decision(
    scorer: Scorer, original: DicomImage, others: Sequence[DicomImage]
) -> list[DicomImage]:
    """Return the images that the model decides otherwise; all where it has one score."""
    if scorer.classes in (None, 1):
        return list(others)
    decisions = scorer.predicted([original, *others])
    return [
        other
        for other, decision in zip(others, decisions[1:], strict=True)
        if decision != decisions[0]
    ]


def _effects(
    scorer: Scorer,
    targets: tuple[Target, ...],
    hosts: Sequence[Canvas],
    donors: Sequence[Canvas],
    weights: Iterable[Array],
) -> tuple[Array, Array]:
    """Return the donors' scores, and what each region of a donor does, (regions, donors)."""
    shown = [one.image for one in (*hosts, *donors)]
    plain = scorer.scores(shown, targets)[:, 0]
    of_hosts, of_donors = plain[: len(hosts)], plain[len(hosts) :]
    exchanged = scorer.scores(_exchanged(hosts, donors, weights), targets)[:, 0]
    # Axes: regions, donors, hosts, and given or taken.
    by_pair = exchanged.reshape(-1, len(donors), len(hosts), 2)
    given = by_pair[..., 0] - of_hosts
    taken = of_donors[:, np.newaxis] - by_pair[..., 1]
    return of_donors, (given + taken).mean(axis=2) / 2


def _exchanged(
    hosts: Sequence[Canvas], donors: Sequence[Canvas], weights: Iterable[Array]
) -> Iterator[DicomImage]:
    """Yield for each region, donor and host the host with the donor's content, and the reverse."""
    for of_region in weights:
        for donor, coarse in zip(donors, of_region, strict=True):
            fine = _labels_on(coarse, donor.image.size)
            for host in hosts:
                yield _mixed(host, donor, fine)
                yield _mixed(donor, host, fine)


def _weights(cuts: Array, kept: Array, grid: int) -> Iterator[Array]:
    """Yield for each region its weights in each cut, float32 (n, rows, columns)."""
    reach = max(1, round(MARGIN * min(cuts.shape[1:]) / grid))
    for region in kept:
        yield _widened(cuts == region, reach)


def _widened(masks: Array, reach: int) -> Array:
    """Return weights: 1 on a mask and a third of the reach around it, falling to 0 from there."""
    whole = reach // 3
    weights = np.zeros(masks.shape, np.float32)
    for step in range(reach):
        weights += masks if step >= whole else 0
        padded = np.pad(masks, ((0, 0), (1, 1), (1, 1)))
        down = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
        masks = down[:, :, :-2] | down[:, :, 1:-1] | down[:, :, 2:]
    return weights / (reach - whole)


def _echoes(effects: Array, found: Array) -> Array:
    """Return which effects are less than half of the strongest that was found, bool (n,)."""
    strongest = np.abs(effects[found]).max(initial=0)
    weak: Array = np.abs(effects) < ECHO * strongest
    return weak


def _least(distances: Array, rate: float) -> float:
    """Return the distance at which a region would be found alone."""
    null = np.sort(distances[:, 1:], axis=None)[::-1]
    allowed = math.floor(rate / len(distances) * (1 + null.size) + 1e-9) - 1
    return math.inf if allowed < 0 else float(null[allowed])


def _mixed(host: Canvas, donor: Canvas, weights: Array) -> DicomImage:
    values = host.values.astype(np.float32)
    parts = weights.reshape(weights.shape + (1,) * (values.ndim - 2))
    return host.with_values(values + parts * (donor.values - values))


def _cuts(images: Sequence[DicomImage], grid: int) -> Array:
    """Return the superpixel of each pixel, int32 (n, rows, columns), no finer than needed.

    What is finer than a part of a region is averaged away first: it would tear regions to specks.
    """
    factor = max(1.0, max(images[0].size) / FINEST_CUT)
    rows, columns = (max(1, round(length / factor)) for length in images[0].size)
    parts = PARTS * grid
    pictures = [
        resized(
            resized(image.display.astype(np.float32), (parts, parts)), (rows, columns)
        )
        for image in images
    ]
    stacked = np.stack([np.atleast_3d(picture) for picture in pictures])
    return np.asarray(_TRACED(tf.constant(stacked), grid))


def _labels_on(labels: Array, size: tuple[int, int]) -> Array:
    """Return labels on a grid, each of its pixels the nearest one's."""
    rows, columns = (
        (np.arange(length) * own) // length
        for length, own in zip(size, labels.shape, strict=True)
    )
    nearest: Array = labels[rows[:, np.newaxis], columns]
    return nearest
