"""After the verdict: a new model that no longer reads what was convicted, and the proof."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np

from saliency.audit.cases.first_pass import contents_of, read_picture
from saliency.audit.cases.sources import labels_of, sources_of
from saliency.audit.exchange.exchange import exchanged, joined_content
from saliency.audit.exchange.frame import frame_mask
from saliency.audit.exchange.groups import label_class
from saliency.audit.judgement.wording import percents
from saliency.audit.report.report import AuditReport
from saliency.audit.run import audit, balanced
from saliency.errors import InputError, SaliencyError
from saliency.interventions.bands import BANDS
from saliency.interventions.canvas import Canvas, Zones, canvas, reduced, with_zones
from saliency.interventions.scoring import Scorer
from saliency.interventions.strokes import Content
from saliency.pipeline.explain import probe_of
from saliency.pipeline.prepare import Prepare
from saliency.probe.model.new_head import (
    features_of,
    head_of_dense,
    last_dense,
    with_head,
)
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

MOST: Final = 128
"""Images that the head is fitted on and measured on, at most."""
FEWEST: Final = 16
"""Images below which a head is not fitted."""
DIRECTIONS: Final = (0, 1, 2, 4, 8)
"""Directions of the exchange that are taken out of the features before the head is fitted."""
ENOUGH: Final = 0.1
"""Effect of the exchange from which on a zone may be read: a repaired model stays below."""
LOST: Final = 0.02
"""Accuracy that a repair may cost."""


@final
@dataclass(frozen=True, eq=False)
class Repaired:
    """A model with another head, and what it does.

    Parameters
    ----------
    model
        The new Keras model; the old one is not changed. None where no head could be made.
    report
        Its audit, on the same images; None likewise.
    accuracy, accuracy_before
        Share of right decisions on images that the head was not fitted on, of the new and of the
        old model; NaN where there is no new model.
    effects, effects_before
        Of each convicted zone, the effect in the second audit and in the first.
    sentence
        What was reached, or what stands in the way.
    """

    model: Any
    report: AuditReport | None
    accuracy: float
    accuracy_before: float
    effects: Mapping[str, float]
    effects_before: Mapping[str, float]
    sentence: str

    @property
    def repaired(self) -> bool:
        """Whether no convicted zone moves the score by 10 %, at 2 points of accuracy or less."""
        return (
            self.report is not None
            and not self.report.shortcut
            and max(self.effects.values(), default=1.0) <= ENOUGH
            and self.accuracy >= self.accuracy_before - LOST
        )

    def __repr__(self) -> str:
        return f"Repaired({self.sentence!r})"


def repair(  # noqa: PLR0913 - as an audit is asked
    model: object,
    report: AuditReport,
    images: object,
    *,
    labels: Sequence[Any] | Mapping[Any, Any] | None = None,
    prepare: Prepare | None = None,
    zones: Zones | None = None,
    groups: Sequence[Any] | Mapping[Any, Any] | None = None,
    seed: int = 0,
) -> Repaired:
    """Fit a new head on images whose convicted content was exchanged, and audit the new model.

    What was convicted is exchanged between images of all classes, so that it tells nothing of the
    label; the features of the last dense layer are made blind to the directions in which the
    exchange moves them, and a new dense layer is fitted (logistic regression). Half of the images
    are kept for the choice and the accuracy. The old model is not changed.

    Parameters
    ----------
    model, images, labels, prepare, zones, groups, seed
        As they were audited; labels are needed.
    report
        Of that audit.

    Raises
    ------
    InputError
        There are no labels, or they do not belong to the images.
    """
    convicted = {
        name: verdict.effect
        for name, verdict in report.verdicts.items()
        if verdict.finding != "no evidence"
    }
    if not convicted:
        return _failed("Nothing was convicted: there is nothing to repair.", {})
    probe = probe_of(model)
    network, scorer = getattr(probe, "model", None), Scorer(probe, prepare)
    if network is None or scorer.classes is None or last_dense(network) is None:
        return _failed(
            "No repair: a classifier is expected that ends in one dense layer of a row of "
            "features; there is no head to fit anew.",
            convicted,
        )
    cases = _cases(scorer, images, labels, zones, seed)
    if isinstance(cases, str):
        return _failed(cases, convicted)
    copies = _Copies.of(network, cases, _changes(report, convicted), seed)
    heads = [_head(copies, directions, seed) for directions in DIRECTIONS]
    best = min(heads, key=lambda head: (head.costs(copies.accuracy), head.effect))
    repaired = with_head(network, best.kernel, best.bias)
    second = audit(
        repaired,
        images,
        labels=labels,
        prepare=prepare,
        zones=zones,
        groups=groups,
        seed=seed,
    )
    accuracies = best.accuracy, copies.accuracy
    effects = {name: second.verdicts[name].effect for name in convicted}
    return _with_sentence(
        Repaired(repaired, second, *accuracies, effects, convicted, "")
    )


@final
@dataclass(frozen=True, eq=False)
class _Case:
    """An image, its class, and its prepared pixels."""

    canvas: Canvas
    contents: Mapping[str, Content]
    label: int


@final
@dataclass(frozen=True, eq=False)
class _Cases:
    """Images that can be read and have a label, and who scores them."""

    scorer: Scorer
    cases: Sequence[_Case]

    @property
    def labels(self) -> Array:
        """The class of each, int (n,)."""
        return np.array([case.label for case in self.cases])

    def inputs(self, images: Sequence[DicomImage]) -> Array:
        """Return prepared images, float32 (n, H, W, C)."""
        return np.concatenate(list(self.scorer.batches(images)))


Change = Any
"""(host, donor) -> the host with what was convicted of the donor."""


@final
@dataclass(frozen=True, eq=False)
class _Head:
    """A dense layer, and what it does on images that it was not fitted on."""

    kernel: Array
    bias: Array
    accuracy: float
    effect: float

    def costs(self, before: float) -> bool:
        """Whether it loses more accuracy than a repair may."""
        return self.accuracy < before - LOST


@final
@dataclass(frozen=True, eq=False)
class _Copies:
    """Features of images as they are, and with content of another image of each class.

    Parameters
    ----------
    features
        float (1 + copies, n, d): as they are; then with content of an image of the same class, and
        of another class, for each change.
    labels
        int (n,).
    fitted
        bool (n,): images that heads are fitted on.
    accuracy
        Of the old head, on the others.
    units
        Of the old head.
    """

    features: Array
    labels: Array
    fitted: Array
    accuracy: float
    units: int

    @staticmethod
    def of(
        network: Any, cases: _Cases, changes: Sequence[Change], seed: int
    ) -> "_Copies":
        """Exchange, and ask the network for features."""
        generator = np.random.default_rng(seed)
        labels = cases.labels
        rows = [cases.inputs([case.canvas.image for case in cases.cases])]
        for change in changes:
            for same in (True, False):
                donors = [
                    generator.choice(np.flatnonzero((labels == case.label) == same))
                    for case in cases.cases
                ]
                changed = [
                    change(case, cases.cases[donor])
                    for case, donor in zip(cases.cases, donors, strict=True)
                ]
                rows.append(cases.inputs(changed))
        features = np.stack([features_of(network, row) for row in rows])
        fitted = np.zeros(len(labels), np.bool_)
        for label in np.unique(labels):
            fitted[np.flatnonzero(labels == label)[::2]] = True
        kernel, bias = head_of_dense(network)
        right = _decided(features[0] @ kernel + bias) == labels
        return _Copies(
            features, labels, fitted, float(right[~fitted].mean()), kernel.shape[1]
        )


def _head(copies: _Copies, directions: int, seed: int) -> _Head:
    """Fit a head on features without so many directions of the exchange."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - an import of a second

    train = copies.features[:, copies.fitted]
    width = train.shape[-1]
    centre, spread = train[0].mean(axis=0), train[0].std(axis=0) + 1e-6
    # What content of another class does beyond what content of the same class does.
    moves = (train[2::2] - train[1::2]) / spread
    _, _, axes = np.linalg.svd(moves.reshape(-1, width), full_matrices=False)
    kept = np.eye(width) - axes[:directions].T @ axes[:directions]
    rows = ((train - centre) / spread @ kept).reshape(-1, width)
    labels = np.tile(copies.labels[copies.fitted], len(train))
    fit = LogisticRegression(C=1.0, max_iter=400, random_state=seed).fit(rows, labels)
    kernel, bias = _in_units(fit.coef_, fit.intercept_, copies.units)
    # The centring and the projection become part of the layer.
    kernel = (kept @ kernel) / spread[:, np.newaxis]
    bias = bias - centre @ kernel
    scores = copies.features[:, ~copies.fitted] @ kernel + bias
    right = _decided(scores[0]) == copies.labels[~copies.fitted]
    leads = _leads(scores, copies.labels[~copies.fitted])
    moved = np.abs((leads[1::2] - leads[2::2]).mean(axis=1)).max()
    effect = float(moved / max(2 * np.abs(leads[0]).mean(), 1e-9))
    return _Head(kernel, bias, float(right.mean()), effect)


