"""Run the core of the suite with the oldest and the newest libraries that are promised.

    python scripts/matrix.py                       every row whose Python is on this machine
    python scripts/matrix.py 3.11-oldest           one row
    python scripts/matrix.py --first 3.11-oldest   what breaks first in it, in minutes: .ci/run

A row is a virtual environment in out/matrix; "oldest" has the lower bounds of pyproject.toml
(scripts/oldest.txt), "newest" what pip finds today. Exit code 3: --first, and nothing to run it
with, as there is no such Python or the libraries could not be installed.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROWS = ("3.11-oldest", "3.11-newest", "3.12-oldest", "3.12-newest", "3.13-newest")
"""TensorFlow 2.18 has no wheel for Python 3.13."""

TEST_TOOLS = ("av", "fsspec", "hypothesis", "pytest", "pytest-xdist")
"""What the core of the suite needs besides the library, of the test group of pyproject.toml."""

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


FIRST = (
    "tests/dicom/test_syntaxes.py",
    "tests/dicom/test_stored.py",
    "tests/dicom/test_reported_files.py",
    "tests/probe/test_keras_probe.py",
    "tests/probe/test_load.py",
    "tests/explainers/test_keras.py",
    "tests/examples/test_demo_model.py",
)
"""What older libraries broke: codecs, model files, models of every kind, the demo's model."""


def main() -> None:
    """Run rows; fail where one fails."""
    only_first, named = sys.argv[1:2] == ["--first"], sys.argv[1:]
    if only_first:
        named = sys.argv[2:]
    unknown = [row for row in named if row not in ROWS]
    if unknown or (only_first and len(named) != 1):
        got = ", ".join(unknown or named) or "none"
        sys.exit(f"matrix: expected rows of {', '.join(ROWS)}, got {got}.")
    if only_first:
        sys.exit(first(named[0]))
    missing = [row for row in named if not has_python(row)]
    if missing:
        sys.exit(f"matrix: no Python on this machine for {', '.join(missing)}.")
    asked = named or [row for row in ROWS if has_python(row)]
    failed = [row for row in asked if not passed(row, CORE)]
    print(f"{len(asked) - len(failed)} of {len(asked)} rows pass: {', '.join(asked)}")
    if failed:
        sys.exit(f"red: {', '.join(failed)}")


def first(row: str) -> int:
    """Run what breaks first in a row; return the exit code."""
    if not has_python(row):
        print(f"no Python for {row}: it is not run")
        return 3
    try:
        environment(row)
    except subprocess.CalledProcessError:
        print(f"the libraries of {row} could not be installed: it is not run")
        return 3
    return 0 if passed(row, FIRST) else 1


def has_python(row: str) -> bool:
    """Whether the Python of a row is on this machine, and not only a name for it."""
    python = shutil.which(f"python{row.partition('-')[0]}")
    asked = python and subprocess.run(
        [python, "--version"], capture_output=True, check=False
    )
    return bool(asked) and asked.returncode == 0


def passed(row: str, tests: tuple[str, ...]) -> bool:
    """Make a row's environment and run tests of the suite in it."""
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
        [python, "-m", "pytest", *quiet, *old, *tests],
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
    project = (ROOT / "pyproject.toml").read_text()
    pins = (ROOT / "scripts/oldest.txt").read_text() + project
    if ready.exists() and ready.read_text() == pins:
        return python
    chosen = ("-r", "scripts/oldest.txt") if age == "oldest" else (".",)
    subprocess.run([f"python{version}", "-m", "venv", "--clear", folder], check=True)
    install = (python, "-m", "pip", "install", "--quiet")
    subprocess.run([*install, *chosen, *test_tools(project)], cwd=ROOT, check=True)
    ready.write_text(pins)
    return python


def test_tools(project: str) -> list[str]:
    """Return the test tools as pyproject.toml bounds them."""
    group = tomllib.loads(project)["dependency-groups"]["test"]
    return [
        need
        for need in group
        if re.match(r"[\w-]+", need).group().lower() in TEST_TOOLS
    ]


if __name__ == "__main__":
    main()
