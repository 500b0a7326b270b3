"""Third look at the tested images: once through, cells, bands and frames."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from typing import Any, final

import numpy as np

from saliency.audit.cases.first_pass import AuditPlan, picture
from saliency.audit.cases.records import Exchange
from saliency.audit.exchange.exchange import Experiment
from saliency.audit.exchange.frame import (
    GIVERS,
    Pair,
    band_exchanges,
    cell_effects,
    common_grid,
    frame_of,
    pattern_exchange,
)
from saliency.audit.exchange.groups import Grouping
from saliency.errors import SaliencyError
from saliency.interventions.canvas import Canvas, canvas
from saliency.pipeline.checkpoint import Row, State
from saliency.pipeline.prefetch import ahead
from saliency.values.arrays import Array
from saliency.values.failure import Failure


@final
@dataclass(frozen=True, eq=False)
class FrameAsker:
    """Who reads images again, and what they are exchanged with.

    Parameters
    ----------
    plan, state
        Of the audit; what the state has is not asked again.
    experiment
        What is exchanged with which hosts.
    """

    plan: AuditPlan
    state: State
    experiment: Experiment

    def canvases(self, indices: Sequence[int]) -> Iterator[tuple[int, Canvas]]:
        """Yield position and pixels of images that can be read again."""
        images = ahead(lambda index: picture(self.plan, index), indices, window=2)
        for index, image in zip(indices, images, strict=True):
            if not isinstance(image, Failure):
                yield index, canvas(image, self.experiment.scorer.prepare)


@final
@dataclass(frozen=True, eq=False)
class FrameLooks:
    """What is kept of the tested images.

    Parameters
    ----------
    frames
        By position among the sources: float32 (rows, columns), one grid for all.
    bands
        By position and name of the band.
    cells
        float (18,) of each pair.
    """

    frames: Mapping[int, Array]
    bands: Mapping[int, Mapping[str, Exchange]]
    cells: Sequence[Array]


def frame_looks(
    asker: FrameAsker,
    grouping: Grouping | None,
    pairs: Sequence[Pair],
    indices: Sequence[int],
) -> FrameLooks:
    """Read the tested images once, those of a pair one after the other, and ask."""
    paired = [index for pair in pairs for index in (pair.first, pair.second)]
    order = list(dict.fromkeys([*paired, *indices]))
    pair_of = {pair.second: pair for pair in pairs}
    stage = asker.experiment.stage("frame", [astuple(pair) for pair in pairs], order)
    done = asker.state.rows(stage)
    frames: dict[int, Array] = {}
    bands: dict[int, Mapping[str, Exchange]] = {}
    cells: list[Array] = []
    size: tuple[int, int] | None = None
    before: tuple[int, Canvas] | None = None
    for index, shown in asker.canvases(order):
        size = size or common_grid(shown.values.shape)
        frames[index] = frame_of(shown, size)
        row: Row = done.get(index, {})
        if not row:
            pair = pair_of.get(index)
            partner = before[1] if pair and before and before[0] == pair.first else None
            row = {
                "bands": _band_rows(asker, shown, index)
                if index in order[:GIVERS]
                else {},
                "cells": _cell_exchanges(asker, grouping, pair, partner, shown),
            }
            asker.state.keep(stage, index, row)
        bands[index] = {name: _exchange(parts) for name, parts in row["bands"].items()}
        if row["cells"]:
            cells.append(np.array(row["cells"]))
        before = index, shown
    return FrameLooks(frames, bands, cells)


def pattern_looks(
    asker: FrameAsker, indices: Sequence[int], mask: Array
) -> dict[int, Exchange]:
    """Exchange what lies in a part of the frame; by position, of images that could be asked."""
    stage = asker.experiment.stage("pattern", mask)
    done = asker.state.rows(stage)
    exchanges = {
        index: _exchange(done[index]["parts"]) for index in indices if index in done
    }
    todo = [index for index in indices if index not in done]
    for index, shown in asker.canvases(todo):
        with suppress(SaliencyError):
            exchange = pattern_exchange(asker.experiment, shown, index, mask)
            asker.state.keep(stage, index, {"parts": _parts_of_exchange(exchange)})
            exchanges[index] = exchange
    return exchanges


def _band_rows(asker: FrameAsker, shown: Canvas, index: int) -> dict[str, Any]:
    """Return the rows of an image's bands; none where the model gives no finite score."""
    with suppress(SaliencyError):
        exchanges = band_exchanges(asker.experiment, shown, index)
        return {
            name: _parts_of_exchange(exchange) for name, exchange in exchanges.items()
        }
    return {}


def _cell_exchanges(
    asker: FrameAsker,
    grouping: Grouping | None,
    pair: Pair | None,
    partner: Canvas | None,
    shown: Canvas,
) -> list[float]:
    if grouping is None or pair is None or partner is None:
        return []
    with suppress(SaliencyError):
        effects: list[float] = cell_effects(
            asker.experiment, grouping, pair, (partner, shown)
        ).tolist()
        return effects
    return []


def _parts_of_exchange(exchange: Exchange) -> list[Any]:
    return [exchange.zone.tolist(), exchange.tissue.tolist()]


def _exchange(parts: Sequence[Any]) -> Exchange:
    return Exchange(*(np.asarray(part, np.float64) for part in parts))
