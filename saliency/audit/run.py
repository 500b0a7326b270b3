"""The verb: many pictures, one verdict for each zone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from saliency.audit.asking import Asker
from saliency.audit.canvas import with_zones
from saliency.audit.examples import Words, examples
from saliency.audit.facts import Told, facts
from saliency.audit.groups import Question, class_of, decisions, groupings, names_of, question
from saliency.audit.reading import Seen, failure, look, read
from saliency.audit.report import AuditReport
from saliency.audit.sources import Source, labels_of, sources_of
from saliency.audit.suspicion import heat
from saliency.audit.trials import Bench, Host, Trial, host, trial
from saliency.audit.verdict import Weighed, judge
from saliency.audit.weighing import Evidence, removal, swap
from saliency.errors import InputError, SaliencyError
from saliency.pipeline.explain import as_image, probe_of
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.values.failure import Failure

SAMPLE = 128
"""Pictures that zones are taken out of and exchanged between, at most."""
HOSTS = 8
"""Pictures that others' zones are put into, at most."""


@final
@dataclass(frozen=True, eq=False)
class Case:
    """What is audited: pictures are read when their turn comes."""

    asker: Asker
    target: Target
    sources: Sequence[Source]
    seed: int


def audit(
    model: object,
    images: object,
    *,
    labels: Sequence[Any] | Mapping[Any, Any] | None = None,
    prepare: Prepare | None = None,
    target: Target = None,
    seed: int = 0,
) -> AuditReport:
    """Find out which parts of the pictures a model reads that are not the patient.

    Each zone of a picture that is not diagnostic (burned-in text, borders, shutters, any zone
    given by hand) is exchanged between pictures of different classes, and taken out of them; the
    model is asked again each time. The same exchange of as much tissue is the control. A heatmap
    plays no part in the verdict.

    Parameters
    ----------
    model
        As for ``explain``.
    images
        A folder, or a sequence of paths, DicomImages, or anything that ``read_dicom`` takes. Read
        one after the other, twice. Burned-in text is looked for where an image has no zone
        ``"text"``.
    labels
        What each picture truly shows: a class index or name (with a ``target``: 0 or 1), as a
        sequence in the order of ``images``, or a mapping by path or file name. None: what the
        model predicts takes their place.
    prepare, target
        As for ``explain``. With a target its score alone is weighed.
    seed
        Of every draw.

    Returns
    -------
    AuditReport
        One verdict for each zone; pictures that cannot be read are its ``failures``.

    Raises
    ------
    InputError
        No image can be read, or the labels do not belong to the images.
    SaliencyError
        The model or the target is wrong for all images.
    """
    sources = sources_of(images)
    told = labels_of(labels, sources)
    case = Case(Asker(probe_of(model), prepare), target, sources, seed)
    rows = list(look(case.asker, target, sources, told))
    seen = [row for row in rows if isinstance(row, Seen)]
    failures = [row for row in rows if isinstance(row, Failure)]
    if not seen:
        first = f" The first: {failures[0].message}" if failures else ""
        msg = f"audit: none of {len(sources)} images could be audited.{first}"
        raise InputError(msg)
    return _report(case, seen, failures)


def _report(case: Case, seen: list[Seen], failures: list[Failure]) -> AuditReport:
    generator = np.random.default_rng(case.seed)
    keys = _keys(case, seen)
    chosen = [seen[row] for row in balanced(keys, SAMPLE, generator)]
    asked = _question(case, seen)
    bench = _bench(case, asked, seen, [seen[row] for row in balanced(keys, HOSTS, generator)])
    tried = list(_trials(case, bench, chosen))
    trials = [one for one in tried if isinstance(one, Trial)]
    failures = [*failures, *(one for one in tried if isinstance(one, Failure))]
    found = _evidence(case, asked, bench, trials, seen)
    plain = found[0]
    names = names_of(asked, case.asker)
    return AuditReport(
        judge({zone: _weighed(zone, seen, plain, found[1:]) for zone in bench.zones}),
        facts(Told(case.asker, case.target, names, case.seed), seen, found),
        tuple(sorted(failures, key=lambda row: row.index)),
        {zone: heat([one.heat for one in trials], zone) for zone in bench.zones},
        examples(bench, Words(plain.grouping, names), case.target),
    )


def _evidence(
    case: Case, asked: Question, bench: Bench, trials: list[Trial], seen: list[Seen]
) -> list[Evidence]:
    """Return the pictures by decision, then by each division that has groups."""
    labels = {one.index: one.label for one in seen}
    scores = np.stack([one.scores for one in trials])
    told = [labels[one.index] for one in trials]
    ways = [decisions(asked, scores), *groupings(asked, told, scores, case.asker)]
    return [Evidence(way, scores, trials, bench.hosts) for way in ways]


def balanced(keys: Sequence[object], count: int, generator: np.random.Generator) -> list[int]:
    """Return at most so many rows, drawn from each key in turn, in their order."""
    order = generator.permutation(len(keys)).tolist()
    turns: Counter[object] = Counter()
    ranked = []
    for row in order:
        ranked.append((turns[keys[row]], row))
        turns[keys[row]] += 1
    ranked.sort(key=lambda pair: pair[0])
    return sorted(row for _, row in ranked[:count])


def _keys(case: Case, seen: list[Seen]) -> list[object]:
    """Return what hosts and samples are balanced by: label, predicted class, or half of scores."""
    if all(one.label is not None for one in seen):
        return [one.label for one in seen]
    if case.target is None and case.asker.classes is not None:
        return [one.said for one in seen]
    middle = float(np.median([one.said for one in seen]))
    return [one.said > middle for one in seen]


def _question(case: Case, seen: list[Seen]) -> Question:
    classes: list[int] = []
    if case.target is None and case.asker.classes is not None:
        told = [class_of(one.label, case.asker) for one in seen if one.label is not None]
        classes = [*told, *(int(one.said) for one in seen)]
    return question(case.asker, case.target, classes)


def _bench(case: Case, asked: Question, seen: list[Seen], chosen: list[Seen]) -> Bench:
    zones = tuple(sorted({"text"}.union(*(one.zones for one in seen))))
    bench = Bench(case.asker, asked.targets, zones, case.target, seed=case.seed)
    found = [_host(case, bench, one) for one in chosen]
    return replace(bench, hosts=tuple(one for one in found if one is not None))


def _host(case: Case, bench: Bench, seen: Seen) -> Host | None:
    """Return None where the picture cannot be read again; its trial will say why."""
    try:
        return host(bench, read(case.sources[seen.index]), seen.index)
    except SaliencyError:
        return None


def _trials(case: Case, bench: Bench, chosen: list[Seen]) -> Iterator[Trial | Failure]:
    for seen in chosen:
        try:
            # Its zones are remembered: only the pixels are read again.
            yield trial(bench, with_zones(as_image(case.sources[seen.index]), seen.zones), seen)
        except SaliencyError as error:
            yield failure(seen.index, error)


def _weighed(zone: str, seen: list[Seen], plain: Evidence, ways: list[Evidence]) -> Weighed:
    count = sum(zone in one.zones for one in seen)
    if not count:
        return Weighed(0, len(seen))
    generator = np.random.default_rng(0)
    swaps = [swap(each, zone, generator) for each in ways]
    gone = removal(plain, zone, generator)
    return Weighed(count, len(seen), [each for each in swaps if each is not None], gone)
