"""Run by test_dicomweb_urls.py beside an Orthanc: a study's URL as the source of every verb."""

import contextlib
import copy
import io
import json
import logging
import sys
from pathlib import Path

import keras
import numpy as np
import pydicom
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

import saliency as sal
from saliency.cli.main import main as shell
from saliency.export.dicomweb import Archive

URL = "http://127.0.0.1:18042/dicom-web"


def slices() -> list[pydicom.Dataset]:
    """Return three slices of one series, each of other pixels."""
    source = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    made = []
    for number in range(3):
        each = copy.deepcopy(source)
        each.SOPInstanceUID = each.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        each.InstanceNumber = 3 - number
        each.ImagePositionPatient = [0, 0, 5 * number]
        each.PixelData = np.roll(source.pixel_array, 9 * number, axis=1).tobytes()
        made.append(each)
    return made


def small_model() -> keras.Model:
    """Return a grey model with two classes."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((16, 16, 1)),
        keras.layers.Conv2D(3, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    return keras.Sequential(layers)


def main() -> None:
    """Store a series; explain it by its URLs; store what comes of it."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    archive = Archive(URL)
    made = slices()
    archive.store(made)
    study = f"{URL}/studies/{made[0].StudyInstanceUID}"
    series = f"{study}/series/{made[0].SeriesInstanceUID}"
    instance = f"{series}/instances/{made[1].SOPInstanceUID}"
    small_model().save("model.keras")
    probe = sal.KerasProbe("model.keras")
    digests = [sal.read_dicom(each).digest for each in made]
    said = {"one": sal.explain(probe, instance, "gradient").image.digest == digests[1]}
    for name, source in (("study", study), ("series", series)):
        found = sal.explain_many(probe, source, "gradient")
        said[name] = [digests.index(each.image.digest) for each in found]
    read = [*archive.read(study=str(made[0].StudyInstanceUID))]
    results = sal.explain_many(probe, archive.read(), "gradient")
    said["read"] = sorted(digests.index(each.image.digest) for each in results)
    said["volume"] = [len(sal.read_series(each)) for each in (series, read)]
    report = sal.evaluate(probe, series, ("gradient",), metrics=("sparseness",))
    said["evaluated"] = str(report.scores["gradient", "sparseness"].value)
    again = sal.evaluate(probe, archive.read(), ("gradient",), metrics=("sparseness",))
    said["again"] = str(again.scores["gradient", "sparseness"].value)
    audited = [sal.audit(probe, each) for each in (series, archive.read())]
    said["audited"] = [len(each.failures) for each in audited]
    explain_by_shell(said, study, archive)
    said["rendered"] = rendered(probe, archive, instance)
    said["slide"] = slide_by_url(archive)
    sys.stdout.write(json.dumps(said))


def explain_by_shell(said: dict[str, object], study: str, archive: Archive) -> None:
    """Explain the study in a shell, twice, and store the objects where the images came from."""
    before = len(archive.search())
    words = [
        study,
        "--method",
        "gradient",
        "--save",
        "png,dicom",
        "--out",
        "out",
        "--store",
    ]
    for turn in ("first", "second"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = shell(["explain", "model.keras", *words])
        stored = len(archive.search()) - before
        kept = printed.getvalue().count("(kept)")
        said[turn] = [code, stored, kept, len(printed.getvalue().splitlines())]
    with contextlib.redirect_stdout(io.StringIO()):
        said["password"] = shell(
            ["explain", "model.keras", study.replace("//", "//u:PW@"), "--out", "o"]
        )
    said["names"] = sorted({path.suffix for path in Path("out").iterdir()})


def slide_by_url(archive: Archive) -> list[bool]:
    """Store a slide of two levels; say whether study and series are the slide that was stored."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from slides.built import SERIES, level, scene

    uids = {"StudyInstanceUID": "1.2.3.4", "PatientID": "S-1"}
    made = [
        level(scene(48, 64), tile=(16, 16), **uids),
        level(scene(24, 32), tile=(16, 16), spacing=(0.001, 0.001), **uids),
    ]
    archive.store(made)
    study = f"{URL}/studies/1.2.3.4"
    with sal.open_slide(made) as held:
        wanted = [
            held.read_region(5, 7, 40, 50),
            held.read_region(0, 0, 24, 32, level=1),
        ]
    said = []
    for source in (study, f"{study}/series/{SERIES}"):
        with sal.open_slide(source) as held:
            found = [
                held.read_region(5, 7, 40, 50),
                held.read_region(0, 0, 24, 32, level=1),
            ]
        same = [
            (a.display == b.display).all() for a, b in zip(found, wanted, strict=True)
        ]
        said.append(bool(all(same)))
    return said


def rendered(probe: object, archive: Archive, instance: str) -> int:
    """Return the greatest difference between our overlay and the capture as Orthanc renders it."""
    result = sal.explain(probe, instance, "gradient")
    capture = sal.export.secondary_capture(result, instance)
    archive.store([capture])
    uids = (capture.StudyInstanceUID, capture.SeriesInstanceUID, capture.SOPInstanceUID)
    png = archive._client.retrieve_instance_rendered(*uids, media_types=("image/png",))
    shown = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return int(np.abs(shown - result.overlay().rgb).max())


if __name__ == "__main__":
    main()
