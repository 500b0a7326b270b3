"""Run the core of the suite with the oldest and the newest libraries that are promised.

    python scripts/matrix.py                 every row whose Python is on this machine
    python scripts/matrix.py 3.11-oldest     one row

A row is a virtual environment in out/matrix; "oldest" has the lower bounds of pyproject.toml
(scripts/oldest.txt), "newest" what pip finds today.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROWS = ("3.11-oldest", "3.11-newest", "3.12-oldest", "3.12-newest", "3.13-newest")
"""TensorFlow 2.18 has no wheel for Python 3.13."""

TEST_TOOLS = ("av", "fsspec[http]", "hypothesis", "pytest", "pytest-xdist", "scipy")
CORE = (
    *(
        "tests/values",
        "tests/statistics",
        "tests/render/test_paint.py",
        "tests/render/test_png.py",
    ),
    *(
        "tests/dicom/test_syntaxes.py",
        "tests/dicom/test_stored.py",
        "tests/dicom/test_voi.py",
    ),
    *(
        "tests/probe/test_keras_probe.py",
        "tests/probe/test_load.py",
        "tests/probe/test_heads.py",
    ),
    *(
        "tests/explainers/test_keras.py",
        "tests/explainers/propagation/test_layer_kinds.py",
    ),
    *("tests/pipeline/test_explain.py", "tests/examples/test_demo_model.py"),
)
"""Reading, showing, asking models of every kind and file, and every explainer once."""


def main() -> None:
    """Run rows; fail where one fails."""
    asked = sys.argv[1:] or [
        row for row in ROWS if shutil.which(f"python{row.split('-')[0]}")
    ]
    failed = [row for row in asked if not passed(row)]
    print(f"{len(asked) - len(failed)} of {len(asked)} rows pass: {', '.join(asked)}")
    if failed:
        sys.exit(f"red: {', '.join(failed)}")


def passed(row: str) -> bool:
    """Make a row's environment and run the core of the suite in it."""
    print(f"== {row}", flush=True)
    python = environment(row)
    own = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    quiet = (
        "-q",
        "-p",
        "no:cacheprovider",
        "--no-header",
        "-n",
        "2",
        "--dist=loadgroup",
    )
    # Libraries of that year warn of one another; that is nothing we could mend.
    old = ("-W", "ignore::DeprecationWarning") if row.endswith("oldest") else ()
    done = subprocess.run(
        [python, "-m", "pytest", *quiet, *old, *CORE],
        cwd=ROOT,
        env=os.environ | own,
        check=False,
    )
    return done.returncode == 0


def environment(row: str) -> Path:
    """Return the Python of a row's environment; made once for the same requirements."""
    version, age = row.split("-")
    folder = ROOT / "out/matrix" / row
    python, ready = folder / "bin/python", folder / "ready"
    pins = (ROOT / "scripts/oldest.txt").read_text() + (
        ROOT / "pyproject.toml"
    ).read_text()
    if ready.exists() and ready.read_text() == pins:
        return python
    chosen = ("-r", "scripts/oldest.txt") if age == "oldest" else (".",)
    subprocess.run([f"python{version}", "-m", "venv", "--clear", folder], check=True)
    install = (python, "-m", "pip", "install", "--quiet")
    subprocess.run([*install, *chosen, *TEST_TOOLS], cwd=ROOT, check=True)
    ready.write_text(pins)
    return python


if __name__ == "__main__":
    main()
