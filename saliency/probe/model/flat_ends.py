"""Where the output of a model is flat: the values that its last function tends to."""

from typing import Any

import numpy as np
import tensorflow as tf

#: Far enough for every function in use to be at its end, and near enough to be finite in float32.
_FAR = 1e6


def flat_ends(model: Any) -> tuple[float, ...]:
    """Return the values at which the last function of a model has no slope.

    -1 and 1 of tanh, 0 and 1 of softmax, 0 of ReLU; () of a linear output, and where the function
    is not known. The function is tried on numbers, so its name does not matter.
    """
    function = _last_function(model)
    if function is None:
        return ()
    try:
        found = np.asarray(function(tf.constant([[-_FAR, _FAR]])), np.float64).ravel()
    except Exception:  # noqa: BLE001 - a foreign function may refuse this shape in any way
        return ()
    return tuple(float(each) for each in found if abs(each) < _FAR / 10)


def _last_function(model: Any) -> Any:
    steps = getattr(model, "operations", None) or model.layers
    last = steps[-1] if steps else None
    function = getattr(last, "activation", None)
    if function is not None or last is None:
        return function
    return None if getattr(last, "weights", None) else last
