"""Write docs/reference.md and saliency/__init__.pyi from the names of ``saliency/__init__.py``."""

import inspect
from pathlib import Path
from typing import Protocol

import saliency as sal

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"
STUB = ROOT / "saliency" / "__init__.pyi"
GROUPS = {
    "saliency.dicom": "Reading",
    "saliency.volumes": "Series and volumes",
    "saliency.slides": "Slides",
    "saliency.pipeline": "Explaining",
    "saliency.explainers": "Recipes",
    "saliency.probe": "Asking a model",
    "saliency.render": "Painting",
    "saliency.audit": "Auditing",
    "saliency.export": "PACS",
    "saliency.training": "Training",
    "saliency.evaluation": "Evaluating",
    "saliency.archive": "Archives",
    "saliency.values": "Values",
    "saliency.errors": "Errors",
}


def stub() -> str:
    """Return what type checkers read of the front door: each name, imported from its home."""
    homes = sal._HOME_OF  # noqa: SLF001
    # The order of isort: capitals, classes, functions.
    kinds = {name: (not name.isupper(), not name[0].isupper()) for name in homes}
    names = sorted(homes, key=lambda name: (homes[name], kinds[name], name.lower()))
    lines = [f"from {homes[name]} import {name} as {name}" for name in names]
    return "\n".join([*lines, "", "__version__: str", ""])


def page() -> str:
    """Return every public name, its signature and its first line, as Markdown."""
    intro = "Every name of `import saliency as sal`. `help(sal.name)` says all."
    parts = ["# Reference", "", intro, ""]
    for room, title in GROUPS.items():
        names = sorted(name for name in sal.__all__ if _home(name).startswith(room))
        if names:
            parts += [f"## {title}", "", *(_row(name) for name in names), ""]
    return "\n".join(parts)


def _home(name: str) -> str:
    return str(getattr(getattr(sal, name), "__module__", ""))


def _row(name: str) -> str:
    value = getattr(sal, name)
    summary = (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")
    return f"- `{name}{_signature(value)}`: {summary}"


def _signature(value: object) -> str:
    """Return names and defaults; types are said in the docstring, where they have a meaning."""
    if isinstance(value, type) and (
        issubclass(value, Exception | tuple) or Protocol in value.__bases__
    ):
        return ""
    try:
        found = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    plain = [each.replace(annotation=each.empty) for each in found.parameters.values()]
    return str(inspect.Signature(plain))


if __name__ == "__main__":
    PAGE.write_text(page())
    STUB.write_text(stub())
