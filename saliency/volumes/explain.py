"""Explain a volume: at once where the model sees volumes, slice by slice where it sees images."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from saliency.errors import InputError
from saliency.explainers.catalogue import resolve
from saliency.pipeline.answer import Answer
from saliency.pipeline.checks import check_input
from saliency.pipeline.explain import Explainer, answered, bound, probe_of
from saliency.pipeline.place_back import place_back
from saliency.pipeline.prefetch import ahead
from saliency.pipeline.prepare import SLIDING, Prepare
from saliency.pipeline.preparing import preparation
from saliency.probe.protocol import Probe, Target
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.model_input import ModelInput
from saliency.volumes.explanation import VolumeExplanation
from saliency.volumes.prepare import prepare_slice, prepare_volume
from saliency.volumes.volume import DicomVolume
from saliency.volumes.windows import WindowScores, sliding

#: Slices that a two-dimensional model sees at once.
BATCH = 8


def explain_volume(
    model: object,
    volume: DicomVolume,
    explainer: Explainer = "fastcam",
    *,
    target: Target = None,
    prepare: Any = None,
    cutoff: float = 0.5,
) -> VolumeExplanation:
    """Ask a model which voxels of a volume speak for a target; see :func:`saliency.explain`.

    A model whose input is (D, H, W, C) sees the volume at once. A model whose input is (H, W, C)
    sees each slice; one of 2 n + 1 channels sees each with its neighbours, by
    ``Prepare(neighbours=n)``. With ``Prepare(fit="sliding")`` a model of (D, H, W, C) sees one
    window of the volume after the other.

    Parameters
    ----------
    target
        None: the class predicted for the volume; of a model of slices or windows, the class
        predicted for most of them, so that the heat of all speaks for one class.

    Raises
    ------
    SaliencyError
        The model, volume, explainer, or target do not fit together; the message says how.
    """
    recipe = resolve(explainer)
    probe = probe_of(model)
    made = preparation(prepare)
    if not isinstance(made, Prepare):
        msg = "explain: expected a Prepare for a volume, got a function of a single image."
        raise InputError(msg)
    shape = getattr(probe, "input_shape", None)
    if made.fit == SLIDING and (shape is None or len(shape) == 4):
        return _by_windows(probe, volume, recipe, target, made, cutoff)
    if shape is not None and len(shape) == 4:
        return _at_once(probe, volume, recipe, target, made, cutoff)
    return _by_slices(probe, volume, recipe, target, made, cutoff)


def _at_once(
    probe: Any,
    volume: DicomVolume,
    recipe: Any,
    target: Target,
    prepare: Prepare,
    cutoff: float,
) -> VolumeExplanation:
    given = prepare_volume(prepare, volume, probe.input_shape)
    _check_fits(given.array.shape[1:], probe.input_shape)
    check_input(probe, given.array)
    maps, answers = answered(
        bound(probe, target), tf.constant(given.array), recipe, cutoff=cutoff
    )
    heat = given.placement.to_image(maps[0])
    return VolumeExplanation(
        Heatmap(heat), volume, tuple(answers), given.made_by, cutoff
    )


def _by_windows(
    probe: Any,
    volume: DicomVolume,
    recipe: Any,
    target: Target,
    prepare: Prepare,
    cutoff: float,
) -> VolumeExplanation:
    """Ask about one window after the other: one is in the model at a time, whatever the volume."""
    given = prepare_volume(prepare, volume, getattr(probe, "input_shape", None))
    check_input(probe, given.array)
    made_by, grid = given.made_by, given.placement.model_size
    size: Any = made_by.size
    windows = list(sliding(grid, size, made_by.overlap, made_by.halo))
    _check_fits(
        (*size, given.array.shape[-1]),
        getattr(probe, "input_shape", None) or (None,) * 4,
    )
    inputs = [given.array[:, *window.part] for window in windows]
    if target is None and hasattr(probe, "at"):
        asked: Any = bound(probe, None)
        target = _most(int(asked.classes(tf.constant(each))[0]) for each in inputs)

    settled = bound(probe, target)
    heat = np.zeros(grid, np.float32)
    answers: list[Answer] = []
    for window, each in zip(windows, inputs, strict=True):
        maps, told = answered(settled, tf.constant(each), recipe, cutoff=cutoff)
        heat[window.part] += window.weight * maps[0]
        answers += told
    scores = np.array([answer.score for answer in answers], np.float32)
    starts = np.array([window.start for window in windows])
    return VolumeExplanation(
        Heatmap(given.placement.to_image(heat)),
        volume,
        (answers[int(scores.argmax())],),
        made_by,
        cutoff,
        WindowScores(starts, size, scores),
    )


def _by_slices(
    probe: Any,
    volume: DicomVolume,
    recipe: Any,
    target: Target,
    prepare: Prepare,
    cutoff: float,
) -> VolumeExplanation:
    shape = getattr(probe, "input_shape", None)
    _check_channels(shape, prepare)
    read = partial(_prepared_slice, prepare, volume, probe)
    if target is None and hasattr(probe, "at"):
        target = _usual_class(probe, _slice_batches(read, len(volume)))
    heat = np.empty(volume.size, np.float32)
    answers: list[Answer] = []
    made_by = prepare
    settled = bound(probe, target)
    for batch in _slice_batches(read, len(volume)):
        maps, told = answered(settled, _stacked(batch), recipe, cutoff=cutoff)
        for values, given, answer in zip(maps, batch, told, strict=True):
            heat[len(answers)] = place_back(values, given.placement).values
            answers.append(answer)
        made_by = batch[0].made_by or prepare
    return VolumeExplanation(Heatmap(heat), volume, tuple(answers), made_by, cutoff)


def _prepared_slice(
    prepare: Prepare,
    volume: DicomVolume,
    probe: Any,
    index: int,
) -> ModelInput:
    given = prepare_slice(prepare, volume, index, getattr(probe, "input_shape", None))
    check_input(probe, given.array)
    return given


def _slice_batches(read: Any, count: int) -> Iterator[list[ModelInput]]:
    """Yield prepared slices, a few at a time; the next are read while the model works."""
    held: list[ModelInput] = []
    for given in ahead(read, range(count), window=2 * BATCH):
        held.append(given)
        if len(held) == BATCH:
            yield held
            held = []
    if held:
        yield held


def _stacked(batch: list[ModelInput]) -> Any:
    return tf.constant(np.concatenate([given.array for given in batch]))


def _usual_class(probe: Any, batches: Iterator[list[ModelInput]]) -> int:
    """Return the class predicted for most slices."""
    asked: Any = bound(probe, None)
    return _most(int(each) for batch in batches for each in _classes(asked, batch))


def _most(classes: Iterable[int]) -> int:
    """Return the most frequent class; of equally frequent ones the first."""
    votes = Counter(classes)
    most = max(votes.values())
    return min(each for each, count in votes.items() if count == most)


def _classes(asked: Probe, batch: list[ModelInput]) -> Array:
    found: Array = np.asarray(asked.classes(_stacked(batch)))  # type: ignore[attr-defined]
    return found


def _check_channels(shape: tuple[int | None, ...] | None, prepare: Prepare) -> None:
    wanted = None if shape is None else shape[-1]
    have = 2 * prepare.neighbours + 1
    if wanted in (None, have) or (prepare.neighbours == 0 and wanted == 3):
        return
    hint = (
        f"Prepare(neighbours={(wanted - 1) // 2})"
        if wanted and wanted % 2
        else "another model"
    )
    msg = (
        f"explain: the model takes (H, W, C) = {shape}, and a slice with {prepare.neighbours} "
        f"neighbours on each side makes {have} channels. Use {hint}."
    )
    raise InputError(msg)


def _check_fits(given: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    if any(want not in (None, have) for want, have in zip(wanted, given, strict=True)):
        msg = (
            f"The preparation gave an input of (D, H, W, C) = {given}, the model takes {wanted}. "
            "Leave size and channels of Prepare open, and they come from the model."
        )
        raise InputError(msg)
