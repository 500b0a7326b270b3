"""The positive control: how much of a known effect the exchange tells, and what the search finds.

The audit puts marks into pictures itself, so their true effect on the score is known. Nothing is
read again: the pictures are those that contents are put into.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, NamedTuple, final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from saliency.audit.cases.first_pass import masks_of
from saliency.audit.exchange.exchange import (
    Experiment,
    Recipient,
    exchanged,
    joined_content,
)
from saliency.audit.exchange.groups import Grouping
from saliency.interventions.canvas import Canvas, like, mask_like, with_found
from saliency.interventions.patches import removed
from saliency.interventions.strokes import Content, content
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.zones.fixed_patterns import fixed_patterns

ADDED: Final = 0.3
"""True effect of a known reader of the mark, as a share of the swing."""
LEAST_TOLD: Final = 0.5
"""An effect is at most doubled: what tells less than half of a mark measures nothing."""
WORDS: Final = ("PORTABLE", "AP")
LINES: Final = 20
"""A drawn word's line is one part in so many of the picture's rows high."""
LOWEST: Final = 12
"""Pixels that it is high at least."""
CONTRAST: Final = 96
"""Grey levels, of 255, between a drawn word and what lies around it."""
PATTERN_LETTERS: Final = 8
"""Size of the letters that the search for fixed patterns is tested with, on its own grid."""
MARGIN: Final = 2
"""Pixels of that grid that they keep from the edge."""
COVERED: Final = 0.5
"""Share of the ink of a word that the search has to find."""
WHOLE: Final = 0.9
"""Share of the pixels of the largest mark from which on a mark counts as found whole."""
CORE: Final = 0.7
"""Quantile of ink's distance from its background from which on a pixel is ink alone."""


@final
@dataclass(frozen=True)
class SearchControl:
    """Whether a search finds a word that the audit drew itself.

    Parameters
    ----------
    height
        Of the letters' line, in pixels of the picture (the median over pictures).
    found, pictures
        In how many of the pictures it was found; where one group of pictures is searched as a
        whole, in how many places.
    """

    height: int
    found: int
    pictures: int

    @property
    def share(self) -> float:
        """Share of the pictures in which it was found."""
        return self.found / self.pictures


class _Mark(NamedTuple):
    """What one picture shows in a zone: the picture, the zone's mask, and what is exchanged."""

    image: DicomImage
    mask: Array
    content: Content


class _Version(NamedTuple):
    """A picture with a known mark in it, or with none."""

    canvas: Canvas
    content: Content | None


def share_told(
    experiment: Experiment, grouping: Grouping, zone: str, swing: float
) -> float | None:
    """Return how much of a mark's true effect its exchange tells, 0.5..1; None without marks.

    What two pictures of different groups show in the zone is put into every host, in turn, ink as
    opaque as it is in the hosts. The true effect is the difference of the scores of the two; the
    exchange tells the difference after the contents of another picture with either mark were put
    into one of them. A known reader answers to the changed pixels alone: the less the model answers
    to the marks, the more the known reader counts, since the error of a share is inverse to the
    true effect that it is a share of.

    Parameters
    ----------
    experiment
        Hosts, and whom to ask.
    grouping
        By decision.
    zone
        Its name.
    swing
        Of ``grouping``.
    """
    marks = _marks_of_two_groups(experiment.hosts, grouping, zone)
    if marks is None or len(experiment.hosts) < 2 or not swing > 0:
        return None
    rise = _rise_with_ground(experiment.hosts, grouping, zone)
    versions = [
        [_with_mark(host, zone, mark, rise) for mark in marks]
        for host in experiment.hosts
    ]
    images: list[DicomImage] = []
    for row, own in enumerate(versions):
        # Hosts bear the first mark and the second in turn; content comes from the next host.
        host, donors = own[row % 2], versions[(row + 1) % len(versions)]
        images += [version.canvas.image for version in own]
        images += [_exchanged(host, donor) for donor in donors]
    # (hosts, as it is or exchanged, mark): how far each leans to the first group.
    recipients = [host.index for host in experiment.hosts for _ in range(4)]
    scores = grouping.towards(experiment.scores(images, recipients))[:, 0]
    by_mark = scores.reshape(len(versions), 2, 2)
    true, told = (by_mark[..., 1] - by_mark[..., 0]).mean(axis=0)
    pixels = np.mean(
        [
            _pixels_told(images[4 * row : 4 * row + 4], own[0].canvas)
            for row, own in enumerate(versions)
        ]
    )
    # Each share weighs as much as its variance is small: the square of the true effect.
    known = (ADDED * swing) ** 2
    share = (true * told + known * pixels) / (true**2 + known)
    return float(np.clip(share, LEAST_TOLD, 1))


