"""What an explainer is, and what it may offer besides its map."""

from typing import NamedTuple, Protocol, runtime_checkable

from saliency.probe.protocol import Probe, Tensor


@runtime_checkable
class Explainer(Protocol):
    """Any callable of a probe and a batch; a function will do."""

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        """Return float32 (N, H, W, C), one number a pixel and channel, or (N, H, W)."""


@runtime_checkable
class Complete(Explainer, Protocol):
    """An explainer whose attributions should sum to a difference of scores."""

    def gap(self, probe: Probe, inputs: Tensor, attributions: Tensor) -> Tensor:
        """Return float32 (N,), >= 0: what is missing, as a share of the difference."""


@runtime_checkable
class Layered(Explainer, Protocol):
    """An explainer that can show what each layer contributes."""

    def layer_maps(self, probe: Probe, inputs: Tensor) -> Tensor:
        """Return float32 (N, H, W, L), the earliest layer first: what ``render.lovi`` draws."""


class NamedMaps(NamedTuple):
    """Maps of layers, float32 (N, H, W, L), and the names of these layers."""

    maps: Tensor
    names: tuple[str, ...]


@runtime_checkable
class NamedLayers(Layered, Protocol):
    """One whose layers are others than those the probe taps."""

    def named_layer_maps(self, probe: Probe, inputs: Tensor) -> NamedMaps:
        """Return what ``layer_maps`` does, and the layers."""


@runtime_checkable
class HeadProbe(Probe, Protocol):
    """A probe that can be asked to go on from the last tapped layer."""

    def head(self, activation: Tensor) -> Tensor:
        """Return the score (N,) that the rest of the network gives to a last activation.

        ``activation`` is float32 (N, h, w, c), shaped like ``activations(inputs)[-1]``.
        """


@runtime_checkable
class RandomisedProbe(Probe, Protocol):
    """A probe that can be asked about the same network with weights drawn anew."""

    def randomised(self, seed: int, *, top: float = 1.0) -> Probe:
        """Return a probe of the same target on a copy whose weights are shuffled tensor-wise.

        ``top`` 0..1: the last weights alone, this share of the tensors. The user's model is left
        as it is.
        """
