"""Find out what a model reads besides the patient.

The room can be called: ``saliency.audit(model, images)`` runs :func:`saliency.audit.run.audit`.
"""

import sys
from importlib import import_module as _import_module
from types import ModuleType
from typing import Any

_HOME_OF = {
    "AuditReport": "saliency.audit.report.report",
    "Regions": "saliency.audit.exchange.region_exchange",
    "Repaired": "saliency.audit.repairing",
    "Intervention": "saliency.audit.exchange.intervene",
    "Share": "saliency.interventions.zone_shares",
    "Transplant": "saliency.audit.exchange.transplant",
    "Verdict": "saliency.audit.judgement.results",
    "halved": "saliency.audit.cases.halves",
    "intervene": "saliency.audit.exchange.intervene",
    "regions": "saliency.audit.exchange.region_exchange",
    "repair": "saliency.audit.repairing",
    "shares": "saliency.interventions.zone_shares",
    "transplant": "saliency.audit.exchange.transplant",
}

__all__ = [*_HOME_OF]  # noqa: PLE0604


class _Room(ModuleType):
    """A package that is a verb, too: ``saliency.audit`` names both, in any order of imports."""

    def __call__(  # noqa: PLR0913 - as the function has them
        self,
        model: object,
        images: object,
        *,
        labels: Any = None,
        prepare: Any = None,
        target: Any = None,
        zones: Any = None,
        strata: Any = None,
        groups: Any = None,
        resume: Any = None,
        seed: int = 0,
    ) -> Any:
        """Find out which parts of the pictures a model reads; see ``saliency.audit.run.audit``."""
        audit = _import_module("saliency.audit.run").audit
        return audit(
            model,
            images,
            labels=labels,
            prepare=prepare,
            target=target,
            zones=zones,
            strata=strata,
            groups=groups,
            resume=resume,
            seed=seed,
        )


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        msg = f"module 'saliency.audit' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(_import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


sys.modules[__name__].__class__ = _Room
