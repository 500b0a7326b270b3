"""One image: prepare, explain, place back."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from importlib import metadata
from typing import Any, TypeAlias, overload

import numpy as np
import tensorflow as tf

from saliency.dicom import read_dicom
from saliency.errors import ExplainerError, InputError, NotFiniteError, TargetError
from saliency.explainers.catalogue import resolve
from saliency.explainers.names import MethodName
from saliency.pipeline.answer import Answer, explanation_of
from saliency.pipeline.asked_layers import Layer, tapped
from saliency.pipeline.caption import is_saturated
from saliency.pipeline.checks import check_input, collapsed
from saliency.pipeline.control import asked_of
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.facts import facts_of
from saliency.pipeline.files import content_of
from saliency.pipeline.place_back import place_back
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import Preparation, preparation
from saliency.pipeline.trusting import trust_in, trust_table, trusted
from saliency.probe.batch_probe import About
from saliency.probe.cache import probe_for
from saliency.probe.channel_axis import with_channel_axis
from saliency.probe.class_targets import target_name
from saliency.probe.keras_probe import BoundProbe
from saliency.probe.protocol import Probe, Target
from saliency.probe.score_probe import answering, is_probe
from saliency.probe.tensorflow_errors import one_line
from saliency.values.arrays import Array
from saliency.values.image import DicomImage
from saliency.values.model_input import ModelInput
from saliency.values.trust import Trust

Explainer: TypeAlias = MethodName | str | Callable[[Probe, Any], Any]
Several: TypeAlias = list[Any] | tuple[Any, ...]

LIBRARIES = ("dicom-saliency", "keras", "numpy", "pydicom")


@overload
def explain(
    model: object,
    image: object,
    explainer: Explainer = "fastcam",
    *,
    target: Target = None,
    prepare: Prepare | Callable[..., Any] | None = None,
    cutoff: float = 0.5,
    layer: Layer = None,
    trust: object = None,
) -> Explanation: ...
@overload
def explain(
    model: object,
    image: object,
    explainer: Explainer | Several = "fastcam",
    *,
    target: Several,
    prepare: Prepare | Callable[..., Any] | None = None,
    cutoff: float = 0.5,
    layer: Layer = None,
    trust: object = None,
) -> tuple[Explanation, ...]: ...
@overload
def explain(
    model: object,
    image: object,
    explainer: Several,
    *,
    target: Target | Several = None,
    prepare: Prepare | Callable[..., Any] | None = None,
    cutoff: float = 0.5,
    layer: Layer = None,
    trust: object = None,
) -> tuple[Explanation, ...]: ...
def explain(  # noqa: PLR0913 - all that a question to a model is made of
    model: object,
    image: object,
    explainer: Explainer | Several = "fastcam",
    *,
    target: Target | Several = None,
    prepare: Prepare | Callable[..., Any] | None = None,
    cutoff: float = 0.5,
    layer: Layer = None,
    trust: object = None,
) -> Explanation | tuple[Explanation, ...]:
    """Explain which pixels of an image raise or lower a model's score for a target.

    Parameters
    ----------
    model
        A Keras model, a path to one (.keras, .h5), a KerasProbe, or any Probe that already is bound
        to a target. An object with ``score`` alone is enough for occlusion and RISE.
    image
        A DicomImage, or anything that ``read_dicom`` takes; or a DicomVolume, which gives a
        ``VolumeExplanation``.
    explainer
        A name of ``catalogue()``, or any callable ``(probe, inputs) -> attribution``. A list or a
        tuple of them: one answer for each.
    target
        A class index, a label of the probe, a callable on the model's output -> (N,), or None:
        the predicted class. A list or a tuple of them: one answer for each.
    prepare
        How the image becomes the model's input; what it leaves open comes from the model.
        None: display values, stretched to the model's size, 0..1. Or ``preprocess_input`` of
        keras.applications, or a function from a DicomImage to an array (H, W, C).
    cutoff
        A class below this probability is not predicted, and the heat of its overlay is veiled; so
        is that of a class which the model gives whatever the content: to an even image, to one of
        shuffled pixels, and to the image at 2.5 times its contrast (one forward pass more, at
        most three). 0: none is asked.
    layer
        Name of the layer that a method of layers looks at, or names of several (``"conv5"``,
        nested ``"backbone/conv5"``); CAMs look at the last of several. None: the end of each
        spatial scale. It is traced once for a model object, and freed with it.
    trust
        What ``evaluate`` returned for the same model, or its report.json: how well the explainer
        did on its images goes into caption and record. A report of other weights, layers or another
        preparation, or without the explainer, is refused.

    Returns
    -------
    Explanation
        With a heatmap on the image's own grid. Where several explainers or targets came, a tuple
        of Explanations: all targets of the first explainer, then those of the next.

    Raises
    ------
    SaliencyError
        The model, image, explainer, target or layer do not fit together; the message says how.
    """
    recipes = [resolve(each) for each in _as_sequence("explainer", explainer)]
    targets = _as_sequence("target", target)
    _check_differ(targets)
    probe = tapped(probe_of(model), layer, recipes)
    if trust is not None and _is_volume(image):
        msg = "trust: expected an image; evaluations know no volumes."
        raise InputError(msg)
    of_recipes = [trust_of(trust, probe, recipe, prepare) for recipe in recipes]
    about = _about_image(probe, image, prepare, cutoff)
    found = tuple(
        trusted(about(recipe, each), known)
        for recipe, known in zip(recipes, of_recipes, strict=True)
        for each in targets
    )
    one = not isinstance(explainer, list | tuple) and not isinstance(
        target, list | tuple
    )
    return found[0] if one else found


def _check_differ(targets: Sequence[Target]) -> None:
    """Refuse a target that comes twice: a list of an image's labels is no list of questions."""
    names = [target for target in targets if isinstance(target, int | str)]
    if len(set(names)) < len(names):
        msg = (
            f"explain: expected targets that differ, one answer for each, got {names}. All are "
            "asked about the same image."
        )
        raise TargetError(msg)


