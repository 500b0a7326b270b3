"""What is the same for all results of a run: the questions, and how answers are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, final

from saliency.archive.objects import DICOM
from saliency.errors import InputError
from saliency.pipeline.description import digest_of
from saliency.pipeline.explain import versions
from saliency.values.trust import TrustByRecipe


@final
@dataclass(frozen=True, eq=False)
class Question:
    """One explainer and one target.

    Parameters
    ----------
    method
        What the user calls the explainer.
    recipe
        The explainer.
    target
        A class index, a label, None for the predicted class, or a callable.
    """

    method: str
    recipe: Any
    target: Any = None


@final
@dataclass(frozen=True, eq=False)
class Job:
    """A run over an archive.

    Parameters
    ----------
    probe
        The model.
    questions
        All are asked about each frame.
    out
        Folder of the results.
    prepare
        How an image becomes the model's input.
    forms
        Endings of the files of each result, without a dot.
    look
        Arguments of ``Explanation.overlay``.
    caption
        PNGs have a band with the caption.
    figure
        There is also a figure of image, map and overlay.
    anonymous
        No name of a file is kept.
    overwrite
        What is there is explained again.
    batch_size
        Images that the model sees at once.
    store
        Where DICOM objects of each result are stored: the URL of a DICOMweb service, ``"source"``
        for the one that the image came from, or ``""``.
    max_failures
        The run stops when so many frames failed; None: never.
    trust
        What an evaluation of the model says of the explainers.
    """

    probe: Any
    questions: tuple[Question, ...]
    out: Path
    prepare: Any = None
    forms: tuple[str, ...] = ("png",)
    look: Mapping[str, Any] = field(default_factory=dict)
    caption: bool = True
    figure: bool = False
    anonymous: bool = False
    overwrite: bool = False
    batch_size: int = 8
    store: str = ""
    max_failures: int | None = None
    trust: TrustByRecipe | None = None

    @property
    def makes_objects(self) -> bool:
        """There are DICOM objects of each result, to keep or to store."""
        return DICOM in self.forms or bool(self.store)

    @cached_property
    def _asked(self) -> dict[Question, str]:
        """What tells each question to the model from others; "" where that cannot be told."""
        told: dict[Question, str] = {}
        for question in self.questions:
            parts = (
                question.method,
                question.recipe,
                question.target,
                self.prepare,
                versions(),
            )
            try:
                told[question] = digest_of((self._model, *parts)).hex()
            except InputError:
                told[question] = ""
        return told

    @cached_property
    def _model(self) -> bytes:
        return digest_of(self.probe)

    @cached_property
    def _kept_as(self) -> str:
        """What tells one way of keeping answers from others."""
        look = (dict(self.look), self.forms, self.caption, self.figure)
        more = [each for each in (self.store, self.trust) if each]
        return digest_of((*look, *more)).hex()

    def settled(self) -> "Job":
        """Return the job, its digests worked out: they are the same in every process then."""
        for question in self.questions:
            self.key(question, "")
        return self

    def key(self, question: Question, identity: str) -> str:
        """Return what tells the answer about an image from others, for its name."""
        return sha256(f"{self._asked[question]} {identity}".encode()).hexdigest()

    def name_of_objects(self, question: Question, identity: str) -> str:
        """Return what tells DICOM objects of a result from others; "" where that cannot be told."""
        if not self._asked[question]:
            return ""
        look = digest_of(dict(self.look)).hex()
        return sha256(f"{self.key(question, identity)} {look}".encode()).hexdigest()

    def record(self, question: Question, identity: str) -> str:
        """Return what tells a result from others, with its look; "" where that cannot be told."""
        if not self._asked[question]:
            return ""
        return sha256(
            f"{self.key(question, identity)} {self._kept_as}".encode()
        ).hexdigest()

    def stamp(self, question: Question, mark: bytes) -> str:
        """Return what tells a result without reading the file; "" where that cannot be told.

        A hash of a path can be guessed: an anonymous run keeps none.
        """
        if not (self._asked[question] and mark) or self.anonymous:
            return ""
        return sha256(
            f"{self._asked[question]} {self._kept_as}".encode() + mark
        ).hexdigest()
