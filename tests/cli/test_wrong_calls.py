"""Each verb's wrong calls: one sentence that begins with the user's file, or with the option."""

import pytest
from pydicom.data import get_testdata_file

from saliency.cli.main import FAILED, USAGE, main

CT = get_testdata_file("CT_small.dcm")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a file that is no DICOM, an empty folder, and a file called as a model."""
    folder = tmp_path_factory.mktemp("a folder ü")
    (folder / "bad.dcm").write_text("none")
    (folder / "model.keras").write_text("none")
    (folder / "labels.csv").write_text("file,label\nbad.dcm,1\n")
    (folder / "empty").mkdir()
    return folder


@pytest.mark.parametrize(
    ("call", "begins"),
    [
        ("export GONE.npz CT --out OUT", "GONE.npz: "),
        ("export bad.dcm CT --out OUT", "bad.dcm: "),
        ("export empty CT --out OUT", "empty: "),
        ("export bad.dcm CT --out OUT --kinds x,sc", "--kinds x: "),
        ("slide model.keras GONE --out OUT", "model.keras: "),
        ("audit model.keras bad.dcm --out OUT --labels GONE.csv", "--labels GONE.csv: "),
        ("audit model.keras CT --out OUT --labels labels.csv --column x", "--labels labels.csv: "),
        ("audit model.keras bad.dcm --out OUT --patients x", "--patients: "),
        ("evaluate model.keras bad.dcm --out OUT --table GONE.csv", "--table GONE.csv: "),
        ("explain model.keras bad.dcm --out OUT --trust GONE.json", "--trust GONE.json: "),
        ("explain model.keras bad.dcm --out OUT --from=GONE.json", "--from GONE.json: "),
    ],
)  # fmt: skip
def test_one_sentence_begins_with_what_is_wrong(
    place, monkeypatch, capsys, call, begins
):
    """Paths as the user gave them, no verb of Python, and nothing else on standard error."""
    monkeypatch.chdir(place)
    words = [{"CT": CT, "OUT": "out"}.get(word, word) for word in call.split()]

    assert main(words) == FAILED
    printed = capsys.readouterr()
    assert printed.err.startswith(f"saliency: error: {begins}")
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.mark.parametrize(
    "call",
    [
        ["audit", "model.keras", "", "--out", "out"],
        ["evaluate", "model.keras", "", "--out", "out"],
        ["export", "bad.dcm", CT, "--out", ""],
        ["audit", "model.keras", "empty", "--out", "out", "--above", "nan"],
        ["explain", "model.keras", "bad.dcm", "--out", "out", "--fro", "run.json"],
    ],
    ids=lambda call: f"{call[0]} {call[-2]}",
)
def test_a_variable_that_was_never_set_is_not_the_current_folder(
    place, monkeypatch, call
):
    """An empty name, a number that is none, a short form that would be passed over: usage."""
    monkeypatch.chdir(place)
    with pytest.raises(SystemExit) as stop:
        main(call)
    assert stop.value.code == USAGE
