"""Second look: take zones out of pictures, and exchange them between pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from saliency.audit.cases.first_pass import contents_of
from saliency.audit.cases.records import Exchange, Trial
from saliency.interventions.canvas import Canvas, canvas, like, mask_like
from saliency.interventions.fills import FILLS
from saliency.interventions.patches import (
    Way,
    elsewhere,
    removed,
    variants,
    ways,
)
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content
from saliency.interventions.tone import TONE, opposed, toned
from saliency.pipeline.description import digest_of
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.image import DicomImage


@final
@dataclass(frozen=True, eq=False)
class Recipient:
    """A picture that others' contents are put into."""

    index: int
    canvas: Canvas
    contents: Mapping[str, Content]
    scores: Array

    def shows_the_same_as(self, image: DicomImage) -> bool:
        """Whether a model would see the same pixels."""
        values = Canvas(image, self.canvas.intensity).values
        return np.array_equal(values, self.canvas.values)


@final
@dataclass(frozen=True, eq=False)
class Experiment:
    """What stays the same from picture to picture.

    Parameters
    ----------
    scorer
        Whom to ask.
    targets
        For which scores.
    zones
        Names of all zones.
    target
        What heat is about.
    hosts
        Pictures that contents are put into.
    seed
        Of every draw.
    """

    scorer: Scorer
    targets: tuple[Target, ...]
    zones: tuple[str, ...]
    target: Target = None
    hosts: tuple[Recipient, ...] = ()
    seed: int = 0

    def stage(self, name: str, *asked: object) -> str:
        """Return what rows about these zones and hosts are kept under.

        A host that could not be read when an audit was stopped may be there when it goes on: then
        other hosts, pairs or places are asked about, and rows of the former must not answer.
        """
        hosts = [host.index for host in self.hosts]
        return f"{name} {digest_of([self.zones, hosts, *asked]).hex()[:16]}"

    @cached_property
    def turns(self) -> tuple[int, ...]:
        """A number for each host: hosts of neighbouring scores take turns."""
        order = np.argsort([host.scores[0] for host in self.hosts], kind="stable")
        return tuple(np.argsort(order).tolist())

    def scores(self, images: Sequence[DicomImage], rows: Sequence[int]) -> Array:
        """Return float (n, columns).

        What changed nothing of its host has the host's score: the model is not asked again.

        ``rows``: position among the sources of the image that each was made of. An exchanged image
        keeps the other inputs of its recipient, where a probe holds such inputs for each image.
        """
        hosts = {host.index: host for host in self.hosts}
        scores = np.empty((len(images), len(self.targets)))
        asked: list[int] = []
        for number, (image, row) in enumerate(zip(images, rows, strict=True)):
            host = hosts.get(row)
            if host is not None and host.shows_the_same_as(image):
                scores[number] = host.scores
            else:
                asked.append(number)
        changed = [images[number] for number in asked]
        recipients = [rows[number] for number in asked]
        scores[asked] = self.scorer.scores(changed, self.targets, recipients)
        return scores


def recipient_of(experiment: Experiment, image: DicomImage, index: int) -> Recipient:
    """Make a recipient of a picture."""
    host = canvas(image, experiment.scorer.prepare)
    return Recipient(
        index, host, contents_of(image), experiment.scores([image], [index])[0]
    )


def interventions_of(experiment: Experiment, image: DicomImage, index: int) -> Trial:
    """Return the scores of one picture under every removal and exchange."""
    donor = canvas(image, experiment.scorer.prepare)
    contents = contents_of(image)
    generator = np.random.default_rng((experiment.seed, index))
    removals: dict[str, Array] = {}
    for zone, content in contents.items():
        moved = elsewhere(content.mask, ~image.diagnostic, generator)
        # Without room for a control nothing is removed.
        if moved is not None:
            changed = variants(donor, content.mask, moved, experiment.seed)
            scores = experiment.scores(changed, [index] * len(changed))
            removals[zone] = scores.reshape(len(FILLS), 2, -1)
    scores = experiment.scores([image, cleaned(donor)], [index] * 2)
    exchanges = {
        zone: _zone_exchange(
            experiment, donor, index, zone, contents.get(zone), generator
        )
        for zone in experiment.zones
    }
    exchanges[TONE] = _tone_exchange(experiment, donor, index)
    return Trial(index, scores[0], scores[1], removals, exchanges)


