"""Many images: failures are values, order is kept, one batch in memory at a time."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from saliency.errors import InputError, SaliencyError
from saliency.explainers.catalogue import resolve
from saliency.pipeline.explain import Explainer, as_image, ask, bound, prepared, probe_of
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.prefetch import ahead
from saliency.pipeline.prepare import Prepare
from saliency.probe.keras_probe import BoundProbe
from saliency.probe.protocol import Probe, Target
from saliency.values.failure import Failure
from saliency.values.image import DicomImage
from saliency.values.model_input import ModelInput

Ready: TypeAlias = tuple[DicomImage, ModelInput]
Item: TypeAlias = Ready | Failure


def explain_many(
    model: object,
    images: Iterable[object],
    explainer: Explainer = "fastcam",
    *,
    target: Target = None,
    prepare: Prepare | None = None,
    batch_size: int = 8,
) -> Iterator[Explanation | Failure]:
    """Explain images one after the other; yield one result for each, in order.

    Parameters
    ----------
    model, explainer, target, prepare
        As for :func:`saliency.explain`.
    images
        DicomImages, or anything that ``read_dicom`` takes; read when their turn comes.
    batch_size
        How many pictures the model sees at once, 1 or more.

    Yields
    ------
    Explanation or Failure
        A picture that cannot be read, prepared or explained gives a Failure; the others go on.

    Raises
    ------
    SaliencyError
        The model, the explainer, or the target is wrong for all images: before the first.
    """
    if batch_size < 1:
        msg = f"explain_many: expected batch_size of 1 or more, got {batch_size}."
        raise InputError(msg)
    recipe = resolve(explainer)
    unbound = probe_of(model)
    probe = bound(unbound, target)
    pictures = ahead(_picture, enumerate(images), window=2 * batch_size)
    items = (_ready(unbound, picture, prepare, i) for i, picture in enumerate(pictures))
    return _results(probe, items, recipe, batch_size)


def _results(
    probe: Probe, items: Iterable[Item], recipe: Any, size: int
) -> Iterator[Explanation | Failure]:
    start = 0
    for group in _groups(items, size):
        yield from _answers(probe, group, recipe, start)
        start += len(group)


def _picture(item: tuple[int, object]) -> DicomImage | Failure:
    index, image = item
    try:
        return as_image(image)
    except SaliencyError as error:
        return _failure(index, error)


def _ready(probe: Any, picture: DicomImage | Failure, prepare: Prepare | None, index: int) -> Item:
    if isinstance(picture, Failure):
        return picture
    try:
        return picture, prepared(probe, picture, prepare)
    except SaliencyError as error:
        return _failure(index, error)


def _groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Gather items until ``size`` of one input shape are ready; failures ride along in order."""
    group: list[Item] = []
    shape = None
    for item in items:
        if not isinstance(item, Failure):
            mine = item[1].array.shape
            if _count(group) == size or (_count(group) and shape != mine):
                yield group
                group = []
            shape = mine
        group.append(item)
        if not _count(group):
            yield group
            group = []
    if group:
        yield group


def _count(group: list[Item]) -> int:
    return sum(not isinstance(item, Failure) for item in group)


def _answers(
    probe: Probe, group: list[Item], recipe: Any, start: int
) -> list[Explanation | Failure]:
    ready = [item for item in group if not isinstance(item, Failure)]
    indices = [start + i for i, item in enumerate(group) if not isinstance(item, Failure)]
    answers = dict(zip(indices, _batch(probe, ready, recipe, indices), strict=True))
    return [
        item if isinstance(item, Failure) else answers[start + i] for i, item in enumerate(group)
    ]


def _batch(
    probe: Probe, ready: list[Ready], recipe: Any, indices: list[int]
) -> list[Explanation | Failure]:
    """Ask for a whole batch; where that fails, for each picture, to find the one at fault."""
    if not ready:
        return []
    try:
        mine = probe.rows(indices) if isinstance(probe, BoundProbe) else probe
        return [*ask(mine, [image for image, _ in ready], [given for _, given in ready], recipe)]
    except SaliencyError as error:
        if len(ready) == 1:
            return [_failure(indices[0], error)]
    pairs = zip(ready, indices, strict=True)
    return [_batch(probe, [item], recipe, [index])[0] for item, index in pairs]


def _failure(index: int, error: SaliencyError) -> Failure:
    return Failure(index, type(error).__name__, str(error))
