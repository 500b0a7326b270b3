"""What no zone names: places of the frame, fixed patterns and bands, exchanged and judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, final

import numpy as np

from saliency.audit.cases.first_pass import AuditPlan
from saliency.audit.cases.records import Exchange, ImageRecord, Trial
from saliency.audit.exchange.control import SearchControl, pattern_control
from saliency.audit.exchange.effects import Evidence, ExchangeEffect, exchange_effect
from saliency.audit.exchange.exchange import Experiment, Recipient
from saliency.audit.exchange.frame import pairs_of
from saliency.audit.exchange.frame_looks import (
    FrameAsker,
    FrameLooks,
    frame_looks,
    pattern_looks,
)
from saliency.audit.judgement.beyond import (
    FrameFacts,
    PatternEvidence,
    band_verdict,
    beside_places,
    grid_verdict,
    pattern_verdict,
)
from saliency.audit.judgement.results import Verdict
from saliency.audit.judgement.verdict import MAY_READ
from saliency.interventions.bands import BANDS
from saliency.interventions.canvas import mask_like
from saliency.interventions.frame_cells import CELLS, cell, sizes
from saliency.interventions.strokes import Content
from saliency.pipeline.checkpoint import State
from saliency.pipeline.resize import resized
from saliency.statistics.standing_out import StandingOut, standing_out
from saliency.values.arrays import Array
from saliency.zones.fixed_patterns import (
    ALIGNED,
    alignment,
    fixed_patterns,
    parts_of,
)

GRID: Final = "grid"
PATTERN: Final = "pattern"
BAND: Final = "band"
HOT: Final = 3.0
"""Times the mean heat from which a place is hot."""
MOST_PATTERNS: Final = 2
"""Places with something drawn that are exchanged, at most: the largest."""
HELD: Final = 0.02
"""Share of a cell that a pattern covers before the cell is said to hold it."""


@final
@dataclass(frozen=True, eq=False)
class BeyondZones:
    """What was found.

    Parameters
    ----------
    verdicts
        Of the grid, the patterns and the bands.
    masks
        Of what lies somewhere, bool (rows, columns) of a common grid.
    """

    verdicts: Mapping[str, Verdict]
    masks: Mapping[str, Array]

    def named(self, taken: Sequence[str]) -> Self:
        """Return the same by names that no zone has."""
        names = {
            name: f"{name} of the frame" if name in taken else name
            for name in self.verdicts
        }
        return replace(
            self,
            verdicts={names[name]: verdict for name, verdict in self.verdicts.items()},
            masks={names[name]: mask for name, mask in self.masks.items()},
        )

    def shown_in(self, experiment: Experiment) -> Experiment:
        """Return the experiment with the places that did something as zones of its hosts."""
        shown = [
            name
            for name in self.masks
            if self.verdicts[name].effect >= MAY_READ.effect
            and self.verdicts[name].p_value < MAY_READ.p_value
        ]
        hosts = [
            replace(host, contents={**host.contents, **self._contents(host, shown)})
            for host in experiment.hosts
        ]
        return replace(
            experiment, zones=(*experiment.zones, *shown), hosts=tuple(hosts)
        )

    def _contents(self, host: Recipient, names: Sequence[str]) -> dict[str, Content]:
        image = host.canvas.image
        return {
            name: Content(mask_like(self.masks[name], image.size) & image.diagnostic)
            for name in names
        }


@final
@dataclass(frozen=True, eq=False)
class FrameQuestion:
    """What was asked before.

    Parameters
    ----------
    plan, state, experiment
        Of the zones.
    evidence
        By decision first, then by each division that has groups.
    records
        Of all images.
    known
        p-value of the model's scores being alike for all labels; None where it cannot be told.
    """

    plan: AuditPlan
    state: State
    experiment: Experiment
    evidence: Sequence[Evidence]
    records: Sequence[ImageRecord]
    known: float | None

    @property
    def indices(self) -> list[int]:
        """Positions of the tested images."""
        return [trial.index for trial in self.evidence[0].trials]

    @property
    def labelled(self) -> bool:
        """Whether labels were given."""
        return self.plan.labels[self.indices[0]] is not None

    @property
    def learned(self) -> list[Evidence]:
        """The divisions that tell what was learned: by label where there are labels."""
        by_label = [one for one in self.evidence[1:] if one.grouping.by == "label"]
        return by_label if self.labelled else list(self.evidence[1:])


def beyond_zones(question: FrameQuestion) -> BeyondZones:
    """Exchange cells, bands and fixed patterns, and judge each."""
    generator = np.random.default_rng(question.plan.seed)
    divided = question.evidence[-1].grouping if len(question.evidence) > 1 else None
    indices = question.indices
    pairs = (
        pairs_of(divided, indices, question.evidence[0].units.tolist(), generator)
        if divided
        else []
    )
    asker = FrameAsker(question.plan, question.state, question.experiment)
    shuffled = [indices[row] for row in generator.permutation(len(indices))]
    looks = frame_looks(asker, divided, pairs, shuffled)
    mask = _candidates(question, looks, generator)
    facts = _facts(question, looks, mask)
    standing = _standing(looks.cells, generator)
    patterns = _patterns(question, asker, looks, mask, facts)
    drawn = None if patterns else _drawn_control(question, looks, generator)
    on_pattern, where = pattern_verdict(patterns, len(looks.frames), facts, drawn)
    masks = {} if where is None else {PATTERN: where}
    if standing is not None:
        masks[GRID] = cell(CELLS[standing.first], mask.shape)
    on_grid = grid_verdict(standing, len(looks.cells), facts.beside(on_pattern))
    on_band = band_verdict(
        {name: _band_effects(question, looks, name) for name in BANDS}, facts
    )
    verdicts = {
        GRID: on_grid,
        PATTERN: on_pattern,
        BAND: beside_places(on_band, (on_grid, on_pattern)),
    }
    return BeyondZones(verdicts, masks)


def _standing(
    cells: Sequence[Array], generator: np.random.Generator
) -> StandingOut | None:
    """Return which cell stands out, in shares of the mean distance of a pair; None without one."""
    if not cells:
        return None
    rows = np.stack(cells)
    apart = float(rows[:, -1].mean())
    if apart <= 0:
        return None
    return standing_out(rows[:, :-1] / apart, sizes(), generator)


def _rows_and_frames(
    question: FrameQuestion, looks: FrameLooks
) -> tuple[list[int], Array]:
    """Return which tested images gave a frame, and the frames, float (n, rows, columns)."""
    kept = [row for row, index in enumerate(question.indices) if index in looks.frames]
    return kept, np.stack([looks.frames[question.indices[row]] for row in kept])


def _drawn_control(
    question: FrameQuestion, looks: FrameLooks, generator: np.random.Generator
) -> SearchControl | None:
    """Draw words into one group of the images, and search; None without two groups."""
    kept, frames = _rows_and_frames(question, looks)
    for evidence in question.evidence[1:]:
        return pattern_control(frames, evidence.grouping.member[kept], generator)
    return None


def _candidates(
    question: FrameQuestion, looks: FrameLooks, generator: np.random.Generator
) -> Array:
    """Return where something is drawn in one group alone, bool (rows, columns)."""
    kept, frames = _rows_and_frames(question, looks)
    hot = _hot(question.records, frames.shape[1:])
    mask = np.zeros(frames.shape[1:], np.bool_)
    for evidence in question.evidence[1:]:
        mask |= fixed_patterns(frames, evidence.grouping.member[kept], generator, hot)
    return mask


def _hot(records: Sequence[ImageRecord], size: tuple[int, ...]) -> Array | None:
    """Return where the mean heat of all images and methods is three times the frame's."""
    maps = [cells for record in records for cells in record.maps.coarse.values()]
    if not maps:
        return None
    mean = np.asarray(np.mean(maps, axis=0), np.float32)
    return np.asarray(resized(mean, (size[0], size[1])) >= HOT * mean.mean())


