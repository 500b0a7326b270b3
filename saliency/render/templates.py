"""Pages from templates: everything escaped, nothing that a template names may be missing."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template


def rendered(
    package: str, name: str, filters: Mapping[str, Any], **values: object
) -> str:
    """Return a page made of a template that lies in a package.

    Parameters
    ----------
    package, name
        Where it lies: ``"saliency.audit.report"``, ``"page.html"``.
    filters
        Functions that the template calls by name.
    values
        What the template shows.
    """
    return _template(package, name, tuple(filters.items())).render(**values)


@lru_cache(maxsize=8)
def _template(
    package: str, name: str, filters: tuple[tuple[str, Any], ...]
) -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= dict(filters)
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return environment.from_string(text)
