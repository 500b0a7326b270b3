"""Third look: what lies at one place of the frame, or in no place at all, is exchanged.

Nothing was searched for it: cells of a grid and the outer ring are exchanged between images of two
decisions, grain and shading are given from image to image, and what is drawn at one place in one
group alone is found in the mean of many frames and then exchanged as a zone is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.audit.cases.records import Exchange
from saliency.audit.exchange.exchange import Experiment
from saliency.audit.exchange.groups import Grouping
from saliency.interventions.bands import BANDS
from saliency.interventions.canvas import Canvas, like, mask_like
from saliency.interventions.frame_cells import CELLS, cell
from saliency.interventions.patches import elsewhere, pasted
from saliency.pipeline.resize import resized
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

PAIRS: Final = 24
"""Pairs of images between which cells are exchanged, at most."""
GIVERS: Final = 32
"""Images whose band or pattern is given to others, at most."""
LONGEST: Final = 160
"""Pixels of the long side of the common grid that patterns are looked for on."""


@final
@dataclass(frozen=True)
class Pair:
    """Two images that the model decides differently, and the groups that it puts them into."""

    first: int
    second: int
    decided: int
    other: int


def pairs_of(
    grouping: Grouping,
    indices: Sequence[int],
    patients: Sequence[object],
    generator: np.random.Generator,
) -> list[Pair]:
    """Return pairs of images of two groups; no image and no patient is in two of them.

    Parameters
    ----------
    grouping
        Of the images, (n,).
    indices, patients
        Position of each among the sources, and whose it is.
    generator
        Draws them.
    """
    waiting: dict[int, list[int]] = {}
    taken: set[object] = set()
    pairs: list[Pair] = []
    for row in generator.permutation(len(indices)).tolist():
        group = int(grouping.member[row])
        if group < 0 or patients[row] in taken or len(pairs) == PAIRS:
            continue
        taken.add(patients[row])
        others = [other for other in waiting if other != group and waiting[other]]
        if not others:
            waiting.setdefault(group, []).append(row)
            continue
        # The longest queue first: no group runs dry before its time.
        other = max(others, key=lambda group: len(waiting[group]))
        partner = waiting[other].pop(0)
        pairs.append(Pair(indices[partner], indices[row], other, group))
    return pairs


def cell_effects(
    experiment: Experiment,
    grouping: Grouping,
    pair: Pair,
    canvases: tuple[Canvas, Canvas],
) -> Array:
    """Return what exchanging each cell between two images does, float (18,).

    For each of the 17 cells the mean of two moves: what the first image's lead over the second
    group loses with the second's cell, and what the second image gains with the first's. The last
    entry is how far the leads are apart. Pixels of zones stay: zones have verdicts of their own.
    """
    first, second = canvases
    images = [first.image, second.image]
    for name in CELLS:
        images += [_with_cell(first, second, name), _with_cell(second, first, name)]
    recipients = [pair.first, pair.second] * (1 + len(CELLS))
    towards = grouping.towards(experiment.scores(images, recipients))
    leads = towards[:, pair.decided] - towards[:, pair.other]
    lost, gained = leads[0] - leads[2::2], leads[3::2] - leads[1]
    return np.append((lost + gained) / 2, leads[0] - leads[1])


def band_exchanges(
    experiment: Experiment, donor: Canvas, index: int
) -> dict[str, Exchange]:
    """Give every taker but itself an image's bands; as a control, leave it as it is."""
    takers = experiment.hosts
    others = [row for row, host in enumerate(takers) if host.index != index]
    # Axes: bands, with the band or without, takers, columns.
    scores = np.full((len(BANDS), 2, len(takers), len(experiment.targets)), np.nan)
    if others:
        changed = [
            band(takers[row].canvas, donor) for band in BANDS.values() for row in others
        ]
        recipients = [takers[row].index for row in others] * len(BANDS)
        banded = experiment.scores(changed, recipients)
        scores[:, 0, others] = banded.reshape(len(BANDS), len(others), -1)
        scores[:, 1, others] = [takers[row].scores for row in others]
    return {name: Exchange(*scores[k]) for k, name in enumerate(BANDS)}


def pattern_exchange(
    experiment: Experiment, donor: Canvas, index: int, mask: Array
) -> Exchange:
    """Put what lies in a part of the frame, and as much tissue, into every taker but itself."""
    generator = np.random.default_rng((experiment.seed, index))
    takers = experiment.hosts
    scores = np.full((len(takers), 2, len(experiment.targets)), np.nan)
    places: list[tuple[int, int]] = []
    images: list[DicomImage] = []
    for row, host in enumerate(takers):
        if host.index == index:
            continue
        place, taken = frame_mask(host.canvas, donor, mask)
        if not place.any():
            scores[row] = host.scores
            continue
        for part, moved in enumerate((place, elsewhere(place, taken, generator))):
            if moved is not None:
                places.append((row, part))
                images.append(_pasted(host.canvas, donor, moved))
    if images:
        rows, parts = np.array(places).T
        recipients = [takers[row].index for row in rows]
        scores[rows, parts] = experiment.scores(images, recipients)
    return Exchange(scores[:, 0], scores[:, 1])


def frame_mask(host: Canvas, donor: Canvas, mask: Array) -> tuple[Array, Array]:
    """Return a part of the frame on the host's grid without zones of either, and those zones."""
    size = host.image.size
    zones = ~host.image.diagnostic | mask_like(~donor.image.diagnostic, size)
    return mask_like(mask, size) & ~zones, zones


def common_grid(size: tuple[int, ...]) -> tuple[int, int]:
    """Return the grid that patterns are looked for on, of the shape of an image."""
    scale = min(1.0, LONGEST / max(size[:2]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def frame_of(picture: Canvas, size: tuple[int, int]) -> Array:
    """Return grey values on the common grid, zones filled with the mean of the rest."""
    values = picture.values
    grey = values if values.ndim == 2 else values.mean(axis=2)
    inside = picture.image.diagnostic
    filled = np.where(inside, grey, grey[inside].mean() if inside.any() else 0)
    return resized(filled.astype(np.float32), size)


def _with_cell(host: Canvas, donor: Canvas, name: str) -> DicomImage:
    place, _ = frame_mask(host, donor, cell(name, host.image.size))
    return _pasted(host, donor, place)


def _pasted(host: Canvas, donor: Canvas, mask: Array) -> DicomImage:
    return host.with_values(pasted(host.values, like(donor.values, host.values), mask))
