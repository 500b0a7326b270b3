"""How much a component of ink looks like a marker: a small network on what was measured on it."""

from typing import Final

from saliency.values.arrays import Array
from saliency.zones.network import load_network

#: Of the features of ``marker_features``. Fitted on letters and arrows drawn on the tune half of
#: the pictures, on lead letters found there by eye, and on anatomy, rings, bars and wires, by
#: ``benchmarks/marker_fit.py``.
NETWORK: Final = load_network("marker_classifier")


def odds(features: Array) -> Array:
    """Return the log odds (natural) that each of (K, F) is a marker, float (K,)."""
    return NETWORK(features)
