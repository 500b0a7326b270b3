"""What is to be compiled: a model taken apart, without the model."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias, final

import keras
import numpy as np
import tensorflow as tf

from saliency.errors import InputError, ModelError
from saliency.probe.graph import Graph, Walk, graph_of, inference, symbolic_graph
from saliency.probe.head import Head, head_of, pooled_dense
from saliency.probe.outline import Shape, channels_last, outline_of
from saliency.probe.protocol import Tensor
from saliency.probe.taps import end_of_scales, named_steps

Output: TypeAlias = Literal["logit", "probability"]


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """A model taken apart.

    Parameters
    ----------
    run
        Inputs as the model takes them -> output and calls.
    shape
        (H, W, C) of one sample, channels last, None where free.
    head
        The end of the model.
    logit
        The logits are explained, not the output.
    taps, names
        Indices among the calls of the tapped layers, and their names; earliest first.
    pooled
        Index of the Dense call of a global-mean head right behind the last tap, else None.
    channels_first
        The model itself takes (N, C, H, W).
    opaque
        No calls are seen: there is nothing to tap.
    """

    run: Callable[[Tensor], Walk]
    shape: Shape
    head: Head
    logit: bool
    taps: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    pooled: int | None = None
    channels_first: bool = False
    opaque: bool = False


def plan_of(model: Any, layers: Sequence[str] | None, output: Output) -> Plan:
    """Take a model apart.

    Raises
    ------
    ModelError
        It is no built Keras model on TensorFlow, has several inputs, or lacks a named layer.
    InputError
        ``output`` is neither "logit" nor "probability".
    """
    _check(model, output)
    shape = _input_shape(model)
    graph = _graph(model, shape)
    if graph is None:
        return _opaque(model, shape, layers)
    outline = outline_of(graph, shape)
    head = head_of(outline)
    rank = len(shape)
    taps = end_of_scales(outline, rank) if layers is None else named_steps(outline, layers, rank)
    logit = output == "logit" and head.step is not None
    plain = head.step is None or logit
    return Plan(
        run=graph.run,
        shape=(channels_last(shape) if outline.channels_first else shape)[1:],
        head=head,
        logit=logit,
        taps=taps,
        names=tuple(outline.steps[tap].name for tap in taps),
        pooled=pooled_dense(outline, head, taps[-1]) if taps and plain else None,
        channels_first=outline.channels_first,
    )


def _opaque(model: Any, shape: Shape, layers: Sequence[str] | None) -> Plan:
    """Plan a model that can only be called. The closure must not keep it alive."""
    if layers:
        no_layers(model)
    alive = weakref.ref(model)

    def run(inputs: Tensor) -> Walk:
        living: Any = alive()
        return Walk(inference(lambda: living(inputs, training=False)), ())

    output = model.compute_output_spec(keras.KerasTensor((None, *shape[1:])))
    single = isinstance(output, keras.KerasTensor)
    head = Head(tuple(output.shape) if single else ())
    return Plan(run, shape[1:], head, logit=False, opaque=True)


def no_layers(model: Any) -> NoReturn:
    """Refuse to look inside a model that can only be called."""
    names = ", ".join(layer.name for layer in model.layers[:12])
    msg = (
        f"The model {model.name!r} runs TensorFlow operations in its own call(), so its layers "
        f"({names}) cannot be tapped. Explainers that ask for scores and gradients of the input "
        "work (gradient, integrated gradients, occlusion); for the others build the model from "
        "layers or keras.ops."
    )
    raise ModelError(msg)


def _check(model: Any, output: str) -> None:
    if output not in ("logit", "probability"):
        msg = f"output: expected 'logit' or 'probability', got {output!r}."
        raise InputError(msg)
    if keras.backend.backend() != "tensorflow":
        msg = (
            f"KerasProbe needs Keras on TensorFlow, this one runs on {keras.backend.backend()}. "
            "Set KERAS_BACKEND=tensorflow before Keras is imported and load the model again."
        )
        raise ModelError(msg)
    if not isinstance(model, keras.Model):
        msg = f"KerasProbe: expected a keras.Model or a path, got {type(model).__qualname__}."
        raise ModelError(msg)
    if not model.built:
        msg = (
            f"The model {model.name!r} has no weights yet: call it once on a batch, build it "
            "with an input shape, or load its weights."
        )
        raise ModelError(msg)


def _input_shape(model: Any) -> Shape:
    shapes = _input_shapes(model)
    if len(shapes) != 1:
        msg = (
            f"The model {model.name!r} has {len(shapes)} inputs ({', '.join(shapes) or 'unknown'}),"
            " a probe has one. Fix the others in a functional model around it."
        )
        raise ModelError(msg)
    shape = next(iter(shapes.values()))
    return (None, *shape[1:])


def _input_shapes(model: Any) -> dict[str, Shape]:
    """Return the shapes of a model's inputs by name."""
    try:
        return {symbol.name: tuple(symbol.shape) for symbol in model.inputs}
    except (AttributeError, TypeError):
        built = model.get_build_config() or {}
    shapes = built.get("shapes_dict") or {"inputs": built.get("input_shape")}
    flat = (isinstance(shape, tuple | list) and len(shape) > 1 for shape in shapes.values())
    return {name: tuple(shape) for name, shape in shapes.items()} if all(flat) else {}


def _graph(model: Any, shape: Shape) -> Graph | None:
    """Return a graph that was seen to do what the model does, or None."""
    graph = graph_of(model) or symbolic_graph(model, shape)
    if graph is not None and graph.drawn and not _agree(model, graph, shape):
        return graph_of(model, draw=False)
    return graph


def _agree(model: Any, graph: Graph, shape: Shape) -> bool:
    """Return whether model and graph give the same on one random input."""
    size = (1, *(axis or 64 for axis in shape[1:]))
    inputs = tf.constant(np.random.default_rng(0).random(size), tf.float32)
    ours = keras.tree.flatten(graph.run(inputs).output)
    theirs = keras.tree.flatten(inference(lambda: model(inputs, training=False)))
    pairs = zip(ours, theirs, strict=True)
    return all(np.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True) for a, b in pairs)
