"""A compiled Keras model, and the probe that it becomes when it is bound to a target."""

import os
from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeAlias, final

import keras
import tensorflow as tf

from saliency.errors import InputError, ModelError
from saliency.probe.class_targets import PREDICTED, checked_labels, class_index
from saliency.probe.compiled import Ask, Questions, Terms, compiled, compiled_head
from saliency.probe.fixed_batch import in_batches
from saliency.probe.fused_recipe import Drawing, drawn
from saliency.probe.model.drawing import random_samples
from saliency.probe.model.flat_ends import flat_ends, rows_of_numbers
from saliency.probe.model.geometry import SeenWindow, window_of
from saliency.probe.model.graph import Rule, Study
from saliency.probe.model.inputs import Held, doors_of, explained_index, held_tensors
from saliency.probe.model.load import load_model
from saliency.probe.model.plan import (
    Choice,
    Output,
    Plan,
    check_built_model,
    no_layers,
    plan_of,
)
from saliency.probe.model.reach import FieldOfView
from saliency.probe.protocol import Target, Tensor
from saliency.probe.randomise import weights_shuffled

Source: TypeAlias = Any
"""A Keras model, or the path of a .keras or .h5 file."""

TERMS_KEPT = 8
"""Callable targets and rules whose compiled questions a probe keeps."""


_LOOKS = frozenset({"activations", "activation_gradients", "last_gradient"})
"""Questions that need tapped layers."""


@final
class Core:
    """A plan and its compiled questions, without the model: what a cache may keep."""

    def __init__(
        self, model: Any, choice: Choice, values: Sequence[tuple[Any, Any]] = ()
    ) -> None:
        plan = replace(plan_of(model, choice), values=values)
        traces: Counter[str] = Counter()
        self.plan: Plan = plan
        self.traces = traces
        self.questions: Questions = compiled(plan, traces, Terms())
        self.choice = choice
        self._on = lru_cache(TERMS_KEPT)(lambda terms: compiled(plan, traces, terms))
        self._drawn = lru_cache(TERMS_KEPT)(
            lambda question, drawing: drawn(drawing, question, plan, traces)
        )
        self.head = lru_cache(TERMS_KEPT)(
            lambda terms, shape: compiled_head(plan, traces, terms, shape)
        )

        self.window = lru_cache(TERMS_KEPT)(lambda size: _seen_window(plan, size))
        self._ends = lru_cache(TERMS_KEPT)(lambda ask: _flat_scores(plan, ask))

    def flat_ends(self, ask: Ask | None) -> tuple[float, ...]:
        """Return the scores at which the output, or what a callable makes of it, has no slope."""
        try:
            hash(ask)
        except TypeError:
            return _flat_scores(self.plan, ask)
        return self._ends(ask)

    def on(self, terms: Terms) -> Questions:
        """Return the questions on these terms; compiled once while they are in use."""
        if terms == Terms():
            return self.questions
        try:
            hash(terms)
        except TypeError:
            return compiled(self.plan, self.traces, terms)
        return self._on(terms)

    def asked(self, terms: Terms, name: str, drawing: Drawing | None) -> Any:
        """Return a question, with a recipe drawn behind it; compiled once while in use."""
        question = getattr(self.on(terms), name)
        if drawing is None:
            return question
        try:
            hash((terms, drawing))
        except TypeError:
            return drawing.behind(question)
        return self._drawn(question, drawing)


