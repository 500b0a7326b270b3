"""The report as one page: no script, nothing to load, everything escaped."""

import base64
from functools import lru_cache
from importlib.resources import files
from math import isnan
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from saliency.evaluation.metrics import METRICS
from saliency.render.paint import paint
from saliency.values.heatmap import Heatmap


def page(report: Any, *, pictures: bool) -> str:
    """Return the whole page."""
    return _template().render(
        report=report,
        words={name: metric.words for name, metric in METRICS.items()},
        greater={name: metric.greater for name, metric in METRICS.items()},
        metrics=list(dict.fromkeys(metric for _, metric in report.scores)),
        pictures=_pictures(report) if pictures else [],
    )


def _pictures(report: Any) -> list[list[tuple[str, str]]]:
    """Return for each example its (caption, address): image, best, worst, baselines."""
    ranked = report.explainers
    shown = dict.fromkeys(
        (ranked[0], ranked[-1], *ranked[1:-1], "random", "centre", "edges")
    )
    rows = []
    for example in report.examples:
        row = [("image", _address(paint(example.image.display, _blank(example)).png()))]
        for name in shown:
            overlay = paint(example.image.display, example.heatmaps[name])
            row.append((name, _address(overlay.png())))
        rows.append(row)
    return rows


def _blank(example: Any) -> Any:
    return Heatmap(0 * next(iter(example.heatmaps.values())).values)


def _address(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda value: (
        "none" if isnan(value) else f"{value:.3g}"
    )
    source = (
        files("saliency.evaluation").joinpath("page.html").read_text(encoding="utf-8")
    )
    return environment.from_string(source)
