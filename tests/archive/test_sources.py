"""Which frames a run is about: whatever users call a source, each once, and nothing unsaid."""

import io
import json
import re

import numpy as np
import pytest
from dicomweb_server import JSON, server
from pydicom import dcmread
from pydicom.data import get_testdata_file

from saliency.archive.sources import FoundFrames, Selection
from saliency.errors import DicomError
from saliency.pipeline.prefetch import ahead

CT = get_testdata_file("CT_small.dcm")
ALL = Selection("all")


def instance(number, frames):
    """Return a small file with so many frames, as bytes."""
    made = dcmread(CT)
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}"
    values = np.stack([np.roll(made.pixel_array[:8, :8], k) for k in range(frames)])
    made.Rows, made.Columns = values.shape[1:]
    if frames > 1:
        made.NumberOfFrames = frames
    made.PixelData = values.tobytes()
    page = io.BytesIO()
    made.save_as(page)
    return page.getvalue()


def pacs(files, told):
    """Answer searches with what is told, and requests for an instance with its file."""

    def answer(requests):
        path = requests[-1][0]
        uid = re.fullmatch(r".*/instances/([\d.]+)", path)
        if uid:
            return 200, "OK", "application/dicom", files[uid[1]]
        wanted = re.search(r"SOPInstanceUID=([\d.]+)", path)
        page = [
            each
            for each in told
            if wanted is None or each["00080018"]["Value"] == [wanted[1]]
        ]
        body = json.dumps(page if "offset=0" in path else [])
        return 200, "OK", JSON, body.encode()

    return server(answer)


def told_of(number, frames=None):
    """Return what a search tells of an image: Number of Frames only where it has several."""
    values = {"0020000E": "1.9", "00080018": f"1.2.{number}", "00280010": 8}
    values |= {} if frames is None else {"00280008": frames}
    return {tag: {"Value": [value]} for tag, value in values.items()}


def fetches(made):
    """Return how often instances were asked for."""
    return sum(path.count("/instances/") for path, _ in made.requests)


@pytest.mark.parametrize("named", ["study", "instances"])
def test_each_instance_is_fetched_once_for_all_of_its_frames(named, tmp_path):
    """Two threads read what a search found long before, one frame each."""
    counts = {1: 3, 2: 1, 3: 1, 4: 2, 5: 1}
    files = {f"1.2.{k}": instance(k, frames) for k, frames in counts.items()}
    told = [told_of(k, frames if frames > 1 else None) for k, frames in counts.items()]
    with pacs(files, told) as made:
        source = f"{made.url}/studies/1.8"
        if named == "instances":
            urls = [f"{source}/series/1.9/instances/{uid}" for uid in files]
            source = tmp_path / "urls.txt"
            source.write_text("\n".join(urls))
        frames = [*FoundFrames([str(source)], ALL)]
        images = [*ahead(lambda each: each.read(each.content()), frames, window=4)]
    assert [each.frame for each in images] == [0, 1, 2, 0, 0, 0, 1, 0]
    assert fetches(made) == len(counts)


def test_a_server_that_tells_of_other_frames_is_found_out():
    """It says nothing of two frames: the second would be missing in silence."""
    with pacs({"1.2.1": instance(1, 2)}, [told_of(1)]) as made:
        (frame,) = FoundFrames([f"{made.url}/studies/1.8"], ALL)
        with pytest.raises(DicomError, match="1 frames, as the server told, found 2"):
            frame.read(frame.content())


def test_a_server_that_tells_nothing_is_asked_for_the_instance():
    """It does not even tell that there is an image: frames are counted in the file."""
    told = {"0020000E": {"Value": ["1.9"]}, "00080018": {"Value": ["1.2.1"]}}
    with pacs({"1.2.1": instance(1, 2)}, [told]) as made:
        assert len([*FoundFrames([f"{made.url}/studies/1.8"], ALL)]) == 2
