"""What cannot be written is said in one sentence, and nothing half is left."""

import pytest

from saliency.errors import InputError, SaliencyError
from saliency.values.files import (
    UnwritableError,
    folder_of,
    make_folder,
    place_of,
    write_together,
    write_whole,
)


@pytest.fixture
def blocked(tmp_path):
    """A place that nobody can write to, not even root: it lies below a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "report"


def test_a_file_below_a_file(blocked):
    with pytest.raises(UnwritableError, match=r"^report: .*Not a directory") as error:
        write_whole(blocked, b"")
    assert isinstance(error.value, SaliencyError)
    assert isinstance(error.value, OSError)
    assert error.value.strerror == "Not a directory"


def test_a_folder_in_the_place_of_a_file(tmp_path):
    """The draft is removed, and what lies there stays."""
    (tmp_path / "map.png").mkdir()
    with pytest.raises(UnwritableError, match=r"^map\.png: .*Is a directory"):
        write_whole(tmp_path / "map.png", b"heat")
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(UnwritableError, match=r"name too long"):
        write_whole(tmp_path / ("a" * 300), b"heat")
    with pytest.raises(UnwritableError, match=r"^Report\.save: .*name too long"):
        folder_of(tmp_path / ("a" * 300), "Report")
    with pytest.raises(UnwritableError, match=r"^Report\.save: .*name too long"):
        place_of(tmp_path / ("a" * 300) / "a.png", ".png", "Report")
    assert not any(tmp_path.iterdir())


def test_one_of_several_files_is_in_the_way(tmp_path, blocked):
    (tmp_path / "b.html").mkdir()
    with pytest.raises(UnwritableError, match=r"^b\.html: "):
        write_together(tmp_path, {"b.html": "", "a.json": ""})
    assert not (tmp_path / "a.json").exists()
    with pytest.raises(UnwritableError, match=r"^report: "):
        write_together(blocked, {"a.json": ""})


def test_folders(tmp_path, blocked):
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    for place in (blocked, blocked.parent, tmp_path / "a\0b"):
        with pytest.raises(InputError, match=r"^out: expected a folder that can be"):
            make_folder(place)


@pytest.mark.parametrize("path", [None, 3, "", "a\0b"])
def test_what_is_no_path(path):
    with pytest.raises(InputError, match=r"^Report\.save: expected a path, got "):
        folder_of(path, "Report")
    with pytest.raises(InputError, match=r"^Report\.save: expected a path, got "):
        place_of(path, ".png", "Report")
