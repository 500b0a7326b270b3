"""Write what the catalogue says of each explainer into the README and docs/explainers."""

import re
from collections.abc import Iterator
from pathlib import Path

from saliency.explainers.registry import DEMANDING, ENTRIES, Entry

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "explainers"
ALL = {**ENTRIES, **DEMANDING}

_TABLE = re.compile(r"^\| name \|.*\n\|---.*\n(?:\|.*\n)+", re.MULTILINE)
_COST = re.compile(r"\n\nCosts .*\n\n")


def written() -> Iterator[tuple[Path, str]]:
    """Yield each page and what it should hold."""
    yield (
        ROOT / "README.md",
        _TABLE.sub(lambda _: table("docs/explainers/"), _read("README.md")),
    )
    index = _read("docs/explainers/README.md")
    yield PAGES / "README.md", _TABLE.sub(lambda _: table(""), index)
    for name, entry in ALL.items():
        yield PAGES / f"{name}.md", priced(_read(f"docs/explainers/{name}.md"), entry)


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


def _read(place: str) -> str:
    return (ROOT / place).read_text(encoding="utf-8")


if __name__ == "__main__":
    for path, text in written():
        path.write_text(text, encoding="utf-8")
