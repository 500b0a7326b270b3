"""Which model was asked: enough to know it again, and nothing of where it lies."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class ModelRecord:
    """A model as a record keeps it.

    Parameters
    ----------
    name
        The model's own name; never a path.
    sha256
        Hexadecimal digest of the architecture and all weights, as they were when it was asked.
    layers
        Names of the tapped layers, earliest first; () where none can be tapped.
    """

    name: str
    sha256: str
    layers: tuple[str, ...] = ()
