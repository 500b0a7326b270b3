"""Run by test_ray.py in a network where nobody else is: Ray listens on all interfaces."""

import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import ray

import saliency as sal

MODEL, FOLDER = sys.argv[1:3]
#: Ray itself gives up when a part of it takes more than 30 s to start, as on a busy machine.
ATTEMPTS = 4


def main() -> None:
    """Explain a folder with two workers, one of which is killed in the middle; say what came."""
    started()
    cluster = set(ray.nodes()[0]["Resources"])
    out = Path("out")
    killed: list[int] = []
    threading.Thread(target=kill_one, args=(out, killed), daemon=True).start()
    summary = sal.explain_archive(
        MODEL, FOLDER, out, "gradient", target=1, engine="ray", workers=2, batch_size=4
    )
    shutil.copy(summary.table, "first.jsonl")
    again = sal.explain_archive(
        MODEL, FOLDER, out, "gradient", target=1, engine="ray", workers=1, batch_size=4
    )
    said = {
        "killed": killed,
        "counts": [summary.done, summary.skipped, summary.failed],
        "again": [again.done, again.skipped, again.failed],
        "still there": ray.is_initialized()
        and cluster == set(ray.nodes()[0]["Resources"]),
    }
    try:
        sal.explain_archive(MODEL, FOLDER, "none", "gradient", engine="ray", workers=9)
    except sal.InputError as error:
        said["too many"] = str(error)
    try:
        sal.explain_archive(
            MODEL, FOLDER, "none", "gradient", target=7, engine="ray", workers=1
        )
    except sal.SaliencyError as error:
        said["wrong for all"] = [type(error).__name__, str(error)]
    ray.shutdown()
    try:
        sal.explain_archive(MODEL, FOLDER, "none", "gradient", engine="ray")
    except sal.InputError as error:
        said["no cluster"] = str(error)
    said["left"] = [
        each.name() for each in psutil.Process().children() if each.name() == "raylet"
    ]
    print(json.dumps(said))  # noqa: T201


def started() -> None:
    """Start a cluster of two processors."""
    for attempt in range(ATTEMPTS):
        try:
            ray.init(num_cpus=2, include_dashboard=False, object_store_memory=2**27)
        except Exception:
            ray.shutdown()
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(5)
        else:
            return


def kill_one(out: Path, killed: list[int]) -> None:
    """Kill a worker when a quarter of the files is there."""
    while len(list(out.glob("*.png"))) < 100:
        time.sleep(0.05)
    tree = psutil.Process().children(recursive=True)
    workers = [each for each in tree if "ray::Worker" in " ".join(each.cmdline())]
    killed.append(len(workers))
    os.kill(workers[0].pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
