"""Run by test_dicomweb.py beside an Orthanc, in a network of their own; prints what it found."""

import contextlib
import io
import json
import logging
import runpy
import sys
from pathlib import Path

import numpy as np
import pydicom
from export.test_slides import SPACING, UIDS
from export.test_slides import explained as explained_slide
from pydicom.data import get_testdata_file
from slides.built import level, scene

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
    said |= {
        "example": said_by_example(URL, found.study),
        "example of nothing": said_by_example(URL, "1.2.3.4.5"),
        "example of nobody": said_by_example("http://127.0.0.1:1/dicom-web", "1.2"),
    }
    said["after"] = len(archive.search(study=found.study))
    said |= slide_and_back(archive)
    sys.stdout.write(json.dumps(said))


def said_by_example(*words: str) -> str:
    """Return what the example prints, and the words with which it ends."""
    script = Path(__file__).parents[2] / "examples" / "pacs.py"
    printed = io.StringIO()
    sys.argv[1:] = words
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as end:
            printed.write(f"the end: {end}")
    return printed.getvalue()


def slide_and_back(archive: Archive) -> dict[str, object]:
    """Store a slide of tiles and what is made of it; fetch frame by frame; explain it by a URL."""
    made = level(scene(150, 190), spacing=SPACING, **UIDS)
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    said = {"slide stored": [each.reason for each in archive.store([made])]}
    (found,) = archive.search(Modality="SM")
    source = [*archive.read(found)]
    result = explained_slide(source)
    objects = [
        export.secondary_capture(result, source),
        *export.parametric_map_pyramid(result, source),
        *export.segmentation_pyramid(result, source),
    ]
    said["tiles stored"] = [each.reason for each in archive.store(objects)]
    # Orthanc gives no frame of floats by itself: maps are compared as a whole.
    whole_numbers = [each for each in (made, *objects) if "PixelData" in each]
    said["frames equal"] = [
        frames_of(archive, each) == tiles_in(each) for each in whole_numbers
    ]
    again = {str(each.SOPInstanceUID): each for each in archive.read(study=found.study)}
    said["tiles equal"] = [same(each, again[each.SOPInstanceUID]) for each in objects]
    url = f"{URL}/studies/{found.study}/series/{found.series}"
    by_url = export.parametric_map(explained_slide(url), url)
    said["slide by its URL"] = by_url.FloatPixelData == objects[1].FloatPixelData
    return said


def frames_of(archive: Archive, made: pydicom.Dataset) -> list[bytes]:
    """Return every frame of an instance as the archive gives it by itself."""
    uids = (made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID)
    return archive._client.retrieve_instance_frames(
        *map(str, uids),
        frame_numbers=list(range(1, int(made.get("NumberOfFrames", 1)) + 1)),
        media_types=("application/octet-stream",),
    )


def tiles_in(made: pydicom.Dataset) -> list[bytes]:
    """Return every frame of an instance, as it was before it was stored."""
    frames = int(made.get("NumberOfFrames", 1))
    size = made.Rows * made.Columns * made.SamplesPerPixel * made.BitsAllocated // 8
    return [made.PixelData[k * size : (k + 1) * size] for k in range(frames)]


def same(one: pydicom.Dataset, other: pydicom.Dataset) -> bool:
    """Whether two objects have the same pixels, or none."""
    names = ("PixelData", "FloatPixelData")
    return all(one.get(name) == other.get(name) for name in names)


if __name__ == "__main__":
    main()
