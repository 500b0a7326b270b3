"""What is told of one sample of a batch besides its map."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, final

from saliency.pipeline.explanation import Explanation, with_asked
from saliency.pipeline.prepare import Prepare
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage
from saliency.values.model_record import ModelRecord


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """Fields of an :class:`Explanation` that come from the model; of one image, or of a volume.

    Parameters
    ----------
    score, target, gap, recipe, versions, probability, label, model, seed, explains, grid, saturated
    indifferent
        As in an Explanation.
    asked
        What was asked, so that it can be asked again; None where it cannot.
    """

    score: float
    target: int | str
    gap: float | None
    recipe: str
    versions: Mapping[str, str] = field(default_factory=dict)
    probability: float | None = None
    label: str | None = None
    model: ModelRecord | None = None
    seed: int | None = None
    explains: str = "score"
    grid: tuple[int, int] | None = None
    saturated: bool = False
    indifferent: bool = False
    asked: Any = None

    def told(self) -> dict[str, Any]:
        """Return what an Explanation tells too, by the names of its fields."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.name != "asked"
        }


def explanation_of(
    heatmap: Heatmap,
    image: DicomImage,
    answer: Answer,
    *,
    prepare: Prepare | None = None,
    cutoff: float = 0.5,
) -> Explanation:
    """Return the explanation of one image."""
    made = Explanation(
        heatmap=heatmap, image=image, prepare=prepare, cutoff=cutoff, **answer.told()
    )
    return with_asked(made, answer.asked)
