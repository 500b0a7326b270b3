"""Zones that the user adds to every picture of an audit."""

import numpy as np
import pytest
from marked_pictures import corner_mask, pictures, reader
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.errors import InputError
from saliency.interventions.canvas import with_found


def bright_corner(image):
    """Return the corner where something bright lies there, else nothing."""
    return corner_mask() if image.display[corner_mask()].mean() > 127 else None


FORMS = {
    "mask": {"tag": corner_mask()},
    "function of the image": {
        "tag": lambda image: corner_mask() & (image.display >= 0)
    },
    "function that returns both": lambda image: {"tag": corner_mask(), "none": None},
}


@pytest.mark.parametrize("zones", FORMS.values(), ids=FORMS)
def test_a_zone_for_all_pictures_is_judged(zones):
    """As if each image had been given it by hand."""
    images, labels = pictures(16, zone=False)
    report = sal.audit(reader(40, 0), images, labels=labels, zones=zones)
    by_hand = [image.with_zone("tag", corner_mask()) for image in images]

    assert report.verdicts["tag"].finding == "reads"
    assert report.verdicts["tag"].measured["with_zone"] == 16
    assert report.verdicts == sal.audit(reader(40, 0), by_hand, labels=labels).verdicts


def test_pictures_without_it_are_counted_and_told_of():
    """Half of the pictures show it: it is put into the others as well, and the score follows."""
    images, labels = pictures(16, zone=False)
    report = sal.audit(
        reader(40, 0), images, labels=labels, zones={"tag": bright_corner}
    )

    verdict = report.verdicts["tag"]
    assert verdict.finding == "reads"
    assert verdict.measured["with_zone"] == 8
    assert verdict.measured["transplanted"] > 0.6
    assert abs(verdict.measured["transplanted_tissue"]) < 0.01
    assert "Put into pictures that show no tag" in verdict.sentence


def test_a_model_of_the_body_is_not_accused_of_them():
    """Whatever the user calls a zone."""
    images, labels = pictures(16, zone=False)
    report = sal.audit(
        reader(0, 40), images, labels=labels, zones={"tag": corner_mask()}
    )

    assert report.verdicts["tag"].finding == "no evidence"


@pytest.mark.parametrize(
    ("zones", "match"),
    [
        ({"tag": np.zeros((5, 5), bool)}, "mask of"),
        (lambda _: corner_mask(), "mapping of names"),
        ([corner_mask()], "mapping of names"),
    ],
    ids=["grid", "returns a mask", "list"],
)
def test_zones_that_do_not_fit_are_refused(zones, match):
    """The message says what was expected."""
    images, labels = pictures(4)

    with pytest.raises(InputError, match=match):
        sal.audit(reader(40, 0), images, labels=labels, zones=zones)


def test_a_file_is_searched_once(monkeypatch):
    """What read_dicom has looked for is not looked for again, found or not."""
    image = sal.read_dicom(get_testdata_file("MR_small.dcm", download=False))
    zones = image.zones
    monkeypatch.setattr("saliency.interventions.canvas.found_zones", None)

    assert image.searched
    assert with_found(image).zones is zones
    assert with_found(image.with_zone("tag", np.ones(image.size, bool))).searched
