"""From what a user calls the target to an index, and from an index to a score."""

import difflib
import operator
from collections.abc import Sequence
from dataclasses import is_dataclass

import numpy as np
import tensorflow as tf

from saliency.errors import InputError, ModelError, TargetError
from saliency.probe.model.head import Head
from saliency.probe.protocol import Tensor

PREDICTED = -1
"""Stands for the predicted class among class indices."""


def class_index(target: object, head: Head, labels: Sequence[str] | None) -> int:
    """Return the class index of an int or label, -1 for None (the predicted class).

    Raises
    ------
    TargetError
        The model has no classes, the index is out of range, the label unknown, or the target is
        a bool, a float or a sequence.
    ModelError
        The model has several outputs and none was chosen.
    """
    if head.choices:
        msg = (
            f"The model has {len(head.choices)} outputs ({', '.join(head.choices)}): choose one "
            "with KerasProbe(part=...), or give a callable target, which takes them all."
        )
        raise ModelError(msg)
    if head.classes is None:
        msg = (
            f"target: expected a callable for a model with output {head.shape}, got {target!r}. "
            "Say what is explained: sal.Region(1, mask) is the mean logit of class 1 in a region; "
            "any function of the output that gives one score for each sample will do."
        )
        raise TargetError(msg)
    if target is None:
        return PREDICTED
    if isinstance(target, str):
        return _index_of_label(target, labels)
    return _in_range(target, head.classes)


def checked_labels(labels: Sequence[str] | None, head: Head) -> tuple[str, ...] | None:
    """Return the labels as a tuple.

    Raises
    ------
    InputError
        They are no sequence of distinct strings, or not one for each class.
    """
    if labels is None:
        return None
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        msg = f"labels: expected a sequence of strings, got {labels!r}."
        raise InputError(msg)
    if len(set(labels)) != len(labels) or head.classes not in (None, len(labels)):
        msg = (
            f"labels: expected {head.classes} distinct labels, one for each class, "
            f"got {len(labels)} ({len(set(labels))} distinct)."
        )
        raise InputError(msg)
    return tuple(labels)


def classes(outputs: Tensor, targets: Tensor, head: Head, *, logit: bool) -> Tensor:
    """Return the class of each sample, int32 (N,); ``targets`` int32 (k,), -1 where predicted.

    N is a multiple of k: sample i has target i modulo k.
    """
    units = tf.reshape(outputs, (-1, head.units))
    if head.units == 1:
        middle = 0.0 if logit else 0.5
        predicted = tf.cast(units[:, 0] > middle, tf.int32) * ((head.classes or 1) - 1)
    else:
        predicted = tf.argmax(units, axis=1, output_type=tf.int32)
    tiled = tf.tile(targets, [tf.shape(units)[0] // tf.shape(targets)[0]])
    return tf.where(tiled == PREDICTED, predicted, tiled)


def class_score(outputs: Tensor, index: Tensor, head: Head, *, logit: bool) -> Tensor:
    """Return the score (N,) of class ``index`` (N,).

    A single sigmoid unit z speaks for class 1 with z, for class 0 with -z (probability: 1 - p).
    """
    units = tf.reshape(outputs, (-1, head.units))
    if head.classes == head.units:
        # The derivative of a gather by rows is a graph of its own: a quarter of a question's trace.
        chosen = tf.one_hot(index, head.units, on_value=True, off_value=False)
        return tf.reduce_sum(tf.where(chosen, units, 0), axis=1)
    against = -units[:, 0] if logit else 1.0 - units[:, 0]
    return tf.where(index == 1, units[:, 0], against)


def class_scores(outputs: Tensor, head: Head, *, logit: bool) -> Tensor:
    """Return the score of every class, (N, classes); column c is ``class_score`` of c."""
    units = tf.reshape(outputs, (-1, head.units))
    if head.classes == head.units:
        return units
    against = -units if logit else 1.0 - units
    return tf.concat([against, units], axis=1)


def class_probability(logits: Tensor, index: Tensor, head: Head) -> Tensor:
    """Return the model's own probability (N,) of class ``index`` (N,), from its logits."""
    units = tf.reshape(logits, (-1, head.units))
    if head.kind == "softmax":
        return tf.gather(tf.nn.softmax(units), index, axis=1, batch_dims=1)
    return tf.sigmoid(class_score(units, index, head, logit=True))


def check_score(score: Tensor, target: object) -> Tensor:
    """Return the score of a callable target when it is one float for each sample.

    Raises
    ------
    TargetError
        It is no float tensor (N,).
    """
    fits = (
        tf.is_tensor(score)
        and score.dtype.is_floating
        and score.shape.rank in (1, None)
    )
    if not fits:
        got = (
            f"{score.dtype.name} {score.shape}"
            if tf.is_tensor(score)
            else type(score).__name__
        )
        msg = (
            f"target {target_name(target)}: expected a float tensor (N,), one score for each "
            f"sample, got {got}. Sum or select over the other axes."
        )
        raise TargetError(msg)
    return tf.ensure_shape(tf.cast(score, tf.float32), (None,))


def target_name(target: object) -> str:
    """Return the repr of a target that is a value; of others the name, whose repr is an address."""
    if is_dataclass(target):
        return repr(target)
    return str(getattr(target, "__name__", type(target).__name__))


def _index_of_label(target: str, labels: Sequence[str] | None) -> int:
    if labels is None:
        msg = f"target: {target!r} is a label, but the probe has none: KerasProbe(labels=[...])."
        raise TargetError(msg)
    if target not in labels:
        near = difflib.get_close_matches(target, labels, n=3, cutoff=0.3) or labels[:5]
        msg = f"target: expected one of the labels, got {target!r}; nearest: {', '.join(near)}."
        raise TargetError(msg)
    return list(labels).index(target)


def _in_range(target: object, count: int) -> int:
    wrong = isinstance(target, bool | np.bool_)
    try:
        index = operator.index(target) if not wrong else PREDICTED  # type: ignore[arg-type]
    except TypeError:
        wrong, index = True, PREDICTED
    if wrong or not 0 <= index < count:
        msg = (
            f"target: expected a class index from 0 to {count - 1}, a label, None or a callable, "
            f"got {target!r}."
        )
        raise TargetError(msg)
    return index
