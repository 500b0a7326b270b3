"""``saliency transplant``."""

import argparse
from pathlib import Path
from typing import Any, Final

from saliency.cli.codes import DONE, FAILED
from saliency.cli.hosts import hosts_in, transplant_lines
from saliency.cli.options import (
    add_prepare,
    add_verb,
    check_model,
    check_target,
    model_of,
    named,
    names,
    prepare_of,
    target,
)
from saliency.cli.quiet import start_tensorflow
from saliency.cli.say import say_error
from saliency.cli.sources import files_of
from saliency.errors import InputError

_HOSTS: Final = "files without the zone, or folders; those that have it are left out"


def add_transplant(commands: Any) -> None:
    """Add the verb."""
    purpose = (
        "put a zone of one picture into others, and see whether their score follows"
    )
    command = add_verb(commands, "transplant", purpose, transplant_command)
    command.add_argument("model", metavar="MODEL", help="a Keras model: .keras or .h5")
    command.add_argument(
        "donor", metavar="DONOR", type=Path, help="the DICOM file with the zone"
    )
    command.add_argument("dicom", metavar="DICOM", nargs="+", help=_HOSTS)
    command.add_argument(
        "--zone", default="text", help="text, marker, border, ...; default: text"
    )
    command.add_argument(
        "--most", type=int, default=16, help="files that it is put into; 16"
    )
    command.add_argument("--classes", type=names, help="class names, comma-separated")
    command.add_argument(
        "--target", type=target, help="class index or name; default: predicted"
    )
    command.add_argument(
        "--controls", type=int, default=19, help="places elsewhere; default: 19"
    )
    command.add_argument("--seed", type=int, default=0)
    add_prepare(command)


def transplant_command(options: argparse.Namespace) -> int:
    """Put the zone into the others, print what follows; return the exit code."""
    check_model(options.model, (options.donor, *options.dicom))
    check_target((options.target,), options.classes, "--classes")
    if not options.donor.is_file():
        msg = f"{options.donor}: expected a DICOM file, the picture that has the zone."
        raise InputError(msg)
    start_tensorflow()
    from saliency.audit.exchange.transplant import transplant as exchange

    hosts = hosts_in(files_of(options, options.dicom), options.zone, options.most)
    probe, prepare = model_of(options.model, options.classes), prepare_of(options)
    with named(options.donor, "audit", "transplant"):
        found = exchange(
            probe,
            options.donor,
            options.zone,
            hosts.images,
            target=options.target,
            prepare=prepare,
            controls=options.controls,
            seed=options.seed,
        )
    for line in transplant_lines(found):
        print(line)
    if hosts.having:
        print(f"left out: {hosts.having} with a zone {options.zone!r} of their own")
    for failure in hosts.failures:
        say_error(failure)
    return FAILED if hosts.failures else DONE
