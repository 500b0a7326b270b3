"""Write what the catalogue says of each explainer into the README and docs/explainers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from saliency.explainers.registry import DEMANDING, ENTRIES, Entry

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "explainers"
ALL = {**ENTRIES, **DEMANDING}
FIGURES = json.loads((ROOT / "benchmarks/explainers/figures.json").read_text("utf-8"))
"""What benchmarks/explainers/run.py measured where evidence is known."""

_TABLE = re.compile(r"^\| name \|.*\n\|---.*\n(?:\|.*\n)+", re.MULTILINE)
_COST = re.compile(r"\n\nCosts .*\n\n")
_BENCH = re.compile(r"\n\nWhere evidence is known.*\n.*\n\n")
_SHORT = re.compile(r"^\| explainer \| cost \|.*\n\|---.*\n(?:\|.*\n)+", re.MULTILINE)


def written() -> Iterator[tuple[Path, str]]:
    """Yield each page and what it should hold."""
    yield (
        ROOT / "README.md",
        _SHORT.sub(
            lambda _: truest(),
            _TABLE.sub(lambda _: table("docs/explainers/"), _read("README.md")),
        ),
    )
    index = _read("docs/explainers/README.md")
    yield PAGES / "README.md", _TABLE.sub(lambda _: table(""), index)
    for name, entry in ALL.items():
        page = priced(_read(f"docs/explainers/{name}.md"), entry)
        yield PAGES / f"{name}.md", tried(page, name)


def table(folder: str) -> str:
    """Return a row for each explainer, with a link to its page in ``folder``."""
    rows = [
        f"| [`{name}`]({folder}{name}.md) | {entry.summary} | {entry.cost} | {entry.needs or '-'} |"
        for name, entry in ALL.items()
    ]
    head = "| name | what it shows | cost of a map | asks a probe for |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def priced(page: str, entry: Entry) -> str:
    """Return a page with the line of cost below its call."""
    title, call, rest = _COST.sub("\n\n", page).split("\n\n", 2)
    asks = f"; asks a probe for {entry.needs}" if entry.needs else ""
    return "\n\n".join((title, call, f"Costs {entry.cost}{asks}.", rest))


def tried(page: str, name: str) -> str:
    """Return a page with what the bench says, below the line of cost."""
    page = _BENCH.sub("\n\n", page)
    if name not in FIGURES:
        return page
    title, call, cost, rest = page.split("\n\n", 3)
    told = FIGURES[name]
    low, high = told["interval"]
    line = (
        f"Where evidence is known its AUPRC is {told['auprc']:.2f} ({low:.2f} to {high:.2f} over "
        f"{told['networks']} networks; a random map\n{FIGURES['random']['auprc']:.2f}): best on "
        f"{told['best']}, worst on {told['worst']}. See [which one when](which-one-when.md)."
    )
    return f"{title}\n\n{call}\n\n{cost}\n\n{line}\n\n{rest}"


def truest() -> str:
    """Return a short table: how true each explainer is, beside its cost."""
    names = [name for name in FIGURES if name in ALL or name in ("centre", "edges")]
    rows = []
    for name in names:
        told, entry = FIGURES[name], ALL.get(name)
        linked = f"[`{name}`](docs/explainers/{name}.md)" if entry else f"`{name}`"
        cells = (
            f"{told['auprc']:.2f}",
            f"{told['hit']:.2f}",
            told["best"],
            told["worst"],
        )
        cost = entry.cost if entry else "0"
        rows.append(f"| {linked} | {cost} | {' | '.join(cells)} |")
    head = "| explainer | cost | AUPRC | hit | best on | worst on |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _read(place: str) -> str:
    return (ROOT / place).read_text(encoding="utf-8")


if __name__ == "__main__":
    for path, text in written():
        path.write_text(text, encoding="utf-8")
