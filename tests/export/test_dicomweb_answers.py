"""What a server answers besides what it should: servers on the loopback, one for each answer."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicomweb_server import JSON, always, server
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.dicom.file.dicomweb import instances_at, web_place_of
from saliency.export.dicomweb import Archive

CT = get_testdata_file("CT_small.dcm")


def told(number: int) -> dict:
    """Return what a search tells of an instance."""
    return {"00080018": {"Value": [f"1.2.{number}"]}, "00200013": {"Value": ["1.0"]}}


def test_a_busy_server_gets_all_of_a_large_object_again(monkeypatch):
    """2 MB: what was sent in chunks would be gone by then, and an empty body is stored gladly."""
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda _: None)
    source = pydicom.dcmread(CT)
    source.Rows = source.Columns = 1024
    source.PixelData = np.arange(1024**2, dtype=np.uint16).tobytes()
    busy = lambda requests: (503 if len(requests) == 1 else 200, "", JSON, b"{}")  # noqa: E731
    with server(busy) as made:
        assert Archive(made.url).store([source]) == ()
    first, second = (sent for _, sent in made.requests)
    assert len(first) > 2**21
    assert second == first


def test_a_server_that_knows_no_offset_is_searched_once():
    """It sends the same page whatever is asked for; each instance counts once."""
    page = json.dumps([told(1), told(2)]).encode()
    with server(always(200, "OK", body=page)) as made:
        found = Archive(made.url).search(study="1.2")
    assert [each.uid for each in found] == ["1.2.1", "1.2.2"]
    assert len(made.requests) == 2


def test_a_server_that_sends_pages_is_asked_for_all_of_them():
    pages = [[told(1), told(2)], [told(3)], []]
    answers = lambda requests: (  # noqa: E731
        200,
        "OK",
        JSON,
        json.dumps(pages[len(requests) - 1]).encode(),
    )
    with server(answers) as made:
        found = [*instances_at(web_place_of(f"{made.url}/studies/1.2"))]
    assert [each.place.instance for each in found] == ["1.2.1", "1.2.2", "1.2.3"]
    assert ["offset=2" in path for path, _ in made.requests] == [False, True, False]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            always(200, "OK", "text/html", b"<p>DOE^JOHN, please log in"),
            "got something",
        ),
        (always(404, "No DOE^JOHN here"), "answered 404 Not Found."),
        (always(599, "DOE^JOHN"), "answered 599."),
        (always(200, "OK", "application/dicom", b"DOE^JOHN"), "got something else"),
    ],
)
def test_the_words_of_a_server_are_in_no_message(answer, words):
    """They may quote the patient; a page to log in at is no image."""
    with server(answer) as made, pytest.raises(sal.DicomError, match=words) as error:
        sal.read_dicom(f"{made.url}/studies/1.2/series/1.3/instances/1.4")
    assert "DOE" not in str(error.value)


def test_a_search_that_answers_with_a_page_to_log_in_at_is_one_sentence():
    with (
        server(always(200, "OK", "text/html", b"<p>log in")) as made,
        pytest.raises(sal.DicomError, match=r"to search.*perhaps a page to log in at"),
    ):
        Archive(made.url).search()


def test_a_refusal_says_why():
    """A server that takes none of a request answers 409, with the reason in its body."""
    failed = {"00081198": {"Value": [{"00081197": {"vr": "US", "Value": [0xA700]}}]}}
    body = json.dumps(failed).encode()
    with server(always(409, "DOE^JOHN", body=body)) as made:
        (refusal,) = Archive(made.url).store([pydicom.dcmread(CT)])
    assert refusal.reason == "409 Conflict, Failure Reason 0xa700"


def test_an_error_keeps_nothing_that_opens_the_door():
    """The answer holds its request, and that the header with the token."""
    with server(always(401, "Unauthorized")) as made:
        archive = Archive(made.url, token="SECRETTOKEN", attempts=1)  # noqa: S106
        with pytest.raises(sal.DicomError) as error:
            archive.search()
    assert error.value.__cause__ is None
    assert error.value.__context__ is None


FAILED = {
    "00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [272]}}]}
}


@pytest.mark.parametrize("kind", [JSON, "application/json; charset=utf-8"])
def test_an_instance_that_a_server_does_not_take_is_a_refusal(kind):
    """Whatever follows the type of the answer: 202 alone says that something was stored."""
    answer = always(202, "Accepted", kind, json.dumps(FAILED).encode())
    with server(answer) as made:
        (refusal,) = Archive(made.url).store([pydicom.dcmread(CT)])
    assert refusal.reason == "Failure Reason 0x0110"


def test_a_page_is_no_word_that_something_was_stored():
    """A proxy before the server may answer 200 to whatever it is sent."""
    with (
        server(always(200, "OK", "text/html", b"<p>log in")) as made,
        pytest.raises(sal.DicomError, match="to store DICOM, got something else"),
    ):
        Archive(made.url).store([pydicom.dcmread(CT)])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_is_stored_at_another_address(status):
    """After 302 an image becomes a GET of nothing, which succeeds; after 307 it leaves."""
    with server(always(200, "OK", body=b"{}")) as other:
        moved = always(status, "Moved", Location=f"{other.url}/studies")
        with server(moved) as made, pytest.raises(sal.DicomError, match="give the URL"):
            Archive(made.url, token="SECRET").store([pydicom.dcmread(CT)])  # noqa: S106
    assert len(made.requests) == 1
    assert other.requests == []


@pytest.mark.parametrize("door", [{"token": "SECRET"}, {"user": "a", "password": "b"}])
def test_what_opens_the_door_does_not_follow_to_another_server(door):
    with server(always(200, "OK")) as other:
        moved = always(302, "Found", Location=f"{other.url}/studies")
        with server(moved) as made:
            assert Archive(made.url, **door).search() == ()
    assert "Authorization" in made.headers[0]
    assert len(other.headers) == 1
    assert "Authorization" not in other.headers[0]


def test_a_warning_of_a_server_is_not_logged(caplog):
    """Its words may be anything, and the client would log them where everybody looks."""
    with server(always(200, "OK", Warning="299 pacs DOE^JOHN has more")) as made:
        Archive(made.url).search()
    assert "DOE" not in caplog.text


def test_another_instance_than_the_one_asked_for_is_refused():
    """Its map would be written beside the wrong patient."""
    with (
        server(always(200, "OK", "application/dicom", Path(CT).read_bytes())) as made,
        pytest.raises(sal.DicomError, match="asked for, it sent another one"),
    ):
        sal.read_dicom(f"{made.url}/studies/1.2/series/1.3/instances/1.4")


@pytest.mark.parametrize("kind", ["application/dicom", "multipart/related"])
def test_an_instance_that_is_no_part_of_several_is_read(kind):
    """Some servers send one body for one instance, and say multipart without a boundary."""
    uid = pydicom.dcmread(CT).SOPInstanceUID
    with server(always(200, "OK", kind, Path(CT).read_bytes())) as made:
        image = sal.read_dicom(f"{made.url}/studies/1.2/series/1.3/instances/{uid}")
    assert image.digest == sal.read_dicom(CT).digest


def test_who_asks_is_missing():
    with (
        server(always(401, "Unauthorized")) as made,
        pytest.raises(
            sal.DicomError, match=r"401 Unauthorized.*SALIENCY_DICOMWEB_TOKEN"
        ),
    ):
        Archive(made.url).search()


@pytest.mark.parametrize(
    "store",
    [
        "https://reader:PW@host/dicom-web",
        "s3://bucket",
        "https://host/dicom-web/studies",
        "https://host/dicom-web?key=PW",
    ],
)
def test_a_service_with_a_password_is_refused_and_not_repeated(store, tmp_path):
    """It would stand in run.json."""
    with pytest.raises(sal.InputError) as error:
        sal.explain_archive("no model", CT, tmp_path / "out", store=store)
    assert "PW" not in str(error.value)
    with pytest.raises(sal.InputError):
        Archive(store)


def test_a_plain_file_may_lie_in_a_folder_named_studies():
    """Its ending says that it is a file, and no study of DICOMweb."""
    plain = "https://host/studies/chest/1.dcm"
    assert web_place_of(plain) is None
    with pytest.raises(sal.InputError, match="URL of a study, a series or an instance"):
        web_place_of("https://host/dicom-web/studies/1.2/metadata")