def search_control(hosts: Sequence[Recipient]) -> SearchControl | None:
    """Draw a word into each host, search, and count; None where no word fits into any."""
    found, heights = 0, []
    for host in hosts:
        image = host.canvas.image
        ink = _ink(image)
        if ink is None:
            continue
        heights.append(int(np.ptp(np.flatnonzero(ink.any(axis=1)))) + 1)
        display = image.display.astype(np.float32)
        # Lighter than what is dark, darker than what is light.
        sign = 1 if display[ink].mean() < 128 else -1
        display[ink] = np.clip(display[ink] + sign * CONTRAST, 0, 255)
        drawn = replace(
            image, display=display.astype(np.uint8), zones=(), searched=False
        )
        masks = masks_of(with_found(drawn))
        written = [masks[name] for name in ("text", "marker") if name in masks]
        covered = np.any(written, axis=0)[ink].mean() if written else 0.0
        found += bool(covered >= COVERED)
    if not heights:
        return None
    return SearchControl(int(np.median(heights)), found, len(heights))


def pattern_control(
    frames: Array, member: Array, generator: np.random.Generator
) -> SearchControl | None:
    """Draw a word into the corners of the images of one group, and look for fixed patterns.

    None where the word does not fit.

    Parameters
    ----------
    frames
        float (n, rows, columns).
    member
        int (n,): the group of each image, -1 for none.
    generator
        Of the permutations.
    """
    rows, columns = frames.shape[1:]
    font = ImageFont.load_default(size=PATTERN_LETTERS)
    left, top, right, bottom = (round(end) for end in font.getbbox(WORDS[-1]))
    width, height = right - left, bottom - top
    if 2 * (width + MARGIN) > columns or 2 * (height + MARGIN) > rows:
        return None
    corners = product(
        (MARGIN, rows - MARGIN - height), (MARGIN, columns - MARGIN - width)
    )
    inks = [
        _ink_of_word(WORDS[-1], font, (across - left, down - top), (rows, columns))
        for down, across in corners
    ]
    contrast = CONTRAST / 255 * float(np.ptp(frames))
    marked = np.array(frames, np.float32)
    marked[member == member.max()] += contrast * np.any(inks, axis=0)
    mask = fixed_patterns(marked, member, generator)
    found = sum(bool(mask[ink].mean() >= COVERED) for ink in inks)
    return SearchControl(height, found, len(inks))


def _ink_of_word(
    word: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    place: tuple[int, int],
    size: tuple[int, int],
) -> Array:
    """Return the ink of a word, bool (rows, columns); ``place`` is (column, row)."""
    layer = Image.new("L", size[::-1])
    ImageDraw.Draw(layer).text(place, word, fill=255, font=font)
    return np.asarray(layer) > 127


def _marks_of_two_groups(
    hosts: Sequence[Recipient], grouping: Grouping, zone: str
) -> tuple[_Mark | None, _Mark | None] | None:
    """Return what a host decided for the first group shows, and one decided otherwise.

    The first of each that is nearly as large as the largest: a search finds part of a word in some
    pictures, and what is left of it is no known mark.
    """
    marks: list[_Mark | None] = [None, None]
    for side in (0, 1):
        showing = [
            host
            for host in hosts
            if zone in host.contents and _side(host, grouping) == side
        ]
        if showing:
            pixels = [int(host.contents[zone].mask.sum()) for host in showing]
            whole = np.array(pixels) >= WHOLE * max(pixels)
            host = showing[int(whole.argmax())]
            image = host.canvas.image
            marks[side] = _Mark(image, masks_of(image)[zone], host.contents[zone])
    return None if marks == [None, None] else (marks[0], marks[1])


def _side(host: Recipient, grouping: Grouping) -> int:
    """Return 0 for a host decided for the first group, 1 for another."""
    return int(grouping.towards(host.scores).argmax() != 0)


