"""The same verbs for a shell.

Parsing, help and usage errors import no TensorFlow. Results go to standard output; progress, notes
and errors to standard error. Exit codes are in :mod:`saliency.cli.codes`.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn, final

import saliency as sal
from saliency.cli.audit import add_audit
from saliency.cli.codes import ALL_FAILED, DONE, FAILED, INTERRUPTED, NOTHING, USAGE
from saliency.cli.demo import add_demo
from saliency.cli.evaluate import add_evaluate
from saliency.cli.explain import add_explain
from saliency.cli.explainers import add_explainers
from saliency.cli.export import add_export
from saliency.cli.info import add_info
from saliency.cli.options import options_joined, repeated
from saliency.cli.say import notes, say_error, words_of
from saliency.cli.slide import add_slide
from saliency.cli.transplant import add_transplant
from saliency.cli.volume import add_volume
from saliency.errors import SaliencyError

__all__ = [
    "ALL_FAILED",
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "NOTHING",
    "USAGE",
    "main",
    "parser",
]

_OPTIONS: Final = {
    **{
        name: f"--{name}"
        for name in (
            "target",
            "out",
            "save",
            "frames",
            "part",
            "engine",
            "workers",
            "store",
        )
    },
    "explainer": "--method",
}
"""Words that messages of the library begin with, and the options that they are about."""
_CODES = (
    "exit codes: 0 all done; 1 some files failed, a result could not be written, or a wrong value; "
    "2 usage; 3 no DICOM image found; 4 all files failed; 130 interrupted"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # TensorFlow tells of missing GPUs at length; its C++ side reads this when it is loaded.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    debug = "--debug" in given
    if isinstance(
        sys.stdout, io.TextIOWrapper
    ):  # a file name that is no UTF-8 is shown escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        given = repeated(given)
        options = parser().parse_args(options_joined(given))
        options.arguments = given[1:]
        with notes(options):
            code: int = options.run(options)
        sys.stdout.flush()
    except SaliencyError as error:
        if debug:
            raise
        return say_error(_with_option(str(error)), code=_exit_code(error))
    except BrokenPipeError:
        # The reader of our output went away (| head): what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        if debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return say_error(f"{where}{words_of(error)}")
    except KeyboardInterrupt:
        return say_error("stopped; what was written is whole", code=INTERRUPTED)
    return code


@final
class _Parser(argparse.ArgumentParser):
    """Tells of a wrong option in one line: the list of all options would push it out of sight."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"saliency: error: {message}; see: {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = _Parser(
        prog="saliency",
        description="Which pixels of a DICOM image does a Keras model look at?",
        epilog=f"A heat map is not a diagnosis. {_CODES}.",
    )
    root.add_argument(
        "--version", action="version", version=f"dicom-saliency {sal.__version__}"
    )
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    verbs = (
        add_explain,
        add_audit,
        add_evaluate,
        add_transplant,
        add_volume,
        add_slide,
        add_export,
        add_info,
        add_explainers,
        add_demo,
    )
    for add_to in verbs:
        add_to(commands)
    return root


def _with_option(message: str) -> str:
    """Return a message about an argument of Python as one about the option that sets it."""
    name = message.partition(":")[0]
    return f"{_OPTIONS[name]}{message[len(name) :]}" if name in _OPTIONS else message


def _exit_code(error: SaliencyError) -> int:
    from saliency.pipeline.files import AllFailedError, NothingFoundError

    if isinstance(error, NothingFoundError):
        return NOTHING
    return ALL_FAILED if isinstance(error, AllFailedError) else FAILED
