"""Pictures for the report: as they are, without the zone, with another's zone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from saliency import png
from saliency.audit.attention.zone_heat import EXPLAINERS, heatmaps
from saliency.audit.exchange.exchange import Experiment, Recipient, joined
from saliency.audit.exchange.groups import Grouping
from saliency.interventions.canvas import Canvas, like
from saliency.interventions.patches import removed, ways
from saliency.interventions.zone_shares import masks
from saliency.probe.protocol import Target
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

LONGEST = 720
"""Long side of an example in pixels: as large as it is shown when it is enlarged."""
OUTLINE = (255, 160, 0)
"""Orange keeps apart from grey for every kind of colour vision."""


@final
@dataclass(frozen=True)
class Picture:
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
class Example:
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
    pictures: tuple[Picture, ...]


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


def examples(experiment: Experiment, words: DecisionWords, target: Target) -> tuple[Example, ...]:
    """Return up to two strips for each zone, of different decisions where there are such."""
    found = []
    for zone in experiment.zones:
        showing = [one for one in experiment.hosts if zone in one.contents]
        by_decision = {words.decided(one.scores): one for one in reversed(showing)}
        for one in list(by_decision.values())[:2]:
            pair = one, _other(words, one, showing)
            strip = tuple(_strip(experiment, words, zone, pair, target))
            found.append(Example(zone, one.index + 1, one.canvas.image.digest[:12], strip))
    return tuple(found)


def _other(words: DecisionWords, one: Recipient, showing: Sequence[Recipient]) -> Recipient:
    """Return a picture of another decision; failing that, any other; failing that, itself."""
    others = [each for each in showing if each is not one]
    unlike = [each for each in others if words.decided(each.scores) != words.decided(one.scores)]
    return (unlike or others or [one])[0]


def _strip(
    experiment: Experiment,
    words: DecisionWords,
    zone: str,
    pair: tuple[Recipient, Recipient],
    target: Target,
) -> Iterator[Picture]:
    one, other = pair
    image, mask = one.canvas.image, one.contents[zone].mask
    outlined = _outlined(image.display, masks(image)[zone])
    yield _answered(experiment, words, Picture("as it is", outlined), one.canvas.image, one)
    maps = heatmaps(experiment.scorer, target, [image])[0]
    for name in [name for name in EXPLAINERS[:-1] if name in maps][:1]:
        overlay = maps[name].overlay()
        yield Picture(f"heat ({name})", png.encode(overlay.rgb, longest=LONGEST))
    yield _changed(
        experiment, words, f"{zone} removed", one, lambda ours: removed(ours.values, mask)
    )
    if other is not one:
        caption = f"{zone} of picture {other.index + 1}"
        yield _changed(experiment, words, caption, one, lambda ours: _with(ours, one, other, zone))


def _with(ours: Canvas, one: Recipient, other: Recipient, zone: str) -> Array:
    """Return the values of a picture with another's zone, in the first way that is due."""
    both = joined(one.contents[zone], other.contents[zone], ours.image.size)
    theirs = Canvas(other.canvas.image, ours.intensity).values
    return ways(strokes=both.strokes)[0](ours.values, like(theirs, ours.values), both.mask)


def _changed(
    experiment: Experiment,
    words: DecisionWords,
    caption: str,
    one: Recipient,
    change: Callable[[Canvas], Array],
) -> Picture:
    """Change what the model sees, and what we see."""
    shown = Canvas(one.canvas.image, "display")
    image = one.canvas.with_values(change(one.canvas))
    small = png.encode(shown.with_values(change(shown)).display, longest=LONGEST)
    return _answered(experiment, words, Picture(caption, small), image, one)


def _answered(
    experiment: Experiment,
    words: DecisionWords,
    shown: Picture,
    image: DicomImage,
    before: Recipient,
) -> Picture:
    """Add what the model says of an image, beside what it said of the picture as it was."""
    scores = experiment.scores([image])[0]
    group = words.decided(scores)
    return replace(
        shown,
        decision=words.names[group],
        lead=float(words.grouping.towards(scores).max()),
        changed=group != words.decided(before.scores),
        probability=words.probability(scores, experiment.scorer.probabilities(image)),
    )


def _outlined(display: Array, mask: Array) -> bytes:
    """Draw the border of a zone around it."""
    rgb = np.repeat(display[..., np.newaxis], 3, axis=2) if display.ndim == 2 else display.copy()
    width = max(1, max(mask.shape) // 180)
    rgb[_grown(mask, width) & ~mask] = OUTLINE
    return png.encode(rgb, longest=LONGEST)


def _grown(mask: Array, width: int) -> Array:
    """Return the mask, grown by so many pixels to each side."""
    padded = np.pad(mask, width)
    for axis in (0, 1):
        shifted = [np.roll(padded, shift, axis) for shift in range(-width, width + 1)]
        padded = np.asarray(np.logical_or.reduce(shifted))
    return padded[width:-width, width:-width]
