"""Rules: other derivatives for the same forward pass.

A rule is a function ``rule(name, operation, args, call) -> output`` that stands in for each call
of the model's graph, nested models included; ``call(*args)`` is what happens without it. Bind one
with ``probe.at(target).ruled(rule)``. A study is a rule that keeps notes of a walk: ask it with
``probe.at(target).study(study, inputs)``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NoReturn, final

import keras
import tensorflow as tf

from saliency.errors import ModelError
from saliency.explainers.propagation.layer_kinds import tensors
from saliency.probe.model.graph import Rule
from saliency.probe.model.head import applies_last
from saliency.probe.model.keras_internals import Operation, is_sealed, shadow, sublayers
from saliency.probe.protocol import Tensor

RECTIFIERS = (
    keras.activations.relu,
    keras.activations.relu6,
    keras.ops.relu,
    keras.ops.relu6,
    tf.nn.relu,
    tf.nn.relu6,
)


def guided(
    name: str, operation: Operation, args: tuple[Any, ...], call: Callable[..., Any]
) -> Any:
    """Let only positive derivatives through each ReLU: guided backpropagation.

    At the output of a ReLU the derivative r becomes max(r, 0); the ReLU's own derivative follows,
    so that r 1[r > 0] 1[x > 0] goes on (Springenberg et al., arXiv 1412.6806, section 3.4).

    Raises
    ------
    ModelError
        A ReLU is hidden inside a layer of layers or a SavedModel, where it would silently stay
        as it is.
    """
    _check_reached(name, operation)
    output = call(*args)
    return _positive_derivative(output) if rectifies(operation) else output


def deconvolved(
    name: str, operation: Operation, args: tuple[Any, ...], call: Callable[..., Any]
) -> Any:
    """Treat the derivative at each ReLU as a ReLU treats its input: the deconvolutional network.

    The derivative r at the output of a ReLU goes on as max(r, 0), wherever the ReLU was open
    (Zeiler and Fergus, arXiv 1311.2901, section 2.1).

    Raises
    ------
    ModelError
        As :func:`guided`.
    """
    output, linear = _around_relu(name, operation, args, call)
    return (
        output
        if linear is None
        else _positive_derivative(straight_through(output, linear))
    )


def smoothed(
    name: str,
    operation: Operation,
    args: tuple[Any, ...],
    call: Callable[..., Any],
    *,
    beta: float,
) -> Any:
    """Differentiate each ReLU as softplus(beta x) / beta: by the logistic function of beta x.

    What the network computes stays as it is (Dombrowski et al., arXiv 1906.07983, section 3). A
    slope below 0, and a greatest value as that of ReLU6, are smoothed alike.

    Raises
    ------
    ModelError
        As :func:`guided`.
    """
    output, linear = _around_relu(name, operation, args, call)
    if linear is None:
        return output
    slope, start, stop = _corners(operation)
    bent = slope * linear + (1 - slope) * _softplus(linear - start, beta)
    return straight_through(
        output, bent if stop is None else bent - _softplus(linear - stop, beta)
    )


@final
@dataclass(frozen=True)
class Rectified:
    """The derivative of the score by the pictures, with a rule at each ReLU.

    Answers float32 (N, H, W, C).

    Parameters
    ----------
    rule
        ``"guided"``, ``"deconvolved"`` or ``"smoothed"``.
    beta
        Of the last.
    """

    rule: Literal["guided", "deconvolved", "smoothed"]
    beta: float = 10.0

    def begin(self) -> "_Rectified":
        """Return blank notes."""
        rules: dict[str, Rule] = {
            "guided": guided,
            "deconvolved": deconvolved,
            "smoothed": partial(smoothed, beta=self.beta),
        }
        return _Rectified(rules[self.rule])


@final
class _Rectified:
    """Notes whether a ReLU was met."""

    def __init__(self, rule: Rule) -> None:
        self.rule, self.seen = rule, False

    def __call__(
        self,
        name: str,
        operation: Operation,
        args: tuple[Any, ...],
        call: Callable[..., Any],
    ) -> Any:
        self.seen = self.seen or rectifies(operation)
        return self.rule(name, operation, args, call)

    def finish(self, forward: Any) -> Tensor:
        """Return the derivative.

        Raises
        ------
        ModelError
            The network has no ReLU: the answer would be the plain gradient under another name.
        """
        if not self.seen:
            msg = (
                "Guided backpropagation, the deconvolutional network and beta smoothing change "
                "what happens at a ReLU, and this network has none: use Gradient, SmoothGrad or "
                "IntegratedGradients."
            )
            raise ModelError(msg)
        score, inputs = forward.score(), forward.inputs
        return tf.gradients(score, [inputs], unconnected_gradients="zero")[0]


def before(
    operation: Operation, args: tuple[Any, ...], call: Callable[..., Any]
) -> Any:
    """Return what an operation's activation is applied to; its argument where it is nothing else.

    Layers that apply an ``activation`` last are called once more without it.
    """
    if not applies_last(operation) or isinstance(operation, keras.layers.Activation):
        return args[0]
    linear = shadow(operation, activation=keras.activations.linear)
    return called(linear, call)(*args)


def called(operation: Operation, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return the call of another operation with the named arguments of ``call``."""
    return partial(operation, **getattr(call, "keywords", {}))


