"""What an audit finds, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, final

from saliency.statistics.association import Association
from saliency.statistics.significance import Interval
from saliency.values.arrays import Array

Finding: TypeAlias = Literal["reads", "may read", "no evidence"]
FINDINGS: Final[tuple[Finding, ...]] = ("no evidence", "may read", "reads")
"""By grade."""
Difference: TypeAlias = Literal["differs", "may differ", "no evidence"]


@final
@dataclass(frozen=True)
class Verdict:
    """What an audit concludes about a model and a zone.

    Parameters
    ----------
    finding
        ``"reads"``: exchanging the zone moves the score by 30 % or more of the swing from one
        decision to the other, more than as much tissue does, at corrected p < 0.01 and with an
        interval above 0. ``"may read"``: 10 % or more at p < 0.05, or only removing the zone
        changes the lead of decisions by half. ``"no evidence"``: neither was seen; that is not
        evidence of absence.
    effect
        That share; of the lead, where only removal was measured.
    interval
        95 %, of ``effect``.
    p_value
        Corrected for all zones and divisions asked about (Holm 1979); 1 where nothing was asked.
    sentence
        The finding in words.
    measured
        The numbers behind it.
    uncalibrated
        The effect as the exchange measured it; None where nothing was exchanged.
    told
        Share of a known effect that the exchange tells, from marks that the audit put in itself:
        ``effect`` is ``uncalibrated`` divided by it. None where there was no such control.
    sensitivity
        Of ``"no evidence"``: the probability that an audit like this one says at least "may read"
        (or, of a cell of the grid, "look") of what moves the score 30 % of the way; 0 where it
        cannot. Where a search found nothing to exchange, the share of words drawn by the audit that
        it found. None of other findings.
    """

    finding: Finding
    effect: float
    interval: Interval
    p_value: float
    sentence: str = ""
    measured: Mapping[str, float | int | str] = field(default_factory=dict)
    uncalibrated: float | None = None
    told: float | None = None
    sensitivity: float | None = None


@final
@dataclass(frozen=True)
class DivisionAnswer:
    """Whether something about pictures tells which group they belong to.

    Parameters
    ----------
    what
        ``"label"``, ``"heat"``, ``"score"``, or the name of a zone.
    finding
        ``"differs"``: told above chance with p < 0.01 and an interval above chance; ``"may
        differ"``: p < 0.05; ``"no evidence"``.
    told
        The numbers, p corrected for all questions about all divisions (Holm 1979).
    sentence
        The finding in words.
    """

    what: str
    finding: Difference
    told: Association
    sentence: str = ""


@final
@dataclass(frozen=True, eq=False)
class Division:
    """The pictures, divided by something that is no zone.

    Parameters
    ----------
    name
        ``"label"``, ``"prediction"``, or the name of a stratum.
    groups
        Names of the groups, the largest first; of attributes of files they are numbers, since
        values never leave the room that reads them.
    member
        int (n,): the group of each picture seen, -1 for none.
    answers
        One for each question that could be asked.
    note
        What stands in the way of asking; empty where nothing does.
    """

    name: str
    groups: tuple[str, ...]
    member: Array
    answers: tuple[DivisionAnswer, ...] = ()
    note: str = ""

    @property
    def counts(self) -> tuple[int, ...]:
        """Pictures of each group."""
        return tuple(
            int((self.member == group).sum()) for group in range(len(self.groups))
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that is said about it."""
        sentences = tuple(answer.sentence for answer in self.answers)
        return (*sentences, self.note) if self.note else sentences
