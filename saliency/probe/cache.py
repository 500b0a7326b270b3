"""One compiled probe for a model: asked twice, traced once; gone when the model is gone."""

import hashlib
import operator
import os
import threading
import time
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, final
from weakref import WeakKeyDictionary

from saliency.probe.keras_probe import Core, KerasProbe, Source, explained_input
from saliency.probe.model.inputs import Held
from saliency.probe.model.keras_internals import fingerprint
from saliency.probe.model.load import load_model
from saliency.probe.model.plan import Choice, Output

_CORES: Final[WeakKeyDictionary[Any, dict[Choice, tuple[tuple[Any, ...], Core]]]] = (
    WeakKeyDictionary()
)
_LOCK: Final = threading.Lock()

#: Choices that are kept for a model: whoever looks at each layer of a deep one keeps no more.
_KEPT: Final = 8
_FILES_KEPT: Final = 2
#: Nanoseconds in which a file may be written twice with one time: FAT keeps times to 2 s.
_YOUNG: Final = 2_000_000_000


@final
@dataclass(frozen=True, eq=False)
class _OfFile:
    """The model of a file, and the file as it was when it was read.

    ``stamp`` is its number, times and size. ``content`` is its digest where the file was young
    then, so that the stamp alone does not tell; else ``""``.
    """

    stamp: tuple[int, ...]
    content: str
    model: Any


#: By the file's place, the latest last.
_FILES: Final[dict[Path, _OfFile]] = {}


def probe_for(  # noqa: PLR0913 - every choice that a probe has
    model: Source,
    *,
    layers: Sequence[str] | None = None,
    output: Output = "logit",
    labels: Sequence[str] | None = None,
    part: str | int | None = None,
    input: str | int | None = None,  # noqa: A002
    held: Held | None = None,
) -> KerasProbe:
    """Return a KerasProbe; for a model object that was asked before, without compiling again.

    The cache holds layers and variables but not the model: a model that nobody else holds is
    freed with all that was compiled for it. What was compiled is dropped when the model's layers,
    their activations or variables were exchanged since. Of files, the models of the last two are
    held, so that a service may name the file at each request; a file that was written since is
    loaded anew.

    Parameters
    ----------
    model, layers, output, labels, part, input, held
        As in KerasProbe.
    """
    if isinstance(model, str | os.PathLike):
        model = _model_of_file(model)
    taken = None if layers is None else tuple(layers)
    choice = Choice(taken, output, part, explained_input(model, input, held))
    return KerasProbe.from_core(model, _core(model, choice), labels, held)


def with_layers(probe: KerasProbe, layers: Sequence[str]) -> KerasProbe:
    """Return a probe of the same model and choices that taps other layers; cached like others.

    Raises
    ------
    ModelError
        The model has no such layer; the message has the nearest names.
    """
    choice = replace(probe.core.choice, layers=tuple(layers))
    found = copy(probe)
    found.core = _core(probe.model, choice)
    return found


def _model_of_file(path: str | os.PathLike[str]) -> Any:
    """Return the model of a file, loaded once as long as the file is the same.

    What was held of a file that was written since is dropped. Of two threads that ask for a new
    file at once both may load it.
    """
    try:
        place = Path(os.path.realpath(path))
        seen = place.stat()
    except (OSError, ValueError):
        return load_model(path)  # which says what is wrong with it
    if place.is_dir():  # whose times say nothing of the files within
        return load_model(path)
    # The time of change tells what a copy that keeps the time of writing does not.
    stamp = (seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size)
    is_young = time.time_ns() - max(stamp[1:3]) < _YOUNG
    with _LOCK:
        held = _FILES.get(place)
    if held is not None and held.stamp != stamp:
        held = None
    content = _digest(place) if is_young or (held and held.content) else ""
    if held is None or held.content != content:
        held = _OfFile(stamp, content, load_model(path))
    with _LOCK:
        _FILES.pop(place, None)
        _FILES[place] = replace(held, content=content if is_young else "")
        while len(_FILES) > _FILES_KEPT:
            del _FILES[next(iter(_FILES))]
    return held.model


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""  # load_model says what is wrong with it


def _core(model: Any, choice: Choice) -> Core:
    traits = fingerprint(model)
    with _LOCK:
        cores = _CORES.setdefault(model, {})
        found = cores.pop(choice, None)
        if found is None or not _identical(found[0], traits):
            found = traits, Core(model, choice)
        cores[choice] = found  # the latest is the last
        while len(cores) > _KEPT:
            del cores[next(iter(cores))]
        return found[1]


def _identical(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    return len(before) == len(now) and all(map(operator.is_, before, now))
