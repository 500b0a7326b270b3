"""The derivative of 3-D max pooling, which goes to one voxel of each window.

TensorFlow's CPU kernel hands the whole derivative to every voxel that is within 1e-5 of the
maximum. Where a volume is constant (air) or a ReLU is shut, gradients come out up to 8 times too
large behind one pooling of 2 x 2 x 2, and 64 times behind two. Its 1-D and 2-D pooling choose one.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, final

import tensorflow as tf

from saliency.probe.protocol import Tensor

_NAME: Final = "SaliencyMaxPool3D"


def one_winner() -> AbstractContextManager[Any]:
    """Return a context in which the current graph's 3-D max poolings have one winner a window.

    What they compute stays as it is. It reaches every pooling that is drawn in this graph: of
    layers, ``keras.ops`` or TensorFlow's operations; not those inside a SavedModel.
    """
    graph = tf.compat.v1.get_default_graph()
    context: AbstractContextManager[Any] = graph.gradient_override_map(
        {"MaxPool3D": _NAME}
    )
    return context


@tf.RegisterGradient(_NAME)  # type: ignore[untyped-decorator]
def _pooling_gradient(operation: Any, derivative: Tensor) -> Tensor:
    """Return the derivative by what went in, from that by the maxima."""
    volumes = operation.inputs[0]
    window, strides = operation.get_attr("ksize"), operation.get_attr("strides")
    padding = operation.get_attr("padding").decode()
    if operation.get_attr("data_format") == b"NDHWC":
        return _by_volumes(volumes, derivative, window[1:4], strides[1:4], padding)
    last, first = (0, 2, 3, 4, 1), (0, 4, 1, 2, 3)
    moved = tf.transpose(volumes, last), tf.transpose(derivative, last)
    return tf.transpose(_by_volumes(*moved, window[2:], strides[2:], padding), first)


def _by_volumes(
    volumes: Tensor,
    derivative: Tensor,
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> Tensor:
    """Return the derivative by volumes (N, D, H, W, C): a box's maximum is that of its planes'."""
    rows, slices, height, width, channels = tf.unstack(tf.shape(volumes))
    in_planes = _Pool2D((window[1], window[2]), (strides[1], strides[2]), padding)
    along_slices = _Pool2D((window[0], 1), (strides[0], 1), padding)

    planes = tf.reshape(volumes, (rows * slices, height, width, channels))
    plane_maxima = in_planes(planes)
    places = tf.size(plane_maxima) // (rows * slices * channels)
    columns = tf.reshape(plane_maxima, (rows, slices, places, channels))
    maxima = along_slices(columns)

    by_columns = along_slices.backward(
        columns, maxima, tf.reshape(derivative, tf.shape(maxima))
    )
    by_maxima = tf.reshape(by_columns, tf.shape(plane_maxima))
    return tf.reshape(
        in_planes.backward(planes, plane_maxima, by_maxima), tf.shape(volumes)
    )


@final
@dataclass(frozen=True)
class _Pool2D:
    """TensorFlow's 2-D max pooling, and its derivative.

    Parameters
    ----------
    window, strides
        (rows, columns).
    padding
        "VALID" or "SAME".
    """

    window: tuple[int, int]
    strides: tuple[int, int]
    padding: str

    def __call__(self, x: Tensor) -> Tensor:
        """Return the maxima."""
        return tf.raw_ops.MaxPool(input=x, **self._attributes())

    def backward(self, x: Tensor, maxima: Tensor, derivative: Tensor) -> Tensor:
        """Return the derivative by x, from that by the maxima."""
        return tf.raw_ops.MaxPoolGrad(
            orig_input=x, orig_output=maxima, grad=derivative, **self._attributes()
        )

    def _attributes(self) -> dict[str, Any]:
        return {
            "ksize": [1, *self.window, 1],
            "strides": [1, *self.strides, 1],
            "padding": self.padding,
        }
