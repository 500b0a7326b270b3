"""DICOM objects of an archive: whose they are, how they look, and that a server has each once."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from archive.small_model import save_small_model
from dicomweb_server import JSON, always, server
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.archive.job import Job, Question
from saliency.archive.objects import KEPT_KINDS, origin_of
from saliency.archive.sources import Frame
from saliency.cli.main import DONE, main
from saliency.explainers.catalogue import resolve

CT = get_testdata_file("CT_small.dcm")
TAKEN = always(200, "OK", JSON, b"{}")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A grey model with two classes, loaded once for all tests."""
    return sal.KerasProbe(save_small_model(tmp_path_factory.mktemp("model")))


def saved_patient(path, name, uid):
    """Write the CT as that of a patient."""
    source = pydicom.dcmread(CT)
    source.PatientName = name
    source.SOPInstanceUID = source.file_meta.MediaStorageSOPInstanceUID = uid
    source.save_as(path)


def objects_by_source(out):
    """Return the kept objects of each source file, by its name."""
    lines = (out / "results.jsonl").read_text().splitlines()
    rows = sorted(map(json.loads, lines), key=lambda row: row["source"])
    return [[pydicom.dcmread(out / name) for name in row["outputs"]] for row in rows]


def sent_objects(requests):
    """Return the objects of requests to store."""
    parts = [
        re.search(rb"\0{128}DICM.*(?=\r\n--)", sent, re.DOTALL)[0]
        for _, sent in requests
    ]
    return [pydicom.dcmread(io.BytesIO(part)) for part in parts]


