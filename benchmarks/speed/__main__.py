"""Print the table of what this library costs, in units of the model's own forward pass.

``python benchmarks/speed [--models DenseNet121 ...] [--side 512] [--rounds 11] [section ...]``

The unit F is one compiled forward pass of the same model, size and batch, timed in turns with
what is judged. The median over the rounds counts, by processor time, since other work on the
machine cannot be kept away. Every section runs in a process of its own.
"""

import argparse
import importlib
import os
import subprocess
import sys

from clock import table

MODELS = ("DenseNet121", "ResNet50", "MobileNetV2")

#: Sections by name: the module, its function, its title, whether each model has a table.
SECTIONS = {
    "imports": ("again", "imports", "Import", False),
    "again": ("again", "rows", "The second picture of a small model", False),
    "around": ("around", "rows", "Besides the model, on 2048 x 2048", False),
    "passes": ("passes", "rows", "Explainers", True),
    "first": ("first", "rows", "The first explanation", True),
    "memory": ("memory", "rows", "Memory", True),
    "bulk": ("bulk", "rows", "An archive of 2048 x 2048", True),
    "quadrature": ("quadrature", "rows", "Integrated gradients on trained models", False),
}


def main() -> None:
    """Run one section here, or several in processes of their own."""
    options = _options()
    wanted = options.sections or [*SECTIONS]
    if len(wanted) == 1:
        _run(wanted[0], options)
        return
    print(f"{os.cpu_count()} cores, {options.rounds} rounds, input {options.side}", flush=True)
    rest = ["--side", str(options.side), "--rounds", str(options.rounds)]
    for section in wanted:
        models = options.models if SECTIONS[section][3] else options.models[:1]
        for model in models:
            command = [sys.executable, __file__, section, *rest, "--models", model]
            subprocess.run(command, check=False)  # noqa: S603


def _run(section: str, options: argparse.Namespace) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module, function, title, each = SECTIONS[section]
    rows = getattr(importlib.import_module(module), function)
    for model in options.models if each else options.models[:1]:
        heading = f"{title}: {model}, {options.side} x {options.side}" if each else title
        found = rows(model, options.side, options.rounds) if each else rows(options.rounds)
        for line in table(heading, found):
            print(line, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], default=[])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=11)
    return parser.parse_args()


if __name__ == "__main__":
    main()
