"""Ask a probe for what it may offer, or fall back to what every probe has."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, final

import tensorflow as tf

from saliency.errors import ExplainerError, InputError
from saliency.explainers.protocol import HeadProbe
from saliency.kernels.baselines import References, reference, several
from saliency.kernels.paths import relative_gap
from saliency.kernels.resize import bilinear, laid, size_of
from saliency.probe.fused_recipe import Drawing
from saliency.probe.protocol import (
    DrawingProbe,
    LastLayerProbe,
    Probe,
    SettlingProbe,
    StudiedProbe,
    Tensor,
    WindowedProbe,
)

#: Pictures in one call of a probe that does not say how many it likes (attribute ``chunk``).
_PICTURES = 8

#: Forward passes that take the memory of one with its backward pass, at the least.
_FORWARD = 4


@final
@dataclass(frozen=True)
class LastLayer:
    """Activations (N, h, w, c) of all tapped layers, and the score's derivative by the last."""

    activations: tuple[Tensor, ...]
    gradient: Tensor


def settled(probe: Probe, inputs: Tensor) -> Probe:
    """Fix the target to what it is at ``inputs``, before asking about other pictures."""
    return probe.settled(inputs) if isinstance(probe, SettlingProbe) else probe


def last_layer(probe: Probe, inputs: Tensor) -> LastLayer:
    """Differentiate by the last layer alone where the probe can, else by all."""
    return LastLayer(*_activations_and_gradient(probe, inputs))


def on_inputs(probe: Probe, maps: Tensor, inputs: Tensor) -> Tensor:
    """Return maps of a layer (N, h, w) on the grid of the inputs (N, H, W), where it saw them."""
    return placed(probe, bilinear(maps, size_of(inputs)), inputs)


def placed(probe: Probe, maps: Tensor, inputs: Tensor) -> Tensor:
    """Lay maps (N, H, W), stretched over the whole inputs, where the layers saw them; else 0.

    Raises
    ------
    ModelError
        The model turns its input, or looks at several parts of it.
    """
    if not isinstance(probe, WindowedProbe):
        return maps
    window = probe.window(tuple(inputs.shape[1:-1]))
    return maps if window is None else laid(maps, window.edges)


def map_of_answer(
    probe: Probe,
    question: str,
    function: Callable[..., Tensor],
    recipe: Any,
    inputs: Tensor,
) -> Tensor:
    """Return ``function(recipe, inputs, answer)``, in one graph with the answer if possible.

    ``question`` is ``"activations"`` or ``"last_gradient"``, and the answer what a probe's method
    of that name returns.
    """
    inputs = tensor(inputs)
    drawing = Drawing(function, recipe)
    if isinstance(probe, DrawingProbe):
        return placed(probe, probe.draw(question, drawing, inputs), inputs)
    last = question == "last_gradient"
    answer = (
        _activations_and_gradient(probe, inputs) if last else probe.activations(inputs)
    )
    return placed(probe, drawing(inputs, answer), inputs)


def masking(probe: Probe, activation: Tensor, inputs: Tensor) -> Tensor:
    """Return channels (N, h, w, C) to be stretched over the inputs as masks.

    Where the layers see a part of the inputs, each channel is laid there first: (N, H, W, C).
    """
    if (
        not isinstance(probe, WindowedProbe)
        or probe.window(tuple(inputs.shape[1:-1])) is None
    ):
        return activation
    channels = tf.unstack(activation, axis=-1)
    return tf.stack(
        [on_inputs(probe, channel, inputs) for channel in channels], axis=-1
    )


def head_probe(probe: Probe) -> HeadProbe:
    """Return the probe where it can go on from an activation.

    Raises
    ------
    ExplainerError
        It cannot.
    """
    if not isinstance(probe, HeadProbe):
        msg = (
            "explainer: expected a probe with a method head(activation), which runs the rest of "
            f"the network, got {type(probe).__name__}. Use GradCAM or ScoreCAM instead."
        )
        raise ExplainerError(msg)
    return probe


def studied(recipe: str, probe: Probe, study: Any, inputs: Tensor) -> Any:
    """Return what a study of the network's own layers finds.

    Raises
    ------
    ExplainerError
        The probe has no layers to be watched.
    """
    if not isinstance(probe, StudiedProbe):
        msg = (
            f"{recipe}: expected a probe of a Keras model, whose layers can be watched, got "
            f"{type(probe).__name__}. Use Gradient, IntegratedGradients or Occlusion."
        )
        raise ExplainerError(msg)
    return probe.study(study, inputs)


def copies(probe: Probe, inputs: Tensor) -> int:
    """Return how many variants of a batch go into one gradient: the probe's ``chunk`` over N."""
    pictures = int(getattr(probe, "chunk", _PICTURES))
    return max(1, pictures // (inputs.shape[0] or pictures))


def score_copies(probe: Probe, inputs: Tensor) -> int:
    """Return how many variants go into one score: a forward pass keeps nothing for a backward."""
    return _FORWARD * copies(probe, inputs)


def tensor(inputs: Tensor) -> Tensor:
    """Make a float32 tensor of a batch."""
    return tf.convert_to_tensor(inputs, tf.float32)


def gap_from(
    probe: Probe, inputs: Tensor, attributions: Tensor, kinds: References, seed: int = 0
) -> Tensor:
    """Return the gap of maps that share out the change from references, float32 (N,), >= 0."""
    inputs = tensor(inputs)
    probe = settled(probe, inputs)
    starts = [probe.score(reference(inputs, kind, seed)) for kind in several(kinds)]
    return relative_gap(
        attributions, probe.score(inputs), tf.add_n(starts) / len(starts)
    )


def check_positive(recipe: str, **numbers: float) -> None:
    """Raise InputError where a number of a recipe is not above 0."""
    for name, number in numbers.items():
        try:
            positive = number > 0
        except TypeError:
            positive = False
        if not positive:
            msg = f"{recipe}: expected {name} above 0, got {number!r}."
            raise InputError(msg)


def check_whole(where: str, *, least: int, **numbers: object) -> None:
    """Raise InputError where a number is not whole, or below ``least``."""
    for name, number in numbers.items():
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not whole or number < least:  # type: ignore[operator]
            msg = (
                f"{where}: expected {name} to be a whole number of {least} or more, got "
                f"{number!r}."
            )
            raise InputError(msg)


def _activations_and_gradient(
    probe: Probe, inputs: Tensor
) -> tuple[tuple[Tensor, ...], Tensor]:
    if isinstance(probe, LastLayerProbe):
        return probe.last_gradient(inputs)
    pairs = probe.activation_gradients(inputs)
    return tuple(activation for activation, _ in pairs), pairs[-1][1]
