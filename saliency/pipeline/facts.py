"""What an explanation tells of its model besides the map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from saliency.pipeline.indifference import indifferent
from saliency.probe.batch_probe import About
from saliency.probe.model.digest import model_digest
from saliency.values.arrays import Array
from saliency.values.model_record import ModelRecord

#: Modules of explainers whose map is made of the last tapped layer's cells.
_OF_THE_LAST_LAYER = frozenset({"cams", "masked_cams"})


@final
@dataclass(frozen=True, eq=False)
class Facts:
    """What is the same for a batch, and what goes by sample.

    Parameters
    ----------
    probabilities
        float (N,) of the classes explained; None where the model gives none.
    labels, classes
        Names of all classes, and int (N,), the class of each sample; None where there are none.
    model, seed, explains, grid
        As in an Explanation.
    ends
        Values of the score at which the model's output is flat.
    indifferent
        bool (N,): see :mod:`saliency.pipeline.indifference`; None where it was not asked.
    """

    probabilities: Array | None = None
    labels: Sequence[str] | None = None
    classes: Array | None = None
    model: ModelRecord | None = None
    seed: int | None = None
    explains: str = "score"
    grid: tuple[int, int] | None = None
    ends: tuple[float, ...] = ()
    indifferent: Array | None = None

    def probability(self, sample: int) -> float | None:
        """Return the probability of a sample's class; None where the output is no probability."""
        if self.probabilities is None:
            return None
        value = float(self.probabilities[sample])
        return value if 0 <= value <= 1 else None

    def is_indifferent(self, sample: int) -> bool:
        """Say whether a sample's class is given whatever the picture's content."""
        return self.indifferent is not None and bool(self.indifferent[sample])

    def label(self, target: int | str, sample: int) -> str | None:
        """Return the name of a sample's class; of a callable target None."""
        if self.labels is None or self.classes is None:
            return (
                target if isinstance(target, str) and self.classes is not None else None
            )
        return self.labels[int(self.classes[sample % len(self.classes)])]


def facts_of(probe: Any, recipe: Any, batch: Any, cutoff: float) -> Facts:
    """Gather what a probe of a Keras model tells of a batch; of other probes little is known.

    ``cutoff`` 0: the model is not asked about other content.
    """
    seed = getattr(recipe, "seed", None)
    if not isinstance(probe, About):
        return Facts(seed=seed, explains=getattr(probe, "output", "score"))
    source = probe.bound.source
    plan = source.core.plan
    named = plan.head.classes is not None and not callable(probe.target)
    given = probe.probability if named else None
    return Facts(
        probabilities=None if given is None else np.asarray(given),
        labels=source.labels,
        classes=np.asarray(probe.targets) if named else None,
        model=ModelRecord(source.model.name, model_digest(source.model), source.layers),
        seed=seed if seed is None else int(seed),
        explains=source.output if named else "score",
        grid=_cells_of_map(recipe, plan.grids, tuple(batch.shape[1:3])),
        ends=source.core.flat_ends(probe.bound.terms.ask),
        indifferent=indifferent(probe, batch, cutoff)
        if given is not None and cutoff
        else None,
    )


def _cells_of_map(
    recipe: Any, grids: Sequence[tuple[int, int]], size: tuple[int, ...]
) -> tuple[int, int] | None:
    """Return the cells of a map that is coarser than the input."""
    module = type(recipe).__module__
    ours = module.startswith("saliency.explainers.")
    if not (ours and module.rpartition(".")[2] in _OF_THE_LAST_LAYER and grids):
        return None
    return None if grids[-1] == size else grids[-1]
