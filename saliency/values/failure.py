"""An image that could not be explained, as a value: bulk runs continue."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Failure:
    """What went wrong with one item of a bulk run.

    Parameters
    ----------
    index
        Position of the item in the input, from 0.
    error
        Class name of the error: ``"DicomError"``.
    message
        Its text, free of identifying values.
    """

    index: int
    error: str
    message: str

    def __bool__(self) -> bool:
        """Be false, so that ``if result:`` keeps the explanations."""
        return False
