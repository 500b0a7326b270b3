"""The container's build is given what the package is built of, and nothing else."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IGNORED = ROOT / "containers" / "Containerfile.dockerignore"


def let_through():
    """Return the names that the ignore file lets through; it begins by ignoring all."""
    lines = [
        line for line in IGNORED.read_text().splitlines() if not line.startswith("#")
    ]
    assert lines[0] == "*"
    return [line[1:] for line in lines if line.startswith("!")]


def test_the_package_is_built_of_what_is_let_through(monkeypatch):
    """All that setup.py, pyproject.toml and MANIFEST.in name."""
    setuptools = pytest.importorskip("setuptools", reason="no setuptools")
    given = {}
    monkeypatch.setattr(setuptools, "setup", given.update)
    made = runpy.run_path(str(ROOT / "setup.py"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [
        made["DEMO"],
        *(source for each in given["ext_modules"] for source in each.sources),
        *(project["readme"], *project["license-files"]),
        *re.findall(
            r"^include (.+)$", (ROOT / "MANIFEST.in").read_text(), re.MULTILINE
        ),
    ]
    allowed = [Path(name) for name in let_through()]
    for each in map(Path, needed):
        assert {each, *each.parents} & {*allowed}, f"{each} is missing"


def test_no_image_model_or_result_is_sent_to_the_build():
    """Whatever lies in a checkout: patients may lie there, too."""
    allowed = {"saliency", "pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE"}
    assert set(let_through()) - allowed == {
        "README.md",
        "CHANGELOG.md",
        "examples/demo_model.keras",
    }