def _as_sequence(name: str, given: Any) -> Sequence[Any]:
    """Return what was asked for, one or several, as a sequence."""
    several = given if isinstance(given, list | tuple) else (given,)
    if not several:
        msg = f"explain: expected one {name} or more, got an empty {type(given).__name__}."
        raise InputError(msg)
    return several


def _about_image(
    probe: Any,
    image: object,
    prepare: Prepare | Callable[..., Any] | None,
    cutoff: float,
) -> Callable[[Any, Target], Any]:
    """Return a function (recipe, target) -> answer about an image, read and prepared once."""
    if _is_volume(image):
        return lambda recipe, target: image.explained_by(  # type: ignore[attr-defined]
            probe, recipe, target=target, prepare=prepare, cutoff=cutoff
        )
    picture = as_image(image)
    given = prepared(probe, picture, prepare)

    def answer(recipe: Any, target: Target) -> Explanation:
        return ask(bound(probe, target), [picture], [given], recipe, cutoff=cutoff)[0]

    return answer


def _is_volume(image: object) -> bool:
    """Say whether an image is a volume, whose room lies above this one."""
    return callable(getattr(image, "explained_by", None))


def trust_of(trust: object, probe: Any, recipe: Any, prepare: object) -> Trust | None:
    """Return what an evaluation says of a recipe, asked like this; None without one.

    Raises
    ------
    InputError
        ``trust`` is no evaluation, or one of another question.
    """
    known = trust_table(trust)
    if known is None:
        return None
    return trust_in(known, probe, recipe, name_of(recipe), filled(probe, prepare))


def as_image(image: object) -> DicomImage:
    """Return a DicomImage as it is; read anything else."""
    return image if isinstance(image, DicomImage) else read_dicom(content_of(image))


def probe_of(model: object) -> Any:
    """Return a probe as it is; compile a model, or the file of one, once."""
    if is_probe(model):
        return model
    probe = probe_for(model)
    one_input = len(getattr(probe.model, "inputs", None) or ()) == 1
    if one_input and len(probe.input_shape) == 2:
        return probe_for(with_channel_axis(probe.model))
    return probe


def bound(probe: Any, target: Target) -> Probe:
    """Bind a probe to the target; one that came bound takes none."""
    if callable(getattr(probe, "at", None)):
        settled: Probe = probe.at(target)
        return settled
    if target is not None:
        msg = (
            f"explain: this probe is bound to a target already, so expected target=None, got "
            f"{target!r}. Pass the KerasProbe, or the model itself."
        )
        raise TargetError(msg)
    return probe  # type: ignore[no-any-return]


def prepared(probe: Any, image: DicomImage, prepare: object) -> ModelInput:
    """Prepare a picture for a probe's model."""
    given = filled(probe, prepare)(image)
    _check_input_size(given.array.shape[1:], getattr(probe, "input_shape", None))
    check_input(probe, given.array)
    return given


def filled(probe: Any, prepare: object) -> Preparation:
    """Return a preparation whose open choices come from the probe's model."""
    shape = getattr(probe, "input_shape", None)
    way = preparation(prepare)
    return way if shape is None else way.filled(shape)


