"""Maps while a model learns: what it looks at, epoch by epoch."""

import csv
import io
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any, final

import keras
import numpy as np

from saliency.errors import InputError, SaliencyError
from saliency.pipeline.explain import Explainer, as_image, bound, probe_of
from saliency.pipeline.explain_many import explain_many
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.files import sources_in
from saliency.pipeline.prepare import Prepare
from saliency.probe.protocol import Target
from saliency.values.failure import Failure
from saliency.values.files import make_folder, write_whole
from saliency.values.image import DicomImage

TABLE = "epochs.csv"
"""Name of the table of all epochs, a row an image."""


@final
@dataclass(frozen=True)
class EpochRow:
    """One image after one epoch.

    Parameters
    ----------
    epoch
        Counted from 1.
    digest, frame
        Of the image.
    target, label, probability, score, outside
        As in an Explanation; None where it could not be explained.
    error
        Why not; "" where it could.
    """

    epoch: int
    digest: str
    frame: int
    target: int | str | None = None
    label: str | None = None
    probability: float | None = None
    score: float | None = None
    outside: float | None = None
    error: str = ""


@final
class ExplainCallback(keras.callbacks.Callback):  # type: ignore[misc] # Keras ships no types
    """Explain the same images after every epoch of ``model.fit``.

    The model is asked in inference mode and never changed: training goes as it would without. It
    is compiled for questions once; later epochs ask the same graph about new weights.

    Parameters
    ----------
    images
        As for :func:`saliency.explain_many`: few, since they are explained over and over. Read
        when training begins, and kept.
    every
        Explain after each epoch whose number, from 1, it divides.
    out
        A folder, made where it is missing: ``epoch-0003/DIGEST-FRAME.png`` for each image, the
        overlay with its caption, and ``epochs.csv``, a row an image and epoch. None: nothing is
        written.
    explainer, target, prepare
        As for :func:`saliency.explain`. ``prepare``: the one that the model is trained with.

    Attributes
    ----------
    rows
        ``EpochRow`` of each image and epoch explained so far.
    results
        Explanations of the last explained epoch; a Failure where there is none.

    Raises
    ------
    InputError
        ``every`` is less than 1.
    SaliencyError
        When training begins: an image cannot be read, or the target is none of the model's. Later
        an image that cannot be explained costs a row and a line in the log, never the training.

    Examples
    --------
    >>> maps = sal.ExplainCallback("validation/", every=5, out="maps")  # doctest: +SKIP
    >>> model.fit(examples.batch(32), epochs=50, shuffle=False, callbacks=[maps])
    >>> maps.outside
    {5: 0.08, 10: 0.21, ...}
    """

    def __init__(
        self,
        images: object,
        every: int = 1,
        out: str | PathLike[str] | None = None,
        *,
        explainer: Explainer = "fastcam",
        target: Target = None,
        prepare: Prepare | Callable[..., Any] | None = None,
    ) -> None:
        super().__init__()
        if (
            isinstance(every, bool)
            or not isinstance(every, int | np.integer)
            or every < 1
        ):
            msg = f"ExplainCallback: expected every to be 1 or more epochs, got {every!r}."
            raise InputError(msg)
        self.images = images
        self.every = every
        self.out = None if out is None else Path(out)
        self.explainer = explainer
        self.target = target
        self.prepare = prepare
        self.rows: list[EpochRow] = []
        self.results: tuple[Explanation | Failure, ...] = ()
        self._probe: Any = None
        self._read: list[DicomImage] = []

    @property
    def outside(self) -> dict[int, float]:
        """Mean share of heat outside the diagnostic pixels, by epoch: a shortcut makes it grow.

        Only of images in which something was looked for; NaN where there is none.
        """
        by_epoch: dict[int, list[float]] = {}
        for row in self.rows:
            shares = by_epoch.setdefault(row.epoch, [])
            if row.outside is not None:
                shares.append(row.outside)
        return {
            epoch: float(np.mean(shares)) if shares else float("nan")
            for epoch, shares in by_epoch.items()
        }

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Read the images, and ask what can be asked before the first epoch."""
        self._read = [
            _image(number, each) for number, each in enumerate(sources_in(self.images))
        ]
        self._probe = None
        if self.model.built:
            self._asked()
        if self.out is not None:
            make_folder(self.out, "ExplainCallback")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Explain, where this epoch's turn has come."""
        number = epoch + 1
        if number % self.every:
            return
        self.results = tuple(
            explain_many(
                self._asked(),
                self._read,
                self.explainer,
                target=self.target,
                prepare=self.prepare,
            )
        )
        self.rows += [
            _row(number, image, result)
            for image, result in zip(self._read, self.results, strict=True)
        ]
        self._tell(number)
        if self.out is not None:
            self._write(self.out, number)

    def _asked(self) -> Any:
        """Return the probe: compiled when it is first asked for, then kept."""
        if self._probe is None:
            self._probe = probe_of(self.model)
            bound(
                self._probe, self.target
            )  # a wrong target is told before the first epoch
        return self._probe

    def _tell(self, epoch: int) -> None:
        failures = [result for result in self.results if isinstance(result, Failure)]
        if failures:
            logging.getLogger("saliency.training").warning(
                "ExplainCallback: after epoch %d, %d of %d images could not be explained; the "
                "first: %s",
                *(epoch, len(failures), len(self.results), failures[0].message),
            )

    def _write(self, out: Path, epoch: int) -> None:
        folder = out / f"epoch-{epoch:04d}"
        make_folder(folder, "ExplainCallback")
        for result in self.results:
            if isinstance(result, Explanation):
                image = result.image
                result.save(folder / f"{image.digest[:16]}-{image.frame}.png")
        page = io.StringIO(newline="")
        writer = csv.DictWriter(page, [field.name for field in fields(EpochRow)])
        writer.writeheader()
        writer.writerows(map(asdict, self.rows))
        write_whole(out / TABLE, page.getvalue().encode())


def _image(number: int, source: object) -> DicomImage:
    try:
        return as_image(source)
    except SaliencyError as error:
        name = source if isinstance(source, str | PathLike) else f"image {number}"
        msg = f"ExplainCallback: {name}: {error}"
        raise InputError(msg) from error


def _row(epoch: int, image: DicomImage, result: Explanation | Failure) -> EpochRow:
    if isinstance(result, Failure):
        return EpochRow(epoch, image.digest, image.frame, error=result.message)
    told = ("target", "label", "probability", "score", "outside")
    return EpochRow(
        epoch,
        image.digest,
        image.frame,
        **{name: getattr(result, name) for name in told},
    )
