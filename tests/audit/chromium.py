"""A real browser without a window, to look at pages with."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120
"""Seconds that a start may take where the machine is busy."""


def browser() -> str:
    """Return the path of a Chromium; skip the test where there is none."""
    named = os.environ.get("CHROMIUM")
    found = next(
        (
            path
            for path in map(shutil.which, (named, *NAMES) if named else NAMES)
            if path
        ),
        None,
    )
    if found is None:
        pytest.skip(
            "no Chromium: install the package chromium, or name one in CHROMIUM"
        )
    return found


def run(folder: Path, page: Path, *options: str) -> str:
    """Open a page from a file; return what the browser prints."""
    done = subprocess.run(
        [
            browser(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
            f"--user-data-dir={folder / 'profile'}",
            *options,
            page.resolve().as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
