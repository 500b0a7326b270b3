"""A small network that weighs what was measured, and the file that its weights lie in."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import final

import numpy as np

from saliency.values.arrays import Array


@final
@dataclass(frozen=True, eq=False)
class Network:
    """One hidden layer of tanh units, and a sum.

    Parameters
    ----------
    fitted
        Date of the fit, ISO 8601.
    features
        Names of the F numbers that are weighed.
    hidden, hidden_bias
        float64 (F, units) and (units,).
    output, output_bias
        float64 (units,), and a number.
    """

    fitted: str
    features: tuple[str, ...]
    hidden: Array
    hidden_bias: Array
    output: Array
    output_bias: float

    def __call__(self, features: Array) -> Array:
        """Return the log odds (natural) of features (..., F), as of the examples fitted on."""
        units = np.tanh(features @ self.hidden + self.hidden_bias)
        return np.asarray(units @ self.output + self.output_bias)


def load_network(name: str) -> Network:
    """Read ``NAME.json`` of this room, which a script of ``benchmarks/`` wrote."""
    stored = json.loads(
        files("saliency.zones").joinpath(f"{name}.json").read_text("utf-8")
    )
    return Network(
        fitted=stored["fitted"],
        features=tuple(stored["hidden"]),
        hidden=np.array(list(stored["hidden"].values())),
        hidden_bias=np.array(stored["hidden_bias"]),
        output=np.array(stored["output"]),
        output_bias=stored["output_bias"],
    )
