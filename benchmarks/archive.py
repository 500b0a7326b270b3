"""An archive run that is killed three times, its memory, and what overlaps with what.

``python benchmarks/archive.py kills --files 100000``;
``python benchmarks/archive.py overlap --files 500``.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import psutil
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file

from saliency.pipeline.prefetch import WORKERS

#: Files with pixels of their own; all others are links to them.
ORIGINALS = 300
#: Rows after which a process has made all that it makes once.
WARM = 0.2


def main() -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("kills", "overlap"))
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument(
        "--size", type=int, default=2048, help="rows and columns, of overlap"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.what == "kills":
            kills(Path(folder), options.files)
        else:
            overlap(Path(folder), options.files, options.size)


def kills(place: Path, count: int) -> None:
    """Explain many small files; kill the run at a quarter, a half and three quarters of them."""
    model = small_model(place, 16)
    folder = files(place, count, 24)
    out = place / "out"
    memory: list[tuple[int, int]] = []
    start = time.time()
    for share in (0.25, 0.5, 0.75, None):
        limit = None if share is None else int(share * count)
        memory = run(model, folder, out, limit)
    rows = [json.loads(line) for line in (out / "results.jsonl").open()]
    named = Counter(row["source"] for row in rows)
    errors = sum(bool(row["error"]) for row in rows)
    print(f"{count:,} files, three kills: {len(rows):,} rows, {len(named):,} sources,")
    doubled, took = sum(named.values()) - len(named), time.time() - start
    print(f"{doubled} doubled, {errors} errors, {took:.0f} s")
    first, last = memory[0][0], memory[-1][0]
    warm = [each for each in memory if each[0] >= first + WARM * (last - first)]
    half = len(warm) // 2
    before, after = (
        np.mean([size for _, size in part]) for part in (warm[:half], warm[half:])
    )
    print(
        f"resident memory of the last run, rows {warm[0][0]:,} to {last:,}: "
        f"{before / 2**20:.0f} MiB, then {after / 2**20:.0f} MiB ({after / before - 1:+.1%})"
    )


def run(
    model: Path, folder: Path, out: Path, limit: int | None
) -> list[tuple[int, int]]:
    """Start a run, and kill it at so many rows; return rows and resident bytes as it went."""
    words = [sys.executable, "-m", "saliency", "explain", model, folder, "--out", out]
    words += ["--method", "gradient", "--target", "1", "--quiet"]
    table = out / "results.jsonl"
    seen = []
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            rows = lines_in(table)
            try:
                seen.append((rows, watched.memory_info().rss))
            except psutil.Error:
                break
            if limit is not None and rows >= limit:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(1)
    return seen


_READ = {"place": 0, "lines": 0}


def lines_in(table: Path) -> int:
    """Count lines of a file that grows."""
    if table.is_file():
        if table.stat().st_size < _READ["place"]:
            _READ.update(place=0, lines=0)
        with table.open("rb") as file:
            file.seek(_READ["place"])
            _READ["lines"] += file.read().count(b"\n")
            _READ["place"] = file.tell()
    return _READ["lines"]


def overlap(place: Path, count: int, size: int) -> None:
    """Explain large files; compare the whole with its longest stage."""
    model = small_model(place, 224)
    folder = files(place, count, size, originals=count)
    start = time.time()
    out = place / "out"
    words = [sys.executable, "-m", "saliency", "explain", model, folder, "--out", out]
    words += ["--method", "gradcam", "--target", "1", "--quiet"]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    took = time.time() - start
    told = json.loads((out / "run.json").read_text())
    threads = {"reading": WORKERS, "model": 1, "painting and writing": WORKERS}
    stages = {name: told["seconds"][name] / count for name, count in threads.items()}
    print(f"{count} files of {size} x {size}: {took:.0f} s, {told['done']} rows")
    print(f"the loop {told['wall']:.1f} s; stages, each over its threads:")
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages.items()))
    print(f"the loop / the longest stage: {told['wall'] / max(stages.values()):.2f}")


def small_model(place: Path, size: int) -> Path:
    """Save a grey model with two classes."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((size, size, 1)),
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    path = place / "model.keras"
    keras.Sequential(layers).save(path)
    return path


def files(place: Path, count: int, size: int, originals: int = ORIGINALS) -> Path:
    """Write files of one enlarged slice, each with noise of its own, and links to them."""
    kept, folder = place / "originals", place / "files"
    kept.mkdir()
    source = dcmread(get_testdata_file("CT_small.dcm"))
    anatomy = Image.fromarray(source.pixel_array.astype(np.float32))
    enlarged = np.asarray(anatomy.resize((size, size), Image.Resampling.BICUBIC))
    source.Rows = source.Columns = size
    generator = np.random.default_rng(0)
    for number in range(originals):
        noise = generator.normal(0, 15, (size, size))
        source.PixelData = np.rint(enlarged + noise).astype(np.int16).tobytes()
        source.save_as(kept / f"{number}.dcm")
    for number in range(count):
        below = folder / f"{number // 1000:03}"
        below.mkdir(parents=True, exist_ok=True)
        os.link(kept / f"{number % originals}.dcm", below / f"{number:06}.dcm")
    shutil.copy(kept / "0.dcm", place / "whole.dcm")
    return folder


if __name__ == "__main__":
    main()
