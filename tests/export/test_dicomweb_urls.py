"""The URL of a study, a series or an instance is a source for every verb: a real Orthanc."""

from pathlib import Path

import pytest
from orthanc import said_beside_orthanc

import saliency as sal

STEPS = Path(__file__).with_name("url_steps.py")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the steps found, and all that they logged."""
    return said_beside_orthanc(tmp_path_factory.mktemp("urls"), STEPS)


def test_every_verb_reads_urls(said):
    """One instance; a study and a series in the order of their numbers, which is the reverse."""
    assert said["one"] is True
    assert said["study"] == said["series"] == [2, 1, 0]
    assert said["volume"] == [3, 3]
    assert said["audited"] == [0, 0]
    assert float(said["evaluated"]) > 0


def test_what_read_yields_is_a_source_of_every_verb(said):
    assert said["read"] == [0, 1, 2]
    assert said["evaluated"] == said["again"]


def test_the_shell_stores_results_where_images_came_from(said):
    """Four objects an image; a second run stores none, and does not explain results."""
    assert said["first"] == [0, 12, 0, 15]
    assert said["second"] == [0, 12, 15, 15]
    assert {".dcm", ".png"} <= set(said["names"])


def test_a_study_and_a_series_are_slides(said):
    """Both levels, bit for bit."""
    assert said["slide"] == [True, True]


def test_a_capture_is_rendered_as_we_paint_it(said):
    assert said["rendered"] <= 2


def test_a_password_in_a_url_is_refused_and_not_repeated(said):
    assert said["password"] == 1
    assert "without a password" in said["log"]
    assert "PW@" not in said["log"]


@pytest.mark.parametrize(
    "tail",
    [
        "1.2/rendered",
        "1.2/series/1/instances/2/frames/1",
        "x",
        "1.2?token=SECRET.a.b",
        "1.2?token=SECRET",
    ],
)
def test_a_url_that_names_no_instance_is_refused(tail):
    """It is not handed to a reader of plain files, which would fail with other words."""
    words = "DICOMweb URL of a study, a series or"
    with pytest.raises(sal.InputError, match=words) as error:
        sal.read_dicom(f"https://host/dicom-web/studies/{tail}")
    assert "SECRET" not in str(error.value)
