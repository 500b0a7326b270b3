"""One walk: every verb sees the same pictures of a folder, whatever their names."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

import saliency as sal
from saliency.audit.cases.sources import sources_of
from saliency.errors import InputError
from saliency.pipeline.files import Member, NothingFoundError, listing, sources_in, walk

CT = Path(get_testdata_file("CT_small.dcm"))
MR = Path(get_testdata_file("MR_small.dcm"))
REPORT = Path(get_testdata_file("reportsi.dcm"))
DISC = CT.parent / "dicomdirtests" / "DICOMDIR"


def bare(path, uid=ExplicitVRLittleEndian):
    """Write a picture without preamble and without file meta information."""
    source = dcmread(CT)
    plain = Dataset({element.tag: element for element in source})
    how = {"implicit_vr": uid.is_implicit_VR, "little_endian": True}
    plain.save_as(path, **how, enforce_file_format=False)


@pytest.fixture
def folder(tmp_path):
    """A folder as it comes from a disc, a Mac, and somebody's desk."""
    place = tmp_path / "disc"
    (place / "deep").mkdir(parents=True)
    shutil.copy(CT, place / "1.2.840.113619")
    shutil.copy(MR, place / "deep" / "picture.txt")
    bare(place / "explicit")
    bare(place / "implicit.bin", ImplicitVRLittleEndian)
    (place / "cut.dcm").write_bytes(CT.read_bytes()[:1000])
    (place / "empty.dcm").write_bytes(b"")
    (place / "._1.2.840.113619").write_bytes(b"\0\5\x16\7" + bytes(200))
    (place / "deep" / "._a.dcm").write_bytes(b"\0\5\x16\7" + bytes(200))
    (place / "notes.txt").write_text("no DICOM")
    (place / "sheet").write_text(" as UTF-16", encoding="utf-16-le")
    shutil.copy(REPORT, place / "report.dcm")
    shutil.copy(DISC, place / "DICOMDIR")
    return place


def names(files, folder):
    """Return paths below a folder."""
    return [os.path.relpath(file, folder) for file in files]


def test_content_decides(folder):
    """Pictures with any name or none are found, broken ones too; other kinds are counted."""
    found = listing([folder])

    assert names(found.files, folder) == [
        "1.2.840.113619",
        "cut.dcm",
        "empty.dcm",
        "explicit",
        "implicit.bin",
        "deep/picture.txt",
    ]
    assert found.left_out == {
        "AppleDouble": 2,
        "no DICOM": 2,
        "no pixels": 1,
        "directory": 1,
    }
    assert found.remark.startswith("left out: 2 AppleDouble files")


def test_every_verb_has_the_same_list(folder):
    """What explain lists, audit lists, and a bulk run goes through."""
    expected = list(listing([folder]).files)

    assert sources_of(folder) == expected
    assert list(sources_in(str(folder))) == expected


@pytest.mark.parametrize(
    "listed",
    [
        lambda folder: list(sources_in(folder)),
        sources_of,
        lambda folder: sal.tf_dataset(folder, prepare=sal.Prepare(8, channels=1)),
    ],
    ids=["explain_many and evaluate", "audit", "tf_dataset"],
)
def test_what_is_left_out_is_told(folder, caplog, listed):
    """Once, with the number of each kind; nothing where every file is a picture."""
    listed(folder)
    listed(folder / "explicit")

    assert [each.message.split(": ", 1)[1] for each in caplog.records] == [
        f"{listing([folder]).remark}."
    ]


def test_a_picture_that_lost_its_pixels_is_broken(tmp_path):
    """Cut at the end of an element before the pixels, an image is no report."""
    source = dcmread(CT)
    del source.PixelData
    source.save_as(tmp_path / "a")

    assert [found.kind for found in walk(tmp_path)] == ["broken"]