def ask(
    probe: Probe,
    images: list[DicomImage],
    inputs: list[ModelInput],
    recipe: Any,
    *,
    cutoff: float = 0.5,
) -> list[Explanation]:
    """Explain a batch of prepared pictures of one input shape; ``cutoff`` as in explain."""
    batch = tf.constant(np.concatenate([given.array for given in inputs]))
    maps, answers = answered(probe, batch, recipe, cutoff=cutoff)
    return [
        explanation_of(
            place_back(values, given.placement),
            image,
            answer,
            prepare=given.made_by,
            cutoff=cutoff,
        )
        for values, given, image, answer in zip(
            maps, inputs, images, answers, strict=True
        )
    ]


def answered(
    probe: Probe, batch: Any, recipe: Any, *, cutoff: float = 0.5
) -> tuple[Array, list[Answer]]:
    """Ask about a batch: its maps (N, ...) on the model's grid, and what else is told of each."""
    probe = _answering_about(probe, batch)
    attribution = _attribution(recipe, probe, batch)
    scores = _finite_scores(probe, batch)
    maps = collapsed(attribution, tuple(batch.shape), name_of(recipe))
    gaps = _gaps(recipe, probe, batch, attribution)
    targets = _targets(probe, len(maps))
    facts = facts_of(probe, recipe, batch, cutoff)
    answers = [
        Answer(
            score=float(scores[i]),
            target=targets[i],
            gap=None if gaps is None else float(gaps[i]),
            recipe=name_of(recipe),
            versions=versions(),
            probability=facts.probability(i),
            label=facts.label(targets[i], i),
            model=facts.model,
            seed=facts.seed,
            explains=facts.explains,
            grid=facts.grid,
            saturated=is_saturated(float(scores[i]), facts.ends),
            indifferent=facts.is_indifferent(i),
            asked=asked_of(probe, i, recipe),
        )
        for i in range(len(maps))
    ]
    return maps, answers


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Return the versions of the libraries that have a hand in an explanation."""
    # TensorFlow is in packages of several names, as tensorflow-cpu
    return {
        **{name: _version(name) for name in LIBRARIES},
        "tensorflow": tf.__version__,
    }


@cache
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def _gaps(recipe: Any, probe: Probe, batch: Any, attribution: Any) -> Array | None:
    """Ask a complete method how far from complete it is; see explainers.protocol."""
    gap = getattr(recipe, "gap", None)
    return None if gap is None else np.asarray(gap(probe, batch, attribution))


def _answering_about(probe: Any, batch: Any) -> Probe:
    """Settle the target on the batch; ask nothing twice where the probe can remember."""
    if isinstance(probe, BoundProbe):
        return About(probe, batch)
    settled = getattr(probe, "settled", None)
    return answering(probe if settled is None else settled(batch))


def _targets(probe: Any, count: int) -> list[int | str]:
    """Return what was explained, per sample: an index, a label, or the name of a callable."""
    target = getattr(probe, "target", "score")
    if callable(target):
        return [target_name(target)] * count
    if isinstance(target, str):
        return [target] * count
    return [int(index) for index in np.resize(np.asarray(probe.targets), count)]


def name_of(recipe: Any) -> str:
    """Return the repr of a recipe; the name of a plain function, whose repr holds an address."""
    return str(getattr(recipe, "__qualname__", None) or repr(recipe))


def _attribution(recipe: Any, probe: Probe, batch: Any) -> Any:
    try:
        return recipe(probe, batch)
    except tf.errors.OpError as error:
        kind = type(error).__name__
        msg = f"{name_of(recipe)}: TensorFlow stopped with {kind}: {one_line(error)}"
        raise ExplainerError(msg) from error


def _finite_scores(probe: Probe, batch: Any) -> Array:
    scores = np.asarray(probe.score(batch), np.float32)
    if np.isfinite(scores).all():
        return scores
    msg = (
        f"The model's score is {scores.tolist()}: expected finite numbers. Check the weights, "
        "and that the prepared input is in the range that the model was trained on."
    )
    raise NotFiniteError(msg)


def _check_input_size(
    given: tuple[int, ...], wanted: tuple[int | None, ...] | None
) -> None:
    if wanted is None:
        return
    fits = len(wanted) == len(given) and all(map(_axis_fits, wanted, given))
    if not fits:
        free = None in wanted[:-1] and len(wanted) == len(given)
        way = (
            "Give its size: Prepare(size=(H, W))."
            if free
            else "Leave size and channels of Prepare open, and they come from the model."
        )
        msg = (
            f"The preparation gave an input of (H, W, C) = {given}, the model takes {wanted}. "
            f"{way}"
        )
        raise InputError(msg)


def _axis_fits(wanted: int | None, given: int) -> bool:
    return wanted in (None, given)
