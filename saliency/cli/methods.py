"""``--method lrp:composite=epsilon_plus``: a name of the catalogue, and arguments of its class."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, final

from saliency.errors import InputError


@final
@dataclass(frozen=True)
class Method:
    """An explainer and the name that the user gave it."""

    name: str
    recipe: Any


def methods_in(texts: Sequence[str]) -> tuple[Method, ...]:
    """Return the methods that are asked for; several names may stand between commas.

    Raises
    ------
    SaliencyError
        A name is unknown, or an argument is none of the method's.
    """
    return tuple(_method(text) for group in texts for text in _divided(group))


def _divided(text: str) -> list[str]:
    """Divide ``a,b:c=1,d=2`` into ``a`` and ``b:c=1,d=2``: what has a ``=`` is an argument."""
    found: list[str] = []
    for part in text.split(","):
        if found and "=" in part and ":" not in part.partition("=")[0]:
            found[-1] += f",{part}"
        else:
            found.append(part.strip())
    return found


def _method(text: str) -> Method:
    from saliency.explainers.catalogue import resolve

    name, _, arguments = text.partition(":")
    if not name:
        msg = "--method: expected a name; `saliency explainers` lists them."
        raise InputError(msg)
    recipe = resolve(name)
    if not arguments:
        return Method(name, recipe)
    allowed = (
        [field.name for field in fields(recipe) if field.init]
        if _has_fields(recipe)
        else []
    )
    pairs = [part.partition("=") for part in arguments.split(",")]
    unknown = [key for key, _, _ in pairs if key not in allowed]
    if unknown:
        msg = (
            f"--method {text}: {name} has no argument {', '.join(unknown)}; it has "
            f"{', '.join(allowed) or 'none'}."
        )
        raise InputError(msg)
    try:
        return Method(
            text,
            replace(recipe, **{key: _value_in_text(word) for key, _, word in pairs}),
        )
    except (TypeError, ValueError) as error:  # InputError is a ValueError
        words = (
            error
            if isinstance(error, InputError)
            else "a value of another type was expected"
        )
        msg = f"--method {text}: {words}"
        raise InputError(msg) from error


def _has_fields(recipe: Any) -> bool:
    return is_dataclass(recipe) and not isinstance(recipe, type)


def _value_in_text(word: str) -> Any:
    """Return a number, tuple, True, False or None; any other word is a text."""
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word
