"""Pictures for the report: as they are, without the zone, with another's zone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from saliency import png
from saliency.audit.attention.zone_heat import EXPLAINERS, heatmaps
from saliency.audit.exchange.exchange import Experiment, Recipient, joined_content
from saliency.audit.exchange.groups import Grouping
from saliency.interventions.canvas import Canvas, like
from saliency.interventions.patches import removed, ways
from saliency.interventions.zone_shares import masks
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.zones.fixed_patterns import grown_by

LONGEST = 720
"""Long side of an example in pixels: as large as it is shown when it is enlarged."""
OUTLINE = (255, 160, 0)
"""Orange keeps apart from grey for every kind of colour vision."""


@final
@dataclass(frozen=True)
class ExamplePicture:
    """One picture of a strip.

    Parameters
    ----------
    caption
        What was done to it.
    png
        A PNG file.
    decision, lead
        What the model says of it, and by how much, in the unit of its scores; None for a map.
    changed
        Whether that is another decision than for the first of the strip.
    probability
        Of the class decided for, or of the target; None where the model gives none.
    """

    caption: str
    png: bytes
    decision: str = ""
    lead: float | None = None
    changed: bool = False
    probability: float | None = None


@final
@dataclass(frozen=True)
class ExampleStrip:
    """A picture before and after: a strip of the report.

    Parameters
    ----------
    zone
        What was exchanged.
    number
        Position of the picture, from 1.
    digest
        First characters of the digest of its pixel data.
    pictures
        From the left.
    """

    zone: str
    number: int
    digest: str
    pictures: tuple[ExamplePicture, ...]


@final
@dataclass(frozen=True, eq=False)
class DecisionWords:
    """How scores are put into words.

    Parameters
    ----------
    grouping
        What the scores are set against.
    names
        What its groups are called.
    classes
        The class whose probability is told of each group; () for none.
    """

    grouping: Grouping
    names: tuple[str, ...]
    classes: tuple[int, ...] = ()

    def decided(self, scores: Array) -> int:
        """Return the group that scores (columns,) lean to."""
        return int(self.grouping.towards(scores).argmax())

    def probability(self, scores: Array, probabilities: Array | None) -> float | None:
        """Return the probability of the class that scores (columns,) lean to."""
        if probabilities is None or not self.classes:
            return None
        return float(probabilities[self.classes[self.decided(scores)]])


def examples(
    experiment: Experiment, words: DecisionWords, target: Target
) -> tuple[ExampleStrip, ...]:
    """Return up to two strips for each zone, of different decisions where there are such."""
    strips = []
    for zone in experiment.zones:
        showing = [host for host in experiment.hosts if zone in host.contents]
        by_decision = {words.decided(host.scores): host for host in reversed(showing)}
        for host in list(by_decision.values())[:2]:
            others = [other for other in showing if other is not host]
            decided = words.decided(host.scores)
            otherwise = [
                other for other in others if words.decided(other.scores) != decided
            ]
            # A picture of another decision; failing that, any other; failing that, none.
            donor = next(iter(otherwise or others), None)
            strip = tuple(_example_strip(experiment, words, zone, host, donor, target))
            digest = host.canvas.image.digest[:12]
            strips.append(ExampleStrip(zone, host.index + 1, digest, strip))
    return tuple(strips)


def _example_strip(
    experiment: Experiment,
    words: DecisionWords,
    zone: str,
    host: Recipient,
    donor: Recipient | None,
    target: Target,
) -> Iterator[ExamplePicture]:
    """Yield a picture as it is, its heat, without its zone, and with another's zone."""
    image, content = host.canvas.image, host.contents[zone]
    # A place of the frame is no zone of the image: what is exchanged is outlined.
    outlined = _outlined_png(image.display, masks(image).get(zone, content.mask))
    yield _with_decision(
        experiment, words, ExamplePicture("as it is", outlined), image, host
    )

    maps = heatmaps(experiment.scorer, target, [image], [host.index])[0]
    for name in [name for name in EXPLAINERS[:-1] if name in maps][:1]:
        overlay = maps[name].overlay()
        yield ExamplePicture(f"heat ({name})", png.encode(overlay.rgb, longest=LONGEST))

    def without_zone(canvas: Canvas) -> Array:
        return removed(canvas.values, content.mask)

    yield _changed_picture(experiment, words, f"{zone} removed", host, without_zone)
    if donor is None:
        return
    both = joined_content(content, donor.contents[zone], image.size)
    first_way = ways(strokes=both.strokes)[0]

    def with_zone_of_donor(canvas: Canvas) -> Array:
        donor_values = Canvas(donor.canvas.image, canvas.intensity).values
        return first_way(canvas.values, like(donor_values, canvas.values), both.mask)

    caption = f"{zone} of picture {donor.index + 1}"
    yield _changed_picture(experiment, words, caption, host, with_zone_of_donor)


def _changed_picture(
    experiment: Experiment,
    words: DecisionWords,
    caption: str,
    host: Recipient,
    change: Callable[[Canvas], Array],
) -> ExamplePicture:
    """Change what the model sees, and what we see."""
    seen = Canvas(host.canvas.image, "display")
    image = host.canvas.with_values(change(host.canvas))
    small = png.encode(seen.with_values(change(seen)).display, longest=LONGEST)
    return _with_decision(
        experiment, words, ExamplePicture(caption, small), image, host
    )


def _with_decision(
    experiment: Experiment,
    words: DecisionWords,
    picture: ExamplePicture,
    image: DicomImage,
    before: Recipient,
) -> ExamplePicture:
    """Add what the model says of an image, beside what it said of the picture as it was."""
    scores = experiment.scores([image], [before.index])[0]
    probabilities = experiment.scorer.probabilities(image, before.index)
    group = words.decided(scores)
    return replace(
        picture,
        decision=words.names[group],
        lead=float(words.grouping.towards(scores).max()),
        changed=group != words.decided(before.scores),
        probability=words.probability(scores, probabilities),
    )


def _outlined_png(display: Array, mask: Array) -> bytes:
    """Draw the border of a zone around it."""
    rgb = (
        np.repeat(display[..., np.newaxis], 3, axis=2)
        if display.ndim == 2
        else display.copy()
    )
    # Four pixels of an example of LONGEST pixels a side.
    width = max(1, max(mask.shape) // 180)
    rgb[grown_by(mask, width) & ~mask] = OUTLINE
    return png.encode(rgb, longest=LONGEST)
