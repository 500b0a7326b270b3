"""Which activations to look at: the ends of the network's spatial scales.

A scale is what lies between two down-samplings; its end is the last tensor behind an activation
function before the next one (Mundhenk et al., arXiv 1911.11293, section 3: the end of each
spatial scale). Scales without a convolution (a padding, a pooling) do not count.
"""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import keras

from saliency.errors import ModelError
from saliency.probe.model.head import SAME_AT_INFERENCE
from saliency.probe.model.keras_internals import Operation, has_weights, sublayers
from saliency.probe.model.shapes import HELD, Outline, Shape, Step, is_turned

GLOBAL_POOLS = (
    keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalAveragePooling3D,
    keras.layers.GlobalMaxPooling1D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.GlobalMaxPooling3D,
)

RECTIFIERS = (
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
)

RECTIFYING_OPERATIONS = frozenset(
    {"Celu", "Elu", "Gelu", "Glu", "HardSigmoid", "HardSilu", "HardTanh", "LeakyRelu"}
    | {
        "LogSigmoid",
        "Mish",
        "Relu",
        "Relu6",
        "Selu",
        "Sigmoid",
        "Silu",
        "Softplus",
        "Softsign",
    }
    | {"SparsePlus", "SquarePlus", "TanhShrink", "Tanh"}
)

MARGINS = (
    keras.layers.ZeroPadding1D,
    keras.layers.ZeroPadding2D,
    keras.layers.ZeroPadding3D,
)

NORMALISATIONS = (keras.layers.Rescaling, keras.layers.UnitNormalization)


_RECURRENT = (keras.layers.ConvLSTM1D, keras.layers.ConvLSTM2D, keras.layers.ConvLSTM3D)

_OVER_TIME = (*_RECURRENT, keras.layers.Bidirectional, keras.layers.TimeDistributed)
"""Layers that run on each frame: their kernels have an axis less than their input."""


@final
@dataclass(frozen=True)
class Place:
    """Where a step's output stands among the scales.

    Parameters
    ----------
    scale
        Number of down-samplings before it; None where it is no picture any more.
    convolved
        A convolution has run at this scale.
    activated
        It is behind an activation function.
    widened
        An up-sampling came before it, other than of the input itself.
    derived
        The step only pads, crops, pools, normalises or hands on what is there already.
    """

    scale: int | None = None
    convolved: bool = False
    activated: bool = False
    widened: bool = False
    derived: bool = False

    @property
    def whole(self) -> bool:
        """Whether it may be tapped where the network has no activation functions."""
        picture = self.scale is not None and self.convolved
        return picture and not (self.widened or self.derived)

    @property
    def fit(self) -> bool:
        """Whether it may be tapped."""
        return self.whole and self.activated


NOWHERE = Place()
INPUT = Place(scale=0)


def end_of_scales(
    outline: Outline, rank: int, before: int | None = None
) -> tuple[int, ...]:
    """Return the indices of the steps at the end of each scale, earliest first.

    Only steps before the head are looked at, where ``before`` says which one that is; nor what
    makes one of several outputs that is itself a map, or a list of boxes.

    Of the activated tensors that a down-sampling (or the head) starts from, the one that every
    path to the output goes through. Where the network's stream is linear (ConvNeXt), the end of
    the stream; where nothing is a bottleneck (skip connections around everything), the last one.
    """
    places = _places(outline, rank)
    cuts = _bottlenecks(outline)
    trunk = set(range(len(places) if before is None else before)) - _map_heads(
        outline, rank
    )
    fit = _leading(outline, places, {index for index in trunk if places[index].fit})
    whole = _leading(outline, places, {index for index in trunk if places[index].whole})
    chosen = fit or whole
    scales = sorted({places[index].scale or 0 for index in chosen})
    return tuple(
        _pick(*(_at_scale(group, places, scale) for group in (chosen, cuts, whole)))
        for scale in scales
    )


def named_steps(outline: Outline, names: Sequence[str], rank: int) -> tuple[int, ...]:
    """Return the indices of the steps of these names, earliest first.

    Raises
    ------
    ModelError
        A name is unknown or not unique, or its output is no picture.
    """
    chosen = sorted(_step_named(outline.steps, name, rank) for name in names)
    for index in chosen:
        _check_not_turned(outline, outline.steps[index])
    return tuple(chosen)


def _places(outline: Outline, rank: int) -> tuple[Place, ...]:
    places: list[Place] = []
    for step in outline.steps:
        parents = [_at(places, parent) for parent in step.parents]
        turned = is_turned(step, channels_first=outline.channels_first)
        places.append(NOWHERE if turned else _place_of_step(step, parents, rank))
    return tuple(places)


def _check_not_turned(outline: Outline, step: Step) -> None:
    if is_turned(step, channels_first=outline.channels_first):
        msg = (
            f"KerasProbe: {step.name!r} is {step.operation.data_format}, unlike the model's input: "
            "the picture is turned before it, and a map of it has no place. Tap another layer, or "
            "use an explainer of the input (gradient, integrated gradients, occlusion)."
        )
        raise ModelError(msg)


