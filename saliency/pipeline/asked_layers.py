"""``layer=``: which layers of a model an explainer looks at."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from saliency.errors import InputError
from saliency.explainers.registry import DEMANDING, ENTRIES
from saliency.probe.cache import with_layers
from saliency.probe.keras_probe import KerasProbe

Layer: TypeAlias = str | Sequence[str] | None

#: Questions whose answers are made of tapped layers.
_OF_LAYERS: Final = frozenset({"activations", "activation_gradients", "last_gradient"})

#: Of explainers of ours, by where their class lies.
_NEEDS: Final = {
    entry.where: entry.needs for entry in {**ENTRIES, **DEMANDING}.values()
}


def tapped(probe: Any, layer: Layer, recipes: Sequence[Any]) -> Any:
    """Return a probe that looks at the layers asked for.

    Parameters
    ----------
    probe
        A KerasProbe; another one only where ``layer`` is None, which returns it as it is.
    layer
        A layer's name, or several, as in ``KerasProbe(layers=[...])``.
    recipes
        The explainers that will ask it.

    Raises
    ------
    InputError
        The probe is no KerasProbe, no name came, or an explainer looks at no layer.
    ModelError
        The model has no such layer; the message has the nearest names.
    """
    if layer is None:
        return probe
    names = (layer,) if isinstance(layer, str) else layer
    several = isinstance(names, Sequence) and len(names) > 0
    if not several or not all(isinstance(name, str) for name in names):
        msg = f"layer: expected a layer's name or a list of names, got {layer!r}."
        raise InputError(msg)
    if not isinstance(probe, KerasProbe):
        msg = (
            f"layer: expected a Keras model, its file or a KerasProbe, got a {type(probe).__name__}"
            ", whose layers are chosen. Give KerasProbe(model, layers=[...])."
        )
        raise InputError(msg)
    for recipe in recipes:
        if not looks_at_layers(recipe):
            msg = (
                f"layer: {type(recipe).__name__} looks at no layer, it asks about the input. "
                "Leave layer out, or take a method of layers, such as 'gradcam' or 'fastcam'."
            )
            raise InputError(msg)
    return with_layers(probe, names)


def looks_at_layers(recipe: Any) -> bool:
    """Say whether an explainer's map depends on which layers are tapped; of a stranger True."""
    inner = getattr(recipe, "inner", None)
    if inner is not None:
        parts = inner if isinstance(inner, tuple | list) else (inner,)
        return any(map(looks_at_layers, parts))
    kind = type(recipe)
    room, _, module = kind.__module__.rpartition(".")
    needs = (
        _NEEDS.get(f"{module}:{kind.__name__}")
        if room == "saliency.explainers"
        else None
    )
    return needs is None or not _OF_LAYERS.isdisjoint(needs.split(", "))
