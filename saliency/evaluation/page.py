"""The report as one page: no script, nothing to load, everything escaped."""

from math import isnan
from typing import Any

from saliency.evaluation.metrics import METRICS
from saliency.png import data_url
from saliency.render.paint import paint
from saliency.render.templates import rendered
from saliency.values.heatmap import Heatmap


def page(report: Any, *, pictures: bool) -> str:
    """Return the whole page."""
    return rendered(
        "saliency.evaluation",
        "page.html",
        {"number": _number_in_words},
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
        row = [
            (
                "image",
                data_url(paint(example.image.display, _blank_picture(example)).png()),
            )
        ]
        for name in shown:
            overlay = paint(example.image.display, example.heatmaps[name])
            row.append((name, data_url(overlay.png())))
        rows.append(row)
    return rows


def _blank_picture(example: Any) -> Any:
    return Heatmap(0 * next(iter(example.heatmaps.values())).values)


def _number_in_words(value: float) -> str:
    return "none" if isnan(value) else f"{value:.3g}"
