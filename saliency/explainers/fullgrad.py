"""FullGrad: the contributions of the input and of every bias to the score."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.errors import ExplainerError
from saliency.explainers.propagation.fullgrad import BiasGradients
from saliency.explainers.protocol import NamedMaps
from saliency.explainers.queries import on_inputs, studied, tensor
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True, eq=False)
class FullGradient:
    """A score as a sum of parts without a rest (Srinivas and Fleuret, arXiv 1905.00780, eq. 2).

    Parameters
    ----------
    picture
        Gradient times picture, float32 (N, H, W, C).
    biases
        Bias times gradient of each layer, float32 (N, h, w, c), or (N, c) of dense layers.
    layers
        Name of each bias's layer, string (biases,); "" for a bias of no layer.
    """

    picture: Tensor
    biases: tuple[Tensor, ...]
    layers: Tensor

    @property
    def total(self) -> Tensor:
        """The sum of all parts, float32 (N,): the score, where it is linear in the logits."""
        parts = (self.picture, *self.biases)
        flat = [tf.reshape(part, (tf.shape(part)[0], -1)) for part in parts]
        return tf.add_n([tf.reduce_sum(part, axis=1) for part in flat])


@final
@dataclass(frozen=True)
class FullGrad:
    """Gradient times image, and the gradients of all biases, added.

    Returns float32 (N, H, W), >= 0: |gradient x picture| and |bias x gradient| of each layer of
    maps, each layer stretched to 0..1 and resized, then added. Biases of dense layers have no
    place and are left out. Srinivas and Fleuret, arXiv 1905.00780, eq. 4.

    Raises
    ------
    ExplainerError
        On the call: the probe is no Keras model that can be looked into.
    ModelError
        On the call: the score comes through a layer whose biases are not known.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        parts = self.decomposed(probe, inputs)
        return _stretched(parts.picture) + tf.reduce_sum(
            _layer_stack(probe, parts), axis=-1
        )

    def layer_maps(self, probe: Probe, inputs: Tensor) -> Tensor:
        """Return the map of each layer's biases, float32 (N, H, W, L), >= 0, earliest first.

        With the stretched |gradient x picture| they sum to the explainer's map (eq. 4).

        Raises
        ------
        ExplainerError
            No layer of maps has a bias.
        """
        return self.named_layer_maps(probe, inputs).maps

    def named_layer_maps(self, probe: Probe, inputs: Tensor) -> NamedMaps:
        """Return :meth:`layer_maps` and their layers; a layer with two biases appears twice."""
        parts = self.decomposed(probe, inputs)
        with_places = _biases_with_places(parts)
        if not with_places:
            msg = (
                "FullGrad: expected a layer of maps with a bias for layer maps, found none. "
                "Use FastCAM, or FullGrad's own map."
            )
            raise ExplainerError(msg)
        names = parts.layers.numpy()
        layers = tuple(names[index].decode() for index in with_places)
        return NamedMaps(_layer_stack(probe, parts), layers)

    def decomposed(self, probe: Probe, inputs: Tensor) -> FullGradient:
        """Return the score's parts with their signs: they sum to it."""
        inputs = tensor(inputs)
        slope, biases, names = studied("FullGrad", probe, BiasGradients(), inputs)
        return FullGradient(slope * inputs, tuple(biases), names)


def _biases_with_places(parts: FullGradient) -> list[int]:
    """Return which biases have places on the picture."""
    rank = len(parts.picture.shape)
    return [index for index, bias in enumerate(parts.biases) if len(bias.shape) == rank]


def _layer_stack(probe: Probe, parts: FullGradient) -> Tensor:
    """Return float32 (N, H, W, L): nothing (L = 0) where no bias has a place."""
    picture = parts.picture
    biases = [parts.biases[index] for index in _biases_with_places(parts)]
    maps = [on_inputs(probe, _stretched(bias), picture) for bias in biases]
    if not maps:
        return tf.zeros((*picture.shape[:-1], 0))
    return tf.stack(maps, axis=-1)


def _stretched(part: Tensor) -> Tensor:
    """Return |part| (N, h, w, c), stretched to 0..1 for each sample, summed over channels."""
    size = tf.abs(part)
    axes = list(range(1, size.shape.rank))
    size -= tf.reduce_min(size, axis=axes, keepdims=True)
    highest = tf.reduce_max(size, axis=axes, keepdims=True)
    return tf.reduce_sum(tf.math.divide_no_nan(size, highest), axis=-1)
