"""One picture, one zone: what happens when it is taken out."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np

from saliency.audit.cases.first_pass import contents_of, read_picture
from saliency.audit.cases.sources import refuse_rows_of_held_inputs
from saliency.audit.exchange.groups import LogitDifference
from saliency.errors import InputError
from saliency.interventions.canvas import canvas
from saliency.interventions.fills import FILLS
from saliency.interventions.patches import elsewhere, without
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content
from saliency.pipeline.explain import probe_of
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.statistics.significance import rank_of_first
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

ROUNDING = 1e-4
"""In the unit of scores; a model in float32 is no better."""


@final
@dataclass(frozen=True, eq=False)
class Intervention:
    """What taking a zone out of one picture does to its score.

    Parameters
    ----------
    zone
        Name of the zone.
    score
        Of the picture as it is: the target's, or the predicted class's; of two classes, how far
        the predicted one is ahead.
    drops
        By fill: how much lower the score is without the zone.
    controls
        By fill: the same without as much tissue elsewhere, float (controls,).
    p_values
        By fill: rank of |drop| among the controls', (1 + #{controls >= drop}) / (1 + n).
    """

    zone: str
    score: float
    drops: Mapping[str, float]
    controls: Mapping[str, Array]
    p_values: Mapping[str, float]

    @property
    def p_value(self) -> float:
        """The greatest of the fills: no answer hangs on one of them."""
        return max(self.p_values.values())

    def __repr__(self) -> str:
        drops = ", ".join(f"{fill} {drop:+.3g}" for fill, drop in self.drops.items())
        return (
            f"Intervention({self.zone!r}, score {self.score:+.3g}, drops: {drops}; "
            f"p = {self.p_value:.2g} of {len(next(iter(self.controls.values())))} controls)"
        )


def intervene(  # noqa: PLR0913 - a model, a picture, a zone, and how to ask
    model: object,
    image: object,
    zone: str,
    *,
    target: Target = None,
    prepare: Prepare | None = None,
    controls: int = 19,
    seed: int = 0,
) -> Intervention:
    """Take a zone out of one picture, and as much tissue elsewhere, and ask the model again.

    One picture proves little: models are thrown by holes as well as by what was in them, and the
    smallest p-value of n controls is 1 / (1 + n). See :func:`saliency.audit` for many pictures.

    Parameters
    ----------
    model, image, target, prepare
        As for ``explain``; burned-in text is looked for where the image has no zone ``"text"``.
    zone
        Name of a zone of the image.
    controls
        How many places elsewhere, 1 or more.
    seed
        Of every draw.

    Raises
    ------
    InputError
        The image has no such zone, or no room for a control of its size.
    """
    picture = read_picture(image)
    mask = zone_in(picture, zone).mask
    if controls < 1:
        msg = f"intervene: expected 1 control or more, got {controls}."
        raise InputError(msg)
    generator = np.random.default_rng(seed)
    elsewhere_masks = control_masks(
        mask, ~picture.diagnostic, controls, generator, asker="intervene"
    )
    places = [mask, *elsewhere_masks]
    scorer, original = (
        scorer_of_one(model, prepare, "intervene"),
        canvas(picture, prepare),
    )
    targets = score_of(scorer, target, picture)
    before = float(scorer.scores([picture], targets)[0, 0])
    drops: dict[str, Array] = {}
    for fill in FILLS:
        changed = (without(original, place, fill, seed) for place in places)
        # float (1 + controls,): the zone first.
        drops[fill] = (before - scorer.scores(changed, targets))[:, 0]
    p_values = {
        fill: rank_of_first(np.abs(drop), ROUNDING) for fill, drop in drops.items()
    }
    return Intervention(
        zone,
        before,
        MappingProxyType({fill: float(drop[0]) for fill, drop in drops.items()}),
        MappingProxyType({fill: drop[1:] for fill, drop in drops.items()}),
        MappingProxyType(p_values),
    )


def scorer_of_one(model: object, prepare: Prepare | None, asker: str) -> Scorer:
    """Return who scores versions of one image; ``asker`` tells of failures.

    Raises
    ------
    InputError
        The probe holds other inputs for each of many images.
    """
    probe = probe_of(model)
    refuse_rows_of_held_inputs(probe, asker)
    return Scorer(probe, prepare)


def score_of(scorer: Scorer, target: Target, picture: DicomImage) -> tuple[Target, ...]:
    """Return the target, or the predicted class; of two classes its lead."""
    if target is not None or scorer.classes is None or scorer.classes < 2:
        return (target,)
    first = int(scorer.predicted([picture])[0])
    if scorer.classes == 2:
        return (LogitDifference(first, 1 - first),)
    return (first,)


def zone_in(picture: DicomImage, name: str) -> Content:
    """Return what is in the zone.

    Raises
    ------
    InputError
        The image has no such zone.
    """
    contents = contents_of(picture)
    if name not in contents:
        names = ", ".join(contents) or "none"
        msg = f"audit: expected a zone of the image ({names}), got {name!r}."
        raise InputError(msg)
    return contents[name]


def control_masks(
    mask: Array, taken: Array, count: int, generator: np.random.Generator, *, asker: str
) -> list[Array]:
    """Return the mask moved to as many places where nothing is taken; ``asker`` tells of failures.

    Raises
    ------
    InputError
        A place leaves no room.
    """
    moved = [elsewhere(mask, taken, generator) for _ in range(count)]
    masks = [place for place in moved if place is not None]
    if len(masks) < count:
        msg = f"{asker}: the zone leaves no room for as much tissue elsewhere as a control."
        raise InputError(msg)
    return masks