def straight_through(output: Tensor, surrogate: Tensor) -> Tensor:
    """Return ``output`` to the bit, with the derivative of ``surrogate`` (finite, same shape).

    A custom gradient would be kept by TensorFlow's registry, and with it all that it holds.
    """
    return tf.stop_gradient(output) + (surrogate - tf.stop_gradient(surrogate))


def check_known(
    method: str,
    unknown: Sequence[tuple[str, Operation, Any]],
    ends: Sequence[Tensor],
    start: Tensor,
) -> None:
    """Raise where ``ends`` come from ``start`` through a layer that a method has no rule for.

    Raises
    ------
    ModelError
        Names the first such layer.
    """
    places = [
        (name, operation, each)
        for name, operation, out in unknown
        for each in tensors(out)
    ]
    after = tf.gradients(list(ends), [each for *_, each in places]) if places else ()
    for (name, operation, each), slope in zip(places, after, strict=True):
        if slope is None or tf.gradients(each, start) == [None]:
            continue
        function = getattr(getattr(operation, "activation", None), "__name__", None)
        kind = type(operation).__name__ + (f" with {function}" if function else "")
        msg = (
            f"{method} has no rule for the layer {name!r} ({kind}). Gradient, "
            "IntegratedGradients, SmoothGrad and Occlusion need none; nor do the CAMs, where there "
            "is a convolution to be seen."
        )
        raise ModelError(msg)


def _check_reached(name: str, operation: Operation) -> None:
    if is_sealed(operation):
        _not_reached(
            f"The layer {name!r} runs a SavedModel, whose ReLUs a rule cannot reach"
        )
    if any(rectifies(layer) for layer in sublayers(operation)):
        _not_reached(f"The layer {name!r} has a ReLU inside that a rule cannot reach")


def _not_reached(what: str) -> NoReturn:
    msg = (
        f"{what}: draw its layers in the model's graph, or use Gradient, SmoothGrad or "
        "IntegratedGradients."
    )
    raise ModelError(msg)


def rectifies(operation: Operation) -> bool:
    """Return whether an operation ends in a ReLU (or ReLU6)."""
    if isinstance(operation, keras.layers.ReLU):
        return True
    if not isinstance(operation, keras.Layer):
        return type(operation).__name__ in ("Relu", "Relu6")
    last = applies_last(operation)
    return last and any(operation.activation is function for function in RECTIFIERS)


def _around_relu(
    name: str, operation: Operation, args: tuple[Any, ...], call: Callable[..., Any]
) -> tuple[Any, Any]:
    """Return a step's output, and what its ReLU is applied to: None where it ends in none."""
    _check_reached(name, operation)
    return call(*args), before(operation, args, call) if rectifies(operation) else None


def _corners(operation: Operation) -> tuple[float, float, float | None]:
    """Return the slope below a ReLU's first corner, that corner, and the second one."""
    if isinstance(operation, keras.layers.ReLU):
        return operation.negative_slope, operation.threshold, operation.max_value
    last = (
        operation.activation if isinstance(operation, keras.Layer) else type(operation)
    )
    return 0.0, 0.0, 6.0 if last.__name__.lower() == "relu6" else None


def _softplus(values: Tensor, beta: float) -> Tensor:
    return tf.math.softplus(beta * values) / beta


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _positive_derivative(tensor: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    return tf.identity(tensor), tf.nn.relu