def _at(places: Sequence[Place], index: int) -> Place:
    if index == HELD:
        return NOWHERE
    return INPUT if index < 0 else places[index]


def _place_of_step(step: Step, parents: Sequence[Place], rank: int) -> Place:
    step = replace(step, shape=timed(step.operation, step.shape))
    if len(step.shape) != rank or isinstance(step.operation, GLOBAL_POOLS):
        return NOWHERE
    fed = [
        (place, shape)
        for place, shape in zip(parents, step.inputs, strict=True)
        if place.scale is not None and len(shape) == rank
    ]
    if not fed:
        return NOWHERE
    largest = max(_area(shape) for _, shape in fed)
    if largest > _area(step.shape) == 1 and not hasattr(step.operation, "strides"):
        return NOWHERE
    wide = [place for place, shape in fed if _area(shape) == largest]
    return _place_behind(step, wide, _area(step.shape) / largest, rank)


def _place_behind(
    step: Step, parents: Sequence[Place], ratio: float, rank: int
) -> Place:
    """Return the place behind a step that changes the area of the picture by ``ratio``."""
    down = (
        _strided(step.operation) and ratio < 1
        if _knows(step.operation)
        else ratio <= 0.4
    )
    kernel = has_kernel(step.operation, rank)
    activated = _activates(step.operation, all(place.activated for place in parents))
    begun = any(place.convolved or place.scale for place in parents)
    widens = begun and _widens(step.operation, ratio)
    return Place(
        scale=max(place.scale or 0 for place in parents) + down,
        convolved=kernel or (not down and any(place.convolved for place in parents)),
        activated=activated,
        widened=widens or any(place.widened for place in parents),
        derived=not kernel
        and (ratio != 1 or _derives(step.operation, activated=activated)),
    )


def _area(shape: Sequence[int | None]) -> int:
    """Return the number of pixels or voxels of a channels-last shape."""
    return math.prod(axis or 1 for axis in shape[1:-1])


def _knows(operation: Operation) -> bool:
    return hasattr(operation, "strides")


def _strided(operation: Operation) -> bool:
    """Return whether a step skips places; a pooling without strides moves by its window."""
    strides = operation.pool_size if operation.strides is None else operation.strides
    return bool(max(strides if isinstance(strides, tuple | list) else (strides,)) > 1)


def _widens(operation: Operation, ratio: float) -> bool:
    """Return whether this is an up-sampling; around a small picture a margin may double it too."""
    margin = isinstance(operation, MARGINS) or type(operation).__name__ == "Pad"
    return ratio >= 2 and not margin


def has_kernel(operation: Operation, rank: int) -> bool:
    """Return whether an operation convolves: one of its weights has as many axes as a picture."""
    weights = operation.weights if isinstance(operation, keras.Layer) else ()
    axes = rank - isinstance(operation, _OVER_TIME)
    return any(len(weight.shape) >= axes for weight in weights)


def keeps_last_frame(operation: Operation) -> bool:
    """Return whether a convolutional LSTM gives its last frame alone, without an axis of time."""
    layer = getattr(operation, "forward_layer", operation)
    return isinstance(layer, _RECURRENT) and not layer.return_sequences


def timed(operation: Operation, shape: Shape) -> Shape:
    """Return the shape of a step's output, a last frame as a sequence of one."""
    return (shape[0], 1, *shape[1:]) if shape and keeps_last_frame(operation) else shape


def _derives(operation: Operation, *, activated: bool) -> bool:
    normalises = has_weights(operation) and not activated
    return normalises or isinstance(operation, SAME_AT_INFERENCE)


def _activates(operation: Operation, before: bool) -> bool:  # noqa: FBT001
    """Return whether the output is behind an activation function, knowing it of the inputs.

    An operation without weights passes on what it gets (sum, concatenation, pooling, padding);
    a layer made of layers ends a block.
    """
    if isinstance(operation, RECTIFIERS):
        return True
    if not isinstance(operation, keras.Layer):
        return before or type(operation).__name__ in RECTIFYING_OPERATIONS
    activation = getattr(operation, "activation", None)
    if activation is not None and activation is not keras.activations.linear:
        return True
    if sublayers(operation):
        return True
    return (
        before
        and not has_weights(operation)
        and not isinstance(operation, NORMALISATIONS)
    )


def _leading(
    outline: Outline, places: Sequence[Place], allowed: set[int]
) -> frozenset[int]:
    """Return the allowed steps that a down-sampling or the head starts from.

    The way back from there stops at the first allowed tensor, and stays within its scale.
    """
    alive = _alive(outline)
    leads: set[int] = set()
    for index in alive:
        for parent in outline.steps[index].parents:
            if parent >= 0 and _leaves_scale(places[parent], places[index]):
                leads |= _nearest_allowed(outline.steps, places, parent, allowed)
    for index in outline.ends:
        leads |= _nearest_allowed(outline.steps, places, index, allowed)
    return frozenset(leads)