def test_zips_stand_for_their_members(folder, tmp_path):
    """In a zip the same files are found, and read, as in the folder."""
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    found, inside = listing([packed]), listing([folder])

    assert sorted(names(found.files, packed)) == sorted(names(inside.files, folder))
    assert found.left_out == inside.left_out
    member = next(each for each in found.files if each.name == "1.2.840.113619")
    assert isinstance(member, Member)
    assert member.content() == CT.read_bytes()


def test_zips_within_a_folder(tmp_path):
    """A zip of pictures in a folder is opened; a document, which is one too, is no DICOM."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(CT, "a.dcm")
    with zipfile.ZipFile(tmp_path / "words.docx", "w") as archive:
        archive.writestr("document.xml", "<words/>")
    found = listing([tmp_path])

    assert names(found.files, tmp_path) == ["a.zip/a.dcm"]
    assert found.left_out == {"no DICOM": 1}


def test_a_dicomdir_stands_for_what_it_names():
    """All files of the directory records, those without pixels left out."""
    source = dcmread(DISC)
    wanted = {
        DISC.parent.joinpath(*record.ReferencedFileID)
        for record in source.DirectoryRecordSequence
        if "ReferencedFileID" in record
    }
    found = listing([DISC])

    assert set(found.files) == wanted
    assert len(wanted) > 20


def test_a_dicomdir_never_leads_out(tmp_path):
    """A name with .. in it names nothing; a missing file is kept, to be missed."""
    source = dcmread(DISC)
    records = [
        record
        for record in source.DirectoryRecordSequence
        if "ReferencedFileID" in record
    ]
    records[0].add(DataElement(0x00041500, "CS", ["..", "A"], validation_mode=0))
    records[1].ReferencedFileID = ["GONE"]
    source.DirectoryRecordSequence = records[:2]
    source.file_meta = FileMetaDataset(source.file_meta)
    source.save_as(tmp_path / "DICOMDIR")

    assert [(found.file, found.kind) for found in walk(tmp_path / "DICOMDIR")] == [
        (tmp_path / "GONE", "broken")
    ]


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("../../GONE", None),
        ("A/../../GONE", None),
        ("/etc/GONE", "etc/GONE"),
        ("images/gone", "images/gone"),
        (r".\images\\gone", "images/gone"),
    ],
)
def test_slashes_in_a_dicomdir_divide_names_and_lead_nowhere_else(
    tmp_path, name, below
):
    """Writers that take / for the backslash of PS3.10 8.2; nobody leaves the folder with it."""
    records = [Dataset()]
    records[0].add(DataElement(0x00041500, "CS", name, validation_mode=0))
    disc = Dataset()
    disc.DirectoryRecordSequence = records
    disc.file_meta = FileMetaDataset(dcmread(DISC).file_meta)
    disc.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)

    found = [each.file for each in walk(tmp_path / "DICOMDIR")]

    assert found == ([] if below is None else [tmp_path / below])


def test_a_file_named_twice_is_one(folder):
    """By its folder, by a glob, and by itself."""
    found = listing([folder, str(folder / "1.*"), folder / "1.2.840.113619"])

    assert len(found.files) == len(listing([folder]).files)


@pytest.mark.parametrize("name", ["empty", "*.gone", "notes", "report"])
def test_nothing_found_is_an_error(tmp_path, name):
    """An empty folder, a glob without a match, a folder without a picture."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("a")
    (tmp_path / "report").mkdir()
    shutil.copy(REPORT, tmp_path / "report")
    (tmp_path / "empty").mkdir()
    source = tmp_path / name
    with pytest.raises(NothingFoundError, match="found no"):
        listing([source])
    with pytest.raises(NothingFoundError, match="found no"):
        sources_in(source)


def test_one_image_is_never_its_parts(tmp_path):
    """A text is a path; bytes, an open file and a Dataset are one image each."""
    raw = CT.read_bytes()
    with CT.open("rb") as file:
        for one in (raw, file, dcmread(CT)):
            assert list(sources_in(one)) == [one]
    with pytest.raises(InputError, match="int"):
        sources_in(3)
    with pytest.raises(InputError, match="nothing under that path"):
        sources_in("folder/ct")
