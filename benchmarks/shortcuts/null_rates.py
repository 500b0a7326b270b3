"""Null rate and coverage of the audit's statistics, on numbers whose truth is known.

``python benchmarks/shortcuts/null_rates.py [--draws N]``: no model, no images; a minute or two.
The first table says how often p < 0.05 where contents know nothing of the group and patients have
several images; by patients, and by images as if each were a patient. The second says how often the
95 % interval holds the true contrast, where hosts and patients scatter.
"""

import argparse
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saliency.statistics.contrast import contrast

Array = NDArray[np.generic]

HOSTS = 8
NULL = ((6, 16), (8, 12), (12, 5), (30, 1))
"""Patients, images of each."""
COVERED: Mapping[str, Mapping[str, float]] = {
    "hosts scatter by 60 %": {"patients": 16, "scatter": 0.6},
    "hosts scatter by 100 %": {"patients": 48, "scatter": 1.0},
    "12 patients, 6 images each": {"patients": 12, "each": 6, "of_patient": 0.6},
    "8 patients, 10 images each": {"patients": 8, "each": 10, "scatter": 0.3},
    "patients scatter alone": {"patients": 30, "scatter": 0.0, "of_patient": 1.0},
    "no tissue effect at all": {"patients": 48, "scatter": 0.3, "of_tissue": 0.0},
}
"""Worlds of a true contrast of 1."""


class Drawn(NamedTuple):
    """Effects float (n, hosts, 2), groups and patients int (n,)."""

    zone: Array
    tissue: Array
    member: Array
    units: Array


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=300)
    draws = parser.parse_args().draws
    print("patients  images each   p < 0.05 by patients   by images")
    for patients, each in NULL:
        rates = [
            null_rate(patients, each, draws, by=by) for by in ("patients", "images")
        ]
        print(f"{patients:8}{each:13}{rates[0]:23.1%}{rates[1]:12.1%}", flush=True)
    for name, numbers in COVERED.items():
        print(f"{name:<32}{coverage(draws, **numbers):8.1%}", flush=True)


def null_rate(patients: int, each: int, draws: int, *, by: str) -> float:
    """Return how often p < 0.05 where contents differ by patient, not by group."""
    below = []
    for seed in range(draws):
        generator = np.random.default_rng(seed)
        units = np.repeat(np.arange(patients), each)
        own = generator.normal(size=patients)[units]
        effect = own + 0.3 * generator.normal(size=len(units))
        zone = leaning(effect[:, np.newaxis] * (1 + 0.3 * generator.normal(size=HOSTS)))
        given = units if by == "patients" else None
        test = contrast(zone, 0 * zone, units % 2, generator, units=given)
        below.append(test.p_value < 0.05)
    return float(np.mean(below))


def coverage(draws: int, **numbers: float) -> float:
    """Return how often the interval holds the true contrast of 1."""
    held = []
    for seed in range(draws):
        generator = np.random.default_rng(seed)
        drawn = world(generator, **numbers)
        test = contrast(
            drawn.zone, drawn.tissue, drawn.member, generator, units=drawn.units
        )
        held.append(test.interval.low <= 1 <= test.interval.high)
    return float(np.mean(held))


def world(  # noqa: PLR0913 - what scatters, each by how much
    generator: np.random.Generator,
    *,
    patients: float,
    each: float = 1,
    scatter: float = 0.5,
    of_patient: float = 0.3,
    noise: float = 0.3,
    of_tissue: float = 0.3,
) -> Drawn:
    """Draw the effects of contents in hosts; the mean contrast over all hosts is 1."""
    units = np.repeat(np.arange(int(patients)), int(each))
    member, count = units % 2, len(units)
    content = 2 * member - 1 + of_patient * generator.normal(size=int(patients))[units]
    in_host = 1 + scatter * generator.normal(size=HOSTS)
    zone = content[:, np.newaxis] / 2 * in_host
    zone = zone + noise * generator.normal(size=(count, HOSTS))
    tissue = of_tissue * generator.normal(size=int(patients))[units][:, np.newaxis]
    tissue = tissue + of_tissue / 2 * generator.normal(size=(count, HOSTS))
    host = 3 * generator.normal(size=HOSTS)
    return Drawn(leaning(zone + host), leaning(tissue + host), member, units)


def leaning(margin: Array) -> Array:
    """Return what speaks for one of two groups and against the other, (n, hosts, 2)."""
    return np.stack([-margin, margin], axis=-1)


if __name__ == "__main__":
    main()
