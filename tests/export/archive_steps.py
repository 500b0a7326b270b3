"""Run by test_dicomweb.py beside an Orthanc, in a network of their own; prints what it found."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
from pydicom.data import get_testdata_file

import saliency as sal
from saliency import export
from saliency.export.dicomweb import Archive
from saliency.pipeline.explanation import Explanation

URL = "http://127.0.0.1:18042/dicom-web"
CT = get_testdata_file("CT_small.dcm")


def main() -> None:
    """Store a source, find it, explain what came back, store the objects, read them again."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    secret = "SECRETTOKEN"  # noqa: S105 - Orthanc asks for none; it must not be logged
    archive = Archive(URL, token=secret)
    said = {"first": [each.reason for each in archive.store([pydicom.dcmread(CT)])]}
    (found,) = archive.search(Modality="CT")
    said["found"] = [found.study, found.series, found.uid, found.modality]
    source = next(archive.read(found))
    image = sal.read_dicom(source)
    heat = np.random.default_rng(0).gamma(0.5, 3.0, image.size).astype(np.float32)
    result = Explanation(
        sal.Heatmap(heat), 1.5, 1, None, "GradCAM()", image, probability=0.9
    )
    objects = [
        export.secondary_capture(result, source),
        export.parametric_map(result, source),
        export.segmentation(result, source),
        export.report(result, source),
    ]
    said["stored"] = [each.reason for each in archive.store(objects)]
    again = {str(each.SOPInstanceUID): each for each in archive.read(study=found.study)}
    said["equal"] = [same(each, again[each.SOPInstanceUID]) for each in objects]
    said["modalities"] = sorted(each.Modality for each in again.values())
    broken = pydicom.Dataset()
    broken.file_meta = objects[0].file_meta
    broken.SOPInstanceUID, broken.SOPClassUID = "1.2.3", objects[0].SOPClassUID
    broken.PatientID = broken.StudyInstanceUID = ""
    said["refused"] = [
        [each.index, each.uid] for each in archive.store([objects[0], broken])
    ]
    try:
        next(archive.read(type(found)(found.study, found.series, "1.2.3.4")))
    except sal.DicomError as error:
        said["absent"] = str(error)
    example = Path(__file__).parents[2] / "examples" / "pacs.py"
    said["example"] = subprocess.run(
        [sys.executable, example, URL, found.study],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    said["after"] = len(archive.search(study=found.study))
    sys.stdout.write(json.dumps(said))


def same(one: pydicom.Dataset, other: pydicom.Dataset) -> bool:
    """Whether two objects have the same pixels, or none."""
    names = ("PixelData", "FloatPixelData")
    return all(one.get(name) == other.get(name) for name in names)


if __name__ == "__main__":
    main()
