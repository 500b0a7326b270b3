"""One zone of one picture, put into pictures that lack it, and whether the score follows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np

from saliency.audit.cases.first_pass import masks_of, read
from saliency.audit.exchange.exchange import exchanged
from saliency.audit.exchange.intervene import ROUNDING, score_of, zone_in
from saliency.errors import InputError
from saliency.interventions.canvas import canvas, mask_like
from saliency.interventions.patches import elsewhere, ways
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content
from saliency.pipeline.explain import probe_of
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
        told = ", ".join(f"{way} {gain.mean():+.3g}" for way, gain in self.gains.items())
        return (
            f"Transplant({self.zone!r} into {len(self.before)} pictures, gains: {told}; follows "
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
    picture, hosts = read(image), [read(each) for each in into]
    content = zone_in(picture, zone)
    _check(hosts, zone, controls)
    scorer = Scorer(probe_of(model), prepare)
    targets = score_of(scorer, target, picture)
    donor = canvas(picture, prepare)
    before = scorer.scores([picture, *hosts], targets)[:, 0]
    generator = np.random.default_rng(seed)
    changed = [
        exchanged(canvas(one, prepare), donor, Content(at, content.strokes))
        for one in hosts
        for at in _places(one, content.mask, ~picture.diagnostic, controls, generator)
    ]
    scores = scorer.scores((each for many in changed for each in many), targets)[:, 0]
    moved = scores.reshape(len(hosts), 1 + controls, -1) - before[1:, np.newaxis, np.newaxis]
    names = [way.__name__ for way in ways(strokes=content.strokes)]
    return Transplant(
        zone,
        float(before[0]),
        before[1:],
        MappingProxyType({name: moved[:, 0, k] for k, name in enumerate(names)}),
        MappingProxyType({name: moved[:, 1:, k] for k, name in enumerate(names)}),
        MappingProxyType(
            {
                name: rank_of_first(moved[..., k].mean(axis=0), ROUNDING)
                for k, name in enumerate(names)
            }
        ),
    )


def _check(hosts: list[DicomImage], zone: str, controls: int) -> None:
    if not hosts or controls < 1:
        msg = f"transplant: expected pictures and controls, got {len(hosts)} and {controls}."
        raise InputError(msg)
    having = sum(zone in masks_of(one) for one in hosts)
    if having:
        msg = (
            f"transplant: expected pictures without any {zone}, {having} of {len(hosts)} have it. "
            "Leave them out, or exchange with saliency.audit."
        )
        raise InputError(msg)


def _places(
    one: DicomImage, mask: Array, taken: Array, count: int, generator: np.random.Generator
) -> list[Array]:
    """Return where the zone comes to lie in a picture, and as many places as controls."""
    here = mask_like(mask, one.size)
    full = mask_like(taken, one.size) | ~one.diagnostic
    found = [elsewhere(here, full, generator) for _ in range(count)]
    kept = [place for place in found if place is not None]
    if len(kept) < count:
        msg = "transplant: the zone leaves no room for as much tissue elsewhere as a control."
        raise InputError(msg)
    return [here, *kept]
