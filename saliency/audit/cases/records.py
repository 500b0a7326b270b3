"""What is remembered of pictures, and how it is written down; no pixels, no names."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from saliency.audit.attention.zone_heat import CELLS, HeatmapRecord
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
    maps: HeatmapRecord
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
        whose ``tissue`` is a change of the same size, turned round on half of a board.
    """

    index: int
    scores: Array
    cleaned: Array
    removals: Mapping[str, Array] = field(default_factory=dict)
    exchanges: Mapping[str, Exchange] = field(default_factory=dict)


def image_record_row(record: ImageRecord) -> dict[str, Any]:
    """Return it as plain values."""
    shares = {
        name: {zone: [share.heat, share.area] for zone, share in by_zone.items()}
        for name, by_zone in record.maps.shares.items()
    }
    # float32, little-endian on any processor.
    coarse = {
        name: base64.b64encode(cells.astype("<f4").tobytes()).decode("ascii")
        for name, cells in record.maps.coarse.items()
    }
    return {
        "index": record.index,
        "digest": record.digest,
        "zones": dict(record.zones),
        "said": record.said,
        "shares": shares,
        "coarse": coarse,
        "frames": record.frames,
    }


def image_record_of(row: Mapping[str, Any]) -> ImageRecord:
    """Return what a row was written of."""
    shares = {
        name: {zone: Share(*pair) for zone, pair in by_zone.items()}
        for name, by_zone in row["shares"].items()
    }
    coarse = {
        name: np.frombuffer(base64.b64decode(text), "<f4").reshape(CELLS, CELLS)
        for name, text in row["coarse"].items()
    }
    return ImageRecord(
        index=row["index"],
        digest=row["digest"],
        zones=row["zones"],
        said=row["said"],
        maps=HeatmapRecord(shares, coarse),
        frames=row["frames"],
    )


def trial_row(trial: Trial) -> dict[str, Any]:
    """Return it as plain values."""
    return {
        "index": trial.index,
        "scores": trial.scores.tolist(),
        "cleaned": trial.cleaned.tolist(),
        "removals": {zone: scores.tolist() for zone, scores in trial.removals.items()},
        "exchanges": {
            zone: [exchange.zone.tolist(), exchange.tissue.tolist()]
            for zone, exchange in trial.exchanges.items()
        },
    }


def trial_of(row: Mapping[str, Any]) -> Trial:
    """Return what a row was written of."""
    columns = len(row["scores"])
    # (hosts, columns), also where there are no hosts.
    pairs = {
        zone: [np.asarray(part, np.float64).reshape(-1, columns) for part in parts]
        for zone, parts in row["exchanges"].items()
    }
    return Trial(
        row["index"],
        np.asarray(row["scores"], np.float64),
        np.asarray(row["cleaned"], np.float64),
        {
            zone: np.asarray(scores, np.float64)
            for zone, scores in row["removals"].items()
        },
        {zone: Exchange(*pair) for zone, pair in pairs.items()},
    )
