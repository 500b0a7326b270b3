"""The oldest libraries that are tried are the oldest that are promised."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_oldest_row_is_the_lower_bounds():
    """Each bound of pyproject.toml is pinned in scripts/oldest.txt at that very version."""
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "dependencies"
    ]
    pins = (ROOT / "scripts/oldest.txt").read_text()
    tried = dict(re.findall(r"^([\w-]+)==([\d.]+)$", pins, re.MULTILINE))

    assert {name: whole(version) for name, version in tried.items()} == {
        name: whole(version)
        for name, version in (each.split(">=") for each in promised)
    }


def whole(version):
    """Return 3.1 as 3.1.0."""
    return ".".join([*version.split("."), "0", "0"][:3])
