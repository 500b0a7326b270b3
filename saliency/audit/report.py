"""The answer of an audit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, final

from saliency.audit.verdict import Verdict
from saliency.values.failure import Failure


@final
@dataclass(frozen=True, eq=False, repr=False)
class AuditReport:
    """What a model reads besides the patient.

    Parameters
    ----------
    verdicts
        One for each zone of the pictures, ``"text"`` always among them.
    facts
        What was audited and how: counts, thresholds, versions. No patient data, no file names.
    failures
        Pictures that could not be read or asked about.
    """

    verdicts: Mapping[str, Verdict]
    facts: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdicts", MappingProxyType(dict(self.verdicts)))

    @property
    def shortcut(self) -> bool:
        """Whether some zone that is not diagnostic is read."""
        return any(verdict.finding == "reads" for verdict in self.verdicts.values())

    def __repr__(self) -> str:
        found = ", ".join(f"{name}: {verdict.finding}" for name, verdict in self.verdicts.items())
        return f"AuditReport({found})"
