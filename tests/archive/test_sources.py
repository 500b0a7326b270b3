"""Which frames a run is about: whatever users call a source, each once, and nothing unsaid."""

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from dicomweb_server import JSON, server
from pydicom import dcmread
from pydicom.data import get_testdata_file

from saliency.archive.run import explain_archive
from saliency.archive.sources import FoundFrames, Selection, check_frames, part_of
from saliency.errors import DicomError, InputError
from saliency.pipeline.prefetch import ahead

CT = get_testdata_file("CT_small.dcm")
ALL = Selection("all")


def instance(number, frames):
    """Return a small file with so many frames, as bytes."""
    made = dcmread(CT)
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}"
    values = np.stack([np.roll(made.pixel_array[:8, :8], k) for k in range(frames)])
    made.Rows, made.Columns = values.shape[1:]
    if frames > 1:
        made.NumberOfFrames = frames
    made.PixelData = values.tobytes()
    page = io.BytesIO()
    made.save_as(page)
    return page.getvalue()


def pacs(files, told):
    """Answer searches with what is told, and requests for an instance with its file."""

    def answer(requests):
        path = requests[-1][0]
        uid = re.fullmatch(r".*/instances/([\d.]+)", path)
        if uid:
            return 200, "OK", "application/dicom", files[uid[1]]
        wanted = re.search(r"SOPInstanceUID=([\d.]+)", path)
        page = [
            each
            for each in told
            if wanted is None or each["00080018"]["Value"] == [wanted[1]]
        ]
        body = json.dumps(page if "offset=0" in path else [])
        return 200, "OK", JSON, body.encode()

    return server(answer)


def told_of(number, frames=None):
    """Return what a search tells of an image: Number of Frames only where it has several."""
    values = {"0020000E": "1.9", "00080018": f"1.2.{number}", "00280010": 8}
    values |= {} if frames is None else {"00280008": frames}
    return {tag: {"Value": [value]} for tag, value in values.items()}


def fetches(made):
    """Return how often instances were asked for."""
    return sum(path.count("/instances/") for path, _ in made.requests)


@pytest.mark.parametrize("named", ["study", "instances"])
def test_each_instance_is_fetched_once_for_all_of_its_frames(named, tmp_path):
    """Two threads read what a search found long before, one frame each."""
    counts = {1: 3, 2: 1, 3: 1, 4: 2, 5: 1}
    files = {f"1.2.{k}": instance(k, frames) for k, frames in counts.items()}
    told = [told_of(k, frames if frames > 1 else None) for k, frames in counts.items()]
    with pacs(files, told) as made:
        source = f"{made.url}/studies/1.8"
        if named == "instances":
            urls = [f"{source}/series/1.9/instances/{uid}" for uid in files]
            source = tmp_path / "urls.txt"
            source.write_text("\n".join(urls))
        frames = [*FoundFrames([str(source)], ALL)]
        images = [*ahead(lambda each: each.read(each.content()), frames, window=4)]
    assert [each.frame for each in images] == [0, 1, 2, 0, 0, 0, 1, 0]
    assert fetches(made) == len(counts)


def test_a_server_that_tells_of_other_frames_is_found_out():
    """It says nothing of two frames: the second would be missing in silence."""
    with pacs({"1.2.1": instance(1, 2)}, [told_of(1)]) as made:
        (frame,) = FoundFrames([f"{made.url}/studies/1.8"], ALL)
        with pytest.raises(DicomError, match="1 frames, as the server told, found 2"):
            frame.read(frame.content())


