"""The figure of an explanation."""

from typing import Any

from saliency.errors import InputError
from saliency.pipeline.band import caption_lines
from saliency.pipeline.control import rank_correlation
from saliency.pipeline.method_words import class_of, unit_of
from saliency.render.figure import Control, Figure, figure
from saliency.values.heatmap import Heatmap


def drawn_figure(result: Any, *, control: bool, vmax: float | None) -> Figure:
    """Draw image, map and overlay, and where asked for the control; see Explanation.figure."""
    image = result.image
    said = [line.text for line in caption_lines(result)]
    whole = figure(
        image.display,
        result.heatmap,
        result.overlay(vmax=vmax),
        title=". ".join(text[0].upper() + text[1:] for text in said),
        spacing=image.spacing,
        unit=unit_of(result.recipe, result.explains),
        orientation=image.orientation,
        control=_control(result) if control else None,
        names=(_image_name(image), f"{class_of(result.recipe)} map", "overlay"),
    )
    if result.veiled:
        whole.axes[1].images[0].set_cmap("gray")
    return whole


def _image_name(image: Any) -> str:
    kind = f"{image.modality} image" if image.modality else "image"
    return (
        f"{kind}, frame {image.frame + 1} of {image.frames}"
        if image.frames > 1
        else kind
    )


def _control(result: Any) -> Control:
    asked = getattr(result, "_asked", None)
    heatmap: Heatmap | None = None
    if asked is not None and result.prepare is not None:
        heatmap = asked.control(result.image, result.prepare)
    if heatmap is None:
        msg = (
            "figure(control=True): expected an explanation whose Keras model is still in memory, "
            "got one whose model is gone or is no Keras model. Keep the model in a variable, and "
            "explain again."
        )
        raise InputError(msg)
    return Control(heatmap, rank_correlation(result.heatmap, heatmap))
