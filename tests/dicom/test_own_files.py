"""``benchmarks/own_files.py``: anybody's files against DCMTK."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dicom.build import dataset, ramp, written

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "own_files.py"


def test_a_folder_is_compared_file_by_file(tmp_path: Path) -> None:
    """Right files, one that DCMTK must be told of, and one without a picture are told apart."""
    if shutil.which("dcm2pnm") is None:
        pytest.skip("dcm2pnm is not on the path: apt install dcmtk")
    windowed = dataset(ramp(), WindowCenter=700, WindowWidth=900)
    padded = dataset(
        np.where(ramp("i2") % 7, ramp("i2"), -2000), PixelPaddingValue=-2000
    )
    files = {"a/right.dcm": windowed, "a/again.dcm": windowed, "b/padded.dcm": padded}
    for name, made in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(written(made))
    (tmp_path / "b" / "text.txt").write_text("no picture")

    command = [sys.executable, SCRIPT, tmp_path]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "| a | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |" in done.stdout
    assert "| b | 2 | 0 | 1 | 0 | 0 | 0 | 1 | 0 |" in done.stdout
    assert "b/padded.dcm: right when told" in done.stdout
