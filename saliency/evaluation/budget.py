"""What an evaluation may cost, and what that buys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.evaluation.baselines import CONTROLS
from saliency.evaluation.metrics import METRICS
from saliency.values.arrays import Array

PASSES: Final = 2000
"""Forward passes, an image each, that the curves of an evaluation cost at most."""
_POINTS: Final = (2, 16)
"""Least and greatest number of scores of a curve."""
_WAY: Final = (1 / 32, 1 / 8)
"""Least and greatest share of an image that is changed: evidence is often small.

On five networks whose evidence is known the leader at these shares was among the true best three,
at shares up to a half on four (docs/evaluation.md): a hint, no proof.
"""


_OF_MEANS: Final = 4
"""Mean maps are asked about one image of so many: they are printed, and no bar."""


@final
@dataclass(frozen=True)
class Budget:
    """How many images curves are asked about, and at how many shares of changed pixels."""

    images: int
    points: int

    @property
    def mean_images(self) -> int:
        """How many of the images curves of mean maps are asked about."""
        return _images_of_means(self.images)

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of changed pixels, each the same multiple of the one before."""
        return tuple(float(share) for share in np.geomspace(*_WAY, self.points))


def budget_of(metrics: Sequence[str], images: int, explainers: int) -> Budget:
    """Return what ``PASSES`` buy.

    Each explainer and each control has a curve of an image, and each explainer one of its mean map
    of some images. Where even two scores a curve are too many, fewer images are asked about.
    """
    kinds = sum(METRICS[name].kind == "curve" for name in metrics)
    least, greatest = _POINTS

    def curves(asked: int) -> int:
        of_maps = asked * (explainers + len(CONTROLS))
        return max(1, kinds * (of_maps + _images_of_means(asked) * explainers))

    counts = range(1, (min(images, PASSES) if kinds else images) + 1)
    asked = max((n for n in counts if curves(n) * least <= PASSES), default=1)
    return Budget(asked, int(np.clip(PASSES // curves(asked), least, greatest)))


def _images_of_means(images: int) -> int:
    return -(-images // _OF_MEANS)


def spread_over_patients(patients: Array, count: int) -> Array:
    """Return bool (n,): ``count`` images of as many patients as there can be.

    Parameters
    ----------
    patients
        int (n,).
    count
        At most n.
    """
    seen: dict[int, int] = {}
    turns = []
    for patient in patients.tolist():
        turns.append(seen.get(patient, 0))
        seen[patient] = turns[-1] + 1
    order = np.argsort(turns, kind="stable")
    chosen = np.zeros(len(patients), np.bool_)
    chosen[order[:count]] = True
    return chosen
