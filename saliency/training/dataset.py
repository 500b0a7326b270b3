"""DICOM files as a tf.data.Dataset: the pixels that ``explain`` would show the model."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Final, Literal, TypeAlias

import tensorflow as tf

from saliency.errors import InputError
from saliency.pipeline.files import File, listing, tell_left_out
from saliency.pipeline.prepare import Prepare
from saliency.pipeline.preparing import preparation
from saliency.training.examples import ExampleReader, Shape
from saliency.training.labels import labels_by_file, stacked_labels
from saliency.values.arrays import Array
from saliency.values.image import DicomImage

Sources: TypeAlias = str | PathLike[str] | Sequence[str | PathLike[str]]
Told: TypeAlias = Callable[[str, Exception], None]

#: Examples among which one is drawn where frames are shuffled: numbers, not pixels.
_DRAWN_FROM: Final = 16384


def tf_dataset(  # noqa: PLR0913 - which files, which labels, in which order
    sources: Sources,
    *,
    prepare: Prepare | Callable[[DicomImage], Any],
    labels: Mapping[Any, Any] | str | PathLike[str] | None = None,
    column: str = "label",
    classes: Sequence[str] | None = None,
    frames: Literal["first", "all"] = "first",
    errors: Literal["raise", "skip"] | Told = "raise",
    seed: int | None = None,
    deterministic: bool = True,
) -> tf.data.Dataset:
    """Stream DICOM files to a model in training, prepared as ``explain`` prepares them.

    Parameters
    ----------
    sources
        A file, folder, glob, zip, DICOMDIR or URL, or a sequence of them: the images in it, each
        once. They are looked for now and read when their turn comes.
    prepare
        As for :func:`saliency.explain`; hand the same one to it later. Where it leaves size or
        channels open, the first image that can be read decides.
    labels
        A mapping from path to label, or the path of a CSV file whose first column names the files.
        Paths are compared from their ends, so names will do. A label is a number or an array; all
        frames of a file share it.
    column
        Of the labels in the CSV file, in any case of letters.
    classes
        Names of the classes in the order of the model's outputs: labels that are text become
        indices.
    frames
        ``"first"``: one example a file. ``"all"``: one a frame, in order.
    errors
        ``"raise"``: TensorFlow stops at the file with its own error, whose text holds the name of
        the file as given and our sentence. ``"skip"``: what cannot be read or prepared is left out,
        and so are files without a label; each pass logs how many and why. A function
        ``(file, error) -> None``: skipped, and the function is told.
    seed
        None: the order of the sources. An integer: another order in each pass, drawn from it;
        numbers are shuffled, not pixels, so no image waits in memory.
    deterministic
        False: whichever example is ready goes first, which is faster where files differ much.

    Returns
    -------
    tf.data.Dataset
        Of (input, label), or of input where there are no labels: input float32 (H, W, C), label
        int64 or float32 (...). Shapes are static. Files are decoded on all cores, and a few
        examples ahead. Where nothing is skipped and frames is ``"first"``, its length is known.

    Raises
    ------
    InputError
        A source does not exist or holds no image; labels do not fit or, with ``errors="raise"``,
        are missing; no image can be read; an argument is none of those above.
    SaliencyError
        With ``errors="raise"``: the first image cannot be read, and is needed for the shape.

    Examples
    --------
    >>> prepare = sal.Prepare((224, 224), channels=3)  # doctest: +SKIP
    >>> examples = sal.tf_dataset("train/", prepare=prepare, labels="labels.csv", seed=0)
    >>> model.fit(examples.batch(32), epochs=10, shuffle=False)
    >>> sal.explain(model, "test/1.dcm", prepare=prepare)
    """
    _check_choices(frames, errors)
    skip = errors != "raise"
    files, given = _labelled_files(
        _files_in(sources), labels, column, classes, skip=skip
    )
    reader = ExampleReader(
        files,
        given,
        preparation(prepare),
        skip=skip,
        tell=errors if callable(errors) else None,
    )
    return _streamed(reader, frames, seed, deterministic=deterministic)


def _streamed(
    reader: ExampleReader, frames: str, seed: int | None, *, deterministic: bool
) -> tf.data.Dataset:
    """Turn numbers of files into runs of frames, and these into examples."""
    shape = reader.shape
    cores = os.cpu_count() or 1
    count = len(reader.files)
    numbers = tf.data.Dataset.range(count)
    if seed is not None:
        numbers = numbers.shuffle(count, seed=seed)

    def runs_of(number: Any) -> Any:
        found = tf.numpy_function(
            lambda file: reader.runs(int(file), apart=seed is not None),
            [number],
            tf.int64,
        )
        return tf.ensure_shape(found, (None, 3))

    def examples_of(run: Any) -> Any:
        kinds = (
            tf.float32 if reader.labels is None else (tf.float32, reader.labels.dtype)
        )
        return _shaped(tf.numpy_function(reader.examples, [run], kinds), shape, reader)

    if frames == "first":
        runs = numbers.map(lambda number: tf.stack([number, 0, 1]))
    else:
        runs = numbers.map(runs_of, cores, deterministic=deterministic).unbatch()
        if seed is not None:
            runs = runs.shuffle(_DRAWN_FROM, seed=seed)
    examples = runs.map(examples_of, cores, deterministic=deterministic).unbatch()
    if reader.skip:
        examples = examples.concatenate(_report(reader, shape))
    elif frames == "first":
        examples = examples.apply(tf.data.experimental.assert_cardinality(count))
    return examples.prefetch(2 * cores)


def _report(reader: ExampleReader, shape: Shape) -> tf.data.Dataset:
    """Return a dataset without an example, whose turn comes when a pass has ended."""

    def told(_: Any) -> Any:
        kinds = (
            tf.float32 if reader.labels is None else (tf.float32, reader.labels.dtype)
        )
        return _shaped(tf.numpy_function(reader.report, [], kinds), shape, reader)

    return tf.data.Dataset.range(1).map(told).unbatch()


def _shaped(found: Any, shape: Shape, reader: ExampleReader) -> Any:
    """Tell TensorFlow the shape of what a Python function returned."""
    if reader.labels is None:
        return tf.ensure_shape(found, (None, *shape))
    inputs, labels = found
    own = reader.labels.shape[1:]
    return tf.ensure_shape(inputs, (None, *shape)), tf.ensure_shape(
        labels, (None, *own)
    )


def _labelled_files(
    files: tuple[File, ...],
    labels: Any,
    column: str,
    classes: Sequence[str] | None,
    *,
    skip: bool,
) -> tuple[tuple[File, ...], Array | None]:
    """Return the files that have a label, and these labels."""
    if labels is None:
        return files, None
    given = labels_by_file(labels, files, column, classes)
    without = [file for file, label in zip(files, given, strict=True) if label is None]
    if without and not skip:
        msg = (
            f"tf_dataset: {len(without)} of {len(files)} files have no label; the first is "
            f"{without[0]}. With errors='skip' they are left out."
        )
        raise InputError(msg)
    if without:
        logging.getLogger("saliency.training").warning(
            "tf_dataset: %d of %d files have no label and are left out.",
            len(without),
            len(files),
        )
    kept = [
        (file, label)
        for file, label in zip(files, given, strict=True)
        if label is not None
    ]
    return tuple(file for file, _ in kept), stacked_labels([label for _, label in kept])


def _check_choices(frames: object, errors: object) -> None:
    if frames not in ("first", "all"):
        msg = f"tf_dataset: expected frames to be 'first' or 'all', got {frames!r}."
        raise InputError(msg)
    if errors not in ("raise", "skip") and not callable(errors):
        msg = f"tf_dataset: expected errors to be 'raise', 'skip' or a function, got {errors!r}."
        raise InputError(msg)


def _files_in(sources: Any) -> tuple[File, ...]:
    if isinstance(sources, str | PathLike):
        sources = (sources,)
    given = sources if isinstance(sources, Sequence) else ()
    if not given or not all(isinstance(source, str | PathLike) for source in given):
        msg = (
            "tf_dataset: expected a path, or a sequence of paths, of files, folders, globs or "
            f"zips, got {_kinds(sources)}."
        )
        raise InputError(msg)
    found = listing(given)
    tell_left_out("tf_dataset", found.left_out)
    return found.files


def _kinds(sources: Any) -> str:
    if isinstance(sources, Sequence) and not isinstance(sources, bytes):
        return (
            ", ".join(sorted({type(source).__name__ for source in sources})) or "none"
        )
    return type(sources).__name__
