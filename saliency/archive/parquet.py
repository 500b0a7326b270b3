"""The table once more, as Parquet: for programs that ask about millions of rows."""

import secrets
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

from saliency.archive.page import Row

FOLDER: Final = "table"
NAME: Final = "results.parquet"
#: Rows in memory at once, and in a row group.
_GROUP: Final = 16384
_NUMBERS: Final = ("probability", "score", "gap", "outside", "seconds")


def write_parquet(folder: Path, rows: Iterable[Row], columns: Iterable[str]) -> None:
    """Write ``table/results.parquet``, whole or not at all; without pyarrow there is none.

    Parameters
    ----------
    columns
        Names, each with one type in every run: numbers are float64, ``frame`` is int32 and counts
        from 0, ``outputs`` is a list of texts, all else text; ``target``, too.
    """
    place = folder / FOLDER / NAME
    try:
        from pyarrow import Table, field, schema  # noqa: PLC0415 - an extra
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - an extra
    except ImportError:
        place.unlink(missing_ok=True)  # one of an earlier run would not be true
        return
    fields = schema([field(name, _type_of(name)) for name in columns])
    place.parent.mkdir(exist_ok=True)
    draft = place.with_name(f".{secrets.token_hex(8)}.part")
    remaining = iter(rows)
    try:
        with ParquetWriter(draft, fields) as writer:
            while group := list(islice(remaining, _GROUP)):
                cells = {
                    name: [_cell(name, row.get(name)) for row in group]
                    for name in fields.names
                }
                writer.write_table(Table.from_pydict(cells, fields))
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


def _type_of(name: str) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    if name in _NUMBERS:
        return pa.float64()
    if name == "frame":
        return pa.int32()
    return pa.list_(pa.string()) if name == "outputs" else pa.string()


def _cell(name: str, value: Any) -> Any:
    if value is None or name in _NUMBERS or name == "frame":
        return value
    return [_text(each) for each in value] if name == "outputs" else _text(value)


def _text(value: Any) -> str:
    """Return a text of UTF-8; what is none in a file name is written as an escape."""
    return str(value).encode("utf-8", "backslashreplace").decode()