def _facts(question: FrameQuestion, looks: FrameLooks, mask: Array) -> FrameFacts:
    frames = np.stack([np.where(mask, 0, frame) for frame in looks.frames.values()])
    drawn = [name for name in CELLS if mask[cell(name, mask.shape)].mean() >= HELD]
    # Labels that give no two groups do not tell whether the model knows them: it is not blamed.
    known = 1.0 if question.known is None else question.known
    return FrameFacts(
        alignment(frames) >= ALIGNED,
        frozenset(drawn),
        known if question.labelled else 0.0,
        question.labelled,
    )


def _patterns(
    question: FrameQuestion,
    asker: FrameAsker,
    looks: FrameLooks,
    mask: Array,
    facts: FrameFacts,
) -> list[PatternEvidence]:
    """Exchange what is drawn, each place by itself, of the images that gave their bands.

    The answers of a model that does not know the labels are divided by whatever lies there, and its
    swing is small: of such a model only the effect by label is told.
    """
    divisions = question.learned if facts.ignorant else question.evidence[1:]
    givers = [index for index, bands in looks.bands.items() if bands]
    patterns = []
    for part in parts_of(mask, MOST_PATTERNS):
        exchanges = pattern_looks(asker, givers, part)
        swaps = _effects(question, divisions, exchanges, PATTERN)
        patterns.append(PatternEvidence(part, swaps))
    return patterns


def _band_effects(
    question: FrameQuestion, looks: FrameLooks, name: str
) -> list[ExchangeEffect]:
    exchanges = {
        index: bands[name] for index, bands in looks.bands.items() if name in bands
    }
    return _effects(question, question.learned, exchanges, name)


def _effects(
    question: FrameQuestion,
    divisions: Sequence[Evidence],
    exchanges: Mapping[int, Exchange],
    name: str,
) -> list[ExchangeEffect]:
    """Weigh exchanges of some images, by each division."""
    rows = [row for row, index in enumerate(question.indices) if index in exchanges]
    effects = []
    for evidence in divisions:
        trials = [_with_exchange(evidence.trials[row], name, exchanges) for row in rows]
        part = Evidence(
            replace(evidence.grouping, member=evidence.grouping.member[rows]),
            evidence.scores[rows],
            trials,
            evidence.hosts,
            evidence.patients,
        )
        if rows:
            effects.append(
                exchange_effect(part, name, np.random.default_rng(question.plan.seed))
            )
    return [effect for effect in effects if effect is not None]


def _with_exchange(trial: Trial, name: str, exchanges: Mapping[int, Exchange]) -> Trial:
    return replace(trial, exchanges={name: exchanges[trial.index]})
