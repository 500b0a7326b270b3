"""A folder of results: tables, a record of the run, and a page to look at."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final, TypeAlias

from saliency.errors import InputError
from saliency.values.files import write_whole

Row: TypeAlias = Mapping[str, Any]

COLUMNS: Final = (
    *("source", "digest", "frame", "method", "target", "label", "probability", "score", "gap"),
    *("outside", "seconds", "outputs", "error"),
)
"""Of results.csv; results.jsonl also has ``caption``, ``thumbnail`` and ``record``."""

TABLE: Final = "results.jsonl"
THUMBNAILS: Final = "thumbnails"
_LONGEST_NAME: Final = 60


def safe(text: str) -> str:
    """Return a part of a file name: without what some file system forbids, and not too long.

    Where that changes the text, four digits of its hash follow, so that two texts stay two.
    """
    kept = "".join(sign if sign.isalnum() or sign in " _.+=" else "_" for sign in text)
    kept = kept[:_LONGEST_NAME].strip(" .") or "_"
    return kept if kept == text else f"{kept}~{sha256(text.encode()).hexdigest()[:4]}"


def stem_of(image: Any, identity: str, method: str, target: object) -> str:
    """Return the name of a result without its ending: nothing of the source, and no position.

    Six digits of the identity tell files apart that hold the same pixel data and show it otherwise.
    """
    who = f"{image.digest[:12]}_{identity[:6]}"
    return f"{who}-{image.frame}-{safe(method)}-{safe(str(target))}"


def row_of_failure(source: str, method: str, frame: int, error: str) -> dict[str, Any]:
    """Return the row of what could not be explained."""
    empty: dict[str, Any] = dict.fromkeys(COLUMNS)
    return {
        **empty,
        "source": source,
        "frame": frame,
        "method": method,
        "outputs": [],
        "error": error,
    }


def rows_in(folder: Path) -> list[Row]:
    """Return the rows of earlier runs; none where there was none, or the table cannot be read."""
    try:
        lines = (folder / TABLE).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return []
    return [row for row in rows if isinstance(row, dict) and {"outputs", "record"} <= row.keys()]


def merged(old: Iterable[Row], new: Sequence[Row]) -> list[Row]:
    """Return the rows of all runs: those of the last one in the place of what they repeat.

    A failure gives way to anything that came of the same frame and method since.
    """
    told = {_question(row) for row in new}
    results = {_answer(row) for row in new}
    kept = [
        row
        for row in old
        if _answer(row) not in results and not (row["error"] and _question(row) in told)
    ]
    return [*kept, *new]


def write_tables(folder: Path, rows: Sequence[Row], run: Mapping[str, Any]) -> None:
    """Write results.jsonl, results.csv, run.json and index.html, each whole or not at all.

    Raises
    ------
    OSError
        One cannot be written.
    """
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    texts = {
        TABLE: lines,
        "results.csv": _csv(rows),
        "run.json": json.dumps(run, indent=2, ensure_ascii=False, default=str) + "\n",
        "index.html": page(rows),
    }
    for name, text in texts.items():
        write_whole(folder / name, text.encode())


def page(rows: Sequence[Row]) -> str:
    """Return index.html: what each row shows, never where it came from.

    It loads nothing but the pictures beside it; without script all of them are shown.
    """
    shown = [row for row in rows if not row["error"]]
    failed = len(rows) - len(shown)
    subjects = sorted({_subject(row) for row in shown})
    methods = sorted({str(row["method"]) for row in shown})
    template = Template(Path(__file__).with_name("index.html").read_text(encoding="utf-8"))
    return template.substitute(
        count=len(shown),
        failed=f"{failed} could not be explained: see results.csv." if failed else "",
        subjects="".join(map(_option, subjects)),
        methods="".join(map(_option, methods)),
        figures="\n".join(map(_figure, shown)),
    )


def _option(text: str) -> str:
    return f"<option>{escape(text)}</option>"


def _subject(row: Row) -> str:
    return str(row["target"] if row["label"] is None else row["label"])


def _figure(row: Row) -> str:
    sure = row["score"] if row["probability"] is None else row["probability"]
    facts = {
        "subject": _subject(row),
        "method": row["method"],
        "sure": sure,
        "outside": -1 if row["outside"] is None else row["outside"],
    }
    data = " ".join(f'data-{name}="{escape(str(value))}"' for name, value in facts.items())
    links = " ".join(_link(name) for name in row["outputs"])
    picture = f'<img src="{escape(row["thumbnail"] or "")}" alt="" loading="lazy">'
    if row["outputs"]:
        picture = f'<a href="{escape(row["outputs"][0])}">{picture}</a>'
    return (
        f"<figure {data}>{picture}"
        f"<figcaption><p>{escape(row['caption'])}</p><p class=small>{escape(row['digest'][:12])}, "
        f"frame {row['frame'] + 1}, {escape(str(row['method']))}</p><p>{links}</p></figcaption>"
        "</figure>"
    )


def _link(name: str) -> str:
    place = escape(name)
    return f'<a href="{place}">{escape(Path(name).suffix.lstrip("."))}</a>'


def _csv(rows: Iterable[Row]) -> str:
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        outputs = json.dumps(row["outputs"], ensure_ascii=False)
        cells = {**row, "outputs": outputs}
        writer.writerow([_harmless(cells[name]) for name in COLUMNS])
    return page.getvalue()


def _harmless(cell: Any) -> Any:
    """Keep a spreadsheet from running a text as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell


def _question(row: Row) -> tuple[object, ...]:
    return row["source"], row["frame"], row["method"]


def _answer(row: Row) -> tuple[object, ...]:
    return *_question(row), row["digest"], row["target"]


def make_folder(folder: Path) -> None:
    """Make the folder of results, before the model runs.

    Raises
    ------
    InputError
        It cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"--out {folder}: expected a folder that can be written, got: {error.strerror}."
        raise InputError(msg) from error
