"""Second look: take zones out of pictures, and exchange them between pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.audit.asking import Asker
from saliency.audit.canvas import Canvas, canvas, like, mask_like
from saliency.audit.fills import FILLS
from saliency.audit.patches import elsewhere, removed, ways
from saliency.audit.reading import contents_of
from saliency.audit.records import Exchange, Trial
from saliency.audit.removal import variants
from saliency.audit.strokes import Content
from saliency.audit.tone import TONE, toned
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.image import DicomImage


@final
@dataclass(frozen=True, eq=False)
class Host:
    """A picture that others' contents are put into."""

    index: int
    canvas: Canvas
    contents: Mapping[str, Content]
    scores: Array


@final
@dataclass(frozen=True, eq=False)
class Bench:
    """What stays the same from picture to picture.

    Parameters
    ----------
    asker
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

    asker: Asker
    targets: tuple[Target, ...]
    zones: tuple[str, ...]
    target: Target = None
    hosts: tuple[Host, ...] = ()
    seed: int = 0

    def scores(self, images: list[DicomImage]) -> Array:
        """Return float (n, columns)."""
        return self.asker.scores(images, self.targets)


def host(bench: Bench, image: DicomImage, index: int) -> Host:
    """Make a host of a picture."""
    found = canvas(image, bench.asker.prepare)
    return Host(index, found, contents_of(image), bench.scores([image])[0])


def trial(bench: Bench, image: DicomImage, index: int) -> Trial:
    """Ask everything about one picture."""
    donor = canvas(image, bench.asker.prepare)
    own = contents_of(image)
    generator = np.random.default_rng((bench.seed, index))
    removals = {name: _removal(bench, donor, own, name, generator) for name in own}
    scores = bench.scores([image, cleaned(donor)])
    return Trial(
        index,
        scores[0],
        scores[1],
        {name: scores for name, scores in removals.items() if scores is not None},
        {
            **{
                name: _exchange(bench, donor, own.get(name), (index, name), generator)
                for name in bench.zones
            },
            TONE: _toned(bench, donor, index),
        },
    )


def cleaned(donor: Canvas) -> DicomImage:
    """Return the picture with the background in place of all of its zones."""
    return donor.with_values(removed(donor.values, ~donor.image.diagnostic))


def _removal(
    bench: Bench,
    donor: Canvas,
    own: Mapping[str, Content],
    name: str,
    generator: np.random.Generator,
) -> Array | None:
    moved = elsewhere(own[name].mask, ~donor.image.diagnostic, generator)
    if moved is None:
        return None
    scores = bench.scores(variants(donor, own[name].mask, moved, bench.seed))
    return scores.reshape(len(FILLS), 2, -1)


def _exchange(
    bench: Bench,
    donor: Canvas,
    content: Content | None,
    name: tuple[int, str],
    generator: np.random.Generator,
) -> Exchange:
    """Put a zone's content into every host but itself."""
    scores = np.full((len(bench.hosts), 2, len(bench.targets)), np.nan)
    asked: list[tuple[int, int]] = []
    images: list[DicomImage] = []
    for row, one in enumerate(bench.hosts):
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
    found = bench.scores(images)
    for place in dict.fromkeys(asked):
        scores[place] = found[[each == place for each in asked]].mean(axis=0)
    return Exchange(scores[:, 0], scores[:, 1])


def _toned(bench: Bench, donor: Canvas, index: int) -> Exchange:
    """Give every host but itself a picture's brightness; as a control, leave it as it is."""
    others = [row for row, one in enumerate(bench.hosts) if one.index != index]
    scores = np.full((2, len(bench.hosts), len(bench.targets)), np.nan)
    if others:
        hosts = [bench.hosts[row] for row in others]
        scores[0, others] = bench.scores([toned(one.canvas, donor) for one in hosts])
        scores[1, others] = [one.scores for one in hosts]
    return Exchange(*scores)


def _places(
    one: Host, donor: Canvas, union: Array, generator: np.random.Generator
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
