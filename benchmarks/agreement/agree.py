"""Put the same question to this library and to others, and compare the maps number by number.

``out/peers/bin/python benchmarks/agreement/agree.py``, after ``benchmarks/peers/install.sh``.
Same model, same picture, same class, same settings. Rank correlation of all values, and the
greatest difference as a share of the greatest value.
"""

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

import adapters
import numpy as np
import speed
from scipy.stats import spearmanr


def main() -> None:
    """Print a line for each library and method."""
    asked = speed.question("MobileNetV2", side=96)
    libraries = dict(adapters.each(asked))
    mine = {method: np.asarray(ask()) for method, ask in libraries.pop("ours").items()}
    print("| method | library | rank correlation | greatest difference | of its absolute |")
    print("|---|---|---|---|---|")
    for library, maps in libraries.items():
        for method, ask in maps.items():
            try:
                found = np.asarray(ask())
            except Exception as error:  # noqa: BLE001 - a library that stops is a result
                print(f"| {method} | {library} | {type(error).__name__} | | |")
                continue
            print(f"| {method} | {library} | {_compared(mine[method], found)} |", flush=True)


def _compared(mine: Any, theirs: Any) -> str:
    mine, theirs = np.squeeze(mine), np.squeeze(theirs)
    if mine.ndim == 2 and theirs.ndim == 3:
        theirs = theirs.mean(-1)
    if mine.shape != theirs.shape:
        return f"shape {theirs.shape} | | "
    plain, folded = _apart(mine, theirs), _apart(np.abs(mine), theirs)
    return (
        f"{_ranks(mine, theirs):.4f} | {plain:.1e} | {_ranks(abs(mine), theirs):.4f}, {folded:.1e}"
    )


def _ranks(mine: Any, theirs: Any) -> float:
    return float(spearmanr(mine.ravel(), theirs.ravel()).statistic)


def _apart(mine: Any, theirs: Any) -> float:
    """Return the greatest difference when both are scaled to a greatest value of 1."""
    one, other = (each / max(np.abs(each).max(), 1e-30) for each in (mine, theirs))
    return float(np.abs(one - other).max())


if __name__ == "__main__":
    main()
