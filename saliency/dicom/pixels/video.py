"""Frames of a video (MPEG-2, H.264, HEVC; PS3.5 8.2.5-8.2.9), one after the other, by PyAV."""

from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import Any, final

import numpy as np

from saliency.dicom.pixels.image_pixel import Samples
from saliency.errors import DicomError
from saliency.values.arrays import Array


@final
class Video:
    """Decodes frames in order; asked for an earlier one it starts again.

    A frame of a video is made of the ones before it, so the cost of frame k from nothing is that
    of k + 1 frames.

    Parameters
    ----------
    stream
        All fragments of the pixel data, joined: one stream for all frames (PS3.5 A.4.5).
    """

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._frames: Iterator[Any] = iter(())
        self._next = -1

    def frame(self, index: int) -> Samples:
        """Decode a frame (from 0) to RGB.

        Raises
        ------
        DicomError
            PyAV is not installed (extra ``video``), or the stream is broken or ends before.
        """
        av = _pyav()
        if not 0 <= self._next <= index:
            self._frames, self._next = _decoded(av, self._stream), 0
        try:
            found = next(islice(self._frames, index - self._next, None), None)
        except av.error.FFmpegError as error:
            msg = f"Expected a whole video stream, found a broken one ({type(error).__name__})."
            raise DicomError(msg, reason="broken-codestream") from error
        self._next = index + 1
        if found is None:
            msg = f"Expected frame {index} in the video stream, found its end."
            raise DicomError(msg, reason="truncated")
        return Samples(_rgb(found), "RGB", lossy=True)


def _decoded(av: Any, stream: bytes) -> Iterator[Any]:
    with av.open(BytesIO(stream)) as container:
        yield from container.decode(video=0)


def _rgb(frame: Any) -> Array:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _pyav() -> Any:
    try:
        import av  # noqa: PLC0415  an extra
    except ImportError as error:
        msg = (
            "Expected a still picture, found a video (MPEG, H.264, HEVC; PS3.5 8.2.5-8.2.9). Its "
            "frames need the extra 'video': pip install 'dicom-saliency[video]'"
        )
        raise DicomError(msg, reason="video") from error
    return av
