"""What each layer contributes to one explanation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from saliency.errors import ExplainerError
from saliency.explainers.catalogue import resolve
from saliency.explainers.protocol import Layered, NamedLayers, NamedMaps
from saliency.pipeline.asked_layers import Layer, tapped
from saliency.pipeline.explain import (
    Explainer,
    as_image,
    bound,
    name_of,
    prepared,
    probe_of,
)
from saliency.pipeline.place_back import place_back
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.probe.score_probe import answering
from saliency.render.layers import lovi
from saliency.values.arrays import Array, finite, frozen
from saliency.values.image import DicomImage
from saliency.values.notebook import bundle
from saliency.values.overlay import Overlay


@final
@dataclass(frozen=True, eq=False, repr=False)
class LayerMaps:
    """One map for each tapped layer of the model, or for each layer that the explainer reads.

    Parameters
    ----------
    stack
        float32 (rows, columns, L) on the image's grid, the earliest layer first.
    layers
        Names of the L layers.
    image
        The explained image.
    """

    stack: Array
    layers: tuple[str, ...]
    image: DicomImage

    def __post_init__(self) -> None:
        stack = finite(
            frozen(self.stack, np.float32, "LayerMaps.stack", ranks=(3,)), "LayerMaps"
        )
        object.__setattr__(self, "stack", stack)

    def lovi(self) -> Overlay:
        """Paint all layers into one image: :func:`saliency.render.lovi`."""
        return Overlay(lovi(self.stack))

    def __reduce__(self) -> tuple[object, ...]:
        return LayerMaps, (self.stack, self.layers, self.image)

    def __repr__(self) -> str:
        return f"LayerMaps({', '.join(self.layers)}; {self.image!r})"

    def _repr_mimebundle_(
        self,
        include: object = None,  # noqa: ARG002
        exclude: object = None,  # noqa: ARG002
    ) -> dict[str, object]:
        return bundle(repr(self), self.lovi().rgb)


def explain_layers(
    model: object,
    image: object,
    explainer: Explainer = "fastcam",
    *,
    target: Target = None,
    prepare: Prepare | Callable[..., Any] | None = None,
    layer: Layer = None,
) -> LayerMaps:
    """Return the contribution of each layer; parameters as for :func:`saliency.explain`.

    Raises
    ------
    ExplainerError
        The explainer reads no layers: it has no ``layer_maps(probe, inputs)``.
    """
    recipe = resolve(explainer)
    if not isinstance(recipe, Layered):
        msg = f"{name_of(recipe)} has no layer maps: use 'fastcam', 'smoe', or another that has."
        raise ExplainerError(msg)
    picture = as_image(image)
    unbound = tapped(probe_of(model), layer, [recipe])
    given = prepared(unbound, picture, prepare)
    probe = answering(bound(unbound, target))
    if isinstance(recipe, NamedLayers):
        found = recipe.named_layer_maps(probe, given.array)
    else:
        found = NamedMaps(recipe.layer_maps(probe, given.array), tuple(probe.layers))
    maps = np.asarray(found.maps)[0]
    stack = [
        place_back(layer, given.placement).values for layer in np.moveaxis(maps, 2, 0)
    ]
    return LayerMaps(np.stack(stack, axis=2), found.names, picture)
