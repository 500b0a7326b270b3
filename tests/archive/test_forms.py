"""What an archive run leaves besides PNG: DICOM objects, and its table as Parquet."""

import json
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from archive.small_model import save_small_model
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.archive.table import COLUMNS, Table
from saliency.cli.main import FAILED, NOTHING, main

CT = get_testdata_file("CT_small.dcm")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved grey model with two classes."""
    return save_small_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def study(tmp_path):
    """Two images, one of which has no UIDs that others could refer to."""
    folder = tmp_path / "study"
    folder.mkdir()
    source = pydicom.dcmread(CT)
    source.save_as(folder / "whole.dcm")
    source.PixelData = np.roll(source.pixel_array, 5).tobytes()
    del source.StudyInstanceUID
    source.save_as(folder / "without.dcm")
    return folder


def rows_of(out):
    """Return the rows of the table."""
    lines = (out / "results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_objects_lie_beside_pictures(model, study):
    """Of a source that nothing can refer to there are none: a row with an error, in our words."""
    out = study / "out"  # inside of what is searched: results are no sources
    summary = sal.explain_archive(model, study, out, "gradient", save=("png", "dicom"))
    whole, without = sorted(rows_of(out), key=lambda row: row["source"])
    assert (summary.done, summary.failed) == (1, 1)
    assert without["error"].startswith(
        "export: expected a source with StudyInstanceUID"
    )
    endings = [name.rpartition("-")[2] for name in whole["outputs"][1:]]
    assert endings == ["sc.dcm", "pm.dcm", "seg.dcm", "outline.dcm"]
    capture = pydicom.dcmread(out / whole["outputs"][1])
    expected = sal.explain(model, CT, "gradient").overlay().rgb
    np.testing.assert_array_equal(capture.pixel_array, expected)
    again = sal.explain_archive(model, study, out, "gradient", save=("png", "dicom"))
    assert (again.done, again.skipped, again.failed) == (0, 1, 1)


def test_what_this_library_made_is_left_out_and_counted(model, tmp_path, capsys):
    """A folder of results alone holds nothing to explain."""
    result = sal.explain(model, CT, "gradient")
    sal.export_dicom(result, CT, tmp_path / "made", ("sc", "pm", "seg"))
    words = [
        "explain",
        str(model),
        str(tmp_path / "made"),
        "--out",
        str(tmp_path / "o"),
    ]
    assert main(words) == NOTHING
    assert "left out: 3 results of this library" in capsys.readouterr().err


def test_no_patient_lies_in_an_anonymous_folder(model, tmp_path, capsys):
    words = ["explain", str(model), CT, "--out", str(tmp_path / "out")]
    assert main([*words, "--anonymous", "--save", "dicom"]) == FAILED
    assert "--anonymous: DICOM objects name the patient" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("service", ["folder", "https://host/dicom-web/studies/1.2"])
def test_a_service_is_a_url_of_one(model, tmp_path, service):
    with pytest.raises(sal.InputError, match="store: expected the URL of a DICOMweb"):
        sal.explain_archive(model, CT, tmp_path / "out", store=service)


def test_a_file_was_read_from_no_service(model, tmp_path):
    """``store="source"`` of a file: the row says so."""
    out = tmp_path / "out"
    sal.explain_archive(model, CT, out, "gradient", store="source")
    assert rows_of(out)[0]["error"].startswith(
        "store: expected an image read by DICOMweb"
    )


def test_parquet_holds_the_rows(model, tmp_path):
    """Each with one type, whatever the values are; what cannot be read, too."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow: extra archive")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "whole.dcm").write_bytes(Path(CT).read_bytes())
    (tmp_path / "in" / "cut.dcm").write_bytes(Path(CT).read_bytes()[:4000])
    out = tmp_path / "out"
    sal.explain_archive(model, tmp_path / "in", out, "gradient", target=1)
    table = parquet.read_table(out / "table" / "results.parquet")
    types = dict(zip(table.schema.names, map(str, table.schema.types), strict=True))
    assert tuple(types) == COLUMNS
    assert types["score"] == "double"
    assert types["target"] == types["error"] == "string"
    for found, row in zip(table.to_pylist(), rows_of(out), strict=True):
        expected = {name: row[name] for name in COLUMNS}
        target = expected["target"]
        assert found == {**expected, "target": None if target is None else str(target)}


def test_without_pyarrow_no_old_parquet_stays(tmp_path, monkeypatch):
    """It would hold another run's rows."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # an import of it fails
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "results.parquet").write_bytes(b"of an earlier run")
    Table(tmp_path).finish({})
    assert not (tmp_path / "table" / "results.parquet").exists()
