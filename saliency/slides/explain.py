"""Explain a slide: tile by tile at the model's own scale, one map in millimetres."""

from collections import Counter
from os import PathLike
from typing import Any, Final

import numpy as np
import tensorflow as tf

from saliency.errors import InputError
from saliency.explainers.catalogue import resolve
from saliency.pipeline.answer import Answer
from saliency.pipeline.checks import check_share
from saliency.pipeline.explain import Explainer, answered, bound, probe_of
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.slides.bags import Bag
from saliency.slides.explain_bag import explain_as_bag
from saliency.slides.explain_keep import Running, SlideRequest, silent
from saliency.slides.explain_run import Tell
from saliency.slides.explain_setup import AUTO, Setting, Tiling, setting
from saliency.slides.explain_tiles import HeatQuestion, remembering, scores_on
from saliency.slides.explain_veil import indifferent_to_tissue
from saliency.slides.result import SlideExplanation
from saliency.slides.result_scale import full_colour
from saliency.slides.stitch import SlideCanvas
from saliency.values.heatmap import Heatmap

#: Tiles that are asked for the predicted class, evenly spread, where no target is given.
SAMPLE: Final = 64


def explain_slide(  # noqa: PLR0913 - as explain, and how a slide is cut into tiles
    model: object,
    slide: object,
    explainer: Explainer = "fastcam",
    *,
    target: Target = None,
    prepare: Any = None,
    spacing: float | tuple[float, float] | None = None,
    tile: int | tuple[int, int] | None = None,
    overlap: float = 0.25,
    batch_size: int = 8,
    out: str | PathLike[str] | None = None,
    resume: bool = True,
    tissue: Any = AUTO,
    cutoff: float = 0.5,
    progress: Tell | None = None,
) -> SlideExplanation:
    """Ask a model of tiles about a whole slide.

    Tiles with tissue are read at ``spacing``, asked about, and their maps stitched on one coarse
    grid with weights that sum to one. A tile's heat is multiplied by the probability of the class
    there, where the model gives one: what is not of the class stays dark, on any slide. The map of
    a fully convolutional network equals the one of the whole slide at once: what lies within its
    receptive field of a tile's side does not count.

    Parameters
    ----------
    model
        A Keras model of images, the path of one, or a probe. Or a
        :class:`saliency.slides.bags.Bag`, a model of multiple instances: ``explainer`` is then
        ``"single"`` (also for the default), ``"integrated_gradients"``, ``"lrp"`` or
        ``"attention"``, and each tile has one value.
    slide
        A Slide, or anything that :func:`saliency.open_slide` takes.
    explainer, prepare
        As for :func:`saliency.explain`. ``Prepare(halo=)``: pixels at a tile's sides that do not
        count.
    target
        As for :func:`saliency.explain`. None: the class that is predicted for most of 64 tiles with
        tissue, evenly spread.
    spacing
        mm a pixel that the model was trained at, or (row, column). None: that of level 0, as the
        caption says.
    tile
        Pixels of a tile's side, or (rows, columns); None: the model's input, else 512.
    overlap
        The part of a tile that the next one covers too, at least; 0 <= overlap < 1.
    batch_size
        Tiles that the model sees at once.
    out
        Folder of the result, as of :meth:`SlideExplanation.save`, and of the file that keeps what
        was found. It is made where it is not there.
    resume
        What an earlier run has found for the same question is kept, also when it was killed.
    tissue
        ``"auto"``: glass is skipped, by :meth:`Slide.tissue`. None: all tiles are asked about. Or
        a mask of the whole slide, bool (rows, columns) on any grid: True where to look.
    cutoff
        A class below this probability is not predicted; see ``SlideExplanation.veiled``.
    progress
        Called with a ``SlideProgress`` after each batch.

    Raises
    ------
    SaliencyError
        The model, slide, explainer, target or scale do not fit together, or there is no tissue; the
        message says how.
    """
    check_share("explain_slide", "cutoff", cutoff)
    if batch_size < 1:
        msg = f"explain_slide: expected batch_size of 1 or more, got {batch_size}."
        raise InputError(msg)
    request = SlideRequest(
        target,
        Tiling(prepare, spacing, tile, overlap, tissue),
        Running(batch_size, out, resume, progress or silent),
        cutoff,
    )
    if isinstance(model, Bag):
        method = "single" if explainer == "fastcam" else explainer
        result = explain_as_bag(model, slide, method, request)
    else:
        recipe = resolve(explainer)
        result = _explain_by_tiles(probe_of(model), slide, recipe, request)
    if out is not None:
        result.save(out)
    return result


def _explain_by_tiles(
    probe: Any, slide: object, recipe: Any, request: SlideRequest
) -> SlideExplanation:
    """Explain a slide by a model of tiles; see :func:`explain_slide`."""
    running, cutoff = request.running, request.cutoff
    with setting(probe, slide, request.tiling) as given:
        settled = _settled_target(probe, request.target, given, running.batch_size)
        chosen = bound(probe, settled)
        canvas = SlideCanvas(given.grid)
        question = HeatQuestion(chosen, recipe, canvas)
        seconds = running.ask(question, given, (chosen, recipe))
        answer, size, made_by = _best_tile(chosen, recipe, given, question.best)
        heat, explained = canvas.stitched()
        scores, probabilities = scores_on(given, question.scores)
        return SlideExplanation(
            Heatmap(heat),
            explained,
            scores,
            probabilities,
            given.grid,
            given.slide,
            answer,
            vmax=full_colour(answer.recipe, size, answer.grid),
            labels=getattr(getattr(chosen, "source", None), "labels", None),
            indifferent=indifferent_to_tissue(
                chosen, given, answer, cutoff, probabilities
            ),
            prepare=made_by if isinstance(made_by, Prepare) else None,
            cutoff=cutoff,
            seconds=seconds,
        )


def _settled_target(
    probe: Any, target: Target, given: Setting, batch_size: int
) -> Target:
    """Return the target; for None the class predicted for most of some tiles."""
    if target is not None or not hasattr(probe, "at"):
        return target
    places = given.places
    step = max(1, -(-len(places) // SAMPLE))
    asked: Any = bound(probe, None)
    votes: Counter[int] = Counter()
    sample = places[::step]
    for first in range(0, len(sample), batch_size):
        batch = [
            given.read(place).array for place in sample[first : first + batch_size]
        ]
        votes.update(int(k) for k in asked.classes(tf.constant(np.concatenate(batch))))
    return min(votes, key=lambda index: (-votes[index], index))


def _best_tile(
    bound_probe: Any, recipe: Any, given: Setting, place: tuple[int, int]
) -> tuple[Answer, tuple[int, int], Any]:
    """Return the answer of one tile, (H, W) of its input, and its preparation."""
    made = given.read(place)
    batch = tf.constant(made.array)
    _, answers = answered(remembering(bound_probe, batch), batch, recipe, cutoff=0)
    return answers[0], made.array.shape[1:3], made.made_by