def test_a_server_that_tells_nothing_is_asked_for_the_instance():
    """It does not even tell that there is an image: frames are counted in the file."""
    told = {"0020000E": {"Value": ["1.9"]}, "00080018": {"Value": ["1.2.1"]}}
    with pacs({"1.2.1": instance(1, 2)}, [told]) as made:
        assert len([*FoundFrames([f"{made.url}/studies/1.8"], ALL)]) == 2


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The current folder, with files of the names that people give them."""
    monkeypatch.chdir(tmp_path)
    names = [
        "a.dcm",
        "b c.dcm",
        "ünï.dcm",
        "new\nline.dcm",
        "sep\u2028.dcm",
        "x[1].dcm",
    ]
    for name in names:
        shutil.copy(CT, tmp_path / name)
    return tmp_path


def found_in(*sources):
    """Return what sources name, with what is true of it."""
    return [(str(frame), frame.truth) for frame in FoundFrames(sources, Selection())]


TWO = [("a.dcm", ""), ("b c.dcm", "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.dcm\nb c.dcm\n", TWO),
        ("a.dcm\r\nb c.dcm", TWO),
        ("a.dcm\rb c.dcm\r", TWO),
        ("# what we have\n\n  a.dcm\n \nb c.dcm\n", TWO),
        ('"a.dcm"\r\n"b c.dcm"\r\n', TWO),
        ("sep\u2028.dcm\nx[1].dcm", [("sep\u2028.dcm", ""), ("x[1].dcm", "")]),
        ("[ab]*.dcm", TWO),
        ("a.dcm\ngone.dcm\nb c.dcm", [TWO[0], ("gone.dcm", ""), TWO[1]]),
        (f"a.dcm\n{'x' * 300}", [TWO[0], ("x" * 300, "")]),
    ],
)
def test_a_text_lists_files(files, text, expected):
    """Ends of lines and quotes of any system; one that is not there is a frame like any other."""
    for charset in ("utf-8", "utf-8-sig", "utf-16"):
        (files / "list.txt").write_bytes(text.encode(charset))
        assert found_in("list.txt") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file,label\na.dcm,1\nb c.dcm,0\n", "10"),
        ('\ufeffFile;Label\r\n"a.dcm";1\r\nb c.dcm;0\r\n', "10"),
        ("sep=;\nPATH;x;TRUTH\na.dcm;;1\n\nb c.dcm;;0\n", "10"),
        ("label\tsource\n1\ta.dcm\n0\tb c.dcm\n", "10"),
        ("a,b\na.dcm,1\nb c.dcm,0\n", ["", ""]),
        ("file,label\na.dcm,1\na.dcm,1\nb c.dcm,0\n", "10"),
        ("file,label\n,1\na.dcm,1\nb c.dcm,\n", ["1", ""]),
    ],
)
def test_a_table_lists_files_with_labels(files, text, expected):
    (files / "list.csv").write_text(text, newline="")
    assert found_in("list.csv") == [("a.dcm", expected[0]), ("b c.dcm", expected[1])]


def test_cells_hold_what_names_hold(files):
    text = 'file,label\n"new\nline.dcm",1\nsep\u2028.dcm,0\n'
    (files / "list.csv").write_text(text)
    assert found_in("list.csv") == [("new\nline.dcm", "1"), ("sep\u2028.dcm", "0")]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", "a.dcm,1\nb c.dcm,0\n", "x.csv: expected a header"),
        ("x.csv", "file,label\na.dcm,1\n./a.dcm,0\n", "one label a file, found two"),
        ("x.csv", "id,mine\n1,a.dcm\n", "it lists 1, and there is no such file"),
        ("x.csv", "file,label\na.dcm,kränk\n", "x.csv: expected a CSV file in UTF-8"),
        ("x.txt", "ünï.dcm\n", "x.txt: expected a list in UTF-8"),
        ("x.txt", "gone.dcm\n", "it lists gone.dcm"),
    ],
)
def test_a_list_that_is_misread_would_lose_files(files, name, content, words):
    """The first file of a table without a header, a label of two, a text of an old Windows."""
    (files / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=words):
        found_in(name)


def test_links_to_folders_are_counted(files):
    """They are not followed, for this one leads round in a circle; links to files are."""
    folder = files / "study"
    folder.mkdir()
    (folder / "round").symlink_to(folder)
    (folder / "one.dcm").symlink_to(files / "a.dcm")
    found = FoundFrames(["study"], Selection())
    assert [Path(str(each)).name for each in found] == ["one.dcm"]
    assert found.remark == "left out: 1 link to a folder"


def test_a_folder_that_results_are_written_into_is_searched(files):
    """A draft is there for a moment, and is nobody's image."""
    (files / ".0123456789abcdef.part").write_bytes(Path(CT).read_bytes()[:999])
    assert len(found_in(str(files))) == 6


