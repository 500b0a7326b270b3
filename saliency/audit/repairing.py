"""After the verdict: a new model that no longer reads what was convicted, and the proof."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
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
from saliency.pipeline.patients import patients_of, with_equal_images
from saliency.pipeline.prepare import Prepare
from saliency.probe.model.new_head import (
    features_of,
    head_of_dense,
    last_dense,
    with_head,
)
from saliency.statistics.blind_head import (
    FOLDS,
    ExchangedFeatures,
    Head,
    blind_head,
)
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

MOST: Final = 128
"""Images that the head is fitted on and measured on, at most."""
FEWEST: Final = 16
"""Images below which a head is not fitted."""
ROUNDS: Final = 4
"""Contents of each side that are put into each image."""
ENOUGH: Final = 0.1
"""Effect of the exchange from which on a zone may be read: a repaired model stays below."""
LOST: Final = 0.02
"""Accuracy that a repair may cost where the shortcut tells nothing."""


@final
@dataclass(frozen=True, eq=False)
class Repaired:
    """A model with another head, and what it does.

    Accuracy and effects of the new head are cross-fitted: each image is answered by a head that
    was fitted, and chosen, on images of other patients. The model's own head is then fitted to all
    of them, and so the second audit looks at images that this head has seen.

    Parameters
    ----------
    model
        The new Keras model; the old one is not changed. None where no head could be made.
    report
        Its audit, on the same images; None likewise.
    accuracy, accuracy_before
        Share of right decisions on images as they are, of the new head and of the old model; NaN
        where there is no new model. What the old one owed to the shortcut is lost here.
    unlinked, unlinked_before
        The same where the shortcut tells nothing: what was convicted is exchanged, so that it
        speaks for the label in half of the images. The repair is judged by these.
    effects, effects_before
        Of each convicted zone: how far the score follows its content, as a share of the mean
        distance between decisions, of the new head and of the old. Contents are sorted by what
        the old model says of their images. Without a new model, those of the first audit.
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
    unlinked: float = float("nan")
    unlinked_before: float = float("nan")
    knows: bool = False
    """Whether the new head is right there more often than guesses are in 97.5 %."""

    @property
    def repaired(self) -> bool:
        """Whether the model still knows the label, and no longer by what was convicted.

        No convicted content moves the score by 10 %, the second audit accuses nothing, and where
        the shortcut tells nothing 2 points of accuracy are lost at most and more than chance left.
        """
        return (
            self.report is not None
            and not self.report.shortcut
            and max(self.effects.values(), default=1.0) <= ENOUGH
            and self.unlinked >= self.unlinked_before - LOST
            and self.knows
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

    What was convicted is exchanged between images that the old model decides differently, so that
    it tells nothing of the label. The features of the last dense layer are made blind to the
    directions in which the exchange moves them, and a new dense layer is fitted that stays near the
    old one (logistic regression, ridge towards the old weights). How blind and how near is chosen
    by cross-fitting over patients, and so are effects and accuracy measured. The old model is not
    changed.

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
    cases = _cases(scorer, images, labels, zones, groups, seed)
    if isinstance(cases, str):
        return _failed(cases, convicted)
    old = _two_columns(Head(*head_of_dense(network)))
    features = _exchanged_features(
        network, old, cases, _changes(report, convicted), seed
    )
    choice = blind_head(features, old)
    kernel, bias = _in_units(choice.head, head_of_dense(network)[0].shape[1])
    repaired = with_head(network, kernel, bias)
    second = audit(
        repaired,
        images,
        labels=labels,
        prepare=prepare,
        zones=zones,
        groups=groups,
        seed=seed,
    )
    before = features.answers(old.logits(features.rows))
    after = choice.held_out
    result = Repaired(
        repaired,
        second,
        after.accuracy,
        before.accuracy,
        dict(zip(convicted, after.effects.tolist(), strict=True)),
        dict(zip(convicted, before.effects.tolist(), strict=True)),
        "",
        after.unlinked,
        before.unlinked,
        after.unlinked_recall > _chance(features),
    )
    return replace(result, sentence=_in_words(result, len(features.labels)))


@final
@dataclass(frozen=True, eq=False)
class _Case:
    """An image, its class, and its prepared pixels."""

    canvas: Canvas
    contents: Mapping[str, Content]
    label: int
    patient: int


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

    @property
    def patients(self) -> Array:
        """The patient of each, int (n,)."""
        return np.array([case.patient for case in self.cases])

    def inputs(self, images: Sequence[DicomImage]) -> Array:
        """Return prepared images, float32 (n, H, W, C)."""
        return np.concatenate(list(self.scorer.batches(images)))


Change = Any
"""(host, donor) -> the host with what was convicted of the donor."""


def _exchanged_features(
    network: Any, old: Head, cases: _Cases, changes: Sequence[Change], seed: int
) -> ExchangedFeatures:
    """Exchange, and ask the network for features.

    Copies lie change by change, in rounds: content that speaks for the host's class, and against.
    """
    generator = np.random.default_rng(seed)
    as_they_are = cases.inputs([case.canvas.image for case in cases.cases])
    rows = [features_of(network, as_they_are)]
    sides = _sides(cases, old.logits(rows[0]).argmax(axis=-1))
    for change in changes:
        for side in sides * ROUNDS:
            donors = [
                int(generator.choice(np.flatnonzero(may_give))) for may_give in side
            ]
            changed = [
                change(case, cases.cases[donor])
                for case, donor in zip(cases.cases, donors, strict=True)
            ]
            rows.append(features_of(network, cases.inputs(changed)))
    return ExchangedFeatures(np.stack(rows), cases.labels, cases.patients, ROUNDS)


def _sides(cases: _Cases, said: Array) -> list[Array]:
    """Return who may give content that speaks for the host's class, and against, two (n, n).

    What the old model says of an image tells best what the convicted content speaks for. Where that
    leaves an image without a giver, labels tell it.
    """
    others = cases.patients[:, np.newaxis] != cases.patients
    for spoken in (said, cases.labels):
        speaks_for = cases.labels[:, np.newaxis] == spoken
        sides = [others & speaks_for, others & ~speaks_for]
        if all(side.any(axis=1).all() for side in sides):
            break
    return sides


def _chance(features: ExchangedFeatures) -> float:
    """Return the mean recall that guesses stay below in 97.5 %."""
    guessed = 1 / len(np.unique(features.labels))
    patients = len(np.unique(features.units))
    return float(guessed + 1.96 * np.sqrt(guessed * (1 - guessed) / patients))


def _two_columns(head: Head) -> Head:
    """Return a head of one column for each class; one unit of a sigmoid speaks for class 1."""
    if head.kernel.shape[1] > 1:
        return head
    return Head(np.pad(head.kernel, ((0, 0), (1, 0))), np.pad(head.bias, (1, 0)))


def _in_units(head: Head, units: int) -> tuple[Array, Array]:
    """Return kernel and bias for so many units."""
    if units > 1:
        return head.kernel, head.bias
    return head.kernel[:, 1:] - head.kernel[:, :1], head.bias[1:] - head.bias[:1]


def _cases(
    scorer: Scorer,
    images: object,
    labels: object,
    zones: Zones | None,
    groups: object,
    seed: int,
) -> _Cases | str:
    """Return images of two classes or more, evenly; or why there are too few."""
    sources = sources_of(images)
    if labels is None:
        msg = "repair: expected labels: the new head is fitted to them."
        raise InputError(msg)
    given = labels_of(labels, sources)
    patients = patients_of(groups, sources, "repair")
    generator = np.random.default_rng(seed)
    read: dict[int, DicomImage] = {}
    for row in balanced(given, MOST, generator, patients.numbers):
        with suppress(SaliencyError):
            image = with_zones(read_picture(sources[row]), zones)
            read[row] = reduced(image, scorer.size)
    digests = {row: image.digest for row, image in read.items()}
    numbers = with_equal_images(patients, digests).numbers
    cases = [
        _Case(
            canvas(image, scorer.prepare),
            contents_of(image),
            label_class(given[row], scorer),
            numbers[row],
        )
        for row, image in read.items()
    ]
    counts = np.bincount([case.label for case in cases], minlength=scorer.classes or 0)
    if len(cases) < FEWEST or (counts < 4).any() or len(counts) < 2:
        return (
            f"No repair: a head is fitted on {FEWEST} images and 4 of each class at least, got "
            f"{' + '.join(map(str, counts.tolist()))}."
        )
    patient_count = len({case.patient for case in cases})
    if patient_count < FOLDS:
        return (
            f"No repair: a head is measured on other patients than it is fitted on, which takes "
            f"{FOLDS} patients at least, got {patient_count}."
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


def _in_words(result: Repaired, count: int) -> str:
    """Say what was reached."""
    moves = ", ".join(
        f"{name} {percents(result.effects_before[name])} before, {percents(effect)} now"
        for name, effect in result.effects.items()
    )
    return (
        f"{_outcome(result)} Accuracy where the shortcut tells nothing (what was convicted is "
        f"exchanged): {percents(result.unlinked_before)} before, {percents(result.unlinked)} now. "
        f"Images as they are: {percents(result.accuracy_before)} before, "
        f"{percents(result.accuracy)} now; what the old model owed to the shortcut is lost there. "
        f"How far the score follows: {moves}. Effects and accuracy were measured on {count} "
        "images, each by a head fitted to images of other patients. "
        f"{_second_audit(result.report)}"
    )


def _outcome(result: Repaired) -> str:
    """Say whether the new model may be used, and why not."""
    if result.repaired:
        return "The new head no longer reads what was convicted."
    start = "A new head was not enough: do not use the new model."
    if max(result.effects.values()) > ENOUGH:
        return f"{start} Its score still follows what was convicted."
    if not result.knows:
        return (
            f"{start} Without the shortcut it is right no more often than guesses are: its "
            "features know nothing else that a head could use, so train again."
        )
    if result.unlinked < result.unlinked_before - LOST:
        return f"{start} It lost more than {percents(LOST)} of accuracy."
    return f"{start} Its second audit still accuses."


def _second_audit(report: AuditReport | None) -> str:
    """Say what the audit of the new model found, on images that its head has seen."""
    verdicts = report.verdicts if report else {}
    accused = [
        f"{name} ({verdict.finding}, {percents(verdict.effect)})"
        for name, verdict in verdicts.items()
        if verdict.finding != "no evidence"
    ]
    found = f"accuses {', '.join(accused)}" if accused else "accuses nothing"
    return f"The second audit {found}; the final head was fitted to its images."
