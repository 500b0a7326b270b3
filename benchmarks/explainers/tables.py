"""Tables of the bench: who tells the truth where."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from candidates import CANDIDATES
from measure import BENCH, CONTROLS, Row
from scenes import SCENARIOS

from saliency.explainers.registry import DEMANDING, ENTRIES
from saliency.statistics.significance import bootstrap

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/explainers/which-one-when.md"
FIGURES = Path(__file__).with_name("figures.json")
COSTS = {name: entry.cost for name, entry in {**ENTRIES, **DEMANDING}.items()}
NONE = "-"


def tables(rows: Sequence[Row], folder: Path) -> dict[str, str]:
    """Return tables in Markdown by name, of rows and of what else lies in the folder."""
    asked = [row for row in rows if row.figures]
    known = [row for row in asked if row.explainer not in CANDIDATES]
    return {
        "scenarios": _grid(known, SCENARIOS, lambda row: row.scenario),
        "networks": _grid(known, BENCH, lambda row: row.network),
        "regions": _regions(folder),
        "more": _more(known),
        "candidates": _grid(asked, SCENARIOS, lambda row: row.scenario),
    }


def figures(rows: Sequence[Row]) -> dict[str, dict[str, object]]:
    """Return what is told of each explainer: means over networks, with intervals."""
    found = {}
    for name in _ranked(rows):
        own = [row for row in rows if row.explainer == name and row.figures]
        areas = np.array([row.figures["auprc"] for row in own])
        best = {each: _mean(own, lambda row: row.scenario, each) for each in SCENARIOS}
        told = {each: value for each, value in best.items() if value is not None}
        found[name] = {
            "networks": len(own),
            "auprc": round(float(areas.mean()), 6),
            "interval": [round(end, 6) for end in _interval(areas)],
            "hit": round(float(np.mean([row.figures["hit"] for row in own])), 6),
            "best": max(told, key=lambda each: told[each]),
            "worst": min(told, key=lambda each: told[each]),
        }
    return found


def write(rows: Sequence[Row], folder: Path) -> None:
    """Put the tables into the page and the figures beside the bench."""
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables(rows, folder).items():
        before, _, rest = page.partition(f"<!-- {name} -->\n")
        if rest:
            after = rest.partition("<!-- end -->")[2]
            page = f"{before}<!-- {name} -->\n{table}\n<!-- end -->{after}"
    PAGE.write_text(page, encoding="utf-8")
    record = json.dumps(figures(rows), indent=1)
    FIGURES.write_text(record + "\n", encoding="utf-8")


def _grid(
    rows: Sequence[Row], columns: Iterable[str], key: Callable[[Row], str]
) -> str:
    """Return AUPRC by explainer and column, the best explainer first."""
    heads = [each for each in columns if any(key(row) == each for row in rows)]
    lines = [["explainer", "cost", *heads, "all", "95 % interval"]]
    for name in _ranked(rows):
        own = [row for row in rows if row.explainer == name]
        areas = np.array([row.figures["auprc"] for row in own])
        cells = [_number(_mean(own, key, each)) for each in heads]
        low, high = _interval(areas)
        cost = COSTS.get(name, "0" if name in CONTROLS else NONE)
        ends = f"{low:.2f} to {high:.2f}"
        lines.append([_named(name), cost, *cells, _number(areas.mean()), ends])
    return _markdown(lines)


def _regions(folder: Path) -> str:
    """Return how the heat of regions goes with what they are worth, by kind of network."""
    found: dict[str, dict[str, list[float]]] = {}
    for path in sorted(folder.glob("*.npz")):
        network = path.stem.rpartition("_")[2]
        with np.load(path) as file:
            for key in file.files:
                if key.startswith("truth of "):
                    name = key.removeprefix("truth of ")
                    mean = float(np.nanmean(file[key]))
                    found.setdefault(name, {}).setdefault(network, []).append(mean)
    heads = [each for each in BENCH if any(each in own for own in found.values())]
    counts = {
        each: max(len(own.get(each, [])) for own in found.values()) for each in heads
    }
    lines = [["explainer", *(f"{each} ({counts[each]})" for each in heads), "all"]]
    everything = {
        name: [mean for means in own.values() for mean in means]
        for name, own in found.items()
    }
    for name in sorted(found, key=lambda each: -float(np.mean(everything[each]))):
        cells = [_number(_mean_of(found[name].get(each))) for each in heads]
        lines.append([_named(name), *cells, _number(_mean_of(everything[name]))])
    return _markdown(lines)


def _mean_of(values: Sequence[float] | None) -> float | None:
    return float(np.mean(values)) if values else None


def _more(rows: Sequence[Row]) -> str:
    """Return what else is told: hits, the weaker of two parts, signs, refusals, seconds."""
    lines = [["explainer", "hit", "weaker part", "sign", "networks", "seconds a map"]]
    for name in _ranked(rows):
        own = [row for row in rows if row.explainer == name]
        lines.append(
            [
                _named(name),
                *(_number(_of(own, key)) for key in ("hit", "weaker", "sign")),
                str(len(own)),
                f"{np.median([row.seconds for row in own]) / 10:.2f}",
            ]
        )
    return _markdown(lines)


def _ranked(rows: Iterable[Row]) -> list[str]:
    areas: dict[str, list[float]] = {}
    for row in rows:
        if row.figures:
            areas.setdefault(row.explainer, []).append(row.figures["auprc"])
    return sorted(areas, key=lambda name: -float(np.mean(areas[name])))


def _mean(rows: Iterable[Row], key: Callable[[Row], str], column: str) -> float | None:
    found = [row.figures["auprc"] for row in rows if key(row) == column]
    return float(np.mean(found)) if found else None


def _of(rows: Iterable[Row], figure: str) -> float | None:
    found = [row.figures[figure] for row in rows if figure in row.figures]
    return float(np.mean(found)) if found else None


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Return the bootstrap interval of the mean over networks."""
    low, high = bootstrap(values, np.random.default_rng(0))
    return float(low), float(high)


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _named(name: str) -> str:
    is_page = name in COSTS
    return f"[`{name}`]({name}.md)" if is_page else f"*{name}*"


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    head, *rest = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join((head, "|---" * len(lines[0]) + "|", *rest))


def paired(rows: Sequence[Row], one: str, other: str) -> Mapping[str, float]:
    """Return the mean difference of AUPRC over networks that both answered, with its interval."""
    areas = {
        name: {
            (row.scenario, row.network): row.figures["auprc"]
            for row in rows
            if row.explainer == name and row.figures
        }
        for name in (one, other)
    }
    both = sorted(areas[one].keys() & areas[other].keys())
    apart = np.array([areas[one][key] - areas[other][key] for key in both])
    low, high = _interval(apart)
    return {"difference": float(apart.mean()), "low": low, "high": high}
