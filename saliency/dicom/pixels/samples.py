"""What a decoder hands on: samples, and what is known about them."""

from dataclasses import dataclass

from saliency.values.arrays import Array


@dataclass(frozen=True)
class Samples:
    """A decoded frame.

    Parameters
    ----------
    array
        (rows, columns) or (rows, columns, samples), as the decoder delivers it: integers that may
        lack their sign and carry other bits above Bits Stored, or floats.
    space
        Photometric Interpretation of ``array``, which need not be the one of the data set.
    lossy
        The values are not exactly those that were encoded: they may overshoot Bits Stored.
    """

    array: Array
    space: str
    lossy: bool = False
