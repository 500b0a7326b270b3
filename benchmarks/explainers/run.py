"""Ask every explainer about networks whose evidence is known, and say who tells the truth.

``python benchmarks/explainers/run.py [--folder FOLDER] [--explainers NAMES] [--write]`` trains the
networks (half a minute each on an idle core), asks, and prints the tables. Networks and figures
are kept in the folder: what was measured is not measured again, and ``--kept`` measures nothing.
``--explainers none`` only asks, of the networks that are there, whom an evaluation would name.
``--write`` puts the tables into docs/explainers/which-one-when.md, and the figures into
benchmarks/explainers/figures.json, from which ``scripts/make_methods.py`` tells each method's page.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

from candidates import CANDIDATES
from measure import BENCH, CONTROLS, FEW, OURS, kept_rows, rows
from naming import curves
from tables import tables, write


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kept = Path(tempfile.gettempdir(), "explainers")
    parser.add_argument("--folder", type=Path, default=kept)
    parser.add_argument(
        "--explainers", default="few", help="none, few, all, or names, by commas"
    )
    parser.add_argument("--networks", default=",".join(BENCH))
    parser.add_argument("--kept", action="store_true", help="train and ask nothing")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    sets = {"few": FEW, "all": OURS}
    asked = sets.get(options.explainers) or tuple(options.explainers.split(","))
    names = tuple(dict.fromkeys((*CONTROLS, *asked, *CANDIDATES)))
    names = () if options.explainers == "none" else names
    networks = tuple(options.networks.split(","))
    found = (
        kept_rows(options.folder)
        if options.kept
        else rows(options.folder, names, networks=networks, also=curves)
    )
    for table in tables(found, options.folder).values():
        print(table, end="\n\n")
    if options.write:
        write(found, options.folder)


if __name__ == "__main__":
    main()