def _in_units(weights: Array, intercepts: Array, units: int) -> tuple[Array, Array]:
    """Return kernel and bias for so many units; of two classes the fit gives one row."""
    if units == len(weights):
        return np.asarray(weights.T), np.asarray(intercepts)
    half = weights[0] / 2
    return np.stack([-half, half], axis=1), np.array([-1, 1]) * intercepts[0] / 2


def _decided(scores: Array) -> Array:
    """Return the class that logits (n, units) are for."""
    if scores.shape[-1] == 1:
        return np.asarray(scores[..., 0] > 0).astype(np.int64)
    return np.asarray(scores.argmax(axis=-1))


def _leads(scores: Array, labels: Array) -> Array:
    """Return how far the true class is ahead of the best other, (copies, n)."""
    if scores.shape[-1] == 1:
        return np.asarray(scores[..., 0] * (2 * labels - 1))
    true = np.eye(scores.shape[-1], dtype=bool)[labels]
    others = np.where(true, -np.inf, scores).max(axis=-1)
    return np.asarray((scores * true).sum(axis=-1) - others)


def _cases(
    scorer: Scorer, images: object, labels: object, zones: Zones | None, seed: int
) -> _Cases | str:
    """Return images of two classes or more, evenly; or why there are too few."""
    sources = sources_of(images)
    if labels is None:
        msg = "repair: expected labels: the new head is fitted to them."
        raise InputError(msg)
    given = labels_of(labels, sources)
    chosen = balanced(given, MOST, np.random.default_rng(seed))
    cases = []
    for row in chosen:
        try:
            image = reduced(with_zones(read_picture(sources[row]), zones), scorer.size)
        except SaliencyError:
            continue
        label = label_class(given[row], scorer)
        cases.append(_Case(canvas(image, scorer.prepare), contents_of(image), label))
    counts = np.bincount([case.label for case in cases], minlength=scorer.classes or 0)
    if len(cases) < FEWEST or (counts < 4).any() or len(counts) < 2:
        return (
            f"No repair: a head is fitted on {FEWEST} images and 4 of each class at least, got "
            f"{' + '.join(map(str, counts.tolist()))}."
        )
    return _Cases(scorer, cases)


