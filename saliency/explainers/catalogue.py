"""Names of explainers. A name loads its module when it is asked for, no earlier."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, final

from saliency.errors import ExplainerError
from saliency.explainers.registry import DEMANDING, ENTRIES, Entry

__all__ = ["DEMANDING", "ENTRIES", "catalogue", "resolve"]

_GROUP = "saliency.explainers"


@final
class _Catalogue(Mapping[str, type]):
    """The classes behind :data:`ENTRIES`; a class is imported when it is looked up."""

    def __getitem__(self, name: str) -> type:
        return _load(ENTRIES[name])

    def __iter__(self) -> Iterator[str]:
        return iter(ENTRIES)

    def __len__(self) -> int:
        return len(ENTRIES)

    def __repr__(self) -> str:
        return f"catalogue({', '.join(ENTRIES)})"


def catalogue() -> Mapping[str, type]:
    """Return our explainers by name. Reading the names loads nothing."""
    return _Catalogue()


def resolve(explainer: Any) -> Any:
    """Return the explainer that a user means.

    Parameters
    ----------
    explainer
        A name of :func:`catalogue`, of ``DEMANDING``, or of an installed plugin (entry points of
        the group ``saliency.explainers``); an explainer, which is returned as it is; or a class,
        which is called without arguments.

    Raises
    ------
    ExplainerError
        The name is unknown, or what came is neither a name nor callable.
    """
    found = _named(explainer) if isinstance(explainer, str) else explainer
    if isinstance(found, type):
        found = found()
    if not callable(found):
        msg = (
            "explainer: expected a name or a callable (probe, inputs) -> tensor, "
            f"got {type(found).__name__}. Names: {', '.join(ENTRIES)}."
        )
        raise ExplainerError(msg)
    return found


def _load(entry: Entry) -> type:
    module, _, attribute = entry.where.partition(":")
    found: type = getattr(import_module(f"saliency.explainers.{module}"), attribute)
    return found


def _named(name: str) -> Any:
    ours = {**ENTRIES, **DEMANDING}
    if name in ours:
        return _load(ours[name])
    plugins = {plugin.name: plugin for plugin in entry_points(group=_GROUP)}
    if name in plugins:
        return plugins[name].load()
    known = [*ours, *plugins]
    near = get_close_matches(name, known, n=3) or known
    msg = f"explainer: there is no {name!r}. Did you mean {', '.join(near)}?"
    raise ExplainerError(msg)
