"""How much the content of a zone speaks for the class it was taken from."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, NamedTuple, final

import numpy as np

from saliency.statistics.significance import Interval
from saliency.statistics.units import (
    majority,
    resampled,
    shares_of_unit,
    shuffled,
    unit_means,
)
from saliency.values.arrays import Array

DRAWS: Final = 4999
RESAMPLES: Final = 2000
LEVEL: Final = 0.95
_NORMAL: Final = NormalDist()


@final
@dataclass(frozen=True)
class ContrastTest:
    """Zone against tissue.

    Parameters
    ----------
    zone
        Mean over hosts and groups of (what content of the group does for it) - (what other content
        does), in score units; below 0 where content speaks against the group it was taken from.
    tissue
        The same of the same area elsewhere.
    net
        |zone| - |tissue|.
    interval
        95 % bootstrap interval of ``net``, over units of contents and units of hosts.
    p_value
        Of ``net``, by permutation of whose content is whose.
    error
        Standard error of ``net``, from the same bootstrap.
    needed
        The ``net`` that 1 % of permutations reach.
    """

    zone: float
    tissue: float
    net: float
    interval: Interval
    p_value: float
    error: float = 0.0
    needed: float = 0.0


class _Cells(NamedTuple):
    """Effects of contents in hosts, and whose they are.

    ``zone`` and ``tissue`` float (n, H, G), 0 where unknown; ``known`` bool (n, H); ``units`` int
    (n,) of contents and ``hosts`` int (H,).
    """

    zone: Array
    tissue: Array
    known: Array
    units: Array
    hosts: Array

    def by_host(self, member: Array, times: Array | float = 1.0) -> tuple[Array, Array]:
        """Return the contrasts of zone and tissue in each host, float (..., H)."""
        count, hosts, groups = self.zone.shape
        belongs = member[..., np.newaxis, :] == np.arange(groups)[:, np.newaxis]
        # (..., G, n): how much each content counts in each group.
        weights = belongs * (shares_of_unit(self.units) * times)[..., np.newaxis, :]
        columns = [part.reshape(count, -1) for part in (self.zone, self.tissue)]
        columns.append(self.known.astype(np.float64))
        # One product for all: (..., G, 2 H G + H) sums over the contents of each group.
        sums = weights @ np.concatenate(columns, axis=1)
        shape = (*sums.shape[:-1], hosts, groups)
        counts = sums[..., -hosts:]
        return (
            _inside_less_outside(sums[..., : hosts * groups].reshape(shape), counts),
            _inside_less_outside(
                sums[..., hosts * groups : -hosts].reshape(shape), counts
            ),
        )

    def over_hosts(
        self, parts: tuple[Array, Array], times: Array | float = 1.0
    ) -> tuple[Array, Array]:
        """Return their means over hosts, each unit of hosts once."""
        weights = shares_of_unit(self.hosts) * times
        return _over_hosts(parts[0], weights), _over_hosts(parts[1], weights)


def contrast(
    zone: Array,
    tissue: Array,
    member: Array,
    generator: np.random.Generator,
    *,
    units: Array | None = None,
    hosts: Array | None = None,
) -> ContrastTest:
    """Compare contents of groups.

    Under the null hypothesis a content's group says nothing about its effect, so groups may be
    exchanged between units (Fisher 1935, section 21); the p-value counts the observed division
    (Phipson and Smyth 2010, equation 2). Each unit counts once, however many images it has. For
    the interval, units of contents and of hosts are drawn anew (Owen 2007), and its ends are taken
    as far out as Student's t lies beyond the normal (Hesterberg 2015, section 5.3).

    Parameters
    ----------
    zone, tissue
        float (n, H, G): what the content of image i does in host h for each group; NaN where it
        was not put there. A cell counts where both are known.
    member
        int (n,), 0..G-1: the group that image i belongs to; each occurs.
    generator
        Source of permutations and resamples.
    units
        int (n,): images of one number are one observation; None: each image is one.
    hosts
        int (H,): the same of hosts, None likewise.
    """
    unknown = np.isnan(zone) | np.isnan(tissue)
    known = np.asarray(~unknown.any(axis=2))
    cells = _Cells(
        np.where(known[..., np.newaxis], zone, 0),
        np.where(known[..., np.newaxis], tissue, 0),
        known,
        np.arange(len(zone)) if units is None else units,
        np.arange(zone.shape[1]) if hosts is None else hosts,
    )
    by_host = cells.by_host(member)
    of_zone, of_tissue = (float(part) for part in cells.over_hosts(by_host))
    net = abs(of_zone) - abs(of_tissue)

    drawn = shuffled(member, cells.units, generator, DRAWS)
    zone_null, tissue_null = cells.over_hosts(cells.by_host(drawn))
    null = abs(zone_null) - abs(tissue_null)
    # A tie counts as reached, whatever order its sum was taken in; so does a draw without a group.
    slack = 1e-9 * (abs(of_zone) + abs(of_tissue)) + 1e-12
    p_value = float((1 + (~(null < net - slack)).sum()) / (1 + DRAWS))

    interval, error = _interval_of_net(cells, member, by_host, generator)
    needed = float(np.nanquantile(null, 0.99))
    return ContrastTest(of_zone, of_tissue, net, interval, p_value, error, needed)


def _interval_of_net(
    cells: _Cells,
    member: Array,
    by_host: tuple[Array, Array],
    generator: np.random.Generator,
) -> tuple[Interval, float]:
    """Return the 95 % interval of the net contrast, and its standard error."""
    strata = majority(member, cells.units)
    times = resampled(cells.units, strata, generator, RESAMPLES)
    one_stratum = np.zeros(len(np.unique(cells.hosts)), np.int64)
    host_times = resampled(cells.hosts, one_stratum, generator, RESAMPLES)
    zone_draws, tissue_draws = cells.over_hosts(
        cells.by_host(member, times), host_times
    )
    of_zone, of_tissue = cells.over_hosts(by_host)
    # The zone's sign is the observed one: a draw of the other sign speaks against it.
    sign = -1.0 if of_zone < 0 else 1.0
    freedom = len(strata) - cells.zone.shape[2]
    # |tissue| has either sign: net is the lesser of both differences, and so are its ends.
    ends = {}
    for side in (-1, 1):
        draws = sign * zone_draws + side * tissue_draws
        of_hosts = sign * by_host[0] + side * by_host[1]
        ends[side] = _interval(draws, of_hosts, cells.hosts, freedom)
    observed = -1 if of_tissue >= 0 else 1
    error = float(np.nanstd(sign * zone_draws + observed * tissue_draws))
    low, high = (min(end) for end in zip(*ends.values(), strict=True))
    return Interval(low, high), error


def student_t(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t, by its expansion at the normal's.

    Abramowitz and Stegun 26.7.5; within 3 % from 2 degrees of freedom on, within 1 % from 3 on.
    """
    normal, nu = _NORMAL.inv_cdf((1 + LEVEL) / 2), max(2.0, freedom)
    square = normal**2
    terms = (
        (square + 1) / 4,
        (5 * square**2 + 16 * square + 3) / 96,
        (3 * square**3 + 19 * square**2 + 17 * square - 15) / 384,
    )
    return normal * (1 + sum(term / nu**k for k, term in enumerate(terms, start=1)))


