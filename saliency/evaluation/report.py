"""The answer of an evaluation, and the files that it is kept in."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

import numpy as np

from saliency.evaluation.baselines import CONTROLS
from saliency.evaluation.curves import Curve
from saliency.evaluation.decision import LEVEL, Decision, least_patients
from saliency.evaluation.metrics import METRICS
from saliency.evaluation.missing import MissingMaps
from saliency.evaluation.page import page
from saliency.pipeline.plain import plain
from saliency.statistics.significance import Interval
from saliency.values.arrays import Array
from saliency.values.failure import Failure
from saliency.values.files import folder_of, write_together
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage
from saliency.values.trust import Trust, TrustByRecipe


@final
@dataclass(frozen=True)
class Measure:
    """What a metric says of an explainer.

    Parameters
    ----------
    value
        The mean over patients, in the metric's unit; NaN where no image has a value.
    interval
        95 % bootstrap interval of it, over patients; NaN where fewer than two have a value.
    baseline
        The same mean of maps that know nothing of the model, ``"random"``, ``"centre"`` and
        ``"edges"``, and of one that knows nothing of the image, ``"mean"``: the explainer's mean
        map of other patients. NaN where there is none.
    """

    value: float
    interval: Interval
    baseline: Mapping[str, float]


@final
@dataclass(frozen=True, eq=False)
class Example:
    """An image, its maps by explainer or baseline, and its truth: bool (rows, columns) or None."""

    image: DicomImage
    heatmaps: Mapping[str, Heatmap]
    truth: Array | None = None


@final
@dataclass(frozen=True, eq=False, repr=False)
class EvaluationReport:
    """Which explainer to trust for a model.

    Parameters
    ----------
    scores
        (explainer, metric) -> Measure. An explainer is called as it was given, or by its repr.
    decision
        Who leads, and how sure that is.
    facts
        Counts, shares of curves, seed, preparation, model and versions. No names of files.
    failures
        Images that could not be asked about.
    examples
        The first images with their maps.
    curves
        (explainer or baseline, metric) -> Curve of one row: the mean score over patients at each
        share of changed pixels, for metrics that are an area under it.
    left_out
        Why an explainer was not measured: one sentence by its name.
    missing
        Images of which an explainer gave no map, by its name, where there are any.
    """

    scores: Mapping[tuple[str, str], Measure]
    decision: Decision
    facts: Mapping[str, Any]
    failures: tuple[Failure, ...] = ()
    examples: tuple[Example, ...] = ()
    curves: Mapping[tuple[str, str], Curve] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, MissingMaps] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("scores", "facts", "curves", "left_out", "missing"):
            frozen = MappingProxyType(dict(getattr(self, name)))
            object.__setattr__(self, name, frozen)

    def __reduce__(self) -> tuple[object, ...]:
        parts = (
            dict(self.scores),
            self.decision,
            dict(self.facts),
            self.failures,
            self.examples,
            dict(self.curves),
            dict(self.left_out),
            dict(self.missing),
        )
        return EvaluationReport, parts

    @property
    def best(self) -> str | None:
        """The best explainer, a key of ``scores``; None: cannot tell."""
        return self.decision.best

    @property
    def explainers(self) -> tuple[str, ...]:
        """Names, the best mean of the ranking metric first."""
        metric = str(self.facts["metric"])
        sign = -1 if METRICS[metric].greater else 1
        names = dict.fromkeys(name for name, _ in self.scores)

        def place(name: str) -> float:
            value = self.scores[name, metric].value
            return float("inf") if np.isnan(value) else sign * value

        return tuple(sorted(names, key=place))

    @property
    def trust(self) -> TrustByRecipe:
        """What is known of each explainer: what ``explain(trust=...)`` takes from the report."""
        model = self.facts.get("model") or {}
        recipes: Mapping[str, str] = self.facts["recipes"]
        return TrustByRecipe(
            model.get("sha256", ""),
            tuple(model.get("layers", ())),
            self.facts["prepare"],
            {
                recipe: self._trust_in(name)
                for name, recipe in recipes.items()
                if name not in self.left_out
            },
            {recipes[name]: reason for name, reason in self.left_out.items()},
        )

    def _trust_in(self, name: str) -> Trust:
        metric = str(self.facts["metric"])
        measure = self.scores[name, metric]
        low, high = (float(end) for end in measure.interval)
        return Trust(
            metric,
            METRICS[metric].greater,
            _plain(measure.value),
            (low, high) if np.isfinite((low, high)).all() else None,
            {name: _plain(value) for name, value in measure.baseline.items()},
            *self._counts,
            1 + self.explainers.index(name),
            len(self.explainers),
            self.best,
        )

    @property
    def verdict(self) -> str:
        """A sentence."""
        over = self._over
        leader, rival, metric = (
            self.decision.leader,
            self.decision.rival,
            self.facts["metric"],
        )
        rest = f" {self._left_out_words}" if self.left_out else ""
        if np.isnan(self.scores[leader, metric].value):
            return (
                f"Cannot tell which is best by {metric} on {over}: it has no value there."
                f"{rest}"
            )
        chance = f"corrected p = {self.decision.p_value:.2g}"
        error_rate = (
            f"If none were better, one would be named in at most {LEVEL:.0%} of "
            "evaluations."
        )
        if self.best is not None:
            others = (
                "each other explainer and than " if len(self.explainers) > 1 else ""
            )
            return (
                f"{leader} is best by {metric} on {over}: better than {others}maps that know "
                f"nothing ({chance}). {error_rate}{rest}"
            )
        no_better = f"may be no better than {rival} ({chance})"
        if leader in CONTROLS:  # a baseline that was named as an explainer
            no_better = "knows nothing of the model"
        return (
            f"Cannot tell which is best by {metric} on {over}: {leader} leads, and {no_better}. "
            f"{self._too_few}{error_rate}{rest}"
        )

    @property
    def _too_few(self) -> str:
        """Words where so few patients could name nobody, however good an explainer is."""
        least = least_patients(len(self.explainers))
        if self._counts[1] >= least:
            return ""
        return f"Fewer than {least} patients can never tell. "

    @property
    def _counts(self) -> tuple[int, int]:
        """Images with a value of the ranking metric, and their patients; of all where none has."""
        kind = "ranked_" if self.facts["ranked_images"] else ""
        return int(self.facts[f"{kind}images"]), int(self.facts[f"{kind}patients"])

    @property
    def _over(self) -> str:
        """What the verdict rests on: images that have a value, and their patients."""
        given, (images, patients) = self.facts["images"], self._counts
        of_all = "" if images == given else f" of {given}"
        over = f"{images}{of_all} image{'' if given == 1 else 's'}"
        if patients != images:
            over += f" of {patients} patient{'' if patients == 1 else 's'}"
        return over

    @property
    def _left_out_words(self) -> str:
        names = ", ".join(self.left_out)
        return f"Not measured, since they cannot explain this model: {names}."

    def to_dict(self) -> dict[str, Any]:
        """Return all but the examples as plain values; numbers that are none become None."""
        rows = [
            {
                "explainer": who,
                "metric": metric,
                "value": _plain(measure.value),
                "interval": [_plain(end) for end in measure.interval],
                "baseline": {
                    name: _plain(value) for name, value in measure.baseline.items()
                },
            }
            for (who, metric), measure in self.scores.items()
        ]
        curves = [
            {
                "explainer": who,
                "metric": metric,
                "shares": curve.shares.tolist(),
                "scores": [_plain(score) for score in curve.scores[0]],
            }
            for (who, metric), curve in self.curves.items()
        ]
        return {
            "best": self.best,
            "verdict": self.verdict,
            "decision": asdict(self.decision),
            "scores": rows,
            "curves": curves,
            "left_out": dict(self.left_out),
            "missing": {who: asdict(each) for who, each in self.missing.items()},
            "failures": [asdict(each) for each in self.failures],
            **plain(dict(self.facts)),
            "trust": plain(self.trust),
        }

    def html(self, *, pictures: bool = True) -> str:
        """Return one page with everything in it: no script, nothing to load."""
        return page(self, pictures=pictures)

    def save(self, folder: str | PathLike[str], *, pictures: bool = True) -> Path:
        """Write ``report.html`` and ``report.json``; return the path of the page.

        Parameters
        ----------
        folder
            Made where it is missing; its parent exists. Reports in it are replaced.
        pictures
            Whether the page shows images: they are pixels of patients.

        Raises
        ------
        InputError
            The parent folder is missing, or ``folder`` is a file.
        """
        place = folder_of(folder, "EvaluationReport")
        record = json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"
        page_of_all = self.html(pictures=pictures)
        write_together(place, {"report.json": record, "report.html": page_of_all})
        return place / "report.html"

    def __repr__(self) -> str:
        return f"EvaluationReport(best={self.best!r}, {self.facts['images']} images)"

    def _repr_html_(self) -> str:
        return self.html(pictures=False)


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
