"""One picture for the maps of many layers: LOVI and the combined heat of FastCAM."""

import numpy as np
from numpy.typing import ArrayLike

from saliency.errors import InputError
from saliency.values.arrays import Array, finite, frozen

#: Degrees of hue of the earliest layer (violet) and, for heat, of the coldest pixel (blue).
EARLIEST, COLDEST = 300.0, 240.0


def lovi(stack: ArrayLike, *, weights: ArrayLike | None = None) -> Array:
    """Show in which layers each pixel matters: hue says where in the network, light how much.

    Violet is the earliest layer, red the last; a pixel that fires in one layer alone is of pure
    colour, one that fires alike in all is white; where every map is 0 it is black. A stack of one
    layer has no order to show and is drawn in grey.

    Parameters
    ----------
    stack
        Real (rows, columns, layers), earliest layer first. The whole stack is scaled to 0..1 by its
        own minimum and maximum, so that layers stay comparable; a flat stack is left as it is.
    weights
        (layers,), 0 or more; None: 1 for each.

    Returns
    -------
    ndarray
        uint8 (rows, columns, 3) RGB.

    Raises
    ------
    InputError
        Another rank, NaN or infinity, or weights that do not fit.

    References
    ----------
    Mundhenk, Chen and Friedland 2019, "Efficient Saliency Maps for Explainable AI", section on
    Layer Ordered Visualization of Information, arXiv:1911.11293.
    """
    return _as_uint8(rgb_of(lovi_hsv(stack, weights=weights)))


def heat(stack: ArrayLike, *, weights: ArrayLike | None = None) -> Array:
    """Show the weighted mean of the layers, blue to red, whiter where the layers agree.

    Parameters, errors and source are those of :func:`lovi`.

    Returns
    -------
    ndarray
        uint8 (rows, columns, 3) RGB; the hottest pixel is of full light.
    """
    return _as_uint8(rgb_of(heat_hsv(stack, weights=weights)))


def lovi_hsv(stack: ArrayLike, *, weights: ArrayLike | None = None) -> Array:
    """Return float64 (rows, columns, 3): hue in degrees 0..300, saturation, value.

    With parts P and L layers: hue = 300 * sum(P * position) / sum(P), position 1 for the earliest
    layer and 0 for the last; saturation = 1 - (sum(P) / (L * max(P)) - 1 / L) / (1 - 1 / L);
    value = max(P).
    """
    parts, _ = _layers_and_weights(stack, weights)
    total, most = parts.sum(-1), parts.max(-1)
    hue = EARLIEST * _ratio(parts @ np.linspace(1, 0, parts.shape[-1]), total)
    return np.stack(
        [hue if parts.shape[-1] > 1 else 0 * hue, _purity(parts), most], axis=-1
    )


def heat_hsv(stack: ArrayLike, *, weights: ArrayLike | None = None) -> Array:
    """Return float64 (rows, columns, 3): hue in degrees 0..240, saturation, value.

    Value is the weighted mean of the parts over its maximum; hue = 240 * (1 - value); saturation is
    that of LOVI to the power 1 / e, for one layer the value to that power.
    """
    parts, weight = _layers_and_weights(stack, weights)
    mean = parts.sum(-1) / weight.sum()
    value = _ratio(mean, mean.max())
    purity = _purity(parts) if parts.shape[-1] > 1 else value
    return np.stack(
        [COLDEST * (1 - value), np.clip(purity, 0, 1) ** (1 / np.e), value], axis=-1
    )


def rgb_of(hsv: Array) -> Array:
    """Convert hue in degrees, saturation and value (..., 3) to RGB of the value's range."""
    hue, saturation, value = np.moveaxis(hsv, -1, 0)
    turn = (np.array([5, 3, 1]) + hue[..., None] / 60) % 6
    ramp = np.clip(np.minimum(turn, 4 - turn), 0, 1)
    rgb: Array = value[..., None] * (1 - saturation[..., None] * ramp)
    return rgb


def _layers_and_weights(
    stack: ArrayLike, weights: ArrayLike | None
) -> tuple[Array, Array]:
    given = finite(frozen(stack, np.float64, "lovi: stack", ranks=(3,)), "lovi: stack")
    layers = given.shape[-1]
    weight = np.ones(layers) if weights is None else np.asarray(weights, np.float64)
    if weight.shape != (layers,) or not (np.isfinite(weight) & (weight >= 0)).all():
        msg = f"lovi: expected {layers} weights of 0 or more, got shape {weight.shape}."
        raise InputError(msg)
    if not weight.any():
        msg = "lovi: expected a weight above 0, got zeros alone."
        raise InputError(msg)
    low, high = given.min(), given.max()
    return (given if low == high else (given - low) / (high - low)) * weight, weight


def _purity(parts: Array) -> Array:
    """Return 1 where one layer fires alone, 0 where all fire alike or none does."""
    layers = parts.shape[-1]
    most = parts.max(-1)
    if layers == 1:
        return np.zeros_like(most)
    evenness = _ratio(parts.sum(-1), layers * most)
    purity: Array = np.where(
        most > 0, 1 - (evenness - 1 / layers) / (1 - 1 / layers), 0
    )
    return purity


def _ratio(top: Array, bottom: Array) -> Array:
    ratio: Array = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
    return ratio


def _as_uint8(rgb: Array) -> Array:
    whole: Array = np.rint(255 * np.clip(rgb, 0, 1)).astype(np.uint8)
    whole.flags.writeable = False
    return whole
