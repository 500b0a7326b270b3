"""A named part of the picture that is not diagnostic, with the evidence for it."""

from dataclasses import dataclass
from typing import final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array, frozen


@final
@dataclass(frozen=True, eq=False)
class Zone:
    """A part of the image that shows something other than the patient.

    Parameters
    ----------
    name
        What lies there: ``"padding"``, ``"shutter"``, ``"text"``.
    mask
        bool (rows, columns), True inside the zone.
    evidence
        Why it is there: a tag, a clause, a measurement. Never a value that could identify.

    Raises
    ------
    InputError
        The name is empty or ``"diagnostic"``, which is what lies in no zone; or the mask is not a
        bool array of rank 2.
    """

    name: str
    mask: Array
    evidence: str = ""

    def __post_init__(self) -> None:
        if self.name in {"", "diagnostic"}:
            msg = f"Zone: expected a name of what is not diagnostic, got {self.name!r}."
            raise InputError(msg)
        object.__setattr__(
            self, "mask", frozen(self.mask, np.bool_, "Zone.mask", ranks=(2,))
        )

    def __reduce__(self) -> tuple[object, ...]:
        return Zone, (self.name, self.mask, self.evidence)

    def __repr__(self) -> str:
        share = float(self.mask.mean())
        return f"Zone({self.name!r}, {share:.1%} of the picture, evidence={self.evidence!r})"
