"""Read a model file: .keras, .h5, and the exports that Keras 3 itself cannot read."""

import os
from typing import Any

import keras


def load_model(path: str | os.PathLike[str]) -> Any:
    """Return the Keras model in a file, not compiled."""
    return keras.models.load_model(os.fspath(path), compile=False)
