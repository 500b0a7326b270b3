"""What an explainer must return; checked after every one, ours and others'."""

import logging
import weakref
from typing import Any, Final

import numpy as np

from saliency.errors import ExplainerError, InputError, NotFiniteError
from saliency.values.arrays import Array

#: A model that multiplies its input by less was trained on grey levels: 1 / 255, 1 / 127.5, and
#: either over the deviations of ImageNet (0.22), are less.
DIVIDED: Final = 0.05
#: Grey levels of 0..1 or -1..1 are no greater; so are those of no image of 0..255.
SMALL: Final = 1.0
#: Probes of which that was told.
_TOLD: Final[weakref.WeakSet[Any]] = weakref.WeakSet()


def collapsed(attribution: Any, shape: tuple[int, ...], recipe: str) -> Array:
    """Check an attribution against the inputs' shape and collapse its channels.

    Channels are summed: on a grey picture shown to a colour model that is the derivative by the
    grey value which all channels share, and it keeps the sum that completeness speaks of.

    Parameters
    ----------
    attribution
        (N, H, W, C), or (N, H, W) where the explainer collapsed the channels itself; floating.
    shape
        (N, H, W, C) of the inputs, or (N, D, H, W, C).
    recipe
        Names the explainer in errors.

    Returns
    -------
    float32 (N, H, W), finite.

    Raises
    ------
    NotFiniteError
        A value is NaN or infinite.
    ExplainerError
        Rank, batch, size or dtype are not as above.
    """
    array = np.asarray(attribution)
    if not np.issubdtype(array.dtype, np.floating):
        msg = f"{recipe}: expected a floating attribution, got {array.dtype}."
        raise ExplainerError(msg)
    if array.shape not in (shape, shape[:-1]):
        msg = f"{recipe}: expected shape {shape} or {shape[:-1]}, got {array.shape}."
        raise ExplainerError(msg)
    if not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        msg = (
            f"{recipe}: {bad} of {array.size} values are NaN or infinite. Check that the model "
            "gives finite outputs for this picture, and that its input range is the trained one."
        )
        raise NotFiniteError(msg)
    maps = array.astype(np.float32)
    return maps.sum(axis=-1) if maps.ndim == len(shape) else maps


def check_share(where: str, name: str, value: float) -> None:
    """Refuse, by InputError, what is no share: a number from 0 to 1."""
    try:
        within = 0 <= value <= 1
    except TypeError:
        within = False
    if not within:
        msg = f"{where}: expected {name} to be in 0..1, got {value!r}."
        raise InputError(msg)


def check_input(probe: Any, given: Array) -> None:
    """Compare the numbers of an input with what a probe's model takes.

    Whole numbers of a model of integers are demanded; of a model that divides its input itself, a
    range of 0..1 is told in the logger ``saliency.pipeline``, once for a probe.
    """
    _check_whole_numbers(given, getattr(probe, "input_dtype", "float32"))
    factor = getattr(probe, "input_factor", 1.0)
    if factor < DIVIDED and 0 < np.abs(given).max() <= SMALL and probe not in _TOLD:
        _TOLD.add(probe)
        logging.getLogger("saliency.pipeline").warning(
            "The model multiplies its input by %.2g itself, and the preparation gave %.3g to %.3g: "
            "nearly black to it. If it was trained on 0 to 255, use Prepare(scale='pixel').",
            factor,
            given.min(),
            given.max(),
        )


def _check_whole_numbers(given: Array, dtype: str) -> None:
    """Refuse what an input of integers would cut off: 0..1 of a model of bytes is black."""
    if "int" not in dtype:
        return
    kind = np.iinfo(dtype)
    low, high = float(given.min()), float(given.max())
    if kind.min <= low and high <= kind.max and np.array_equal(given, np.rint(given)):
        return
    msg = (
        f"The model takes whole numbers ({dtype}), and the preparation gave {low:.4g} to "
        f"{high:.4g}, some with fractions or out of range. Use Prepare(scale='pixel') for 0..255, "
        "or a scale of your own that rounds."
    )
    raise InputError(msg)
