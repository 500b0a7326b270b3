"""Explainers of other packages, by name: entry points of the group ``saliency.explainers``."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, final

from saliency.errors import ExplainerError
from saliency.explainers.registry import DEMANDING, ENTRIES, called_like

GROUP = "saliency.explainers"

UNKNOWN = "unknown"
"""Stands for the cost or the needs of a plug-in that says nothing of them."""


@final
@dataclass(frozen=True, eq=False)
class Plugin:
    """An explainer that another package offers under a name. Called, it is loaded.

    Parameters
    ----------
    name
        As the package declares it.
    package
        Who offers it, ``""`` where that is not known.
    load
        Imports what is offered: a class or an explainer.
    refused
        Why the name cannot be used, ``""`` where it can.
    """

    name: str
    package: str
    load: Callable[[], Any]
    refused: str = ""

    def __call__(self) -> Any:
        """Return the explainer; a class is called without arguments.

        Raises
        ------
        ExplainerError
            The plug-in is refused, cannot be imported, or offers nothing that can be called.
        """
        offered = self.offered()
        return offered() if isinstance(offered, type) else offered

    def offered(self) -> Any:
        """Return what the package offers: a class, or an explainer. Raises as a call does."""
        if self.refused:
            raise ExplainerError(self.refused)
        try:
            offered = self.load()
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            msg = f"{self._title()} cannot be loaded: {type(error).__name__}: {text}"
            raise ExplainerError(msg) from error
        if not callable(offered):
            msg = f"{self._title()} is a {type(offered).__name__}, which cannot be called."
            raise ExplainerError(msg)
        return offered

    def said(self, what: Literal["summary", "cost", "needs"]) -> str:
        """Return one of the plug-in's own words about itself: its attribute, in one line.

        A summary is else the docstring's first line; what is not said is "unknown".
        """
        offered = self.offered()
        text = getattr(offered, what, None)
        if not isinstance(text, str) and what == "summary":
            text = (
                str(getattr(offered, "__doc__", None) or "").strip().partition("\n")[0]
            )
        return (
            " ".join(text.split())
            if isinstance(text, str) and text.strip()
            else UNKNOWN
        )

    def _title(self) -> str:
        return f"The plug-in {self.name!r}" + (
            f" of {self.package}" if self.package else ""
        )


def explainer_plugins(entries: Iterable[Any]) -> tuple[Plugin, ...]:
    """Return what entry points offer, in their order; nothing is loaded.

    A name of ours, an alias of one, and a name that two packages offer are refused.
    """
    points = list(entries)
    names = [point.name for point in points]
    return tuple(
        Plugin(point.name, _package_of(point), point.load, _why_refused(point, names))
        for point in points
    )


def _package_of(point: Any) -> str:
    return str(getattr(getattr(point, "dist", None), "name", "") or "")


def _why_refused(point: Any, names: list[str]) -> str:
    package = _package_of(point) or "a package"
    alias_of = called_like(point.name)
    if alias_of is not None:
        is_ours = point.name in {*ENTRIES, *DEMANDING}
        whose = "ours" if is_ours else f"what {alias_of!r} is called too"
        return (
            f"The plug-in {point.name!r} of {package} is refused: the name is {whose}."
        )
    if names.count(point.name) > 1:
        return f"The plug-in {point.name!r} of {package} is refused: two packages have that name."
    return ""