def cleaned(donor: Canvas) -> DicomImage:
    """Return the picture with the background in place of all of its zones."""
    return donor.with_values(removed(donor.values, ~donor.image.diagnostic))


def _zone_exchange(
    experiment: Experiment,
    donor: Canvas,
    donor_index: int,
    zone: str,
    content: Content | None,
    generator: np.random.Generator,
) -> Exchange:
    """Put a zone's content into every host but itself, in one of the ways that are due.

    Each host has one way, for the contents of all images: what the way does is the host's, and no
    part of the difference between groups of images. Their mean over hosts is that of the ways.
    """
    # Axes: hosts, zone or tissue, columns.
    scores = np.full((len(experiment.hosts), 2, len(experiment.targets)), np.nan)
    cells: list[tuple[int, int]] = []
    images: list[DicomImage] = []
    for row, host in enumerate(experiment.hosts):
        union = joined_content(host.contents.get(zone), content, host.canvas.image.size)
        if host.index == donor_index:
            continue
        if not union.mask.any():
            scores[row] = host.scores
            continue
        due = ways(strokes=union.strokes)
        way = due[experiment.turns[row] % len(due)]
        for part, mask in enumerate(
            _zone_and_tissue(host, donor, union.mask, generator)
        ):
            cells.append((row, part))
            images.append(with_part(host.canvas, donor, mask, way))
    if cells:
        rows, parts = np.array(cells).T
        recipients = [experiment.hosts[row].index for row in rows]
        scores[rows, parts] = experiment.scores(images, recipients)
    return Exchange(scores[:, 0], scores[:, 1])


def _tone_exchange(experiment: Experiment, donor: Canvas, donor_index: int) -> Exchange:
    """Give every host but itself a picture's brightness.

    The control is what the opposite change does as well: half of the sum of both moves. What is
    left of the first is half of their difference, which turns round with the change.
    """
    others = [
        row for row, host in enumerate(experiment.hosts) if host.index != donor_index
    ]
    scores = np.full((2, len(experiment.hosts), len(experiment.targets)), np.nan)
    if others:
        hosts = [experiment.hosts[row].canvas for row in others]
        changed = [way(host, donor) for way in (toned, opposed) for host in hosts]
        recipients = [experiment.hosts[row].index for row in others]
        both = experiment.scores(changed, recipients * 2).reshape(2, len(others), -1)
        scores[:, others] = both[0], both.mean(axis=0)
    return Exchange(*scores)


def _zone_and_tissue(
    host: Recipient, donor: Canvas, union: Array, generator: np.random.Generator
) -> Iterator[Array]:
    """Yield where the zone is; then, if there is room, where as much tissue of both pictures is."""
    yield union
    donor_zones = mask_like(~donor.image.diagnostic, union.shape)
    moved = elsewhere(union, donor_zones | ~host.canvas.image.diagnostic, generator)
    if moved is not None:
        yield moved


def exchanged(host: Canvas, donor: Canvas, content: Content) -> list[DicomImage]:
    """Return the host with the donor's values in place of the content, in each way that is due."""
    return [
        with_part(host, donor, content.mask, way)
        for way in ways(strokes=content.strokes)
    ]


def with_part(host: Canvas, donor: Canvas, mask: Array, way: Way) -> DicomImage:
    """Return the host with a part of the donor, put in one way."""
    values = host.values
    return host.with_values(way(values, like(donor.values, values), mask))


def joined_content(
    content: Content | None, other: Content | None, size: tuple[int, int]
) -> Content:
    """Return where either lies, on a grid (rows, columns); strokes where all that lies there is."""
    contents = [part for part in (content, other) if part is not None]
    mask = np.zeros(size, np.bool_)
    for part in contents:
        mask |= mask_like(part.mask, size)
    return Content(mask, all(part.strokes for part in contents))
