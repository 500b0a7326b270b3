"""``saliency export``: a saved result and its source become objects."""

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.cli import main
from saliency.cli.codes import DONE, FAILED
from saliency.pipeline.explanation import Explanation

CT, MR = get_testdata_file("CT_small.dcm"), get_testdata_file("MR_small.dcm")


@pytest.fixture
def saved(tmp_path):
    image = sal.read_dicom(CT)
    heat = sal.Heatmap(np.random.default_rng(0).random(image.size))
    result = Explanation(heat, 1.5, 1, None, "GradCAM()", image)
    return result.save(tmp_path / "result.npz")


def test_objects_are_written_and_told(saved, tmp_path, capsys):
    """A path a line, in the order asked for."""
    code = main(
        ["export", str(saved), CT, "--out", str(tmp_path / "out"), "--kinds", "sr,pm"]
    )
    paths = capsys.readouterr().out.split()

    assert code == DONE
    assert sorted(pydicom.dcmread(path).Modality for path in paths) == ["OT", "SR"]


@pytest.mark.parametrize(
    ("source", "kinds", "match"), [(MR, "sc", "expected a source"), (CT, "x", "kinds")]
)
def test_what_does_not_fit_is_one_line(saved, tmp_path, capsys, source, kinds, match):
    code = main(
        ["export", str(saved), source, "--out", str(tmp_path / "out"), "--kinds", kinds]
    )

    assert code == FAILED
    assert match in capsys.readouterr().err