def _leaves_scale(before: Place, after: Place) -> bool:
    return before.scale is not None and before.scale != after.scale


def _nearest_allowed(
    steps: Sequence[Step], places: Sequence[Place], index: int, allowed: set[int]
) -> set[int]:
    """Return the allowed steps nearest to ``index``, going back within its scale."""
    found: set[int] = set()
    seen, waiting = {index}, [index]
    while waiting:
        here = waiting.pop()
        if here in allowed:
            found.add(here)
            continue
        near = {each for each in steps[here].parents if each >= 0} - seen
        near = {each for each in near if places[each].scale == places[index].scale}
        seen |= near
        waiting += near
    return found


def _bottlenecks(outline: Outline) -> frozenset[int]:
    """Return the steps that every path from the input to the output goes through.

    In an order where parents come first, those are the steps that no edge jumps over.
    """
    alive = _alive(outline) & _steps_reached(outline.steps)
    furthest = _furthest_children(outline.steps, alive)
    reach = furthest.get(-1, -1)
    cuts: list[int] = []
    for index in sorted(alive):
        if reach <= index:
            cuts.append(index)
        reach = max(reach, furthest.get(index, -1))
    return frozenset(cuts)


def _furthest_children(steps: Sequence[Step], alive: frozenset[int]) -> dict[int, int]:
    furthest: dict[int, int] = {}
    for index in sorted(alive):
        for parent in steps[index].parents:
            furthest[parent] = max(index, furthest.get(parent, -1))
    return furthest


def _map_heads(outline: Outline, rank: int) -> frozenset[int]:
    """Return the layers that make outputs of more than two axes, and what only shapes these.

    A single output with the axes of a picture may be the end of a backbone: it is no head.
    """
    steps, found = outline.steps, set[int]()
    waiting = [index for index in outline.ends if len(steps[index].shape) > 2]
    if len(outline.ends) == 1 and len(outline.shape) == rank:
        return frozenset()
    while waiting:
        index = waiting.pop()
        if index < 0 or index in found:
            continue
        found.add(index)
        if not has_kernel(steps[index].operation, 2):
            waiting += steps[index].parents
    return frozenset(found)


def _alive(outline: Outline) -> frozenset[int]:
    """Return the steps that the output depends on."""
    waiting = list(outline.ends)
    found: set[int] = set()
    while waiting:
        index = waiting.pop()
        if index >= 0 and index not in found:
            found.add(index)
            waiting += outline.steps[index].parents
    return frozenset(found)


def _steps_reached(steps: Sequence[Step]) -> frozenset[int]:
    """Return the steps that depend on the explained input."""
    found = {-1}
    for step in steps:
        if found.intersection(step.parents):
            found.add(step.index)
    return frozenset(found)


def _at_scale(group: frozenset[int], places: Sequence[Place], scale: int) -> set[int]:
    return {index for index in group if places[index].scale == scale}


def _pick(leading: set[int], cuts: set[int], ends: set[int]) -> int:
    """Return the tap of one scale; ``ends`` are where its stream ends, activated or not."""
    last = max(leading)
    linear = [index for index in ends & cuts if index > last]
    if linear and last not in cuts:
        return max(linear)
    through = max(leading & cuts, default=last)
    passed = [index for index in cuts - leading if through < index < last]
    return last if passed else through


def _step_named(steps: Sequence[Step], name: str, rank: int) -> int:
    found = [step for step in steps if name in _names_of_step(step)]
    if not found:
        near = _names_alike(steps, name)
        msg = f"KerasProbe: expected names of layers, got {name!r}; nearest: {near}."
        raise ModelError(msg)
    chosen = [step for step in found if step.name == name] or found
    if len(chosen) > 1:
        names = ", ".join(step.name for step in chosen)
        msg = f"KerasProbe: {name!r} stands for {len(chosen)} calls ({names}): give a full name."
        raise ModelError(msg)
    if len(timed(chosen[0].operation, chosen[0].shape)) != rank:
        msg = (
            f"KerasProbe: {name!r} has output {chosen[0].shape}, expected rank {rank}."
        )
        raise ModelError(msg)
    return chosen[0].index


def _names_of_step(step: Step) -> tuple[str, ...]:
    """Return the full name, the bare one, and the bare one without the count of its calls."""
    bare = step.name.rsplit("/", 1)[-1]
    return step.name, bare, step.name.split("#")[0], bare.split("#")[0]


def _names_alike(steps: Sequence[Step], name: str) -> str:
    """Return the full names of the five steps whose names are most alike."""
    full_name: dict[str, str] = {}
    for step in reversed(steps):
        full_name |= dict.fromkeys(_names_of_step(step), step.name)
    near = difflib.get_close_matches(name, full_name, n=5, cutoff=0.4)
    chosen = near or list(full_name)[-5:]
    return ", ".join(dict.fromkeys(full_name[each] for each in chosen))
