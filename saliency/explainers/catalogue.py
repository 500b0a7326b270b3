"""Names of explainers. Looking a name up loads its module."""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, final

from saliency.errors import ExplainerError
from saliency.explainers.plugins import GROUP, Plugin, explainer_plugins
from saliency.explainers.registry import DEMANDING, ENTRIES, Entry, called_like

__all__ = ["DEMANDING", "ENTRIES", "catalogue", "installed", "resolve"]

_OURS = {**ENTRIES, **DEMANDING}


@final
class _Catalogue(Mapping[str, Callable[[], Any]]):
    """Ours by name, then those of other packages; imported when they are looked up."""

    def __init__(self) -> None:
        self._plugins = {
            plugin.name: plugin for plugin in installed() if not plugin.refused
        }

    def __getitem__(self, name: str) -> Callable[[], Any]:
        return _load_class(_OURS[name]) if name in _OURS else self._plugins[name]

    def __iter__(self) -> Iterator[str]:
        yield from _OURS
        yield from self._plugins

    def __len__(self) -> int:
        return len(_OURS) + len(self._plugins)

    def __repr__(self) -> str:
        return f"catalogue({', '.join(self)})"


def catalogue() -> Mapping[str, Callable[[], Any]]:
    """Return every name that ``explain`` takes; calling a value returns the explainer.

    Ours are classes; those of installed packages follow, loaded when they are called. Reading the
    names loads nothing.
    """
    return _Catalogue()


def installed() -> tuple[Plugin, ...]:
    """Return the explainers that other packages offer, refused ones too; nothing is loaded."""
    return explainer_plugins(entry_points(group=GROUP))


def resolve(explainer: Any) -> Any:
    """Return the explainer that a user means.

    Parameters
    ----------
    explainer
        A name of :func:`catalogue`, in any case and with the field's aliases ("GradCAM++", "ig");
        an explainer, which is returned as it is; or a class or another value of the catalogue,
        which is called without arguments.

    Raises
    ------
    ExplainerError
        The name is unknown, its plug-in cannot be used, or what came is neither a name nor
        callable.
    """
    recipe = _explainer_named(explainer) if isinstance(explainer, str) else explainer
    if isinstance(recipe, type | Plugin):
        recipe = recipe()
    if not callable(recipe):
        msg = (
            "explainer: expected a name or a callable (probe, inputs) -> tensor, "
            f"got {type(recipe).__name__}. Names: {', '.join(ENTRIES)}."
        )
        raise ExplainerError(msg)
    return recipe


def _load_class(entry: Entry) -> type:
    module, _, attribute = entry.where.partition(":")
    recipe: type = getattr(import_module(f"saliency.explainers.{module}"), attribute)
    return recipe


def _explainer_named(name: str) -> Any:
    alias_of = called_like(name)
    if alias_of is not None:
        return _load_class(_OURS[alias_of])
    offered = installed()
    for plugin in offered:
        if plugin.name == name:
            return plugin
    known = [*_OURS, *(plugin.name for plugin in offered if not plugin.refused)]
    near = get_close_matches(name.casefold(), known, n=3) or known
    msg = f"explainer: there is no {name!r}. Did you mean {', '.join(near)}?"
    raise ExplainerError(msg)
