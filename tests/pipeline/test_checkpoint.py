"""What long work has found so far: a row is true, or it is not there."""

import sqlite3

import pytest

from saliency.errors import InputError
from saliency.pipeline.checkpoint import State, kept

ROW = {"values": [0.125, 0.25], "reasons": [None]}


@pytest.fixture
def path(tmp_path):
    """A file of two rows."""
    place = tmp_path / "kept.sqlite"
    with State(place, "one question") as state:
        state.keep_all("maps", {0: ROW, 1: ROW})
    return place


def test_rows_come_back(path):
    with State(path, "one question") as state:
        assert state.rows("maps") == {0: ROW, 1: ROW}


@pytest.mark.parametrize("damage", [b"0.375", b"\xff\xfe\xfd\xfc\xfb", b'"",[{'])
def test_a_damaged_row_is_as_good_as_none(path, damage):
    """Whether it is still JSON, with another number, or no longer text."""
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"0.125", damage, 1))
    with State(path, "one question") as state:
        assert len(state.rows("maps")) == 1
        state.keep_all("maps", {0: ROW, 1: ROW})
        assert state.rows("maps") == {0: ROW, 1: ROW}


def test_two_works_in_one_file_never_mix(path):
    """Whoever came second dropped what the first had kept; the first goes on writing."""
    with State(path, "one question") as first, State(path, "another") as second:
        first.keep("maps", 0, {"of": "the first"})
        assert second.rows("maps") == {}
        second.keep("maps", 1, {"of": "the second"})
        assert list(first.rows("maps")) == [0]
        assert list(second.rows("maps")) == [1]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_file_that_was_cut_off_is_refused_in_one_sentence(tmp_path, share):
    place = tmp_path / "kept.sqlite"
    with State(place, "one question") as state:
        state.keep_all("maps", dict.fromkeys(range(200), ROW))
    raw = place.read_bytes()
    place.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(InputError, match=r"resume, kept\.sqlite, cannot be used"):
        State(place, "one question").rows("maps")
    assert place.is_file()


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path):
    place = tmp_path / "notes.txt"
    place.write_text("the notes of a year\n" * 100)
    with pytest.raises(InputError, match=r"notes\.txt, cannot be used"):
        State(place, "one question")
    assert place.read_text().startswith("the notes")


def test_a_full_disk_is_told_in_one_sentence(path):
    with State(path, "one question") as state:
        state._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(InputError, match="full"):
            state.keep_all("maps", dict.fromkeys(range(999), ROW))
        assert state.rows("maps") == {0: ROW, 1: ROW}


def test_rows_of_an_earlier_form_are_dropped(path, caplog):
    """An earlier version wrote rows without a digest, under a key of its own."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE of SET key = '2 one question'")
        connection.execute("UPDATE rows SET row = '{}'")
    connection.close()
    with kept(path, ["one question"]) as state:
        assert state.rows("maps") == {}
    assert "begun anew" in caplog.text
    assert not path.exists()
