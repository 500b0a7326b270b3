"""Video is shown frame by frame where PyAV is installed, and else refused by name."""

import io
import sys

import numpy as np
import pytest
from dicom.build import dataset, encoded, written

from saliency.dicom import read_dicom, read_frames
from saliency.errors import DicomError

MPEG2 = "1.2.840.10008.1.2.4.100"
GREYS = (40, 90, 140, 190, 240)


def film(count: int = 5) -> bytes:
    """An MPEG-2 stream of even grey frames, 32 x 48, each brighter than the one before."""
    av = pytest.importorskip("av", reason="the extra video")
    sink = io.BytesIO()
    with av.open(sink, "w", format="mpeg2video") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = (
            48,
            32,
            "yuv420p",
            10**6,
        )
        for grey in GREYS[:count]:
            picture = np.full((32, 48, 3), grey, np.uint8)
            for packet in stream.encode(
                av.VideoFrame.from_ndarray(picture, format="rgb24")
            ):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return sink.getvalue()


def file(stream: bytes, *, size: tuple[int, int] = (32, 48), frames: int = 5) -> bytes:
    """A DICOM file of one video stream."""
    made = dataset(np.zeros((frames, *size, 3), np.uint8), frames=frames)
    return written(
        encoded(made, [stream], MPEG2, PhotometricInterpretation="YBR_PARTIAL_420")
    )


def test_every_frame_in_order() -> None:
    """Five frames in, five greys out, within the loss of the codec."""
    seen = [float(image.display.mean()) for image in read_frames(file(film()))]

    assert np.allclose(seen, GREYS, atol=6)


@pytest.mark.parametrize("frame", [0, 3, 4])
def test_one_frame(frame: int) -> None:
    """Any frame can be asked for by itself, and has a digest of its own."""
    image = read_dicom(file(film()), frame=frame)

    assert abs(float(image.display.mean()) - GREYS[frame]) < 6
    assert image.digest != read_dicom(file(film()), frame=(frame + 1) % 5).digest


def test_a_stream_that_ends_early_is_refused() -> None:
    """A header that promises more frames than there are is told so."""
    with pytest.raises(DicomError) as caught:
        read_dicom(file(film(3)), frame=4)
    assert caught.value.reason == "truncated"


def test_another_size_is_refused() -> None:
    """Header and stream must agree."""
    with pytest.raises(DicomError) as caught:
        read_dicom(file(film(), size=(40, 40)))
    assert caught.value.reason == "size-mismatch"


def test_noise_is_refused() -> None:
    """Bytes that are no video give one clear error."""
    pytest.importorskip("av", reason="the extra video")
    with pytest.raises(DicomError) as caught:
        read_dicom(file(bytes(range(256)) * 8))
    assert caught.value.reason in ("broken-codestream", "truncated")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to guess what to install."""
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DicomError, match=r"dicom-saliency\[video\]") as caught:
        read_dicom(file(b"\0\0\1\xb3" * 4))
    assert caught.value.reason == "video"
