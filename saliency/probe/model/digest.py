"""The digest of a model: equal for equal architecture and weights, wherever it was loaded from."""

import json
import re
import threading
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final
from weakref import WeakKeyDictionary

import keras
import numpy as np

_DIGESTS: Final[WeakKeyDictionary[Any, tuple[bytes, str]]] = WeakKeyDictionary()
_LOCK: Final = threading.Lock()

#: What a model's configuration says of training, of files, and of the process.
_NOT_ARCHITECTURE: Final = frozenset({"compile_config", "build_config", "filepath"})
_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")

#: Weights of which the stamp looks at a few values, and how many values of each.
_SAMPLED, _VALUES = 64, 64


def model_digest(model: Any) -> str:
    """Return the sha256 of a model's architecture and weights, hexadecimal.

    Worked out when it is first asked for, and again after weights have changed: whether they
    have, a stamp of some values of up to 64 weights and of the last eight tells.
    """
    stamp = _stamp(model)
    with _LOCK:
        known = _DIGESTS.get(model)
        if known is None or known[0] != stamp:
            known = _DIGESTS[model] = (stamp, _model_digest(model))
        return known[1]


def _model_digest(model: Any) -> str:
    digest = sha256(_configuration(model))
    for weight in model.weights:
        values = np.ascontiguousarray(weight.numpy())
        digest.update(f"{values.dtype} {values.shape}".encode())
        digest.update(values.view(np.uint8).data)
    return digest.hexdigest()


def _configuration(model: Any) -> bytes:
    """Return the configuration as text; of a model that cannot tell it, its class and layers."""
    try:
        told = keras.saving.serialize_keras_object(model)
        text = json.dumps(_pruned(told), sort_keys=True, default=repr)
    except Exception:  # noqa: BLE001 - get_config of a foreign layer may fail in any way
        kinds = (type(each).__qualname__ for each in (model, *model.layers))
        text = " ".join([*kinds, *(weight.path for weight in model.weights)])
    return _ADDRESS.sub("", text).encode()


def _pruned(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: _pruned(told[key]) for key in told if key not in _NOT_ARCHITECTURE}
    return [_pruned(each) for each in told] if isinstance(told, list | tuple) else told


def _stamp(model: Any) -> bytes:
    stamp = sha256()
    for weight in _some(model.weights):
        values = np.asarray(weight.value).reshape(-1)
        stamp.update(values[:: max(1, values.size // _VALUES)].tobytes())
    return stamp.digest()


def _some(weights: Any) -> Iterator[Any]:
    step = -(-len(weights) // _SAMPLED) or 1
    yield from weights[::step]
    yield from weights[-8:]
