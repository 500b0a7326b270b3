"""The report as one page: no script, nothing to load, everything escaped."""

from collections.abc import Mapping
from typing import Any

from saliency.audit.judgement.verdict import MAY_READ, READS, REMOVAL
from saliency.png import data_url
from saliency.render.templates import rendered

COLOURS = {"reads": "#a8201a", "may read": "#8a5a00", "no evidence": "#46586a"}


def report_page(report: object, facts: Mapping[str, Any], *, pictures: bool) -> str:
    """Return the whole page."""
    return rendered(
        _ROOM,
        "page.html",
        _FILTERS,
        report=report,
        facts=facts,
        pictures=pictures,
        colours=COLOURS,
        rules={"reads": READS, "may_read": MAY_READ, "removal": REMOVAL},
    )


def summary(report: object) -> str:
    """Return the verdicts alone, for a notebook."""
    return rendered(_ROOM, "summary.html", _FILTERS, report=report, colours=COLOURS)


def _percent_or_dash(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %" if share == share else "–"  # noqa: PLR0124, RUF001 - NaN


def _bar_place(share: float) -> float:
    """Return a place on a bar of 0..100."""
    return round(100 * min(1.0, max(0.0, share)), 1) if share == share else 0.0  # noqa: PLR0124


_ROOM = "saliency.audit.report"
_FILTERS = {"percent": _percent_or_dash, "data": data_url, "bar": _bar_place}
