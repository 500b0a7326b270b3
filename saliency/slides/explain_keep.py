"""Where a run over a slide keeps what it found, and what tells one question from another."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from saliency.errors import InputError
from saliency.pipeline.checkpoint import State
from saliency.pipeline.description import digest_of
from saliency.pipeline.explain import versions
from saliency.slides.explain_run import SlideProgress
from saliency.slides.explain_setup import Setting

#: Name of the file that keeps what was found, in the folder of results.
KEPT: Final = "tiles.sqlite"


def silent(progress: SlideProgress) -> None:
    """Tell nobody but the log."""
    logging.getLogger("saliency.slides").debug("%s", progress)


def made_folder(folder: Path) -> Path:
    """Return a folder for results; it is made where it is not there.

    Raises
    ------
    InputError
        It is a file, or its parent is missing.
    """
    if folder.is_file() or not folder.absolute().parent.is_dir():
        msg = "out: expected a folder, or a name for one in a folder that exists."
        raise InputError(msg)
    folder.mkdir(exist_ok=True)
    return folder


def state_in(folder: Path | None, key: Callable[[], str], *, resume: bool) -> State:
    """Open what an earlier run has kept in a folder for the same question; None: keep nothing."""
    if folder is None:
        return State(None)
    path = folder / KEPT
    if not resume:
        path.unlink(missing_ok=True)
    return State(path, key(), "slide")


def key_of(given: Setting, overlap: float, asked: Any) -> str:
    """Return what tells a question from others: of which slide, and ``asked``, of which model."""
    slide = given.slide
    told = (
        asked,
        given.made_by,
        (slide.digest, slide.spacing, slide.tissue),
        (given.grid.tile, given.grid.cell, overlap),
        versions(),
    )
    return digest_of(told).hex()