def _changes(report: AuditReport, convicted: Mapping[str, float]) -> list[Change]:
    """Return how each convicted zone, place or band is exchanged."""
    changes: list[Change] = []
    for name in convicted:
        band = report.verdicts[name].measured.get("band")
        if isinstance(band, str):
            changes.append(_of_band(band))
        elif name in report.places:
            changes.append(_of_place(report.places[name]))
        else:
            changes.append(_of_zone(name))
    return changes


def _of_band(band: str) -> Change:
    return lambda host, donor: BANDS[band](host.canvas, donor.canvas)


def _of_place(mask: Array) -> Change:
    def change(host: _Case, donor: _Case) -> DicomImage:
        place, _ = frame_mask(host.canvas, donor.canvas, mask)
        return exchanged(host.canvas, donor.canvas, Content(place))[0]

    return change


def _of_zone(name: str) -> Change:
    def change(host: _Case, donor: _Case) -> DicomImage:
        both = joined_content(
            host.contents.get(name), donor.contents.get(name), host.canvas.image.size
        )
        if not both.mask.any():
            return host.canvas.image
        return exchanged(host.canvas, donor.canvas, both)[0]

    return change


def _failed(sentence: str, convicted: Mapping[str, float]) -> Repaired:
    nan = float("nan")
    return Repaired(None, None, nan, nan, {}, convicted, sentence)


def _with_sentence(result: Repaired) -> Repaired:
    """Say what was reached."""
    moves = ", ".join(
        f"{name} {percents(result.effects_before[name])} before, {percents(effect)} now"
        for name, effect in result.effects.items()
    )
    verdict = (
        "The new head no longer reads what was convicted"
        if result.repaired
        else "A new head was not enough: the new model must not be used for that reason alone"
    )
    sentence = (
        f"{verdict}. Effect: {moves}. Accuracy on images that it was not fitted on: "
        f"{percents(result.accuracy_before)} before, {percents(result.accuracy)} now."
    )
    return replace(result, sentence=sentence)
