"""The answer of an audit, and the files it is kept in."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from saliency.audit.attention.zone_heat import ZoneHeat
from saliency.audit.judgement.performance import Performance
from saliency.audit.judgement.results import FINDINGS, Division, Verdict
from saliency.audit.report.examples import ExampleStrip
from saliency.audit.report.overview import AuditedFile, ChangedDecision
from saliency.audit.report.page import report_page, summary
from saliency.audit.report.strategies import Strategies
from saliency.values.arrays import Array
from saliency.values.failure import Failure
from saliency.values.files import folder_of, write_together


@final
@dataclass(frozen=True, eq=False, repr=False)
class AuditReport:
    """What a model reads besides the patient.

    Parameters
    ----------
    verdicts
        One for each zone of the images, always with ``"text"``; zones that are read come first.
    facts
        What was audited and how: counts, rules, versions. No patient data, no file names.
    failures
        Images that could not be read or explained.
    heat
        For each zone, the share of heat that lies there: a suspicion, never the verdict.
    examples
        Strips of images: as they are, without the zone, with another's.
    worth
        Decisions, accuracy and AUC with all that is not the patient removed.
    divisions
        Whether heat, scores and zones go with the label, or with strata.
    strategies
        Groups of images with similar heatmaps.
    pictures
        The effect of removing every zone from each image that was tested.
    tone
        Whether the score follows the brightness and contrast of whole images: a hint, and no
        zone; None where it was not asked.
    files
        Which file each picture came from. They are written on request alone, since names of files
        may name patients.
    places
        Where the cell and the pattern lie that did most: bool (rows, columns) of the frame, on a
        common grid, by name of the verdict.
    """

    verdicts: Mapping[str, Verdict]
    facts: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    heat: Mapping[str, Sequence[ZoneHeat]] = field(default_factory=dict)
    examples: tuple[ExampleStrip, ...] = ()
    worth: Performance = field(default_factory=lambda: Performance(0, 0.0))
    divisions: tuple[Division, ...] = ()
    strategies: Strategies | None = None
    pictures: tuple[ChangedDecision, ...] = ()
    tone: Verdict | None = None
    files: tuple[AuditedFile, ...] = ()
    places: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        worst_first = sorted(
            self.verdicts.items(), key=lambda pair: -FINDINGS.index(pair[1].finding)
        )
        object.__setattr__(self, "verdicts", MappingProxyType(dict(worst_first)))

    @property
    def shortcut(self) -> bool:
        """Whether some zone that is not diagnostic is read."""
        return any(verdict.finding == "reads" for verdict in self.verdicts.values())

    @property
    def doubts(self) -> tuple[str, ...]:
        """What makes every finding doubtful, as an answer that is the same for all pictures."""
        return tuple(self.facts.get("doubts", ()))

    def to_dict(self) -> dict[str, Any]:
        """Return all but the pictures as plain values; numbers that are none become None."""
        plain = {
            "shortcut": self.shortcut,
            "verdicts": {
                name: _verdict_row(verdict) for name, verdict in self.verdicts.items()
            },
            "heat": {
                zone: [asdict(row) for row in rows] for zone, rows in self.heat.items()
            },
            "brightness": None if self.tone is None else _verdict_row(self.tone),
            "cleaned": self.worth.to_dict(),
            "divisions": [_division_row(division) for division in self.divisions],
            "strategies": None
            if self.strategies is None
            else self.strategies.to_dict(),
            "tested": [asdict(picture) for picture in self.pictures],
            "examples": [_example_row(example) for example in self.examples],
            "failures": [asdict(row) for row in self.failures],
            **self.facts,
        }
        return _json_numbers(plain)  # type: ignore[no-any-return]

    def html(self, *, pictures: bool = True) -> str:
        """Return one page with everything in it: no script, nothing to load."""
        return report_page(self, self.facts, pictures=pictures)

    def save(
        self, folder: str | PathLike[str], *, pictures: bool = True, files: bool = False
    ) -> Path:
        """Write ``report.html`` and ``report.json``, all or nothing.

        Parameters
        ----------
        folder
            Made where it is missing; its parent exists. Reports in it are replaced.
        pictures
            Whether the page shows examples. They are pixels of patients, and burned-in text
            may name them.
        files
            Whether ``files.csv`` is written, too: picture (its number from 1), digest (sha256 of
            the pixel data), file as it was given. Names of files may name patients.

        Returns
        -------
        Path
            Of the page.

        Raises
        ------
        InputError
            The parent folder is missing, or ``folder`` is a file.
        """
        place = folder_of(folder, "AuditReport")
        written = {
            "report.json": json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n",
            "report.html": self.html(pictures=pictures),
        }
        if files:
            rows = [(file.number, file.digest, file.file) for file in self.files]
            table = io.StringIO()
            csv.writer(table, lineterminator="\n").writerows(
                [("picture", "digest", "file"), *rows]
            )
            written["files.csv"] = table.getvalue()
        write_together(place, written)
        return place / "report.html"

    def __repr__(self) -> str:
        findings = (
            f"{name}: {verdict.finding}" for name, verdict in self.verdicts.items()
        )
        return f"AuditReport({', '.join(findings)})"

    def _repr_html_(self) -> str:
        return summary(self)


def _verdict_row(verdict: Verdict) -> dict[str, Any]:
    return {**asdict(verdict), "interval": list(verdict.interval)}


def _division_row(division: Division) -> dict[str, Any]:
    answers = [
        {
            "what": answer.what,
            "finding": answer.finding,
            "told": answer.told.share,
            "chance": answer.told.chance,
            "interval": list(answer.told.interval),
            "p_value": answer.told.p_value,
            "sentence": answer.sentence,
        }
        for answer in division.answers
    ]
    return {
        "name": division.name,
        "groups": dict(zip(division.groups, division.counts, strict=True)),
        "answers": answers,
        "note": division.note,
    }


def _example_row(example: ExampleStrip) -> dict[str, Any]:
    without_pixels = [
        {name: value for name, value in asdict(picture).items() if name != "png"}
        for picture in example.pictures
    ]
    return {**asdict(example), "pictures": without_pixels}


def _json_numbers(value: Any) -> Any:
    """Replace numbers that JSON does not know."""
    if isinstance(value, Mapping):
        return {key: _json_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_numbers(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