def _interval(draws: Array, by_host: Array, hosts: Array, freedom: int) -> Interval:
    """Return the percentiles of draws, at the level that the degrees of freedom ask for.

    Satterthwaite 1946: of the variance, a part comes from hosts and the rest from contents.
    """
    known = np.isfinite(by_host)
    total = float(np.nanvar(draws))
    of_hosts = unit_means(by_host[known], hosts[known])
    host_freedom = max(1, len(of_hosts) - 1)
    from_hosts = min(total, float(of_hosts.var()) / host_freedom)
    shares = from_hosts**2 / host_freedom + (total - from_hosts) ** 2 / max(1, freedom)
    tail = _NORMAL.cdf(-student_t(total**2 / shares if shares else np.inf))
    low, high = np.nanquantile(draws, (tail, 1 - tail))
    return Interval(float(low), float(high))


def _inside_less_outside(sums: Array, counts: Array) -> Array:
    """Return the mean over groups of inside less outside, float (..., H); NaN without either.

    ``sums`` (..., G, H, G): over the contents of a group, of what they do in a host for each group;
    ``counts`` (..., G, H): how many they are.
    """
    differences = []
    for group in range(sums.shape[-1]):
        others = [other for other in range(sums.shape[-1]) if other != group]
        effect = sums[..., group]
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = effect[..., group, :] / counts[..., group, :]
            outside = effect[..., others, :].sum(axis=-2)
            outside = outside / counts[..., others, :].sum(axis=-2)
        differences.append(inside - outside)
    return np.asarray(np.mean(differences, axis=0))


def _over_hosts(contrasts: Array, weights: Array) -> Array:
    """Return the weighted mean over the hosts (..., H) that know a contrast; NaN without any."""
    known = np.isfinite(contrasts)
    total = (np.where(known, contrasts, 0) * weights).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(total / (known * weights).sum(axis=-1))