def packed(path, method, *names):
    """Write a zip of equal files."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            archive.write(CT, name)
    return path.read_bytes()


@pytest.mark.parametrize(
    "method",
    [
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
        zipfile.ZIP_BZIP2,
        zipfile.ZIP_LZMA,
    ],
)
def test_a_damaged_zip_ends_no_run(tmp_path, method):
    """Whatever its packer makes of it, it is an image, or one error of ours."""
    whole = packed(tmp_path / "x.zip", method, "a.dcm", "b.dcm")
    rng = np.random.default_rng(0)
    failures = 0
    for _ in range(25):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 20):
            damaged[place] ^= 0x5A
        (tmp_path / "x.zip").write_bytes(damaged)
        for frame in FoundFrames([str(tmp_path / "x.zip")], ALL):
            try:
                frame.content()
            except DicomError:
                failures += 1
    assert failures


def test_what_a_zip_holds_besides_is_counted(files):
    """Rubbish of a Mac, and a zip in the zip, which may hold images."""
    packed(files / "inner.zip", zipfile.ZIP_DEFLATED, "c.dcm")
    with zipfile.ZipFile(files / "x.zip", "w") as archive:
        archive.write("ünï.dcm", "s t/ünï.dcm")
        archive.write("inner.zip")
        archive.writestr("__MACOSX/s t/._ünï.dcm", b"Mac")
    found = FoundFrames(["x.zip"], Selection())
    assert [str(each) for each in found] == ["x.zip/s t/ünï.dcm"]
    assert found.remark == "left out: 1 AppleDouble file (._*), 1 zip in a zip"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("memory://b/one.dcm", ["memory://b/one.dcm"]),
        ("memory://b/*.dcm", ["memory:///b/one.dcm"]),
        ("zip://s/a.dcm::memory://b/x.zip", ["zip://s/a.dcm::memory://b/x.zip"]),
        ("zip://s/::memory://b/x.zip", ["zip://s/a.dcm::memory://b/x.zip"]),
        ("zip://*/*.dcm::memory://b/x.zip", ["zip://s/a.dcm::memory://b/x.zip"]),
        ("simplecache::memory://b/*.dcm", ["simplecache::memory:///b/one.dcm"]),
    ],
)
def test_urls_of_fsspec_and_their_chains(tmp_path, url, expected):
    """What a search in a chain finds lies in that chain again."""
    fsspec = pytest.importorskip("fsspec", reason="no fsspec: extra remote")
    packed(tmp_path / "x.zip", zipfile.ZIP_DEFLATED, "s/a.dcm", "__MACOSX/._a.dcm")
    memory = fsspec.filesystem("memory")
    memory.pipe("/b/one.dcm", Path(CT).read_bytes())
    memory.pipe("/b/x.zip", (tmp_path / "x.zip").read_bytes())
    frames = [*FoundFrames([url], Selection())]
    assert [str(each) for each in frames] == expected
    assert frames[0].read(frames[0].content()).size == (128, 128)


@pytest.mark.parametrize(
    "url",
    [
        "zip://a.dcm::https://u:PW@host/x.zip",
        "simplecache::s3://key:PW@bucket/1.dcm",
        "https://PW@[::1]:8042/1.dcm",
    ],
)
def test_no_link_of_a_chain_holds_a_password(url):
    with pytest.raises(InputError, match="without a password") as error:
        found_in(url)
    assert "PW" not in str(error.value)


@pytest.mark.parametrize("sources", [None, 5, [5], {"a.dcm": 1}, b"a.dcm"])
def test_sources_are_paths(sources, tmp_path):
    """The labels of a mapping would be lost."""
    with pytest.raises(InputError, match="sources: expected"):
        explain_archive("no model", sources, tmp_path / "out")


@pytest.mark.parametrize("text", ["1:", ":2", "²", "1:²", "0", "2:1", ""])
def test_frames_that_cannot_be(text):
    """What ends nowhere would be one frame alone."""
    with pytest.raises(InputError, match="frames: expected"):
        check_frames(text)


@pytest.mark.parametrize("text", ["5/4", "0/4", "1", "1/²", "1/4/2", "-1/4"])
def test_parts_that_cannot_be(text):
    with pytest.raises(InputError, match="part: expected"):
        part_of(text)