@final
class KerasProbe:
    """A Keras model that explainers can ask: compiled once, never changed.

    Everything runs in inference mode and inside a stateless scope, so that no weight, statistic,
    loss, node or attribute of the model changes. A question is traced when it is first asked,
    once for all classes and batch sizes. Later updates of weights are seen. After a change of the
    model's layers, make a new probe.

    Parameters
    ----------
    model
        Any built Keras 3 model on TensorFlow (Sequential, functional, nested, subclassed), or the
        path of a .keras or .h5 file.
    layers
        Names of layers to tap (``"conv1"``, nested ``"backbone/conv1"``); None: the end of each
        spatial scale.
    output
        ``"logit"``: explain what the final softmax or sigmoid is applied to, where the model ends
        in one, else its output. ``"probability"``: explain the model's output itself.
    labels
        One name for each class, to be used as targets.
    part
        Name or index of the output to explain, where the model has several.
    input
        Name or index of the input that is explained, where the model has several; None: the one
        that is not held.
    held
        Values of all other inputs, by name or index: one row for all images, or one for each
        (sample i has row i modulo the number of rows), in the form that the model takes.

    Raises
    ------
    ModelError
        The model cannot be asked, or has no such layer, part or input.
    InputError
        The labels do not fit, ``output`` is unknown, or a held value is missing or does not fit.

    Examples
    --------
    >>> probe = KerasProbe(model, labels=["normal", "pneumonia"])  # doctest: +SKIP
    >>> probe.at("pneumonia").gradient(inputs)  # doctest: +SKIP
    """

    def __init__(  # noqa: PLR0913 - every choice that a model leaves
        self,
        model: Source,
        *,
        layers: Sequence[str] | None = None,
        output: Output = "logit",
        labels: Sequence[str] | None = None,
        part: str | int | None = None,
        input: str | int | None = None,  # noqa: A002
        held: Held | None = None,
    ) -> None:
        loaded = load_model(model) if isinstance(model, str | os.PathLike) else model
        taken = None if layers is None else tuple(layers)
        choice = Choice(taken, output, part, explained_input(loaded, input, held))
        self._set(loaded, Core(loaded, choice), labels, held)

    @classmethod
    def from_core(
        cls,
        model: Any,
        core: Core,
        labels: Sequence[str] | None = None,
        held: Held | None = None,
    ) -> "KerasProbe":
        """Return a probe around questions that were compiled before."""
        probe = object.__new__(cls)
        probe._set(model, core, labels, held)
        return probe

    def _set(
        self, model: Any, core: Core, labels: Sequence[str] | None, held: Held | None
    ) -> None:
        self.model = model
        self.core = core
        self.labels = checked_labels(labels, core.plan.head)
        self.held = held_tensors(core.plan.doors, held)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as model and choices; questions are compiled anew there."""
        plan = self.core.plan
        if plan.values:
            msg = "A probe with randomised weights cannot be pickled: pickle the probe it is of."
            raise ModelError(msg)
        others = [i for i in range(len(plan.doors.each)) if i != plan.doors.explained]
        held = {i: each.numpy() for i, each in zip(others, self.held, strict=True)}
        return _restored, (self.model, self.core.choice, self.labels, held)

    def holding(self, held: Held) -> "KerasProbe":
        """Return this probe with other values of the inputs that are not explained.

        Nothing is compiled again.

        Raises
        ------
        ModelError, InputError
            As for ``held`` of a new probe.
        """
        return KerasProbe.from_core(self.model, self.core, self.labels, held)

    def rows(self, indices: Sequence[int]) -> "KerasProbe":
        """Return a probe for some of the pictures whose inputs are held, by their indices.

        Inputs that are held at one row, for all pictures, stay as they are.

        Raises
        ------
        InputError
            There is no row for a picture.
        """
        if all(each.shape[0] == 1 for each in self.held):
            return self
        probe = copy(self)
        probe.held = tuple(_rows_of_pictures(each, indices) for each in self.held)
        return probe

    def at(self, target: Target) -> "BoundProbe":
        """Bind to a target: an explainer's view of the model.

        Parameters
        ----------
        target
            Class index, label, None (the class predicted for each sample), or a callable that
            takes what is explained (see ``output``) and returns a float tensor (N,).

        Raises
        ------
        TargetError
            Out of range, no label, or no class target where the model has no classes.
        """
        if callable(target):
            return BoundProbe(self, Terms(ask=target), _constant(PREDICTED), target)
        index = class_index(target, self.core.plan.head, self.labels)
        return BoundProbe(self, Terms(), _constant(index), target)

    def predict(self, inputs: Tensor) -> Any:
        """Return the model's own output for inputs (N, H, W, C), in the model's structure."""
        unbound = BoundProbe(self, Terms(), _constant(PREDICTED), None)
        return unbound.answer("predict", inputs)[0]

    def class_scores(self, inputs: Tensor) -> Tensor:
        """Return the scores of all classes for inputs (N, H, W, C), in one forward pass.

        Returns
        -------
        Tensor
            float32 (N, classes); column c is ``at(c).score(inputs)``.

        Raises
        ------
        TargetError
            The model has no classes.
        """
        return self.at(None).answer("class_scores", inputs)[0]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the tapped layers, earliest first; () where nothing can be tapped."""
        return self.core.plan.names

    @property
    def output(self) -> str:
        """What a class target's score is: "logit", or "output" (the model's output itself)."""
        return "logit" if self.core.plan.logit else "output"

    @property
    def squash(self) -> str | None:
        """What makes probabilities of the logits: "softmax", "sigmoid"; None where neither does."""
        return self.core.plan.head.kind

    @property
    def outputs(self) -> int | None:
        """Number of classes (2 for a single sigmoid unit); None where the model has no classes."""
        return self.core.plan.head.classes

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """(H, W, C) of one sample of the explained input, None where the model leaves it free."""
        return self.core.plan.shape

    @property
    def input_dtype(self) -> str:
        """What the model takes for the explained input: "float32", "uint8"."""
        doors = self.core.plan.doors
        return doors.each[doors.explained].dtype

    @property
    def input_factor(self) -> float:
        """What the model multiplies its input by itself: 1 / 255 where it begins so, else 1."""
        return self.core.plan.factor

    @property
    def reach(self) -> FieldOfView | None:
        """Receptive field and stride of a fully convolutional network of images; else None."""
        return self.core.plan.reach

    @property
    def traces(self) -> Counter[str]:
        """How often TensorFlow has traced, by question."""
        return Counter(self.core.traces)

    @property
    def closed_form_head(self) -> bool:
        """Whether ``last_gradient`` needs no backward pass."""
        return self.core.plan.pooled is not None

    def __repr__(self) -> str:
        return f"KerasProbe({self.model.name!r}, layers={self.layers}, explains={self.output!r})"


