"""Keep measured tables in benchmarks/speed.md, between marks that a reader does not see."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "speed.md"

#: Instruction sets that decide how fast a model is.
SETS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile", "neon", "asimd")


def put(key: str, lines: Sequence[str]) -> None:
    """Exchange what stands between the marks of a table; without marks, add it at the end."""
    start, end = f"<!-- {key} -->\n", "<!-- end -->"
    made = start + "\n".join(lines).strip("\n") + f"\n{end}"
    text = PAGE.read_text(encoding="utf-8")
    marked = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    new = (
        marked.sub(lambda _: made, text)
        if marked.search(text)
        else f"{text.rstrip()}\n\n{made}\n"
    )
    written = PAGE.with_suffix(".new")
    written.write_text(new, encoding="utf-8")
    written.replace(PAGE)


def machine() -> str:
    """Say what was measured on, and when: no name of a machine or of a place."""
    flags = _flags()
    sets = (
        ", ".join(name for name in SETS if name in flags) or "unknown instruction sets"
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("tensorflow", "keras")
    )
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.machine()} ({sets}), {memory:.0f} GiB; {versions}; "
        f"{datetime.now(UTC):%Y-%m-%d}; {load:.1f} processes waiting or running at the start."
    )


def _flags() -> set[str]:
    cpu = Path("/proc/cpuinfo")
    return set(cpu.read_text().split()) if cpu.exists() else set()
