"""Where a run over a slide keeps what it found, and what tells one question from another."""

import logging
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, final

from saliency.errors import InputError
from saliency.pipeline.checkpoint import State
from saliency.pipeline.description import digest_of
from saliency.pipeline.explain import versions
from saliency.probe.protocol import Target
from saliency.slides.explain_run import SlideProgress, Tell, TileQuestion, run
from saliency.slides.explain_setup import Setting, Tiling
from saliency.values.files import make_folder

#: Name of the file that keeps what was found, in the folder of results.
KEPT: Final = "tiles.sqlite"


@final
@dataclass(frozen=True)
class Running:
    """How tiles are asked about, and where answers are kept, as :func:`explain_slide` is told."""

    batch_size: int
    out: str | PathLike[str] | None
    resume: bool
    tell: Tell

    def ask(
        self, question: TileQuestion, given: Setting, asked: Any
    ) -> dict[str, float]:
        """Ask about every tile that no earlier run has kept; return seconds by stage.

        ``asked`` tells the question from others, as for :func:`key_of`; where it cannot be told,
        nothing can be kept.
        """
        if self.out is None:
            return run(question, given, State(None), self.batch_size, self.tell)
        path = made_folder(Path(self.out)) / KEPT
        if not self.resume:
            path.unlink(missing_ok=True)
        with State(path, key_of(given, asked), "slide") as state:
            return run(question, given, state, self.batch_size, self.tell)


@final
@dataclass(frozen=True, eq=False)
class SlideRequest:
    """What :func:`explain_slide` is asked, besides which model, slide and method."""

    target: Target
    tiling: Tiling
    running: Running
    cutoff: float


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
    make_folder(folder)
    return folder


def key_of(given: Setting, asked: Any) -> str:
    """Return what tells a question from others: of which slide, and ``asked``, of which model.

    Two slides may look alike in a thumbnail: their files have other SOP Instance UIDs.
    """
    slide, grid = given.slide, given.grid
    decisive = (
        asked,
        given.made_by,
        (slide.digest, given.read.slide.instances),
        (slide.spacing, slide.tissue),
        (grid.tile, grid.cell, grid.overlap, grid.halo, grid.stride),
        versions(),
    )
    return digest_of(decisive).hex()