def _restored(
    model: Any, choice: Choice, labels: Sequence[str] | None, held: Held
) -> KerasProbe:
    return KerasProbe.from_core(model, Core(model, choice), labels, held)


@final
@dataclass(frozen=True, eq=False)
class BoundProbe:
    """A Keras model bound to a target. Made by ``KerasProbe.at``.

    It is a Probe, a LastLayerProbe, a SettlingProbe, a RuledProbe and a StudiedProbe.

    Parameters
    ----------
    source
        The probe that it was made from; it keeps the model alive.
    terms
        What its questions are compiled for.
    targets
        int32 (k,): class of sample i is entry i modulo k; -1: the predicted class.
    target
        What was asked for.
    """

    source: KerasProbe
    terms: Terms = field(repr=False)
    targets: Tensor = field(repr=False)
    target: Target

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the tapped layers, earliest first."""
        return self.source.layers

    def score(self, inputs: Tensor) -> Tensor:
        """Return the target's score, float32 (N,)."""
        return self._ask("score", inputs)

    def gradient(self, inputs: Tensor) -> Tensor:
        """Return the derivative of the score, float32, shaped like ``inputs``."""
        return self._ask("gradient", inputs)

    def activations(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the output of each tapped layer, float32 (N, h, w, c).

        Raises
        ------
        ModelError
            The model cannot be looked into.
        """
        found: tuple[Tensor, ...] = self._ask("activations", inputs)
        return found

    def activation_gradients(self, inputs: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """Return for each tapped layer its activation and the score's derivative by it."""
        found: tuple[tuple[Tensor, Tensor], ...] = self._ask(
            "activation_gradients", inputs
        )
        return found

    def last_gradient(self, inputs: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return all activations, and the score's derivative by the last of them."""
        found: tuple[tuple[Tensor, ...], Tensor] = self._ask("last_gradient", inputs)
        return found

    def classes(self, inputs: Tensor) -> Tensor:
        """Return the class of each sample, int32 (N,): asked for, or predicted.

        Raises
        ------
        TargetError
            The model has no classes.
        """
        if self.terms.ask is not None:
            class_index(None, self.source.core.plan.head, None)
        return self._ask("classes", inputs)

    def draw(self, question: str, drawing: Drawing, inputs: Tensor) -> Tensor:
        """Return what a drawing makes of the answer to a question, compiled as one."""
        return self.answer(question, inputs, drawing)[0]

    def window(self, size: Sequence[int]) -> SeenWindow | None:
        """Return the part of an input of ``size`` (H, W) that the layers see; None for all of it.

        Raises
        ------
        ModelError
            The model transposes the image, or looks at several parts of it.
        """
        return self.source.core.window(tuple(size))

    def settled(self, inputs: Tensor) -> "BoundProbe":
        """Return a probe whose class is fixed, per sample, to the one predicted for ``inputs``."""
        check_rows(inputs.shape[0], self.source.held)
        if self.target is not None:
            return self
        return replace(self, targets=self.classes(inputs))

    def rows(self, indices: Sequence[int]) -> "BoundProbe":
        """Return a probe for some of the pictures whose inputs are held; see KerasProbe.rows."""
        source = self.source.rows(indices)
        return self if source is self.source else replace(self, source=source)

    def head(self, activation: Tensor) -> Tensor:
        """Return the score, float32 (N,), that the rest of the network gives to an activation.

        Parameters
        ----------
        activation
            float32 (N, h, w, c): in the place of ``activations(inputs)[-1]``.

        Raises
        ------
        ModelError
            There are ways around the last tapped layer, or no layer is tapped.
        """
        if not self.layers:
            no_layers(self.source.model, opaque=self.source.core.plan.opaque)
        given = tf.cast(activation, tf.float32)
        self._check_count(given.shape[0])
        ask = self.source.core.head(self.terms, tuple(given.shape[1:]))
        return self._in_batches(ask, given)

    def randomised(self, seed: int, *, top: float = 1.0) -> "BoundProbe":
        """Return a probe of the network with its weights shuffled, tensor by tensor.

        ``top`` 0..1: only the last weights, this share of the tensors.

        The control of Adebayo et al., arXiv 1810.03292: a map that stays the same does not show
        what was learned. The user's model is neither changed nor copied.

        Raises
        ------
        ModelError
            Weights that the network computes with are out of Keras's reach (a SavedModel).
        """
        source, model = copy(self.source), self.source.model
        source.core = Core(
            model, self.source.core.choice, weights_shuffled(model, seed, top)
        )
        return replace(self, source=source)

    def ruled(self, rule: Rule) -> "BoundProbe":
        """Return a probe whose derivatives follow a rule.

        Raises
        ------
        ModelError
            The model cannot be looked into.
        """
        if self.source.core.plan.opaque:
            no_layers(self.source.model)
        return replace(self, terms=replace(self.terms, rule=rule))

    def study(self, study: Study, inputs: Tensor) -> Any:
        """Return what a study (``model.graph.Study``) finds in a walk of the network.

        Raises
        ------
        ModelError
            The model cannot be looked into, or has what the study cannot deal with.
        """
        return self.watched(study).answer("study", inputs)[0]

    def watched(self, study: Study) -> "BoundProbe":
        """Return a probe whose ``answer("study", inputs)`` is what the study finds."""
        if self.source.core.plan.opaque:
            no_layers(self.source.model)
        return replace(self, terms=replace(self.terms, study=study))

    def answer(
        self, question: str, inputs: Tensor, drawing: Drawing | None = None
    ) -> tuple[Any, tuple[Tensor, ...]]:
        """Return the answer to a question by name, and what was told with it: score, classes.

        With a drawing, what that makes of the answer.
        """
        if question in _LOOKS and not self.layers:
            no_layers(self.source.model, opaque=self.source.core.plan.opaque)
        tensor = checked_inputs(inputs, self.source.core.plan)
        self._check_count(tensor.shape[0])
        ask = self.source.core.asked(self.terms, question, drawing)
        answer, told = self._in_batches(ask, tensor)
        return answer, told

    def _in_batches(self, ask: Any, inputs: Tensor) -> Any:
        size, held = self.source.core.plan.batch, self.source.held
        if size is None:
            return ask(inputs, self.targets, held)
        return in_batches(ask, size, inputs, self.targets, held)

    def _check_count(self, samples: int | None) -> None:
        check_rows(samples, self.source.held)
        count = self.targets.shape[0]
        if count and samples is not None and samples % count:
            msg = (
                f"This probe was settled on {count} samples: expected a multiple of that "
                f"(whole batches, one after the other), got {samples}."
            )
            raise InputError(msg)

    def _ask(self, question: str, inputs: Tensor) -> Any:
        return self.answer(question, inputs)[0]


def checked_inputs(inputs: Tensor, plan: Plan) -> Tensor:
    """Return inputs as float32 when they have the model's shape.

    Raises
    ------
    InputError
        Rank or size is another.
    """
    tensor = inputs if tf.is_tensor(inputs) else tf.convert_to_tensor(inputs)
    tensor = tf.cast(tensor, tf.float32)
    if not tensor.shape.is_compatible_with((None, *plan.shape)):
        want = ", ".join("any" if axis is None else str(axis) for axis in plan.shape)
        msg = f"inputs: expected shape (N, {want}), got {tuple(tensor.shape)}."
        raise InputError(msg)
    return tensor


def explained_input(model: Any, chosen: str | int | None, held: Held | None) -> int:
    """Return the index of the input that is explained.

    Raises
    ------
    ModelError
        The model cannot be asked, or it is not clear which input is meant.
    """
    check_built_model(model)
    return explained_index(model, doors_of(model)[0], chosen, held)


def check_rows(samples: int | None, held: Sequence[Tensor]) -> None:
    """Check that held inputs have one row, or one for each picture of a batch.

    Raises
    ------
    InputError
        The samples are no multiple of the rows.
    """
    counts = sorted({int(each.shape[0]) for each in held} - {1})
    wrong = [count for count in counts if samples is not None and samples % count]
    if wrong or len(counts) > 1:
        msg = (
            f"held: expected one row, or one for each of the {samples} pictures, got "
            f"{' and '.join(map(str, counts))} rows."
        )
        raise InputError(msg)


def _flat_scores(plan: Plan, ask: Ask | None) -> tuple[float, ...]:
    """Return the scores that have no slope: of a class, or of a callable target."""
    if ask is None and (plan.logit or plan.head.classes is None):
        return ()

    def far(size: float) -> Any:
        if plan.logit or plan.far_output is None:
            given = rows_of_numbers(plan.head.shape, tf.float32, size)
        else:
            given = plan.far_output(size)
        return given if ask is None else ask(given)

    return flat_ends(far)


def _seen_window(plan: Plan, size: tuple[int, ...]) -> SeenWindow | None:
    """Look for the part of an input that the tapped layers see."""
    entry = _entry_window(plan, size)
    behind = None if plan.moves is None else plan.moves(size)
    if behind is None:
        return entry
    whole = [(0.0, float(length)) for length in size] if entry is None else entry.edges
    return SeenWindow(
        tuple(
            (start + low * (end - start), start + high * (end - start))
            for (start, end), (low, high) in zip(whole, behind.edges, strict=True)
        )
    )


def _entry_window(plan: Plan, size: tuple[int, ...]) -> SeenWindow | None:
    """Look for the part that the first layers see, with the other inputs at noise."""
    if plan.entry is None:
        return None

    def run(picture: Tensor, rule: Rule) -> Any:
        rows = picture.shape[0]
        held = [
            random_samples(keras.KerasTensor((rows, *door.shape[1:]), door.dtype))
            for door in plan.doors.held
        ]
        return plan.run(plan.doors.whole(picture, held), rule)

    shape = (*size, plan.shape[-1] or 1)
    return window_of(run, plan.entry, shape, channels_first=plan.channels_first)


def _rows_of_pictures(held: Tensor, indices: Sequence[int]) -> Tensor:
    count = int(held.shape[0])
    if count == 1:
        return held
    if max(indices) >= count:
        msg = f"held: expected a row for picture {max(indices) + 1}, got {count} rows."
        raise InputError(msg)
    return tf.gather(held, list(indices))


def _constant(index: int) -> Tensor:
    return tf.constant([index], tf.int32)
