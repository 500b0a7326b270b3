"""The report as one page: no script, nothing to load, everything escaped."""

from math import isnan
from typing import Any, Final

import numpy as np

from saliency.evaluation.baselines import BASELINES, CONTROLS
from saliency.evaluation.decision import least_patients
from saliency.evaluation.metrics import METRICS
from saliency.evaluation.plot import HEIGHT, WIDTH, Plot, plot_of
from saliency.evaluation.strip import LENGTH, Strip, strips_of
from saliency.png import data_url
from saliency.render.paint import paint
from saliency.render.templates import rendered
from saliency.values.heatmap import Heatmap

_SHOWN: Final = 5
"""Explainers whose maps are shown: the best means, and the worst."""


def page(report: Any, *, pictures: bool) -> str:
    """Return the whole page."""
    metrics = list(dict.fromkeys(metric for _, metric in report.scores))
    return rendered(
        "saliency.evaluation",
        "page.html",
        {"number": _number_in_words, "percent": _percent},
        report=report,
        words={name: METRICS[name].words for name in metrics},
        greater={name: METRICS[name].greater for name in metrics},
        metrics=metrics,
        plots=_plots(report),
        size=(WIDTH, HEIGHT),
        baselines=BASELINES,
        as_good=_as_good(report),
        strips={metric: _strips(report, metric) for metric in metrics},
        strip_length=LENGTH,
        has_truth=any(METRICS[name].kind == "truth" for name in metrics),
        pictures=_pictures(report) if pictures else [],
        least_patients=least_patients(len(report.explainers)),
    )


def _plots(report: Any) -> dict[str, Plot]:
    """Return a plot of mean curves by metric."""
    by_metric: dict[str, dict[str, Any]] = {}
    for (who, metric), curve in report.curves.items():
        if np.isfinite(curve.scores).all():
            by_metric.setdefault(metric, {})[who] = curve
    ranked = report.explainers
    return {metric: plot_of(each, ranked) for metric, each in by_metric.items()}


def _strips(report: Any, metric: str) -> dict[str, Strip]:
    """Return the strips of a metric's table by explainer."""
    measures = {name: report.scores[name, metric] for name in report.explainers}
    return strips_of(measures, metric)


def _as_good(report: Any) -> set[tuple[str, str, str]]:
    """Return (explainer, metric, baseline) where the baseline's mean is as good, or better."""
    found = set()
    for (who, metric), measure in report.scores.items():
        sign = 1 if METRICS[metric].greater else -1
        for name, value in measure.baseline.items():
            if sign * value >= sign * measure.value:
                found.add((who, metric, name))
    return found


def _pictures(report: Any) -> list[list[tuple[str, str]]]:
    """Return for each example its (caption, address): image, explainers, baselines."""
    roles = _roles(report.explainers)
    return [
        [
            _image_with_truth(each),
            *(
                (role, data_url(paint(each.image.display, each.heatmaps[name]).png()))
                for name, role in roles.items()
            ),
        ]
        for each in report.examples
    ]


def _roles(ranked: tuple[str, ...]) -> dict[str, str]:
    """Return captions of maps by name, the best mean first."""
    some = ranked if len(ranked) <= _SHOWN else (*ranked[: _SHOWN - 1], ranked[-1])
    roles = {name: name for name in (*some, *CONTROLS)}
    if len(some) > 1:
        first, last = some[0], some[-1]
        roles[first] = f"{first}: leads"
        roles[last] = f"{last}: last"
    return roles


def _image_with_truth(example: Any) -> tuple[str, str]:
    """Return caption and address of an image, with a line around its truth if it has one."""
    display, truth = example.image.display, example.truth
    if truth is None or not truth.any():
        nothing = Heatmap(np.zeros(display.shape[:2], np.float32))
        return "image", data_url(paint(display, nothing).png())
    region = Heatmap(truth.astype(np.float32))
    line = paint(display, region, palette="safe", strength=0, contour=1.0)
    return "image, the truth in orange", data_url(line.png())


def _number_in_words(value: float) -> str:
    return "none" if isnan(value) else f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
