"""What a method is called, and what its numbers mean, in words."""

import re
from typing import Final

from saliency.explainers.registry import DEMANDING, ENTRIES

_OWN_UNIT: Final = "heat, in the method's own unit"

#: Class of the recipe -> its row.
_ROWS: Final = {
    row.where.rpartition(":")[2]: row
    for row in (*ENTRIES.values(), *DEMANDING.values())
}


def class_of(recipe: str) -> str:
    """Return the class or function that the ``repr`` of a recipe names."""
    found = re.match(r"[\w.<>]+", recipe)
    return found[0].rpartition(".")[2] if found else recipe


def method_words(recipe: str) -> str:
    """Return name and summary: ``"GradCAM: the last layer's channels that raise the score"``."""
    name = class_of(recipe)
    if name not in _ROWS:
        return name
    summary = _ROWS[name].summary
    return f"{name}: {summary[0].lower()}{summary[1:]}"


def unit_of(recipe: str, score: str) -> str:
    """Return the unit of a recipe's map, where ``score`` names what is explained: "logit"."""
    row = _ROWS.get(class_of(recipe))
    unit = row.unit if row else ""
    return (unit or _OWN_UNIT).format(score=score)
