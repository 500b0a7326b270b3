"""The answer: where the model looked, on the picture's own grid."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Literal, final

from saliency.pipeline.writers import save_explanation
from saliency.render.paint import paint
from saliency.render.palettes import Palette
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage
from saliency.values.mask import Mask
from saliency.values.notebook import bundle
from saliency.values.overlay import Overlay


@final
@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """One picture, one target, one recipe.

    Parameters
    ----------
    heatmap
        On the image's grid.
    score
        What was explained: the target's logit where the model has one.
    target
        The class index, the label asked for, or the name of the callable.
    gap
        |sum of attributions - score difference| / |score difference|; None where the method
        promises no completeness.
    recipe
        ``repr`` of the explainer.
    image
        The picture explained.
    versions
        Of the libraries that had a hand in it.
    """

    heatmap: Heatmap
    score: float
    target: int | str
    gap: float | None
    recipe: str
    image: DicomImage
    versions: Mapping[str, str] = field(default_factory=dict)

    def overlay(
        self,
        *,
        palette: str | Palette = "green",
        mask: Mask | None = None,
        strength: float = 0.65,
        outside: Literal["warn", "hide"] = "warn",
    ) -> Overlay:
        """Paint the heat on the diagnostic picture; see :func:`saliency.render.paint.paint`."""
        return paint(
            self.image.display,
            self.heatmap,
            mask=mask,
            palette=palette,
            strength=strength,
            outside=outside,
            diagnostic=self.image.diagnostic,
            padding=self.image.padding,
        )

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture or the numbers, whole or not at all: the ending of the name says which.

        Parameters
        ----------
        path
            Ends in ``.png`` (the overlay) or ``.npz`` (the numbers); its folder exists. A file of
            that name is replaced. Of an ``.npz``, ``numpy.load`` gives ``values`` float32 (rows,
            columns), ``diagnostic`` bool of that shape, ``score``, ``target``, ``gap`` (NaN where
            there is none), ``recipe``, ``digest`` (sha256 of the pixel data) and ``versions``
            (JSON). No patient data.

        Returns
        -------
        Path
            Where the file lies.

        Raises
        ------
        InputError
            The name has another ending, or the folder is missing.
        """
        return save_explanation(self, path)

    def __repr__(self) -> str:
        gap = "" if self.gap is None else f", gap={self.gap:.2%}"
        return (
            f"Explanation({self.recipe}, target={self.target!r}, score={self.score:.4g}{gap}, "
            f"{self.image!r}, digest={self.image.digest[:12]})"
        )

    def _repr_mimebundle_(
        self,
        include: object = None,  # noqa: ARG002
        exclude: object = None,  # noqa: ARG002
    ) -> dict[str, object]:
        return bundle(repr(self), self.overlay().rgb)
