"""Frozen values as plain ones, for JSON, and back."""

import importlib
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, NoReturn, TypeVar, final

from saliency.errors import InputError
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import FromFunction
from saliency.values.model_record import ModelRecord
from saliency.values.trust import Trust, TrustByRecipe
from saliency.values.window import Window

T = TypeVar("T")

#: What a file may name to be made: nothing else in it is ever called or imported.
_KINDS: Final = {
    kind.__name__: kind
    for kind in (Prepare, FromFunction, ModelRecord, Trust, TrustByRecipe, Window)
}
_FUNCTIONS: Final = ("keras.", "preprocess_input")


@final
@dataclass(frozen=True)
class Unavailable:
    """Stands for a function of yours, of which a record keeps the name alone.

    Raises
    ------
    InputError
        When called.
    """

    name: str

    def __call__(self, *_: object) -> NoReturn:
        """Refuse."""
        msg = f"The record keeps the name of {self.name!r}, not its code: hand the function in."
        raise InputError(msg)


def plain(value: Any) -> Any:
    """Return numbers, texts, None, lists and mappings for a value; of a function its name."""
    if is_dataclass(value) and not isinstance(value, type | Unavailable):
        told = {
            field.name: plain(getattr(value, field.name)) for field in fields(value)
        }
        return {"type": type(value).__name__, **told}
    if isinstance(value, Unavailable) or callable(value):
        return {"function": name_of_function(value)}
    if hasattr(value, "keys"):
        return {name: plain(value[name]) for name in value}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value.item() if hasattr(value, "item") else value


def revived(told: Any) -> Any:
    """Return what :func:`plain` was given; lists as tuples, functions of yours as Unavailable."""
    if isinstance(told, list):
        return tuple(revived(each) for each in told)
    if not isinstance(told, dict):
        return told
    if set(told) == {"function"}:
        return _allowed_function(str(told["function"]))
    if "type" not in told:
        return {name: revived(each) for name, each in told.items()}
    kind = _KINDS.get(told["type"])
    if kind is None:
        msg = f"expected a value of {', '.join(_KINDS)}, got {told['type']!r}"
        raise InputError(msg)
    return kind(
        **{name: revived(each) for name, each in told.items() if name != "type"}
    )


def portable(value: T) -> T:
    """Return a frozen value whose functions travel: those that no import finds by their names."""
    if not is_dataclass(value):
        return value
    lost: dict[str, Any] = {}
    for field in fields(value):
        part = getattr(value, field.name)
        if callable(part) and not is_dataclass(part) and not _importable(part):
            lost[field.name] = Unavailable(name_of_function(part))
    return replace(value, **lost) if lost else value  # type: ignore[type-var]


def name_of_function(function: Any) -> str:
    """Return module and name of a function, without an address."""
    if isinstance(function, Unavailable):
        return function.name
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '')}:{name}"


def _importable(function: Any) -> bool:
    module, _, name = name_of_function(function).partition(":")
    if module == "__main__" or "<" in name or "." in name:
        return False
    return getattr(importlib.import_module(module), name, None) is function


def _allowed_function(name: str) -> Any:
    module, _, attribute = name.partition(":")
    root, allowed = _FUNCTIONS
    if module.startswith(root) and attribute == allowed:
        return getattr(importlib.import_module(module), attribute)
    return Unavailable(name)
