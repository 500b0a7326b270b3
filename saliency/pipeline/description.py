"""What decides about an answer, as a digest: the same in every process, another for another value.

A name or a ``repr`` is not enough: two functions have one name, and a long array is cut in its
``repr``. What cannot be told apart from its like is refused, so that no two questions look alike.
"""

import dis
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from hashlib import sha256
from logging import Logger
from pathlib import PurePath
from re import Pattern
from types import (
    BuiltinFunctionType,
    CodeType,
    EllipsisType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
    WrapperDescriptorType,
)
from typing import Any, Final, TypeAlias

import numpy as np

from saliency.errors import InputError
from saliency.probe.keras_probe import BoundProbe, KerasProbe
from saliency.probe.model.keras_internals import sublayers

Parts: TypeAlias = Sequence[Any]
"""Bytes, or values that are described in their turn."""

TOLD_BY_REPR: Final = (
    NoneType, EllipsisType, bool, int, float, complex, str, range, slice,
    date, time, timedelta, Decimal, Fraction, Enum, PurePath, Pattern,
)  # fmt: skip
NAMED: Final = (
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    np.ufunc,
)
"""Functions written in C: their name is all there is to know."""


def digest_of(value: Any) -> bytes:
    """Return what tells a value from others that would lead to another answer, 32 bytes.

    Numbers, texts, arrays and containers are told by what they hold; functions by their code,
    defaults, and what they take from around them; partials by function and arguments; dataclasses
    by their fields; models and probes by weights, architecture and every choice made.

    Raises
    ------
    InputError
        The value, or one that it holds or uses, is none of these.
    """
    try:
        return _value_digest(value, {})
    except RecursionError as error:
        msg = (
            "resume: expected a value that can be described, got one that holds itself."
        )
        raise InputError(msg) from error


def _value_digest(value: Any, seen: dict[int, Any]) -> bytes:
    """Digest a value; ``seen``, by id, are the functions and classes that were described before.

    Functions use each other, also in circles: each is described once, then goes by its number.
    """
    if isinstance(value, FunctionType | type):
        if id(value) in seen:
            return b"function or class %d" % list(seen).index(id(value))
        seen[id(value)] = value
    found = sha256(type(value).__qualname__.encode())
    for part in _value_parts(value):
        raw = part if isinstance(part, bytes) else _value_digest(part, seen)
        found.update(len(raw).to_bytes(8, "little"))
        found.update(raw)
    return found.digest()


def _value_parts(value: Any) -> Parts:
    if hasattr(value, "__qualname__") and _of_a_library(value):
        root = sys.modules.get(value.__module__.partition(".")[0])
        return [
            value.__module__,
            value.__qualname__,
            str(getattr(root, "__version__", "")),
        ]
    for kinds, parts_of in FORMS:
        if isinstance(value, kinds):
            return parts_of(value)
    for trait, parts_of in TRAITS:
        if hasattr(value, trait):
            return parts_of(value)
    kind = type(value)
    msg = (
        "resume: expected what can be told from others of its kind, got an object of "
        f"{kind.__module__}.{kind.__qualname__}. Use a function, functools.partial or a frozen "
        "dataclass, or leave resume out."
    )
    raise InputError(msg)


def _dataclass(value: Any) -> Parts:
    return [
        type(value),
        [(field.name, getattr(value, field.name, None)) for field in fields(value)],
    ]


def _array_parts(array: Any) -> Parts:
    if array.dtype.hasobject:
        return [array.tolist()]
    return [str(array.dtype), array.shape, np.ascontiguousarray(array).tobytes()]


def _set(values: Any) -> Parts:
    """Describe members in the order of their digests: that of a set changes between processes."""
    return sorted(digest_of(value) for value in values)


def _named_parts(value: Any) -> Parts:
    owner = getattr(value, "__self__", None)
    bound = None if isinstance(owner, ModuleType) else owner
    return [getattr(value, "__module__", None) or "", value.__name__, bound]


def _function_parts(function: FunctionType) -> Parts:
    used = {name: function.__globals__[name] for name in _globals(function)}
    return [
        function.__code__,
        function.__defaults__,
        function.__kwdefaults__,
        [_content(cell) for cell in function.__closure__ or ()],
        used,
    ]


def _globals(function: FunctionType) -> list[str]:
    found = set(_globals_loaded(function.__code__))
    return sorted(found & function.__globals__.keys())


