"""How far a fully convolutional network looks around each place, and in what steps it goes."""

from dataclasses import dataclass
from typing import Any, Final, final

import keras
import numpy as np

from saliency.probe.model.geometry import PLAIN_LAYERS, PLAIN_OPERATIONS
from saliency.probe.model.shapes import Outline, Step
from saliency.probe.model.taps import MARGINS, RECTIFIERS, RECTIFYING_OPERATIONS

#: Layers that answer each place from that place alone.
_PLACE_BY_PLACE: Final = (*PLAIN_LAYERS, *RECTIFIERS)
_ALONG_AN_AXIS: Final = (
    keras.layers.BatchNormalization,
    keras.layers.Normalization,
    keras.layers.Softmax,
)
_CONVOLUTIONS: Final = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
_POOLS: Final = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
_COARSER: Final = (*_CONVOLUTIONS, *_POOLS, *MARGINS)


@final
@dataclass(frozen=True)
class FieldOfView:
    """What a fully convolutional network sees from one place.

    Parameters
    ----------
    field
        Input pixels along an axis that one place of the output depends on: the receptive field.
    stride
        Input pixels from one cell of the coarsest layer to the next. A picture that is moved by a
        multiple of it gives the same answer, moved.
    """

    field: int = 1
    stride: int = 1


@final
@dataclass(frozen=True)
class _Scale:
    """Receptive field, pixels from cell to cell, and the greatest of those so far."""

    field: float = 1.0
    cell: float = 1.0
    coarsest: float = 1.0


def reach_of(outline: Outline) -> FieldOfView | None:
    """Return the reach of a network of images; None where a step mixes all places, or is unknown.

    The receptive field grows by (kernel - 1) x dilation x pixels of a cell with each layer; of
    paths that meet the widest counts.
    """
    scales: dict[int, _Scale] = {-1: _Scale()}
    for step in outline.steps:
        given = [scales[parent] for parent in step.parents if parent in scales]
        after = _after(step, _widest_scale(given)) if given else None
        if after is None:
            return None
        scales[step.index] = after
    if not outline.ends:
        return None
    end = _widest_scale([scales[index] for index in outline.ends])
    return FieldOfView(int(-(-end.field // 1)), int(end.coarsest))


def _widest_scale(scales: list[_Scale]) -> _Scale:
    return _Scale(
        max(each.field for each in scales),
        max(each.cell for each in scales),
        max(each.coarsest for each in scales),
    )


def _after(step: Step, scale: _Scale) -> _Scale | None:
    """Return the scale behind a step; None where it looks at all places."""
    operation: Any = step.operation
    if len(step.shape) != 4:
        return None
    if isinstance(operation, keras.layers.Conv2DTranspose):
        return _finer(scale, max(operation.strides), max(operation.kernel_size))
    if isinstance(operation, _COARSER):
        return _coarser(scale, *_stride_and_width(operation))
    if isinstance(operation, keras.layers.UpSampling2D):
        # bilinear: a neighbour on each side
        return _finer(scale, max(operation.size), 3)
    moved = any(shape[1:-1] != step.shape[1:-1] for shape in step.inputs)
    return scale if _is_local(operation) and not moved else None


def _is_local(operation: Any) -> bool:
    """Say whether each place is answered from that place alone."""
    if isinstance(operation, _ALONG_AN_AXIS):
        # Over the channels: attention has a softmax over places, and a normalisation along rows
        # answers other rows in another way. Normalization has a tuple of axes, of one number none.
        axes = np.atleast_1d(operation.axis).tolist()
        return all(axis in (-1, 3) for axis in axes)
    name = type(operation).__name__
    plain = name in PLAIN_OPERATIONS or name in RECTIFYING_OPERATIONS
    return plain or isinstance(operation, _PLACE_BY_PLACE)


def _stride_and_width(operation: Any) -> tuple[int, int]:
    """Return the stride, and how many cells more than one a cell of the output depends on."""
    if isinstance(operation, MARGINS):
        return 1, max(max(side) for side in operation.padding)
    if isinstance(operation, _POOLS):
        return max(operation.strides), max(operation.pool_size) - 1
    apart = max(getattr(operation, "dilation_rate", (1,)))
    return max(operation.strides), (max(operation.kernel_size) - 1) * apart


def _coarser(scale: _Scale, stride: int, wide: int) -> _Scale:
    cell = scale.cell * stride
    field = scale.field + wide * scale.cell
    return _Scale(field, cell, max(cell, scale.coarsest))


def _finer(scale: _Scale, stride: int, kernel: int) -> _Scale:
    field = scale.field + (kernel - 1) * scale.cell
    return _Scale(field, scale.cell / stride, scale.coarsest)
