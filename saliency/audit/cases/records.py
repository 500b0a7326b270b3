"""What is remembered of pictures, and how it is written down; no pixels, no names."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from saliency.audit.attention.zone_heat import CELLS, Maps
from saliency.interventions.zone_shares import Share
from saliency.values.arrays import Array


@final
@dataclass(frozen=True, eq=False)
class ImageRecord:
    """What is remembered of one picture.

    Parameters
    ----------
    index
        Position among the sources.
    digest
        Of its pixel data.
    zones
        Share of the picture in each zone that is not empty.
    said
        The predicted class, or the target's score.
    maps
        What heatmaps say.
    frames
        In its file.
    """

    index: int
    digest: str
    zones: Mapping[str, float]
    said: float
    maps: Maps
    frames: int = 1


@final
@dataclass(frozen=True, eq=False)
class Exchange:
    """Scores of the hosts with a picture's content in them.

    Parameters
    ----------
    zone
        float (hosts, columns): the content of its zone; NaN where it is the host itself.
    tissue
        The same area elsewhere; NaN also where there was no room.
    """

    zone: Array
    tissue: Array


@final
@dataclass(frozen=True, eq=False)
class Trial:
    """Everything that was asked about one picture.

    Parameters
    ----------
    index
        Position among the sources.
    scores
        float (columns,): of the picture as it is.
    cleaned
        float (columns,): scores of the picture without any of its zones.
    removals
        float (fills, 2, columns) for each zone it has: without the zone, without as much tissue.
    exchanges
        For each zone of the pictures; and under ``"diagnostic"`` for the brightness of the rest,
        whose ``tissue`` is the hosts as they are.
    """

    index: int
    scores: Array
    cleaned: Array
    removals: Mapping[str, Array] = field(default_factory=dict)
    exchanges: Mapping[str, Exchange] = field(default_factory=dict)


def record_row(seen: ImageRecord) -> dict[str, Any]:
    """Return it as plain values."""
    shares = {
        name: {zone: [one.heat, one.area] for zone, one in found.items()}
        for name, found in seen.maps.shares.items()
    }
    coarse = {name: _packed(cells) for name, cells in seen.maps.coarse.items()}
    return {
        "index": seen.index,
        "digest": seen.digest,
        "zones": dict(seen.zones),
        "said": seen.said,
        "shares": shares,
        "coarse": coarse,
        "frames": seen.frames,
    }


def record_of(row: Mapping[str, Any]) -> ImageRecord:
    """Return what a row was written of."""
    shares = {
        name: {zone: Share(*pair) for zone, pair in found.items()}
        for name, found in row["shares"].items()
    }
    maps = Maps(shares, {name: _unpacked(text) for name, text in row["coarse"].items()})
    return ImageRecord(row["index"], row["digest"], row["zones"], row["said"], maps, row["frames"])


def trial_row(trial: Trial) -> dict[str, Any]:
    """Return it as plain values."""
    return {
        "index": trial.index,
        "scores": trial.scores.tolist(),
        "cleaned": trial.cleaned.tolist(),
        "removals": {zone: scores.tolist() for zone, scores in trial.removals.items()},
        "exchanges": {
            zone: [one.zone.tolist(), one.tissue.tolist()] for zone, one in trial.exchanges.items()
        },
    }


def trial_of(row: Mapping[str, Any]) -> Trial:
    """Return what a row was written of."""
    columns = len(row["scores"])
    pairs = {
        zone: [np.asarray(part, np.float64).reshape(-1, columns) for part in parts]
        for zone, parts in row["exchanges"].items()
    }
    return Trial(
        row["index"],
        np.asarray(row["scores"], np.float64),
        np.asarray(row["cleaned"], np.float64),
        {zone: np.asarray(scores, np.float64) for zone, scores in row["removals"].items()},
        {zone: Exchange(*pair) for zone, pair in pairs.items()},
    )


def _packed(cells: Array) -> str:
    return base64.b64encode(cells.astype("<f4").tobytes()).decode("ascii")


def _unpacked(text: str) -> Array:
    return np.frombuffer(base64.b64decode(text), "<f4").reshape(CELLS, CELLS)
