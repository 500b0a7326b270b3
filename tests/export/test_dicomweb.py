"""A real PACS (Orthanc), started for the tests in a network of its own, where nobody else is."""

from pathlib import Path

import pytest
from orthanc import said_beside_orthanc

import saliency as sal
from saliency.export.dicomweb import TOKEN, Archive

STEPS = Path(__file__).with_name("archive_steps.py")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the steps found, and all that they logged."""
    return said_beside_orthanc(tmp_path_factory.mktemp("orthanc"), STEPS)


def test_what_is_stored_is_found_and_comes_back(said):
    """Source and objects, pixels bit for bit."""
    assert said["first"] == []
    assert said["found"][3] == "CT"
    assert said["stored"] == []
    assert said["equal"] == [True] * 4
    assert said["modalities"] == ["CT", "OT", "OT", "SEG", "SR"]


def test_a_refusal_is_told_per_instance(said):
    """The second of two datasets has no study."""
    assert said["refused"] == [[1, "1.2.3"]]


def test_what_is_not_there_is_one_sentence_without_a_url(said):
    """The URL may name a patient."""
    assert "404" in said["absent"]
    assert "127.0.0.1" not in said["absent"]


def test_the_example_stores_results(said):
    """Three objects of the one image, beside the five instances there were; none of results."""
    assert said["example"].startswith(f"1 images\n{said['found'][2]}: ")
    assert "not stored" not in said["example"]
    assert said["after"] == 8


def test_the_example_says_what_went_wrong(said):
    """A study without images, and a server that is not there."""
    assert said["example of nothing"] == "0 images\n"
    words = "the end: Expected a DICOMweb server to search, got ConnectionError"
    assert said["example of nobody"].startswith(words)


def test_a_slide_and_its_tiles_are_stored_and_come_back(said):
    """Bit for bit: frames of slide, capture and segments one by one, and every level as a whole."""
    assert said["slide stored"] == said["tiles stored"] == []
    assert said["frames equal"] == [True] * 4
    assert said["tiles equal"] == [True] * 5


def test_a_slide_is_read_from_the_url_of_its_series(said):
    assert said["slide by its URL"] is True


def test_the_token_is_in_no_log(said):
    """Not even at the level of debugging."""
    assert "dicomweb_client" in said["log"] or "urllib3" in said["log"]
    assert "SECRETTOKEN" not in said["log"]


@pytest.mark.parametrize(
    ("url", "options", "match"),
    [
        ("host/dicom-web", {}, "URL of a DICOMweb service"),
        ("https://host/dicom-web/studies/1.2", {}, "URL of a DICOMweb service"),
        ("https://host/dicom-web", {"token": "a", "user": "b"}, "got both"),
    ],
)
def test_what_opens_no_door_is_refused(url, options, match):
    with pytest.raises(sal.InputError, match=match):
        Archive(url, **options)


def test_a_server_that_is_not_there_is_one_sentence(monkeypatch):
    """Neither URL nor token in it, nor in the repr; at once: only a busy server is waited for."""
    monkeypatch.setenv(TOKEN, "SECRETTOKEN")
    monkeypatch.setattr("time.sleep", None)
    archive = Archive("http://127.0.0.1:1/dicom-web")
    words = r"^Expected a DICOMweb server to search, got ConnectionError \(is [\w ,]+\?\)\.$"
    with pytest.raises(sal.DicomError, match=words):
        archive.search()
    assert "SECRETTOKEN" not in repr(vars(archive))
