"""Images of which an explainer gave no map."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class MissingMaps:
    """Images without a map that puts one pixel before another: a random one is measured there.

    Without a value, an explainer would count in the images alone where it works.

    Parameters
    ----------
    images
        How many.
    reason
        Of the first of them: what the explainer said, or that all values of its map are equal.
    """

    images: int
    reason: str

    @property
    def words(self) -> str:
        """One sentence."""
        some = "1 image" if self.images == 1 else f"{self.images} images"
        reason = self.reason.rstrip(".")
        return f"no map of {some} ({reason}): a random one was measured there."


def first_sentence(text: str) -> str:
    """Return what an error says first, without the advice that follows."""
    return text.partition(". ")[0].rstrip(".") + "."
