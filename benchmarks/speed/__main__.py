"""Print the table of what this library costs, in units of the model's own forward pass.

``python benchmarks/speed [section ...] [--models DenseNet121 ...] [--side 224] [--rounds 11]
[--write]``

The unit F is one compiled forward pass of the same model, size and batch, timed in turns with
what is judged. The median over the rounds counts, by processor time, since other work on the
machine cannot be kept away. Every section runs in a process of its own. ``--write`` puts the
tables of the sections that ran into benchmarks/speed.md, and leaves the others there.
"""

import argparse
import importlib
import os
import subprocess
import sys

import page
from clock import table

MODELS = ("DenseNet121", "ResNet50", "MobileNetV2")

#: Height and width in the section of that name.
LARGE = 512

#: Sections by name: the module, its function, its title, how many models have a table of it.
SECTIONS = {
    "imports": ("again", "imports", "Import", 0),
    "again": ("again", "rows", "The second picture of a small model", 0),
    "around": ("around", "rows", "Besides the model, on 2048 x 2048", 0),
    "passes": ("passes", "rows", "Explainers", 3),
    "large": ("passes", "large", "Explainers", 3),
    "first": ("first", "rows", "The first explanation", 3),
    "memory": ("memory", "rows", "Memory", 1),
    "bulk": ("bulk", "rows", "An archive of 2048 x 2048", 1),
    "accelerator": ("accelerator", "rows", "On the device at hand", 3),
    "quadrature": ("quadrature", "rows", "Integrated gradients on trained models", 0),
}


def main() -> None:
    """Run one section here, or several in processes of their own."""
    options = _options()
    wanted = options.sections or [each for each in SECTIONS if each != "accelerator"]
    if len(wanted) == 1 and len(_models(wanted[0], options)) == 1:
        _run(wanted[0], options)
        return
    print(page.machine(), flush=True)
    rest = ["--side", str(options.side), "--rounds", str(options.rounds)]
    rest += ["--write"] if options.write else []
    for section in wanted:
        for model in _models(section, options):
            command = [sys.executable, __file__, section, *rest, "--models", model]
            subprocess.run(command, check=False)


def _run(section: str, options: argparse.Namespace) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module, function, title, each = SECTIONS[section]
    rows = getattr(importlib.import_module(module), function)
    model, side = (
        _models(section, options)[0],
        LARGE if section == "large" else options.side,
    )
    heading = f"{title}: {model}, {side} x {side}" if each else title
    found = rows(model, side, options.rounds) if each else rows(options.rounds)
    lines = [page.machine()]
    for line in table(heading, found):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        page.put(
            f"{section} {model} {side}" if each else section, [*lines[1:], "", lines[0]]
        )


def _models(section: str, options: argparse.Namespace) -> list[str]:
    return options.models[: SECTIONS[section][3] or 1]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], default=[])
    parser.add_argument("--models", nargs="+", default=[*MODELS])
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
