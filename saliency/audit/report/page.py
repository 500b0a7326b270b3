"""The report as one page: no script, nothing to load, everything escaped."""

import base64
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from saliency.audit.judgement.verdict import MAY_READ, READS, REMOVAL

COLOURS = {"reads": "#a8201a", "may read": "#8a5a00", "no evidence": "#46586a"}


def report_page(report: object, facts: Mapping[str, Any], *, pictures: bool) -> str:
    """Return the whole page."""
    return _page_template("page.html").render(
        report=report,
        facts=facts,
        pictures=pictures,
        colours=COLOURS,
        rules={"reads": READS, "may_read": MAY_READ, "removal": REMOVAL},
    )


def summary(report: object) -> str:
    """Return the verdicts alone, for a notebook."""
    return _page_template("summary.html").render(report=report, colours=COLOURS)


@lru_cache(maxsize=2)
def _page_template(name: str) -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": _percent_or_dash,
        "data": _data_url,
        "bar": _bar_place,
    }
    source = files("saliency.audit.report").joinpath(name).read_text(encoding="utf-8")
    return environment.from_string(source)


def _percent_or_dash(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %" if share == share else "–"  # noqa: PLR0124, RUF001 - NaN


def _data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _bar_place(share: float) -> float:
    """Return a place on a bar of 0..100."""
    return round(100 * min(1.0, max(0.0, share)), 1) if share == share else 0.0  # noqa: PLR0124
