"""Words for values: equal where the values are, and nothing else."""

import io
import struct
import time
import tracemalloc
import warnings
from pathlib import Path

import pydicom
import pytest
from dicom.build import dataset, ramp, written

from saliency.dicom.file.header_groups import STRATA, tokens
from saliency.dicom.file.tags import GROUPING_TAGS, READ
from saliency.errors import InputError

SALT = b"salt"


@pytest.fixture(autouse=True)
def _lax(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pydicom write what the standard forbids, without a warning."""
    for mode in ("_reading_validation_mode", "writing_validation_mode"):
        monkeypatch.setattr(pydicom.config.settings, mode, pydicom.config.IGNORE)


def word(source: object, keyword: str) -> str | None:
    """The word of one source."""
    return next(tokens([source], keyword, salt=SALT))


def test_every_kind_of_source_gives_one_word(tmp_path: Path) -> None:
    """Path, string, bytes, file object and Dataset, raw or converted."""
    made = dataset(
        ramp(), InstitutionName="St. Anna", SpecificCharacterSet="ISO_IR 100"
    )
    file = written(made)
    path = tmp_path / "a.dcm"
    path.write_bytes(file)
    read = pydicom.dcmread(io.BytesIO(file))
    sources = [path, str(path), file, io.BytesIO(file), made, read]

    words = set(tokens(sources, "InstitutionName"))

    assert len(words) == 1
    assert len(words.pop() or "") == 16


@pytest.mark.parametrize(
    ("keyword", "first", "second"),
    [
        ("InstitutionName", "St.  Anna ", "St. Anna"),
        ("PhotometricInterpretation", "monochrome2", "MONOCHROME2"),
        ("KVP", "120", "120.0"),
    ],
)
def test_one_value_in_two_spellings_is_one(
    keyword: str, first: str, second: str
) -> None:
    """Blanks, letters of codes, and figures of numbers do not divide."""
    words = {
        word(written(dataset(ramp(), **{keyword: value})), keyword)
        for value in (first, second)
    }

    assert len(words) == 1
    assert None not in words


def test_one_name_in_two_character_sets_is_one() -> None:
    """A house does not change with the character set of its devices."""
    name = "Krankenhaus Köln"
    files = [
        written(dataset(ramp(), InstitutionName=name, SpecificCharacterSet=terms))
        for terms in ("ISO_IR 100", "ISO_IR 192")
    ]

    assert len(set(tokens(files, "InstitutionName", salt=SALT))) == 1


def test_other_values_have_other_words() -> None:
    """Values divide, other attributes do not, and a new salt gives a new word."""
    first, second = (
        written(dataset(ramp(), StationName=name, Manufacturer="ACME"))
        for name in ("A", "B")
    )

    assert word(first, "StationName") != word(second, "StationName")
    assert word(first, "Manufacturer") == word(second, "Manufacturer")
    assert word(first, "Rows") == word(second, "Rows") is not None
    assert list(tokens([first], "StationName")) != list(tokens([first], "StationName"))


def test_what_has_no_value_has_no_word(tmp_path: Path) -> None:
    """Absent, empty, unreadable, no source at all: None."""
    file = written(dataset(ramp(), StationName=""))

    for source in (file, b"no file", tmp_path / "absent", None, 7, ramp()):
        assert word(source, "StationName") is None
    with pytest.raises(InputError, match="strata"):
        tokens([file], "PatientName")


def test_a_hostile_header_costs_what_it_costs_the_reader() -> None:
    """400,000 empty items are refused by the limits, in little time and memory."""
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 400_000
    head = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    file = written(dataset(ramp(), StationName="A"))
    at = file.index(b"\x08\x00\x10\x10SH")
    hostile = io.BytesIO(file[:at] + head + items + file[at:])
    begin = time.process_time()

    assert word(hostile, "StationName") is None
    assert time.process_time() - begin < 2
    tracemalloc.start()
    word(hostile, "StationName")
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


def test_no_warning_quotes_a_value(recwarn: pytest.WarningsRecorder) -> None:
    """A character set that pydicom does not know would be quoted by it."""
    file = written(dataset(ramp(), StationName="AB"))
    at = file.index(b"\x08\x00\x60\x00CS")
    file = file[:at] + b"\x08\x00\x05\x00CS\x0a\x00SMITH^JOHN" + file[at:]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = pydicom.dcmread(io.BytesIO(file))

    for source in (file, io.BytesIO(file), read):
        assert word(source, "StationName")
    assert not recwarn.list


def test_the_two_lists_are_apart() -> None:
    """Reading a picture reads nothing that only an audit may ask for."""
    only = {
        GROUPING_TAGS[each] for each in ("InstitutionName", "StationName", "PatientSex")
    }

    assert set(GROUPING_TAGS) == STRATA
    assert not only & READ