def test_equal_pixels_of_two_patients_are_of_two_patients(model, tmp_path):
    """Blank images are alike; and a name put right in a file is put right in its objects."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    saved_patient(folder / "a.dcm", "DOE^JOHN", "1.2.1")
    saved_patient(folder / "b.dcm", "ROE^JANE", "1.2.2")
    explain = lambda: sal.explain_archive(  # noqa: E731
        model, folder, out, "gradient", save=("dicom",)
    )
    assert explain().done == 2
    of_john, of_jane = objects_by_source(out)
    assert {str(each.PatientName) for each in of_john} == {"DOE^JOHN"}
    assert {str(each.PatientName) for each in of_jane} == {"ROE^JANE"}
    referenced = [each[0].SourceImageSequence[0] for each in (of_john, of_jane)]
    assert [each.ReferencedSOPInstanceUID for each in referenced] == ["1.2.1", "1.2.2"]
    saved_patient(folder / "b.dcm", "ROE^JANET", "1.2.2")
    saved_patient(folder / "c.dcm", "DOE^JOHN", "1.2.3")
    summary = explain()
    assert (summary.done, summary.skipped) == (2, 1)
    again, of_janet, twin = objects_by_source(out)
    assert twin[0].SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3"
    assert all(re.search(r"_[0-9a-f]{16}-", path.name) for path in out.glob("*.dcm"))
    assert {str(each.PatientName) for each in of_janet} == {"ROE^JANET"}
    uids = [
        {each.SOPInstanceUID for each in made}
        for made in (of_john, again, of_jane, of_janet)
    ]
    assert uids[0] == uids[1]
    assert not uids[2] & uids[3]


def test_what_is_made_again_is_the_same_object(model, tmp_path):
    """A run killed before its row stores once more: by their UIDs a server has each once."""
    with server(TAKEN) as made:
        for name in ("one", "two"):
            sal.explain_archive(model, CT, tmp_path / name, "gradient", store=made.url)
        sal.explain_archive(
            model, CT, tmp_path / "two", "gradient", target=1, store=made.url
        )
    stored = sent_objects(made.requests)
    count = len(KEPT_KINDS)
    first, second, other = (stored[k * count : (k + 1) * count] for k in range(3))
    uids = [[each.SOPInstanceUID for each in part] for part in (first, second, other)]
    assert uids[0] == uids[1]
    assert len({*uids[0], *uids[2]}) == 2 * count
    assert len({each.SeriesInstanceUID for each in first}) == count
    metas = [each.file_meta.MediaStorageSOPInstanceUID for each in first]
    assert metas == uids[0]


def test_another_look_is_another_object(model):
    question = Question("gradient", resolve("gradient"))
    looks = ({}, {"palette": "hot"}, {"palette": "hot"})
    jobs = [Job(model, (question,), Path(), look=look) for look in looks]
    usual, hot, again = (job.name_of_objects(question, "image") for job in jobs)
    assert usual != hot == again


@pytest.mark.parametrize(("reason", "failed"), [(0x0111, 0), (0xA700, 1)])
def test_a_server_that_has_an_object_need_not_take_it(model, tmp_path, reason, failed):
    """0x0111 is Duplicate SOP Instance (PS3.7 C.5.1); out of resources is another matter."""
    item = {"00081197": {"vr": "US", "Value": [reason]}}
    body = json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()
    with server(always(409, "Conflict", JSON, body)) as made:
        summary = sal.explain_archive(
            model, CT, tmp_path / "out", "gradient", store=made.url
        )
    assert summary.failed == failed


def test_nothing_is_stored_of_a_result_that_cannot_be_written(model, tmp_path):
    """What was stored cannot be taken back, so storing comes last."""
    out = tmp_path / "out"
    with server(TAKEN) as made:
        sal.explain_archive(model, CT, out, "gradient", store=made.url)
        stored = len(made.requests)
        (thumbnail,) = (out / "thumbnails").iterdir()
        thumbnail.unlink()
        thumbnail.mkdir()  # no file can be renamed to that
        summary = sal.explain_archive(model, CT, out, "gradient", store=made.url)
    assert (summary.done, summary.failed) == (0, 1)
    assert stored == len(made.requests) == len(KEPT_KINDS)


def test_objects_look_as_the_picture(model, tmp_path):
    """The look that the shell was told of, not the usual one."""
    words = [
        "explain",
        "",
        CT,
        "--method",
        "gradient",
        "--save",
        "png,dicom",
        "--no-caption",
    ]
    words[1] = str(save_small_model(tmp_path))
    look = ["--palette", "hot", "--strength", "0.9", "--vmax", "0.001"]
    assert main([*words, "--out", str(tmp_path / "out"), *look]) == DONE
    (row,) = map(
        json.loads, (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    )
    capture = pydicom.dcmread(tmp_path / "out" / row["outputs"][1]).pixel_array
    result = sal.explain(model, CT, "gradient")
    told = {"palette": "hot", "strength": 0.9, "vmax": 0.001}
    np.testing.assert_array_equal(capture, result.overlay(**told).rgb)
    assert (capture != result.overlay().rgb).any()
    heat, region, outline = (
        pydicom.dcmread(tmp_path / "out" / name) for name in row["outputs"][2:]
    )
    groups = heat.SharedFunctionalGroupsSequence[0]
    assert groups.RealWorldValueMappingSequence[0].RealWorldValueSlope == 0.001
    expected = sal.export.segmentation(result, CT, palette="hot", vmax=0.001)
    np.testing.assert_array_equal(region.pixel_array, expected.pixel_array)
    inside = np.abs(result.heatmap.values) >= 0.5 * 0.001
    np.testing.assert_array_equal(outline.pixel_array, inside)
    (found,), (item,) = region.SegmentSequence, expected.SegmentSequence
    assert found.RecommendedDisplayCIELabValue == item.RecommendedDisplayCIELabValue


def test_a_file_that_changes_meanwhile_has_no_objects(tmp_path):
    """Its patient may be another than that of the pixels: told by its time, or its pixels."""
    path = tmp_path / "a.dcm"
    shutil.copy(CT, path)
    frame = Frame(path)
    image, mark = frame.read(frame.content()), frame.stamp()
    assert origin_of(frame, path, image, mark, "").source.frames[0].frame == 0
    saved_patient(path, "ROE^JANE", "1.2.2")
    with pytest.raises(sal.InputError, match="one that changed"):
        origin_of(frame, path, image, mark, "")
    pytest.importorskip("fsspec", reason="no fsspec: extra remote")
    url = path.as_uri()
    behind = Frame(url)
    origin_of(behind, url, image, behind.stamp(), "")
    source = pydicom.dcmread(path)
    source.PixelData = np.roll(source.pixel_array, 1).tobytes()
    source.save_as(path)
    with pytest.raises(sal.InputError, match="pixels of the source are not those"):
        origin_of(behind, url, image, behind.stamp(), "")
