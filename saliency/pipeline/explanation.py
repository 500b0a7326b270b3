"""The answer: the heat on the image's own grid, and how it was made."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, final

import numpy as np

from saliency.pipeline import caption as words
from saliency.pipeline.band import captioned
from saliency.pipeline.checks import check_share
from saliency.pipeline.page import notebook_form
from saliency.pipeline.plain import portable
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.redact import redacted_display, text_mask
from saliency.pipeline.writers import save_explanation
from saliency.render.contrast import palette_for
from saliency.render.paint import paint, veil
from saliency.render.palettes import AUTO, Palette, PaletteName
from saliency.render.scale import shows_negative
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage
from saliency.values.mask import Mask
from saliency.values.model_record import ModelRecord
from saliency.values.notebook import bundle, shrunk_for_notebook
from saliency.values.overlay import Overlay
from saliency.values.trust import Trust

if TYPE_CHECKING:
    from saliency.render.figure import Figure

#: What ``save`` hands to a writer only where it is another.
_USUAL: Final[Mapping[str, object]] = {
    "caption": True,
    "palette": "green",
    "vmax": None,
    "contour": None,
    "redact": False,
    "identify": None,
}


@final
@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """The explanation of one image for one target by one recipe.

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
        The explained image.
    versions
        Of the libraries that made it.
    probability
        The model's own output for the target, 0..1, where it ends in softmax or sigmoid; else None.
    label
        Name of the class; None where the model's classes have no names.
    prepare
        How the image became the model's input, with all open choices filled in.
    model
        Name, sha256 and tapped layers of the model; None for a probe that is no Keras model.
    seed
        Of the recipe's random draws; None where it draws nothing.
    explains
        What ``score`` is: ``"logit"``, ``"output"`` (the model's output itself), or ``"score"``.
    grid
        (rows, columns) of the cells of the map, where it is coarser than the model's input.
    saturated
        The score lies where the model's output has no slope, so that its derivatives vanish.
    indifferent
        The model gives the class to an even picture and to shuffled pixels as well.
    cutoff
        A class below this probability is not predicted: see ``veiled``.
    trust
        What an evaluation of the same model says of the explainer; None where none was handed in.
    """

    heatmap: Heatmap
    score: float
    target: int | str
    gap: float | None
    recipe: str
    image: DicomImage
    versions: Mapping[str, str] = field(default_factory=dict)
    _: KW_ONLY
    probability: float | None = None
    label: str | None = None
    prepare: Prepare | None = None
    model: ModelRecord | None = None
    seed: int | None = None
    explains: str = "score"
    grid: tuple[int, int] | None = None
    saturated: bool = False
    indifferent: bool = False
    cutoff: float = 0.5
    trust: Trust | None = None

    def __post_init__(self) -> None:
        check_share("Explanation", "cutoff", self.cutoff)
        if self.probability is not None:
            check_share("Explanation", "probability", self.probability)

    @cached_property
    def outside(self) -> float | None:
        """Share of |heat| outside the diagnostic pixels; None where nobody looked for zones."""
        if not self._looked:
            return None
        magnitude = np.abs(self.heatmap.values)
        total = float(magnitude.sum(dtype=np.float64))
        part = float((magnitude * ~self.image.diagnostic).sum(dtype=np.float64))
        return part / total if total else 0.0

    @property
    def caption(self) -> str:
        """One line of plain words: label, probability, score, method, share outside, doubts."""
        return words.caption(self)

    @property
    def veiled(self) -> bool:
        """Whether the map should not be believed: ``veil_reason`` says why.

        The model does not predict the class (its probability is below ``cutoff``) or gives it
        whatever the content, its output is saturated, or the map is blank. Heat is then hatched in
        grey.
        """
        return bool(self.veil_reason)

    @cached_property
    def veil_reason(self) -> str:
        """Why the map is veiled, in plain words; "" where it is not."""
        return words.doubt(self)

    @property
    def signed(self) -> bool:
        """Whether there is heat against the target, enough to be seen when painted."""
        return shows_negative(self.heatmap.values)

    def overlay(  # noqa: PLR0913 - all of the drawing, and nothing else
        self,
        *,
        palette: PaletteName | str | Palette = "green",
        mask: Mask | None = None,
        strength: float = 0.65,
        outside: Literal["warn", "hide"] = "warn",
        vmax: float | None = None,
        contour: float | None = None,
        redact: bool = False,
    ) -> Overlay:
        """Paint the heat on the image.

        Heat against the target is never green: where there is some, ``"green"`` is read as
        ``"diverging"``. Heat of a veiled explanation is hatched in grey, except outside the
        diagnostic pixels, where it is painted in the warning hue as usual.

        Parameters
        ----------
        palette, mask, strength, outside
            As for :func:`saliency.render.paint.paint`.
        vmax
            Heat, in the method's unit, of full colour: one scale for a series. None: the map's own.
        contour
            Also outline the regions of at least this share of full heat; with ``strength=0`` the
            outlines stand alone.
        redact
            Paint found text black. An image that was never searched for text is searched now.

        Raises
        ------
        InputError
            An argument is out of range.
        """
        display = redacted_display(self.image) if redact else self.image.display
        inside = self.image.diagnostic
        chosen = np.ones_like(inside) if mask is None else mask.values
        painted = paint(
            display,
            self.heatmap,
            mask=Mask(chosen & ~inside) if self.veiled else mask,
            palette=self.palette_for(palette),
            strength=strength,
            outside=outside,
            diagnostic=inside if self._looked else None,
            padding=self.image.padding,
            vmax=vmax,
            contour=contour,
        )
        rgb = painted.rgb
        if self.veiled:
            rgb = veil(rgb, self.heatmap, chosen & inside, strength=strength, vmax=vmax)
        if redact:
            rgb = np.where(text_mask(self.image)[..., np.newaxis], np.uint8(0), rgb)
        return replace(painted, rgb=rgb)

    def palette_for(self, palette: PaletteName | str | Palette) -> Palette:
        """Return the palette that is painted with: a signed map is never painted green."""
        if palette == AUTO:
            return palette_for(self.image.display, signed=self.signed)
        given = palette if isinstance(palette, Palette) else Palette(palette)
        return (
            Palette("diverging") if given.source == "green" and self.signed else given
        )

    def figure(self, *, control: bool = False, vmax: float | None = None) -> "Figure":
        """Draw image, map and overlay side by side in one set of colours, with the caption.

        Parameters
        ----------
        control
            Also draw the map of the same network with shuffled weights, on its own scale, and
            write the rank correlation of the two. A map that stays the same does not show what was
            learned (Adebayo et al. 2018, arXiv 1810.03292).
        vmax
            Heat, in the method's unit, of full colour.

        Returns
        -------
        matplotlib.figure.Figure
            Write it with :func:`saliency.render.figure.save`.

        Raises
        ------
        InputError
            ``control`` is asked of an explanation whose Keras model is gone: one that was loaded,
            that travelled, or whose model nobody holds any more.
        """
        from saliency.pipeline.drawing import drawn_figure  # noqa: PLC0415 - matplotlib is slow to load

        return drawn_figure(self, control=control, vmax=vmax)

    def save(  # noqa: PLR0913 - what a picture is painted by, and what a record holds
        self,
        path: str | PathLike[str],
        *,
        caption: bool = True,
        palette: PaletteName | str | Palette = "green",
        vmax: float | None = None,
        contour: float | None = None,
        redact: bool = False,
        identify: Literal["uid"] | None = None,
    ) -> Path:
        """Write an image, the numbers, the record or a page, by the ending of the name.

        Parameters
        ----------
        path
            ``.png``: the overlay, and below it a band with the caption and the scale; the pixels
            of the picture are those of ``overlay()``, bit for bit. ``.npz``: everything, for
            :func:`saliency.load`; ``numpy.load`` gives ``values`` float32 (rows, columns),
            ``diagnostic`` bool of that shape, ``score``, ``target``, ``gap`` (NaN where there is
            none), ``recipe``, ``digest`` (sha256 of the pixel data), ``versions`` (JSON),
            ``record`` (JSON, as in the ``.json``) and the image. ``.json``: the record without
            arrays. ``.html``: a page of image, overlay and caption, which loads nothing. The folder
            exists; a file of that name is replaced. No text of a patient; pixels are as they are.
        caption
            False: a ``.png`` of the overlay alone.
        palette, vmax, contour, redact
            As for :meth:`overlay`; of ``.png`` and ``.html``.
        identify
            ``"uid"``: ``.json`` and the record of an ``.npz`` hold the SOP Instance UID of the
            file. None: no identifier but the digest of the pixels.

        Returns
        -------
        Path
            Where the file lies, whole; where writing fails there is none.

        Raises
        ------
        InputError
            The name has another ending, or the folder is missing.
        """
        given = {
            "caption": caption,
            "palette": palette,
            "vmax": vmax,
            "contour": contour,
            "redact": redact,
            "identify": identify,
        }
        look = {name: value for name, value in given.items() if value != _USUAL[name]}
        return save_explanation(self, path, look)

    @property
    def _looked(self) -> bool:
        return self.image.searched or bool(self.image.zones)

    def __getstate__(self) -> dict[str, Any]:
        kept = {
            name: value for name, value in self.__dict__.items() if name != "_asked"
        }
        return {**kept, "prepare": portable(self.prepare)}

    def __repr__(self) -> str:
        gap = "" if self.gap is None else f", gap={self.gap:.2%}"
        sure = (
            "" if self.probability is None else f", probability={self.probability:.3f}"
        )
        veil = f", veiled: {self.veil_reason}" if self.veiled else ""
        return (
            f"Explanation({self.recipe}, target={self.target!r}, score={self.score:.4g}"
            f"{sure}{gap}, {self.image!r}, digest={self.image.digest[:12]}{veil})"
        )

    def _repr_html_(self) -> str:
        return notebook_form(self)

    def _repr_mimebundle_(
        self,
        include: object = None,  # noqa: ARG002
        exclude: object = None,  # noqa: ARG002
    ) -> dict[str, object]:
        overlay = self.overlay()
        picture = captioned(self, overlay, shrunk_for_notebook(overlay.rgb))
        return bundle(repr(self), picture, of=self.image.size)


def with_asked(result: Explanation, asked: object) -> Explanation:
    """Return an explanation that can ask its model again, as long as that is alive."""
    object.__setattr__(result, "_asked", asked)
    return result
