"""The table of detectors, and those of other packages, really installed on a path of their own."""

import logging
from pathlib import Path

import numpy as np
import pytest

from saliency.dicom import read_dicom
from saliency.errors import InputError
from saliency.interventions.canvas import with_found
from saliency.values.image import DicomImage
from saliency.zones.detect import DETECTORS, FOUND, Hints, detectors, found_zones
from saliency.zones.detector import Detector, View

PICTURE = np.random.default_rng(0).integers(90, 110, (60, 80)).astype(np.uint8)

CODE = '''
import numpy as np
from saliency.values.zone import Zone
from saliency.zones.detector import Detector

def ruler(display):
    """The three rows at the bottom."""
    mask = np.zeros(display.shape[:2], bool)
    mask[-3:] = True
    return mask

def by_modality(display, modality):
    return Zone("cable", np.full(display.shape[:2], modality == "CR"), "a cable")

cable = Detector("cable", by_modality, ("display", "modality"))
misnamed = Detector("cables", by_modality)

def fails(display):
    raise RuntimeError("no\\nweights")

def wide(display):
    return np.ones((3, 4), bool)

def grey(display):
    return display

def other(display):
    return Zone("text", np.ones(display.shape[:2], bool))

def nothing(display):
    return None

number = 3
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a function that installs a package with entry points ``name = attribute``."""

    def install(package="ruler_finder", **points):
        (tmp_path / f"{package}.py").write_text(CODE, encoding="utf-8")
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        lines = [
            f"{name} = {package}:{attribute}" for name, attribute in points.items()
        ]
        (info / "entry_points.txt").write_text(
            "[saliency.zones]\n" + "\n".join(lines) + "\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


def names(**hints):
    """Return the names of the zones that are found on the picture."""
    return [zone.name for zone in found_zones(PICTURE, Hints(**hints))]


def test_the_table_has_a_row_for_each_zone():
    """Each name once and in docs/zones.md, and each need is of a view."""
    assert {"border", "air", "text", "marker"} <= FOUND
    assert len(DETECTORS) == len(FOUND)
    page = (Path(__file__).parents[2] / "docs" / "zones.md").read_text("utf-8")
    assert all(f"| `{name}` |" in page for name in FOUND)
    view = View(PICTURE, Hints("CT", "NO"))
    assert all(hasattr(view, need) for row in DETECTORS for need in row.needs)


def test_writing_is_looked_for_once():
    """Text and markers share one search of a picture."""
    view = View(PICTURE, Hints())
    assert view.writing is view.writing


def test_a_package_finds_a_zone_of_its_own(installed):
    """A function of the display, or a Detector that needs more; in files and in arrays."""
    installed(ruler="ruler", cable="cable", nothing="nothing")

    assert list(detectors()) == [row.name for row in DETECTORS] + [
        "cable",
        "nothing",
        "ruler",
    ]
    assert names() == ["ruler"]
    assert names(modality="CR") == ["cable", "ruler"]
    image = with_found(DicomImage.from_array(PICTURE))
    (zone,) = (zone for zone in image.zones if zone.name == "ruler")
    assert zone.mask[-3:].all()
    assert not zone.mask[:-3].any()
    assert "'ruler'" in zone.evidence
    assert not image.diagnostic[-1].any()


def test_files_are_searched_by_it(installed):
    """What read_dicom hands out has the zone, too."""
    from dicom.build import dataset, ramp, written

    installed(ruler="ruler")

    assert "ruler" in {zone.name for zone in read_dicom(written(dataset(ramp()))).zones}


@pytest.mark.parametrize("name", ["text", "border", "padding", "shutter", "diagnostic"])
def test_a_taken_name_is_refused_by_name(name, installed, caplog):
    """Nobody takes the place of our own zones, nor of those that the header declares."""
    before = names()
    installed(**{name: "ruler"})

    assert names() == before
    (record,) = caplog.records
    assert repr(name) in record.getMessage()
    assert "ruler_finder" in record.getMessage()
    assert "taken" in record.getMessage()


def test_two_packages_cannot_have_one_name(installed, caplog):
    """The first by its value stays, the other is named."""
    installed("a_finder", ruler="ruler")
    installed("b_finder", ruler="nothing")

    assert names() == ["ruler"]
    assert "b_finder" in caplog.text


@pytest.mark.parametrize(
    ("attribute", "says"),
    [("absent", "absent"), ("number", "int"), ("misnamed", "cables")],
)
def test_a_broken_package_is_one_readable_line(attribute, says, installed, caplog):
    """It is told once, names the zone, the package and the cause, and costs no other zone."""
    installed(ruler="ruler", broken=attribute)

    assert names() == names() == ["ruler"]
    (record,) = caplog.records
    assert record.name == "saliency.zones"
    assert record.levelno == logging.WARNING
    for part in ("'broken'", "ruler_finder", says):
        assert part in record.getMessage()
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ("fails", "no weights"),
        ("wide", "(3, 4)"),
        ("grey", "bool"),
        ("other", "'text'"),
    ],
)
def test_a_detector_that_fails_costs_its_own_zone(attribute, says, installed, caplog):
    """Whatever it raises or returns, the picture has its other zones, and a line tells."""
    installed(ruler="ruler", broken=attribute)

    assert names() == ["ruler"]
    (record,) = caplog.records
    assert "'broken'" in record.getMessage()
    assert says in record.getMessage()
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize(("find", "needs"), [(3, ("display",)), (len, ("patient",))])
def test_a_row_is_checked(find, needs):
    """A detector needs a function, and nothing that a picture has not."""
    with pytest.raises(InputError, match="Detector 'x'"):
        Detector("x", find, needs)


def test_the_fixture_is_gone_again():
    """Without the package there is no zone of it."""
    assert "ruler" not in detectors()
