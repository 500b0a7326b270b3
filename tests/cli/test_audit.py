"""The shell asks for an audit as Python does."""

import json
import re
import shutil

import pytest
from marked_pictures import reader
from pydicom.data import get_testdata_file

from saliency.cli.main import DONE, FAILED, main
from saliency.errors import InputError
from saliency.pipeline.label_table import table_in


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six DICOM files, a table of labels beside them, and a model."""
    place = tmp_path_factory.mktemp("audit")
    (place / "files").mkdir()
    for index, name in enumerate(("CT_small.dcm", "MR_small.dcm") * 3):
        shutil.copy(get_testdata_file(name), place / "files" / f"{index}.dcm")
    rows = "".join(f"{index}.dcm,{index % 2}\n" for index in range(6))
    (place / "files" / "labels.csv").write_text(f"file,label\n{rows}")
    reader(40, 0).save(place / "model.keras")
    return place


def run(folder, *options):
    """Audit the folder; return the exit code."""
    parts = [
        "audit",
        folder / "model.keras",
        folder / "files",
        "--out",
        folder / "out",
        *options,
    ]
    return main([str(part) for part in parts])


def test_a_report_is_written_and_told(folder, capsys):
    """The finding on a line, the page where it was asked for."""
    code = run(folder, "--labels", folder / "files" / "labels.csv", "--no-pictures")
    out = capsys.readouterr().out
    found = json.loads((folder / "out" / "report.json").read_text())

    assert code == DONE
    assert out.startswith("text: no evidence.")
    assert found["pictures"] == found["labelled"] == 6
    assert "<img" not in (folder / "out" / "report.html").read_text()


def test_what_fails_is_counted_not_named(folder, capsys):
    """A broken file is a row; its name, which may be a patient's, is in no report."""
    (folder / "files" / "DOE^JANE.dcm").write_bytes(b"broken")
    code = run(folder)
    (folder / "files" / "DOE^JANE.dcm").unlink()

    assert code == FAILED
    assert "DOE^JANE.dcm: " in capsys.readouterr().err
    for name in ("report.html", "report.json"):
        assert "DOE" not in (folder / "out" / name).read_text()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("file,class\na.dcm,1\n", "'label'.*file, class"),
        ("", "none"),
        ("file,label\na.dcm,1\na.dcm,0\n", "row 3"),
        (None, "FileNotFoundError"),
        (b"file,label\n\xff\xfe,1\n", "UnicodeDecodeError"),
    ],
    ids=["column", "empty", "twice", "missing", "encoding"],
)
def test_tables_that_are_none_are_refused(tmp_path, text, match):
    """The message says what is wrong with the table and which columns it has."""
    table = tmp_path / "labels.csv"
    if text is not None:
        table.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(InputError, match=match):
        table_in(table).column("label")


def test_a_table_from_a_spreadsheet(tmp_path):
    """A byte order mark, another column, rows without a label."""
    table = tmp_path / "labels.csv"
    table.write_text(
        "\ufeffname,x,sex\na.dcm,1,M\nb.dcm,2,\nc.dcm,3,F\n", encoding="utf-8"
    )

    assert table_in(table).column("sex") == {"a.dcm": "M", "c.dcm": "F"}


ROWS = (
    ("picture", "label", "site"),
    *((f"{k}.dcm", str(k % 2), "NS"[k // 3]) for k in range(6)),
)
WRITTEN = {
    "UTF-16": (",", "utf-16"),
    "UTF-8 with a mark": (",", "utf-8-sig"),
    "semicolons": (";", "utf-8"),
    "tabs": ("\t", "utf-8"),
    "bars in UTF-16": ("|", "utf-16"),
}


@pytest.mark.parametrize(("delimiter", "encoding"), WRITTEN.values(), ids=WRITTEN)
def test_tables_are_read_as_spreadsheets_write_them(tmp_path, delimiter, encoding):
    """Whatever divides the cells, and whichever Unicode it is."""
    table = tmp_path / "labels.csv"
    lines = [delimiter.join(row) for row in ROWS]
    table.write_bytes("\r\n".join(lines).encode(encoding))
    found = table_in(table)

    assert found.columns == ROWS[0]
    assert found.column("site", "picture") == {
        f"{k}.dcm": "NS"[k // 3] for k in range(6)
    }
    assert found.column("LABEL") == {f"{k}.dcm": str(k % 2) for k in range(6)}


def test_strata_of_the_table_and_of_files(folder, capsys):
    """A column by its name and an attribute by its keyword; files in a column that is not first."""
    table = folder / "sites.csv"
    order = [(label, site, picture) for picture, label, site in ROWS]
    table.write_text("\n".join(";".join(row) for row in order))
    code = run(
        folder, "--labels", table, "--files", "picture", "--strata", "site,Manufacturer",
        "--no-pictures",
    )  # fmt: skip
    found = json.loads((folder / "out" / "report.json").read_text())
    out = capsys.readouterr().out

    assert code == DONE
    assert [each["name"] for each in found["divisions"]] == [
        "label",
        "site",
        "Manufacturer",
    ]
    assert "No two groups of site have 4 pictures or more" in out
    assert found["labelled"] == 6
    assert "GE MEDICAL" not in json.dumps(found)


def test_numbers_are_divided(folder, capsys):
    """A column of ages with --above is one of labels, and the score of a target is asked for."""
    table = folder / "ages.csv"
    table.write_text(
        "file,age\n" + "".join(f"{k}.dcm,{40.5 + 30 * (k % 2)}\n" for k in range(6))
    )
    asked = ("--labels", table, "--column", "age", "--target", "1", "--no-pictures")
    code = run(folder, *asked, "--above", "65")
    found = json.loads((folder / "out" / "report.json").read_text())

    assert code == DONE
    assert found["labelled"] == 6
    assert run(folder, *asked, "--above", "99") == FAILED
    assert "both sides of the limit 99" in capsys.readouterr().err
    assert run(folder, "--above", "median") == FAILED
    assert "--above: expected --labels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("--strata", "hospital"), "hospital"),
        (("--files", "image"), "'image'.*picture, label, site"),
        (("--column", "volume"), "continuous.*--above LIMIT"),
    ],
    ids=["stratum", "files", "continuous"],
)
def test_wrong_columns_are_told_of(folder, capsys, options, match):
    """One line on standard error, no traceback."""
    table = folder / "more.csv"
    rows = [("volume", *ROWS[0])] + [(f"{k}.5", *row) for k, row in enumerate(ROWS[1:])]
    if options[0] != "--column":
        rows = list(ROWS)
    files = () if options[0] == "--files" else ("--files", "picture")
    table.write_text("\n".join(",".join(row) for row in rows))
    code = run(folder, "--labels", table, *files, *options)

    assert code == FAILED
    assert re.search(match, capsys.readouterr().err)
