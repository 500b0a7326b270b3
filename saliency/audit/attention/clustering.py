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
"""Principal components that are clustered: what is beyond is noise of the coarse maps."""
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
        return _one_strategy(len(heat), rows)
    points = _principal_components(heat[rows])
    member = _spectral_groups(points, seed)
    if member is None:
        return _one_strategy(len(heat), rows)
    silhouette = _silhouette(points, member)
    if silhouette < APART:
        return _one_strategy(len(heat), rows, silhouette)
    references = _reference_silhouettes(points, generator, seed)
    p_value = rank_of(silhouette, references)
    if p_value > SURE:
        return _one_strategy(len(heat), rows, silhouette, p_value)
    return _strategies(heat, rows, member, silhouette, p_value)


def _principal_components(heat: Array) -> Array:
    """Return principal components of square roots: distances of shares (Hellinger 1909)."""
    roots = np.sqrt(heat.astype(np.float64))
    centred = roots - roots.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return np.asarray((left * sizes)[:, :DIMENSIONS])


def _spectral_groups(points: Array, seed: int) -> Array | None:
    """Return the group of each point, as many as the widest gap of the spectrum says, 2 to 8."""
    from sklearn.cluster import SpectralClustering  # noqa: PLC0415 - an import of a second

    affinity = _affinity(points)
    if affinity is None:
        return None
    # The symmetric Laplacian, I - D^(-1/2) W D^(-1/2) (von Luxburg 2007, section 3.2).
    roots = 1 / np.sqrt(affinity.sum(axis=1))
    laplacian = np.eye(len(affinity)) - roots[:, np.newaxis] * affinity * roots
    values = np.linalg.eigvalsh(laplacian)[: MOST + 1]
    # The eigengap: k values lie below the widest step, and k is 2 or more.
    count = 2 + int(np.argmax(np.diff(values)[1:]))
    clustering = SpectralClustering(
        count, affinity="precomputed", random_state=seed, assign_labels="cluster_qr"
    )
    member: Array = clustering.fit_predict(affinity)
    return member if len(np.unique(member)) > 1 else None


def _affinity(points: Array) -> Array | None:
    """Return how alike points are, 0..1, each in its own scale; None where all are the same."""
    # |a - b|^2 = |a|^2 + |b|^2 - 2 a.b; rounding may leave it below 0.
    squares = (points**2).sum(axis=1)
    distances = np.maximum(squares[:, np.newaxis] + squares - 2 * points @ points.T, 0)
    scale = np.sqrt(np.sort(distances, axis=1)[:, min(NEIGHBOUR, len(points) - 1)])
    if not distances.any():
        return None
    # Seven equal maps have a scale of 0: a millionth of the widest distance takes its place.
    scale = np.maximum(scale, 1e-6 * np.sqrt(distances.max()))
    affinity: Array = np.exp(-distances / (scale[:, np.newaxis] * scale))
    np.fill_diagonal(affinity, 0)
    # No point without any neighbour, of which the degree would be 0.
    return np.maximum(affinity, 1e-9)


def _silhouette(points: Array, member: Array) -> float:
    from sklearn.metrics import silhouette_score  # noqa: PLC0415 - an import of a second

    return float(silhouette_score(points, member))


def _reference_silhouettes(
    points: Array, generator: np.random.Generator, seed: int
) -> Array:
    """Return silhouettes of normal clouds of the same spread (Liu et al. 2008, section 2.2)."""
    spread = points.std(axis=0)
    silhouettes = []
    for _ in range(REFERENCES):
        cloud = generator.normal(size=points.shape) * spread
        member = _spectral_groups(cloud, seed)
        silhouettes.append(-1.0 if member is None else _silhouette(cloud, member))
    return np.array(silhouettes)


def _strategies(
    heat: Array, rows: Array, member: Array, silhouette: float, p_value: float
) -> Clusters:
    """Return clusters by size, the pictures of each by their distance to its mean."""
    # The rank of each group's size: the inverse of the order is its argsort.
    by_size = np.argsort(np.argsort(-np.bincount(member), kind="stable"))
    ranked = by_size[member]
    all_members = np.full(len(heat), -1)
    all_members[rows] = ranked
    typical = []
    for group in range(int(ranked.max()) + 1):
        of_group = rows[ranked == group]
        roots = np.sqrt(heat[of_group])
        distances = ((roots - roots.mean(axis=0)) ** 2).sum(axis=1)
        typical.append(of_group[np.argsort(distances, kind="stable")].tolist())
    return Clusters(all_members, silhouette, p_value, typical)


def _one_strategy(
    count: int, rows: Array, silhouette: float = np.nan, p_value: float = np.nan
) -> Clusters:
    member: Any = np.full(count, -1)
    member[rows] = 0
    return Clusters(member, float(silhouette), float(p_value), ())
