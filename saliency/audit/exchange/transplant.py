"""One zone of one picture, put into pictures that lack it, and whether the score follows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np

from saliency.audit.cases.first_pass import masks_of, read_picture
from saliency.audit.exchange.exchange import exchanged
from saliency.audit.exchange.intervene import (
    ROUNDING,
    control_masks,
    score_of,
    scorer_of_one,
    zone_in,
)
from saliency.errors import InputError
from saliency.interventions.canvas import canvas, mask_like
from saliency.interventions.patches import ways
from saliency.interventions.strokes import Content
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.statistics.significance import rank_of_first
from saliency.values.arrays import Array
from saliency.values.image import DicomImage


@final
@dataclass(frozen=True, eq=False)
class Transplant:
    """What a zone of one picture does in others.

    Parameters
    ----------
    zone
        Name of the zone.
    score
        Of the picture it was taken from: the target's, or the predicted class's; of two classes,
        how far the predicted one is ahead.
    before
        float (n,): the same score of the pictures that it was put into.
    gains
        By way of exchange (``"pasted"``, ``"blended"``; of writing the latter alone), float (n,):
        how much higher with it.
    controls
        By way, float (n, controls): the same with as much tissue of that picture, elsewhere.
    p_values
        By way: rank of the mean gain among the controls', (1 + #{controls >= gain}) / (1 + n).
    """

    zone: str
    score: float
    before: Array
    gains: Mapping[str, Array]
    controls: Mapping[str, Array]
    p_values: Mapping[str, float]

    @property
    def p_value(self) -> float:
        """The greatest of the ways: no answer hangs on one of them."""
        return max(self.p_values.values())

    @property
    def follows(self) -> float:
        """How far the scores go to that of the picture it came from, by the way that does least.

        0: not at all; 1: all the way; NaN where they are there from the start.
        """
        apart = self.score - float(self.before.mean())
        least = min(float(gain.mean()) for gain in self.gains.values())
        return least / apart if abs(apart) > ROUNDING else float("nan")

    def __repr__(self) -> str:
        gains = ", ".join(
            f"{way} {gain.mean():+.3g}" for way, gain in self.gains.items()
        )
        return (
            f"Transplant({self.zone!r} into {len(self.before)} pictures, gains: {gains}; follows "
            f"{100 * self.follows:.0f} %; p = {self.p_value:.2g} of "
            f"{next(iter(self.controls.values())).shape[1]} controls)"
        )


def transplant(  # noqa: PLR0913 - a model, a picture, a zone, where to, and how to ask
    model: object,
    image: object,
    zone: str,
    into: Iterable[object],
    *,
    target: Target = None,
    prepare: Prepare | None = None,
    controls: int = 19,
    seed: int = 0,
) -> Transplant:
    """Put what lies in a zone of one picture into others that lack it, and ask the model again.

    The reverse of :func:`intervene`: taking a zone out leaves a hole, and models are thrown by
    holes; a zone that comes in leaves none. If the model reads it, the others' scores follow.

    Parameters
    ----------
    model, image, target, prepare
        As for ``explain``; the picture that the zone is taken from.
    zone
        Name of a zone of the image.
    into
        Pictures without that zone, one or more; best such as the model decides otherwise.
    controls
        How many places elsewhere, 1 or more.
    seed
        Of every draw.

    Raises
    ------
    InputError
        The image has no such zone, one of the others has it, there are none, or no room for a
        control.
    """
    picture, hosts = read_picture(image), [read_picture(source) for source in into]
    content = zone_in(picture, zone)
    _check_hosts(hosts, zone, controls)
    scorer = scorer_of_one(model, prepare, "transplant")
    targets = score_of(scorer, target, picture)
    donor = canvas(picture, prepare)
    before = scorer.scores([picture, *hosts], targets)[:, 0]
    generator = np.random.default_rng(seed)
    changed: list[DicomImage] = []
    for host in hosts:
        mask = mask_like(content.mask, host.size)
        taken = mask_like(~picture.diagnostic, host.size) | ~host.diagnostic
        controls_of_host = control_masks(
            mask, taken, controls, generator, asker="transplant"
        )
        for place in (mask, *controls_of_host):
            changed += exchanged(
                canvas(host, prepare), donor, Content(place, content.strokes)
            )
    scores = scorer.scores(changed, targets)[:, 0]
    # Axes: hosts, the zone and then its controls, ways of exchange.
    by_host = scores.reshape(len(hosts), 1 + controls, -1)
    gains = by_host - before[1:, np.newaxis, np.newaxis]
    names = [way.__name__ for way in ways(strokes=content.strokes)]
    by_way = {name: gains[..., k] for k, name in enumerate(names)}
    p_values = {
        way: rank_of_first(gain.mean(axis=0), ROUNDING) for way, gain in by_way.items()
    }
    return Transplant(
        zone,
        float(before[0]),
        before[1:],
        MappingProxyType({way: gain[:, 0] for way, gain in by_way.items()}),
        MappingProxyType({way: gain[:, 1:] for way, gain in by_way.items()}),
        MappingProxyType(p_values),
    )


def _check_hosts(hosts: list[DicomImage], zone: str, controls: int) -> None:
    if not hosts or controls < 1:
        msg = f"transplant: expected pictures and controls, got {len(hosts)} and {controls}."
        raise InputError(msg)
    having = sum(zone in masks_of(host) for host in hosts)
    if having:
        msg = (
            f"transplant: expected pictures without any {zone}, {having} of {len(hosts)} have it. "
            "Leave them out, or exchange with saliency.audit."
        )
        raise InputError(msg)
