"""Second look: take zones out of pictures, and exchange them between pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.audit.cases.first_pass import contents_of
from saliency.audit.cases.records import Exchange, Trial
from saliency.interventions.canvas import Canvas, canvas, like, mask_like
from saliency.interventions.fills import FILLS
from saliency.interventions.patches import elsewhere, removed, variants, ways
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content
from saliency.interventions.tone import TONE, toned
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

    def scores(self, images: list[DicomImage]) -> Array:
        """Return float (n, columns)."""
        return self.scorer.scores(images, self.targets)


def recipient_of(experiment: Experiment, image: DicomImage, index: int) -> Recipient:
    """Make a recipient of a picture."""
    found = canvas(image, experiment.scorer.prepare)
    return Recipient(index, found, contents_of(image), experiment.scores([image])[0])


def interventions_of(experiment: Experiment, image: DicomImage, index: int) -> Trial:
    """Return the scores of one picture under every removal and exchange."""
    donor = canvas(image, experiment.scorer.prepare)
    own = contents_of(image)
    generator = np.random.default_rng((experiment.seed, index))
    removals = {name: _removal(experiment, donor, own, name, generator) for name in own}
    scores = experiment.scores([image, cleaned(donor)])
    return Trial(
        index,
        scores[0],
        scores[1],
        {name: scores for name, scores in removals.items() if scores is not None},
        {
            **{
                name: _exchange(experiment, donor, own.get(name), (index, name), generator)
                for name in experiment.zones
            },
            TONE: _toned(experiment, donor, index),
        },
    )


def cleaned(donor: Canvas) -> DicomImage:
    """Return the picture with the background in place of all of its zones."""
    return donor.with_values(removed(donor.values, ~donor.image.diagnostic))


def _removal(
    experiment: Experiment,
    donor: Canvas,
    own: Mapping[str, Content],
    name: str,
    generator: np.random.Generator,
) -> Array | None:
    moved = elsewhere(own[name].mask, ~donor.image.diagnostic, generator)
    if moved is None:
        return None
    scores = experiment.scores(variants(donor, own[name].mask, moved, experiment.seed))
    return scores.reshape(len(FILLS), 2, -1)


def _exchange(
    experiment: Experiment,
    donor: Canvas,
    content: Content | None,
    name: tuple[int, str],
    generator: np.random.Generator,
) -> Exchange:
    """Put a zone's content into every host but itself."""
    scores = np.full((len(experiment.hosts), 2, len(experiment.targets)), np.nan)
    asked: list[tuple[int, int]] = []
    images: list[DicomImage] = []
    for row, one in enumerate(experiment.hosts):
        union = joined(one.contents.get(name[1]), content, one.canvas.image.size)
        if one.index == name[0]:
            continue
        if not union.mask.any():
            scores[row] = one.scores
            continue
        for part, where in enumerate(_places(one, donor, union.mask, generator)):
            changed = exchanged(one.canvas, donor, Content(where, union.strokes))
            asked += [(row, part)] * len(changed)
            images += changed
    found = experiment.scores(images)
    for place in dict.fromkeys(asked):
        scores[place] = found[[each == place for each in asked]].mean(axis=0)
    return Exchange(scores[:, 0], scores[:, 1])


def _toned(experiment: Experiment, donor: Canvas, index: int) -> Exchange:
    """Give every host but itself a picture's brightness; as a control, leave it as it is."""
    others = [row for row, one in enumerate(experiment.hosts) if one.index != index]
    scores = np.full((2, len(experiment.hosts), len(experiment.targets)), np.nan)
    if others:
        hosts = [experiment.hosts[row] for row in others]
        scores[0, others] = experiment.scores([toned(one.canvas, donor) for one in hosts])
        scores[1, others] = [one.scores for one in hosts]
    return Exchange(*scores)


def _places(
    one: Recipient, donor: Canvas, union: Array, generator: np.random.Generator
) -> Iterator[Array]:
    """Yield where the zone is; then, if there is room, where as much tissue of both pictures is."""
    yield union
    theirs = mask_like(~donor.image.diagnostic, union.shape)
    moved = elsewhere(union, theirs | ~one.canvas.image.diagnostic, generator)
    if moved is not None:
        yield moved


def exchanged(host: Canvas, donor: Canvas, content: Content) -> list[DicomImage]:
    """Return the host with the donor's values in place of the content, in each way that is due."""
    theirs = like(donor.values, host.values)
    return [
        host.with_values(way(host.values, theirs, content.mask))
        for way in ways(strokes=content.strokes)
    ]


def joined(ours: Content | None, theirs: Content | None, size: tuple[int, int]) -> Content:
    """Return where either lies, on a grid (rows, columns); strokes where all that lies there is."""
    found = [each for each in (ours, theirs) if each is not None]
    mask = np.zeros(size, np.bool_)
    for each in found:
        mask |= mask_like(each.mask, size)
    return Content(mask, all(each.strokes for each in found))
