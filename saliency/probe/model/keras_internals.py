"""Everything that Keras does not show: each private name that the library needs is here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeAlias, final

import keras
import tensorflow as tf
from keras.src.backend.common.stateless_scope import in_stateless_scope
from keras.src.legacy.saving.legacy_h5_format import load_model_from_hdf5
from keras.src.models.functional import Functional

from saliency.probe.protocol import Tensor

Operation: TypeAlias = Any
"""A Keras layer or ``keras.ops`` operation; Keras ships no types."""

KERAS_CODE = "keras."
"""How the modules begin whose layers are Keras's own."""

APPLICATIONS = "keras.src.applications."
"""How the modules begin that hold pretrained networks, some with layers written as code."""


def load_hdf5(file: Any) -> Any:
    """Return the model of an open HDF5 file, not compiled."""
    return load_model_from_hdf5(file, compile=False)


def outputs_of(source: Any) -> Any:
    """Return the structure of symbolic outputs of a Keras Function."""
    return source._outputs_struct  # noqa: SLF001


def inference(function: Callable[[], Any]) -> Any:
    """Run ``function`` so that layers see training=False and cannot write a variable."""
    result: list[Any] = []
    failed: list[Exception] = []

    def kept() -> None:
        """Keep an error from Keras, which would wrap it in remarks on the frame."""
        try:
            result.append(function())
        except Exception as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    with nullcontext() if in_stateless_scope() else keras.StatelessScope():
        _Frame(kept)(tf.zeros(()), training=False)
    if failed:
        raise failed[0]
    return result[0]


def standing_in(values: Sequence[tuple[Any, Any]]) -> AbstractContextManager[Any]:
    """Return a context in which variables have other values; the variables stay as they are."""
    return keras.StatelessScope(state_mapping=values) if values else nullcontext()


def shadow(layer: Operation, **attributes: Any) -> Operation:
    """Return an object that is ``layer`` but for some attributes; the layer stays as it is.

    It shares the layer's variables and code. ``copy.copy`` would go through Keras's serializer
    and make new variables.
    """
    twin = object.__new__(type(layer))
    twin.__dict__.update(layer.__dict__)
    twin.__dict__.update(attributes)
    return twin


def linear_twin(layer: Operation) -> Operation:
    """Return a shadow of a layer that computes in float32, without bias and activation."""
    policy = keras.DTypePolicy("float32")
    # Weights of another dtype (float64, bfloat16) are cast only where the policy knows of it.
    policy._variable_dtype = layer.variable_dtype  # noqa: SLF001
    return shadow(
        layer,
        activation=keras.activations.linear,
        bias=None,
        use_bias=False,
        _dtype_policy=policy,
    )


def attending(layer: Operation) -> Operation:
    """Return a shadow of an attention layer that can tell its scores: without the fused kernel."""
    return shadow(layer, _flash_attention=False)


def sublayers(operation: Operation) -> list[Operation]:
    """Return all layers inside an operation, itself left out; none for ``keras.ops``."""
    if not isinstance(operation, keras.Layer):
        return []
    return list(operation._flatten_layers(include_self=False))  # noqa: SLF001


def is_sealed(operation: Operation) -> bool:
    """Return whether an operation runs a SavedModel, into which nobody can look."""
    return isinstance(operation, keras.layers.TFSMLayer)


def fingerprint(model: Operation) -> tuple[Any, ...]:
    """Return the objects that a compiled graph depends on, to be compared with ``is``.

    Layers, their activations, calls and variables: a popped layer, a replaced activation or an
    adapter added to a kernel changes it; a training step does not. The model itself is left out.
    """
    inner = (item for layer in sublayers(model) for item in (layer, *_traits(layer)))
    return (*_traits(model), *inner)


@final
class _Frame(keras.Layer):  # type: ignore[misc]
    """Opens Keras's call context, so that inner layers inherit training=False."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(name="frame", dtype="float32", autocast=False)
        self.function = function
        self.built = True

    def call(self, inputs: Tensor, *, training: bool = False) -> Tensor:
        del training
        self.function()
        return inputs


def _traits(layer: Operation) -> list[Any]:
    own: list[Any] = [getattr(layer, "activation", None), layer.__dict__.get("call")]
    return [*own, *layer._trainable_variables, *layer._non_trainable_variables]  # noqa: SLF001


def function_of(model: Operation) -> Any:
    """Return the Keras Function that ``model.call`` runs, or None."""
    if isinstance(model, keras.Sequential):
        own = type(model).call is keras.Sequential.call
        return model._functional if own else None  # noqa: SLF001
    own = isinstance(model, Functional) and type(model).call is Functional.call
    return model if own else None


def nodes_of(source: Any) -> Iterator[Any]:
    """Yield the calls in a Keras Function, parents first."""
    by_depth = source._nodes_by_depth  # noqa: SLF001
    for depth in sorted(by_depth, reverse=True):
        yield from (node for node in by_depth[depth] if not node.is_input)


def has_weights(operation: Operation) -> bool:
    """Say whether an operation is a layer that has weights of its own."""
    return isinstance(operation, keras.Layer) and bool(operation.weights)


def inference_arguments(
    operation: Operation, kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Ask for inference, also where the graph was drawn with training=True."""
    takes = isinstance(operation, keras.Layer) and operation._call_has_training_arg  # noqa: SLF001
    return {**kwargs, "training": False} if takes else dict(kwargs)


@contextmanager
def nodes_kept(model: Operation) -> Iterator[None]:
    """Put the node lists of all layers back as they were."""
    layers = list(model._flatten_layers())  # noqa: SLF001
    before = [(len(each._inbound_nodes), len(each._outbound_nodes)) for each in layers]  # noqa: SLF001
    try:
        yield
    finally:
        for layer, (inbound, outbound) in zip(layers, before, strict=True):
            del layer._inbound_nodes[inbound:]  # noqa: SLF001
            del layer._outbound_nodes[outbound:]  # noqa: SLF001
