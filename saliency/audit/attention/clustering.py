"""Pictures that the model looks at alike: the strategies it uses.

Spectral relevance analysis (Lapuschkin et al. 2019, Nature Communications 10:1096): heatmaps are
made coarse and clustered; how many clusters there are is read from the gap of the spectrum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from saliency.statistics.significance import rank_of
from saliency.values.arrays import Array

MOST = 8
"""Strategies that are looked for, at most."""
FEWEST = 12
"""Pictures below which nothing is looked for."""
SAMPLE = 96
"""Pictures that are clustered, at most."""
NEIGHBOUR = 7
"""Whose distance is a picture's own scale (Zelnik-Manor and Perona 2004, section 2)."""
DIMENSIONS = 6
REFERENCES = 19
"""Clouds without clusters that the data are compared with."""
APART = 0.2
"""Mean silhouettes below are taken for one strategy; 0.25 is where tables begin to see structure
(Kaufman and Rousseeuw 1990, table 4), and coarse maps are noisy."""
SURE = 0.05


@final
@dataclass(frozen=True, eq=False)
class Clusters:
    """How heatmaps fall into groups.

    Parameters
    ----------
    member
        int (n,), the largest first; all 0 where there are no separate groups; -1 for pictures
        without heat, or beyond the 96 that are clustered.
    silhouette
        Mean silhouette of the best division (Rousseeuw 1987), -1..1; NaN where none was tried.
    p_value
        Its rank among divisions of clouds without clusters, (1 + #{reached}) / 20; NaN likewise.
    typical
        For each group the rows nearest to its mean, the nearest first.
    """

    member: Array
    silhouette: float
    p_value: float
    typical: Sequence[Sequence[int]]

    @property
    def count(self) -> int:
        """How many strategies; 1 where none stands apart."""
        return max(1, len(self.typical))


def clusters(heat: Array, seed: int) -> Clusters:
    """Cluster heatmaps.

    Parameters
    ----------
    heat
        float (n, d): a coarse map a row, shares of heat; rows of 0 are left out.
    seed
        Of the sample, the clustering and the references.
    """
    generator = np.random.default_rng(seed)
    rows = np.flatnonzero(heat.any(axis=1))
    if len(rows) > SAMPLE:
        rows = np.sort(generator.choice(rows, SAMPLE, replace=False))
    if len(rows) < FEWEST:
        return _none(len(heat), rows)
    points = _points(heat[rows])
    found = _divided(points, seed)
    if found is None:
        return _none(len(heat), rows)
    apart = _silhouette(points, found)
    if apart < APART:
        return _none(len(heat), rows, apart)
    p_value = rank_of(apart, _references(points, generator, seed))
    if p_value > SURE:
        return _none(len(heat), rows, apart, p_value)
    return _some(heat, rows, _by_size(found), (apart, p_value))


def _points(heat: Array) -> Array:
    """Return principal components of square roots: distances of shares (Hellinger 1909)."""
    roots = np.sqrt(heat.astype(np.float64))
    centred = roots - roots.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    found: Array = (left * sizes)[:, :DIMENSIONS]
    return found


def _divided(points: Array, seed: int) -> Array | None:
    """Return the group of each point, as many as the widest gap of the spectrum says, 2 to 8."""
    from sklearn.cluster import SpectralClustering  # noqa: PLC0415 - an import of a second

    alike = _alike(points)
    if alike is None:
        return None
    degrees = 1 / np.sqrt(alike.sum(axis=1))
    laplacian = np.eye(len(alike)) - degrees[:, np.newaxis] * alike * degrees
    values = np.linalg.eigvalsh(laplacian)[: MOST + 1]
    count = 2 + int(np.argmax(np.diff(values)[1:]))
    clustering = SpectralClustering(
        count, affinity="precomputed", random_state=seed, assign_labels="cluster_qr"
    )
    found: Array = clustering.fit_predict(alike)
    return found if len(np.unique(found)) > 1 else None


def _alike(points: Array) -> Array | None:
    """Return how alike points are, 0..1, each in its own scale; None where all are the same."""
    squares = (points**2).sum(axis=1)
    apart = np.maximum(squares[:, np.newaxis] + squares - 2 * points @ points.T, 0)
    scale = np.sqrt(np.sort(apart, axis=1)[:, min(NEIGHBOUR, len(points) - 1)])
    if not apart.any():
        return None
    scale = np.maximum(scale, 1e-6 * np.sqrt(apart.max()))
    found: Array = np.exp(-apart / (scale[:, np.newaxis] * scale))
    np.fill_diagonal(found, 0)
    return np.maximum(found, 1e-9)


def _silhouette(points: Array, member: Array) -> float:
    from sklearn.metrics import silhouette_score  # noqa: PLC0415 - an import of a second

    return float(silhouette_score(points, member))


def _references(points: Array, generator: np.random.Generator, seed: int) -> Array:
    """Return silhouettes of normal clouds of the same spread (Liu et al. 2008, section 2.2)."""
    spread = points.std(axis=0)
    found = []
    for _ in range(REFERENCES):
        cloud = generator.normal(size=points.shape) * spread
        member = _divided(cloud, seed)
        found.append(-1.0 if member is None else _silhouette(cloud, member))
    return np.array(found)


def _by_size(member: Array) -> Array:
    counts = np.bincount(member)
    order = np.argsort(np.argsort(-counts, kind="stable"))
    found: Array = order[member]
    return found


def _some(heat: Array, rows: Array, member: Array, numbers: tuple[float, float]) -> Clusters:
    everywhere = np.full(len(heat), -1)
    everywhere[rows] = member
    typical = []
    for group in range(int(member.max()) + 1):
        mine = rows[member == group]
        far = ((np.sqrt(heat[mine]) - np.sqrt(heat[mine]).mean(axis=0)) ** 2).sum(axis=1)
        typical.append(mine[np.argsort(far, kind="stable")].tolist())
    return Clusters(everywhere, *numbers, typical)


def _none(count: int, rows: Array, apart: float = np.nan, p_value: float = np.nan) -> Clusters:
    member: Any = np.full(count, -1)
    member[rows] = 0
    return Clusters(member, float(apart), float(p_value), ())
