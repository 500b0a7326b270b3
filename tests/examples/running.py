"""Run a script as a new user does, and look at its pictures."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """Return the environment without settings of ours, and with this copy of the library."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("SALIENCY")
    }
    return kept | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


def run(script: Path, *arguments: object, folder: Path) -> str:
    """Return what a script prints; fail with its errors where it fails."""
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


EACH = """
import os, runpy, sys
for script in sys.argv[1:]:
    print(script)
    os.chdir(os.path.dirname(script))
    runpy.run_path(script, run_name="__main__")
"""


def run_each(*scripts: Path) -> None:
    """Run scripts, each in its own folder, in one process: TensorFlow is loaded once."""
    done = subprocess.run(
        [sys.executable, "-c", EACH, *scripts],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


TOGETHER = """
import contextlib, hashlib, io, json, os, runpy, sys
calls = json.loads(sys.argv[1])
sys.path.insert(0, os.path.dirname(calls[0][0]))
import small_net
learn, kept = small_net.trained, {}
def trained(images, labels, **more):
    key = hashlib.sha256(images.tobytes() + labels.tobytes() + repr(more).encode()).digest()
    if key not in kept:
        kept[key] = learn(images, labels, **more)
    return kept[key]
small_net.trained = trained
said = []
for call in calls:
    sys.argv = call
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        runpy.run_path(call[0], run_name="__main__")
    said.append(printed.getvalue())
print(json.dumps(said))
"""


def run_together(calls: Sequence[Sequence[object]], folder: Path) -> list[str]:
    """Return what scripts of the examples print, each with its arguments, all in one process.

    TensorFlow is loaded once, and a network that two of them train alike is trained once.
    """
    told = json.dumps([[str(each) for each in call] for call in calls])
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER, told],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def picture(path: Path) -> np.ndarray:
    """Return the RGB pixels of a PNG."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def has_heat(path: Path) -> bool:
    """Tell whether a painted picture shows more than grey."""
    pixels = picture(path)
    return bool((np.ptp(pixels, axis=2) > 60).mean() > 0.0005 and pixels.std() > 5)
