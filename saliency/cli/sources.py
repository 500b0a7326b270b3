"""Which files a command is about."""

import argparse
from collections.abc import Sequence
from typing import Any

from saliency.cli.say import say
from saliency.errors import InputError


def files_of(options: argparse.Namespace, sources: Sequence[Any]) -> Sequence[Any]:
    """Return the pictures of the sources; say what was left out.

    Raises
    ------
    InputError
        A source does not exist; or none holds a picture.
    """
    from saliency.pipeline.files import NothingFoundError, exists, listing

    for source in sources:
        if not str(source) or not exists(str(source)):
            msg = f"{source or repr(source)}: no such file or folder."
            raise InputError(msg)
    try:
        found = listing(sources)
    except NothingFoundError as error:
        others = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        msg = f"{sources[0]}{others}: {error}"
        raise NothingFoundError(msg) from error
    if found.remark:
        say(options, found.remark)
    return found.files
