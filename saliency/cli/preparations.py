"""``--prepare``: a Prepare or a function of the user's, or a JSON file."""

import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from saliency.errors import InputError
from saliency.pipeline.plain import revived
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import preparation


def preparation_in(text: str) -> Any:
    """Return the preparation that a file holds, or that a module calls by a name.

    Parameters
    ----------
    text
        ``module:name``, found from the current folder too; the name is a Prepare, or a function
        from a DicomImage to the model's input. Or the path of a JSON file with fields of a
        Prepare, or with a record that has a ``prepare``.

    Raises
    ------
    InputError
        There is no such thing, or it is no preparation.
    """
    return (
        _from_file(Path(text)) if text.lower().endswith(".json") else _from_module(text)
    )


def _from_file(path: Path) -> Prepare:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict):
            msg = f"it holds a {type(told).__name__}, not fields"
            raise InputError(msg)
        inner = told["prepare"] if isinstance(told.get("prepare"), dict) else told
        _check_names(inner)
        found = revived({"type": "Prepare", **inner})
    except (
        OSError,
        ValueError,
        TypeError,
    ) as error:  # InputError and JSON errors are ValueErrors
        words = str(error.strerror if isinstance(error, OSError) else error).rstrip(".")
        msg = (
            f'--prepare {path}: expected JSON such as {{"size": [224, 224]}}: {words}.'
        )
        raise InputError(msg) from error
    if isinstance(found, Prepare):
        return found
    msg = (
        f"--prepare {path}: expected fields of a Prepare, got a {type(found).__name__}."
    )
    raise InputError(msg)


def _check_names(told: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(Prepare)]
    unknown = [name for name in told if name not in (*known, "type")]
    if unknown:
        msg = (
            f"there is no field {', '.join(unknown)}; the fields are {', '.join(known)}"
        )
        raise InputError(msg)


def _from_module(text: str) -> Any:
    name, _, attribute = text.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.import_module(name)
        for part in (attribute or "prepare").split("."):
            found = getattr(found, part)
    except Exception as error:
        kind = f"{type(error).__name__}: {error}"
        msg = (
            f"--prepare {text}: expected module:name, as preparing:prepare for a file preparing.py "
            f"in this folder; importing it gave {kind}."
        )
        raise InputError(msg) from error
    return preparation(found)
