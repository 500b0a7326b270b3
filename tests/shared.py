"""Where the data lies that is not in the repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("SALIENCY_SHARED", Path(__file__).parents[2] / "shared"))


def shared(*parts: str) -> Path:
    """Return a path below the shared data; skip the test where it is absent."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no shared data at {path}: set SALIENCY_SHARED")
    return path
