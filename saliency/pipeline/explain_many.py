"""Many images: failures are values, order is kept, one batch in memory at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

from saliency.errors import InputError, SaliencyError
from saliency.explainers.catalogue import resolve
from saliency.pipeline.asked_layers import Layer, tapped
from saliency.pipeline.checks import check_share
from saliency.pipeline.explain import (
    Explainer,
    as_image,
    ask,
    bound,
    prepared,
    probe_of,
    trust_of,
)
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.files import sources_in
from saliency.pipeline.prefetch import ahead
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import Preparation, preparation
from saliency.pipeline.trusting import trusted
from saliency.probe.protocol import Probe, Target
from saliency.values.failure import Failure
from saliency.values.image import DicomImage
from saliency.values.model_input import ModelInput
from saliency.values.trust import Trust

Ready: TypeAlias = tuple[DicomImage, ModelInput]
Item: TypeAlias = Ready | Failure


def explain_many(  # noqa: PLR0913 - as explain, and how many at once
    model: object,
    images: object,
    explainer: Explainer = "fastcam",
    *,
    target: Target = None,
    prepare: Prepare | Callable[..., Any] | None = None,
    batch_size: int = 8,
    cutoff: float = 0.5,
    layer: Layer = None,
    trust: object = None,
) -> Iterator[Explanation | Failure]:
    """Explain many images; yield one result for each, in order.

    Parameters
    ----------
    model, explainer, target, prepare, cutoff, layer, trust
        As for :func:`saliency.explain`, but one explainer and one target.
    images
        A folder, a path, a glob, a zip or a DICOMDIR: the DICOM images in it, first frames; what
        is no image by its kind is left out, and told in the logger. Or a sequence or iterator of
        DicomImages and anything that ``read_dicom`` takes. Read when their turn comes. A string is
        a path.
    batch_size
        How many images the model sees at once, 1 or more.

    Yields
    ------
    Explanation or Failure
        An image that cannot be read, prepared or explained gives a Failure, whatever went wrong;
        the run continues. Where the iterator of images itself raises, all before it is explained,
        and a Failure in its place is the last result.

    Raises
    ------
    SaliencyError
        The model, the explainer, the target or the report is wrong for all images, or a path holds
        no image: at the call, before the first.
    """
    if batch_size < 1:
        msg = f"explain_many: expected batch_size of 1 or more, got {batch_size}."
        raise InputError(msg)
    recipe, way = resolve(explainer), preparation(prepare)
    unbound = tapped(probe_of(model), layer, [recipe])
    check_share("explain_many", "cutoff", cutoff)
    probe = bound(unbound, target)
    known = trust_of(trust, unbound, recipe, way)
    sources = _with_positions(sources_in(images))
    pictures = ahead(_image_or_failure, sources, window=2 * batch_size)
    items = (_ready(unbound, picture, way, i) for i, picture in enumerate(pictures))
    return _results(_Question(probe, recipe, cutoff, known), items, batch_size)


@final
@dataclass(frozen=True, eq=False)
class _Question:
    """What is asked about every picture."""

    probe: Probe
    recipe: Any
    cutoff: float
    trust: Trust | None

    def rows(self, indices: list[int]) -> "_Question":
        """Return it for some of the pictures: a probe may hold other inputs for each."""
        rows = getattr(self.probe, "rows", None)
        return self if rows is None else replace(self, probe=rows(indices))


def _results(
    question: _Question, items: Iterable[Item], size: int
) -> Iterator[Explanation | Failure]:
    start = 0
    for group in _groups_of_one_shape(items, size):
        yield from _explanations_or_failures(question, group, start)
        start += len(group)


def _with_positions(sources: Iterator[object]) -> Iterator[tuple[int, object]]:
    """Yield sources with their positions; an error of the iterator is the last, as a Failure."""
    count = 0
    try:
        for source in sources:
            yield count, source
            count += 1
    except Exception as error:  # noqa: BLE001 - the user's code: whatever it raises
        found = failure_of(count, error)
        ended = f"The iterator of images ended here: {found.message}"
        yield count, Failure(count, found.error, ended)


def _image_or_failure(item: tuple[int, object]) -> DicomImage | Failure:
    index, image = item
    if isinstance(image, Failure):
        return image
    try:
        return as_image(image)
    except Exception as error:  # noqa: BLE001 - the edge of a picture
        return failure_of(index, error)


def _ready(
    probe: Any, picture: DicomImage | Failure, way: Preparation, index: int
) -> Item:
    if isinstance(picture, Failure):
        return picture
    try:
        return picture, prepared(probe, picture, way)
    except Exception as error:  # noqa: BLE001 - the edge of a picture: a function of the user's
        return failure_of(index, error)


def _groups_of_one_shape(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Gather items until ``size`` of one input shape are ready; failures ride along in order."""
    group: list[Item] = []
    shape = None
    for item in items:
        if not isinstance(item, Failure):
            mine = item[1].array.shape
            if _count_ready(group) == size or (_count_ready(group) and shape != mine):
                yield group
                group = []
            shape = mine
        group.append(item)
        if not _count_ready(group):
            yield group
            group = []
    if group:
        yield group


def _count_ready(group: list[Item]) -> int:
    return sum(not isinstance(item, Failure) for item in group)


def _explanations_or_failures(
    question: _Question, group: list[Item], start: int
) -> list[Explanation | Failure]:
    ready = [item for item in group if not isinstance(item, Failure)]
    indices = [
        start + i for i, item in enumerate(group) if not isinstance(item, Failure)
    ]
    answers = dict(zip(indices, _batch(question, ready, indices), strict=True))
    return [
        item if isinstance(item, Failure) else answers[start + i]
        for i, item in enumerate(group)
    ]


def _batch(
    question: _Question, ready: list[Ready], indices: list[int]
) -> list[Explanation | Failure]:
    """Ask for a whole batch; where that fails, for each picture, to find the one at fault."""
    if not ready:
        return []
    images, inputs = [image for image, _ in ready], [given for _, given in ready]
    try:
        asked = question.rows(indices)
        answers = ask(asked.probe, images, inputs, asked.recipe, cutoff=asked.cutoff)
        return [trusted(answer, question.trust) for answer in answers]
    except Exception as error:  # noqa: BLE001 - the edge of a picture: plug-ins, memory
        if len(ready) == 1:
            return [failure_of(indices[0], error)]
    pairs = zip(ready, indices, strict=True)
    return [_batch(question, [item], [index])[0] for item, index in pairs]


def failure_of(index: int, error: Exception) -> Failure:
    """Return what became of an image, without the file that a system's error names."""
    return Failure(index, type(error).__name__, _said(error))


def _said(error: Exception) -> str:
    """Return the text of an error; of a system's error without the file that it names."""
    if isinstance(error, SaliencyError):
        return str(error)
    text = (
        error.strerror if isinstance(error, OSError) else str(error)
    ) or "without a word"
    return f"{type(error).__name__}: {text.splitlines()[0][:300]}"