def _rise_with_ground(
    hosts: Sequence[Recipient], grouping: Grouping, zone: str
) -> float:
    """Return how much brighter ink is where what it lies on is brighter by one.

    0: it is opaque; 1: it is added to what it lies on, as is said of fewer than three hosts. By
    least squares over hosts, those of one decision among themselves.
    """
    points, sides = [], []
    for host in hosts:
        own = host.contents.get(zone)
        if own is None or not own.strokes:
            continue
        values = np.asarray(host.canvas.values, np.float32)
        ground = removed(values, own.mask)[own.mask]
        ink = values[own.mask]
        apart = np.abs(ink - ground)
        core = apart >= np.quantile(apart, CORE)
        points.append((np.median(ground[core]), np.median(ink[core])))
        sides.append(_side(host, grouping))
    if len(points) < 3:
        return 1.0
    pairs, side = np.array(points), np.array(sides)
    for number in (0, 1):
        if (side == number).any():
            pairs[side == number] -= pairs[side == number].mean(axis=0)
    grounds, levels = pairs.T
    spread = float((grounds**2).sum())
    return float(np.clip((grounds * levels).sum() / spread, 0, 1)) if spread else 1.0


def _with_mark(host: Recipient, zone: str, mark: _Mark | None, rise: float) -> _Version:
    """Take the host's own content out, and put a mark in."""
    image, own = host.canvas.image, host.contents.get(zone)
    for intensity in dict.fromkeys(("display", host.canvas.intensity)):
        canvas = Canvas(image, intensity)
        values = removed(
            canvas.values, np.zeros(image.size, bool) if own is None else own.mask
        )
        if mark is not None:
            source = Canvas(mark.image, intensity).values
            values = _marked(values, source, mark.content, rise)
        image = canvas.with_values(values)
    if mark is None:
        return _Version(Canvas(image, host.canvas.intensity), None)
    where = mask_like(mark.mask, image.size)
    found = content(zone, image.display, where)
    return _Version(Canvas(image, host.canvas.intensity), found)


def _marked(values: Array, source: Array, mark: Content, rise: float) -> Array:
    """Put strokes onto what lies there, and anything else in its place.

    ``rise``: how much brighter strokes are on what is brighter by one.
    """
    placed, mask = like(source, values), mask_like(mark.mask, values.shape[:2])
    if mark.strokes:
        placed = placed + rise * (values - removed(placed, mask))
    result = np.array(values, np.float32)
    result[mask] = placed[mask]
    return result


def _exchanged(host: _Version, donor: _Version) -> DicomImage:
    """Return the host with the donor's content; the mean of the ways of exchanging."""
    union = joined_content(host.content, donor.content, host.canvas.image.size)
    if not union.mask.any():
        return host.canvas.image
    changed = exchanged(host.canvas, donor.canvas, union)
    values = [Canvas(image, host.canvas.intensity).values for image in changed]
    return host.canvas.with_values(np.mean(values, axis=0))


def _pixels_told(images: Sequence[DicomImage], host: Canvas) -> float:
    """Return what a reader of the mark's own pixels is told: 1 where the exchange loses nothing.

    ``images``: with the first mark, with the second; and after the exchange of either.
    """
    first, second, told_first, told_second = (
        Canvas(image, host.intensity).values.astype(np.float64) for image in images
    )
    mark = second - first
    size = float((mark**2).sum())
    return float(((told_second - told_first) * mark).sum() / size) if size else 1.0


def _ink(image: DicomImage) -> Array | None:
    """Return where a word is drawn, bool (rows, columns): in the corner with the least zones."""
    rows, columns = image.size
    font = ImageFont.load_default(size=max(LOWEST, rows // LINES))
    taken = ~image.diagnostic
    best: tuple[int, Array] | None = None
    for word in WORDS:
        left, top, right, bottom = (round(end) for end in font.getbbox(word))
        width, height = right - left, bottom - top
        margin = max(2, min(rows, columns) // 32)
        if width + 2 * margin > columns or height + 2 * margin > rows // 2:
            continue
        for down, across in product(
            (margin, rows - margin - height), (margin, columns - margin - width)
        ):
            ink = _ink_of_word(word, font, (across - left, down - top), (rows, columns))
            overlap = int(taken[ink].sum())
            if best is None or overlap < best[0]:
                best = overlap, ink
        break
    return None if best is None or not best[1].any() else best[1]
