"""Peak memory of integrated gradients against one gradient of a chunk; each in its own process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nets
from clock import Row

import saliency as sal

JOBS = ("chunk", "8", "32", "96")


def rows(name: str, side: int, rounds: int) -> Iterator[Row]:  # noqa: ARG001
    """Yield the peak of each number of steps over the peak of one call on a chunk of eight."""
    peaks = {job: _peak(name, side, job) for job in JOBS}
    yield Row(
        "one gradient of a batch of 8: peak above the loaded model",
        f"{peaks['chunk']:.0f} MiB",
    )
    for job in JOBS[1:]:
        share = peaks[job] / peaks["chunk"]
        text = f"{share:.2f} x ({peaks[job]:.0f} MiB)"
        yield Row(
            f"integrated gradients, {job} steps",
            text,
            goal="<= 1.2 x",
            met=share <= 1.2,
        )


def _peak(name: str, side: int, job: str) -> float:
    command = [sys.executable, str(Path(__file__)), name, str(side), job]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(found.stdout.split()[-1])


def _ask(name: str, side: int, job: str) -> float:
    """Return MiB that a job adds to the resident memory at its highest, past its first call."""
    case = nets.case(name, side)
    probe = sal.KerasProbe(case.model).at(3)
    probe.gradient(case.inputs[:1])
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    if job == "chunk":
        for _ in range(4):
            probe.gradient(case.inputs)
    else:
        sal.IntegratedGradients(steps=int(job))(probe, case.inputs[:1])
    return _status("VmHWM") - before


def _status(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(field))
    return float(line.split()[1]) / 1024


if __name__ == "__main__":
    print(_ask(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
