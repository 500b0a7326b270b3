"""No identifying text of a real file is in anything that is made of it."""

import base64
import json
import logging
import pickle
import pickletools
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tensorflow as tf
from dicom.test_privacy import identifying, said
from shared import ROOT, shared

import saliency as sal
from saliency.errors import SaliencyError

PROBE = sal.ClosedFormProbe(lambda x: tf.reduce_sum(x**2, (1, 2, 3)), lambda x: 2 * x)
PREPARE = sal.Prepare((64, 64), channels=3)


def words_of(path: Path) -> set[str]:
    """Return every identifying text of a file; none where pydicom cannot read it.

    Short numbers (times, counters) are left out: they turn up in any list of numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            words = identifying(
                pydicom.dcmread(path, force=True, stop_before_pixels=True)
            )
        except Exception:  # noqa: BLE001  pydicom cannot read all that we can
            return set()
    return {
        word for word in words if len(word) >= 8 or not word.replace(".", "").isdigit()
    }


def outputs(path: Path, folder: Path) -> str:
    """Explain a file, and return every text in all that comes of it."""
    result = sal.explain(PROBE, path, sal.Gradient(), prepare=PREPARE)
    overlay = result.overlay()
    saved = overlay.save(folder / "overlay.png").read_bytes()
    numbers = result.save(folder / "numbers.npz")
    shown = [result, result.image, overlay]
    texts = [said(result.image), *map(repr, shown), repr(dict(result.versions))]
    bundles = [each._repr_mimebundle_() for each in shown]
    texts += [repr(bundle["text/plain"]) for bundle in bundles]
    texts += [file.name for file in folder.iterdir()]
    pictures = [saved, *(bundle["image/png"] for bundle in bundles)]
    texts += [repr(chunks(raw)) for raw in pictures]
    texts += [archived(numbers), repr(strings(pickle.dumps(result)))]
    return " ".join(texts)


def archived(path: Path) -> str:
    """Return every text of an NPZ: names and comments of its members, and arrays of text."""
    with zipfile.ZipFile(path) as whole, np.load(path) as arrays:
        notes = [
            whole.comment,
            *(m.comment + m.extra for m in whole.infolist()),
            *arrays.files,
        ]
        texts = [
            arrays[name].tolist()
            for name in arrays.files
            if arrays[name].dtype.kind in "USO"
        ]
    return repr([notes, texts])


def chunks(raw: bytes | str) -> list[bytes]:
    """Return the chunks of a PNG but for its pixels (ISO/IEC 15948, 5.3)."""
    data, found, at = raw if isinstance(raw, bytes) else base64.b64decode(raw), [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] != b"IDAT":
            found.append(data[at + 4 : at + 8 + length])
        at += 12 + length
    return found


def strings(raw: bytes) -> list[object]:
    """Return what a pickle holds but for the bytes of arrays."""
    return [
        argument
        for _, argument, _ in pickletools.genops(raw)
        if isinstance(argument, str)
    ]


def test_nothing_made_of_a_real_file_names_its_patient(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of each corpus file: reprs, PNG with its chunks, NPZ, pickle, notebook form, log, errors."""
    paths = sorted(ROOT.glob("corpus/corpus/*.dcm")) or [shared("corpus")]
    found, searched = [], 0
    for path in paths:
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            try:
                made = outputs(path, tmp_path)
            except SaliencyError as error:
                made = f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"
        made += "".join(note.getMessage() for note in caplog.records)
        words = words_of(path)
        searched += len(words)
        found += [path.name for word in words if word in made]

    assert not found
    assert searched > 1000


def test_no_report_names_a_patient(tmp_path: Path) -> None:
    """An audit of real files under names of patients: neither page nor JSON says one of theirs."""
    folder = tmp_path / "in"
    folder.mkdir()
    words = {"SMITH"}
    paths = [
        p
        for p in sorted(ROOT.glob("corpus/corpus/*.dcm"))
        if p.stat().st_size < 100_000
    ]
    for k, path in enumerate(paths[:24] or [shared("corpus")]):
        (folder / f"SMITH^JOHN{k}.dcm").write_bytes(path.read_bytes())
        words |= words_of(path)

    report = sal.audit(PROBE, folder, prepare=PREPARE)
    report.save(tmp_path / "out")

    files = sorted((tmp_path / "out").iterdir())
    made = " ".join(
        [repr(report), report._repr_html_(), *(file.read_text() for file in files)]
    )
    made += " ".join(file.name for file in files) + json.dumps(report.to_dict())
    assert len(words) > 20
    assert not [word for word in words if word in made]
