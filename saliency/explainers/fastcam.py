"""Maps of one forward pass: how unequally the channels of every scale respond."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, final

import tensorflow as tf

from saliency.errors import InputError
from saliency.explainers.protocol import Explainer
from saliency.explainers.queries import map_of_answer, placed, settled, tensor
from saliency.kernels import activity, cam, gamma
from saliency.kernels.batches import Function
from saliency.kernels.channels import principal
from saliency.kernels.resize import size_of
from saliency.kernels.xla import fused_samples
from saliency.probe.protocol import Probe, Tensor


def _clipped_at_zero(statistic: Function) -> Function:
    """Clip activations at 0 first, as the authors' SaliencyModel does with whatever is tapped."""
    return lambda activations: statistic(tf.nn.relu(activations))


_STATISTICS: Mapping[str, Function] = MappingProxyType(
    {
        "smoe": activity.smoe_scale,
        "std": _clipped_at_zero(activity.std),
        "mean": _clipped_at_zero(activity.mean),
        "max": _clipped_at_zero(activity.maximum),
        "truncnormal": activity.truncnormal_entropy,
        "gamma": gamma.gamma_scale,
    }
)

#: Statistics of many steps on every activation; gamma's solver takes XLA long to compile.
_FUSED = frozenset({"smoe", "std", "truncnormal"})

_NORMS: Mapping[str, Function] = MappingProxyType(
    {
        "gaussian": activity.gaussian_cdf,
        "gamma": gamma.gamma_cdf,
        "gamma_truncated": gamma.gamma_cdf_truncated,
        "range": activity.unit_range,
    }
)

Cam: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Activation and gradient of the last layer, (N, h, w, C) -> map (N, h, w)."""


def _weighing(weights: Cam) -> Cam:
    return lambda activation, gradient: cam.weighted(
        activation, weights(activation, gradient)
    )


_CAMS: Mapping[str, Cam] = MappingProxyType(
    {
        "gradcam": _weighing(cam.gradcam_weights),
        "gradcampp": _weighing(cam.gradcampp_weights_summed),
        "xgradcam": _weighing(cam.xgradcam_weights),
        "hirescam": cam.hirescam,
        "layercam": cam.layercam,
        "eigencam": lambda activation, _: principal(activation),
    }
)


@final
@dataclass(frozen=True)
class FastCAM:
    """Activity at every scale of the network, times the evidence for the class.

    Returns float32 (N, H, W) in [0, 1]: the weighted mean of the layers' normalised statistics,
    times a CAM stretched to [0, 1]. Fine detail comes from early layers. Only the CAM depends on
    the class; where no channel speaks for it the map is 0. One forward pass, and the
    derivative of the head. Mundhenk et al., arXiv 1911.11293.

    Parameters
    ----------
    statistic
        Of the channels at a pixel: smoe, std, mean, max, gamma, all of relu(activation) as
        published; truncnormal, of layers before their ReLU.
    norm
        Of each layer's map: gaussian, gamma, gamma_truncated (as published), range.
    weights
        One a layer, earliest first; None: equal. The paper's for ResNet-50 without a CAM:
        (0.18, 0.15, 0.37, 0.4, 0.72).
    cam
        gradcam, gradcampp (the authors' own, epsilon included), xgradcam, hirescam, layercam,
        eigencam; or any explainer, whose positive part is the factor (``ScoreCAM()``,
        ``AblationCAM()``, ``ReciproCAM()``). None: the map independent of the class.
    complement
        Multiply by 1 - CAM: activity outside the evidence for the class.

    Raises
    ------
    InputError
        A name is unknown, or ``complement`` has no CAM. On the call: the number of weights is not
        that of layers.
    """

    statistic: Literal["smoe", "std", "mean", "max", "truncnormal", "gamma"] = "smoe"
    norm: Literal["gaussian", "gamma", "gamma_truncated", "range"] = "gaussian"
    weights: Sequence[float] | None = None
    cam: (
        Literal["gradcam", "gradcampp", "xgradcam", "hirescam", "layercam", "eigencam"]
        | Explainer
        | None
    ) = "gradcam"
    complement: bool = False

    def __post_init__(self) -> None:
        if self.weights is not None:
            object.__setattr__(self, "weights", tuple(self.weights))
        _check_known("statistic", self.statistic, _STATISTICS)
        _check_known("norm", self.norm, _NORMS)
        if not callable(self.cam) and (self.cam is not None or self.complement):
            _check_known("cam", self.cam, _CAMS)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        if self.cam is None:
            return map_of_answer(probe, "activations", FastCAM._combined, self, inputs)
        if callable(self.cam):
            inputs = tensor(inputs)
            probe = settled(probe, inputs)
            mask = activity.unit_range(tf.nn.relu(self.cam(probe, inputs)))
            active = map_of_answer(
                probe, "activations", FastCAM._combined, self, inputs
            )
            return self._times_mask(mask, active)
        return map_of_answer(probe, "last_gradient", FastCAM._masked, self, inputs)

    def layer_maps(self, probe: Probe, inputs: Tensor) -> Tensor:
        """Return the normalised statistic of each layer, float32 (N, H, W, L), earliest first."""
        inputs = tensor(inputs)
        maps = self._maps(probe.activations(inputs))
        return placed(probe, activity.layer_stack(maps, size=size_of(inputs)), inputs)

    def _masked(self, inputs: Tensor, answer: Any) -> Tensor:
        activations, gradient = answer
        places = _CAMS[str(self.cam)](activations[-1], gradient)
        mask = cam.cam_mask(places, size_of(inputs))
        return self._times_mask(mask, self._combined(inputs, activations))

    def _times_mask(self, mask: Tensor, activity_map: Tensor) -> Tensor:
        return activity_map * (1.0 - mask if self.complement else mask)

    def _combined(self, inputs: Tensor, activations: Sequence[Tensor]) -> Tensor:
        maps = self._maps(activations)
        return activity.combine(maps, size=size_of(inputs), weights=self.weights)

    def _maps(self, activations: Sequence[Tensor]) -> list[Tensor]:
        statistic, norm = _STATISTICS[self.statistic], _NORMS[self.norm]
        if self.statistic in _FUSED:
            return [norm(layer) for layer in fused_samples(statistic, activations)]
        return [norm(statistic(layer)) for layer in activations]


@final
@dataclass(frozen=True)
class Smoe:
    """Activity at every scale, independent of the class: :class:`FastCAM` without a CAM.

    Returns float32 (N, H, W) in [0, 1]. One forward pass. The same for every target.
    """

    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if self.weights is not None:
            object.__setattr__(self, "weights", tuple(self.weights))

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        return FastCAM(weights=self.weights, cam=None)(probe, inputs)

    def layer_maps(self, probe: Probe, inputs: Tensor) -> Tensor:
        """Return :meth:`FastCAM.layer_maps`."""
        return FastCAM(weights=self.weights, cam=None).layer_maps(probe, inputs)


def _check_known(field: str, name: object, known: Mapping[str, object]) -> None:
    if name not in known:
        msg = (
            f"FastCAM: expected {field} to be one of {', '.join(known)}, got {name!r}."
        )
        raise InputError(msg)