def _globals_loaded(code: CodeType) -> Iterator[str]:
    """Yield the names of globals that a code, or a code inside it, loads."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals_loaded(constant)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return ()


def _code_parts(code: CodeType) -> Parts:
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return [code.co_code, code.co_consts, names, code.co_argcount, code.co_flags]


def _class(kind: type) -> Parts:
    """Describe a class: a user's by its bases, methods and constants, too."""
    own = {
        name: getattr(
            each, "__func__", getattr(each, "fget", each)
        )  # of methods, of properties
        for name, each in vars(kind).items()
        if name == "__call__" or not name.startswith("__")
    }
    kinds = (*TOLD_BY_REPR, FunctionType)
    described = {name: each for name, each in own.items() if isinstance(each, kinds)}
    return [kind.__module__, kind.__qualname__, kind.__bases__, described]


def _of_a_library(value: Any) -> bool:
    """Say whether a name leads to the value, and the version of a library stands for its code."""
    module = getattr(value, "__module__", None) or ""
    home: Any = sys.modules.get(module)
    if home is None:
        return False
    found = home
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    root = module.partition(".")[0]
    installed = "site-packages" in (getattr(home, "__file__", None) or "")
    known = installed or root == "saliency" or root in sys.stdlib_module_names
    return known and (found is value or getattr(found, "__wrapped__", None) is value)


def _probe(probe: KerasProbe) -> Parts:
    """Describe every choice: output, part, layers, labels, held inputs, weights in use."""
    held = [np.asarray(each) for each in probe.held]
    replaced = [np.asarray(value) for _, value in probe.core.plan.values]
    return [probe.model, probe.core.choice, probe.labels, held, replaced]


def _bound(probe: BoundProbe) -> Parts:
    return [probe.source, probe.terms, np.asarray(probe.targets), probe.target]


def _network(model: Any) -> Parts:
    """Describe a model or a layer: architecture, classes and weights."""
    weights = [np.asarray(weight) for weight in getattr(model, "weights", ())]
    kinds = [type(layer) for layer in (model, *sublayers(model))]
    return [getattr(model, "name", ""), _architecture(model), kinds, weights]


def _architecture(model: Any) -> bytes:
    """Describe what a model is built of; where it does not tell, the plain numbers of each layer.

    Subclassed models may raise anything where they are asked for their configuration.
    """
    try:
        return digest_of(_as_lists(model.get_config()))
    except Exception:  # noqa: BLE001
        layers = [model, *sublayers(model)]
    plain = (bool, int, float, str)
    return digest_of(
        [
            {
                name: each
                for name, each in vars(layer).items()
                if isinstance(each, plain)
            }
            for layer in layers
        ]
    )


def _as_lists(config: Any) -> Any:
    """Return a configuration with lists for tuples: a file has lists where memory has tuples."""
    if isinstance(config, Mapping):
        return {name: _as_lists(each) for name, each in config.items()}
    return (
        [_as_lists(each) for each in config]
        if isinstance(config, list | tuple)
        else config
    )


FORMS: Final[Sequence[tuple[Any, Callable[[Any], Parts]]]] = (
    (TOLD_BY_REPR, lambda value: [repr(value).encode()]),
    (bytes | bytearray, lambda value: [bytes(value)]),
    (np.ndarray | np.generic, lambda value: _array_parts(np.asarray(value))),
    (Mapping, lambda value: [part for pair in value.items() for part in pair]),
    (list | tuple, lambda value: value),
    (set | frozenset, _set),
    (partial, lambda value: [value.func, value.args, value.keywords]),
    (MethodType, lambda value: [value.__func__, value.__self__]),
    (FunctionType, _function_parts),
    (CodeType, _code_parts),
    (
        ModuleType,
        lambda value: [value.__name__, str(getattr(value, "__version__", ""))],
    ),
    (NAMED, _named_parts),
    (Logger, lambda value: [value.name]),
    (type, _class),
    (KerasProbe, _probe),
    (BoundProbe, _bound),
)
"""What is described how; the first that fits."""

TRAITS: Final[Sequence[tuple[str, Callable[[Any], Parts]]]] = (
    ("__dataclass_fields__", _dataclass),
    ("python_function", lambda value: [value.python_function]),  # of tf.function
    ("__wrapped__", lambda value: [value.__wrapped__]),  # of functools.lru_cache
    ("get_config", _network),
    ("__array__", lambda value: _array_parts(np.asarray(value))),
)
"""What is described how if its class is none of those; by an attribute that it has."""
