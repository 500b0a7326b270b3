"""A page to look at: what each row shows, never where it came from."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final, TypeAlias

Row: TypeAlias = Mapping[str, Any]

_MARK: Final = "<!-- figures -->"


def index_page_of(rows: Iterable[Row], *, most: int) -> Iterator[str]:
    """Yield index.html piece by piece.

    It loads nothing but the pictures beside it; without script all of them are shown.

    Parameters
    ----------
    rows
        Of the table.
    most
        So many figures, of the first rows; the page says how many there are in all.
    """
    figures: list[str] = []
    subjects: set[str] = set()
    methods: set[str] = set()
    shown = failed = 0
    for row in rows:
        if row["error"]:
            failed += 1
            continue
        shown += 1
        if shown <= most:
            figures.append(_figure(row))
            subjects.add(_subject(row))
            methods.add(str(row["method"]))
    template = Template(
        Path(__file__).with_name("index.html").read_text(encoding="utf-8")
    )
    beyond = (
        f" The first {most:,} are shown; results.csv has all." if shown > most else ""
    )
    said = f"{failed} could not be explained: see results.csv." if failed else ""
    head, _, foot = template.substitute(
        count=f"{shown:,}",
        failed=f"{said}{beyond}",
        subjects="".join(map(_option, sorted(subjects))),
        methods="".join(map(_option, sorted(methods))),
        figures=_MARK,
    ).partition(_MARK)
    yield head
    yield from (f"{figure}\n" for figure in figures)
    yield foot


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
    data = " ".join(
        f'data-{name}="{escape(str(value))}"' for name, value in facts.items()
    )
    links = " ".join(_link(name) for name in row["outputs"])
    picture = f'<img src="{escape(row.get("thumbnail") or "")}" alt="" loading="lazy">'
    if row["outputs"]:
        picture = f'<a href="{escape(row["outputs"][0])}">{picture}</a>'
    caption = escape(row.get("caption") or "")
    return (
        f"<figure {data}>{picture}"
        f"<figcaption><p>{caption}</p><p class=small>{escape(row['digest'][:12])}, "
        f"frame {row['frame'] + 1}, {escape(str(row['method']))}</p><p>{links}</p></figcaption>"
        "</figure>"
    )


def _link(name: str) -> str:
    place = escape(name)
    return f'<a href="{place}">{escape(Path(name).suffix.lstrip("."))}</a>'
