"""One door: every public name opens, and opening it costs nothing until it is used."""

import ast
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import saliency as sal

PACKAGE = Path(sal.__file__).parent


def run(code, **environment):
    """Run Python code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        **environment,
    )


def test_import_loads_nothing_heavy():
    """``import saliency`` loads neither numpy nor TensorFlow nor pydicom."""
    heavy = ["numpy", "tensorflow", "keras", "pydicom", "matplotlib", "PIL", "pathlib"]
    result = run(
        f"import sys; b = set(sys.modules); import saliency; print([m for m in {heavy} "
        "if m in set(sys.modules) - b])"
    )

    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize("name", sal.__all__)
def test_every_public_name_opens_and_is_documented(name):
    """A name of the front door exists, says what it is, and is listed by dir()."""
    value = getattr(sal, name)

    assert inspect.getdoc(value)
    assert name in dir(sal)


def test_every_public_name_is_in_the_reference():
    """docs/reference.md, written by scripts/make_reference.py, lists what the door opens."""
    page = (PACKAGE.parent / "docs" / "reference.md").read_text()
    listed = {
        line[3:].split("`")[0].split("(")[0]
        for line in page.splitlines()
        if line[:3] == "- `"
    }

    assert listed == set(sal.__all__)


def test_the_stub_names_what_the_door_opens():
    """Type checkers and the interpreter see the same names, from the same homes."""
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text())
    stub = {
        alias.asname: f"{node.module}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert stub == sal._HOME_OF


def test_an_unknown_name_is_an_attribute_error():
    """Hasattr works as everywhere."""
    assert not hasattr(sal, "explian")


def test_a_mixed_installation_is_refused(tmp_path):
    """PAIR's package in the same folder is named, with the way out."""
    shutil.copytree(
        PACKAGE, tmp_path / "saliency", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "saliency" / "tf1").mkdir()
    result = run("import saliency", cwd=tmp_path)

    assert result.returncode == 1
    assert "pip uninstall -y saliency dicom-saliency" in result.stderr
