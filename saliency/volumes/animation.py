"""Overlays one after the other: a cine, or the slices of a volume."""

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from PIL import Image

from saliency.errors import InputError, MissingExtraError
from saliency.pipeline.band import captioned
from saliency.pipeline.common_scale import common_scale
from saliency.pipeline.explanation import Explanation
from saliency.render.palettes import AUTO, Palette
from saliency.values.arrays import Array
from saliency.values.failure import Failure
from saliency.values.files import place_of, write_whole

#: Frames a second where neither the caller nor the file says it.
USUAL: Final = 10.0
_PAPER: Final = 20


@final
@dataclass(frozen=True, eq=False, repr=False)
class Animation:
    """Frames of one size, and their rate.

    Parameters
    ----------
    frames
        uint8 (rows, columns, 3) each, with the caption in a band below the picture.
    fps
        Frames a second, above 0.
    scores
        float32 (frames,): the target's score in each.
    places
        Which frame of the source each is, from 0; (): all of them, in order. A frame that could
        not be explained is missing from the pictures, and leaves its time empty.

    Raises
    ------
    InputError
        No frame, other sizes, or a rate that is not above 0.
    """

    frames: tuple[Array, ...]
    fps: float
    scores: Array
    places: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        sizes = {frame.shape for frame in self.frames}
        if len(sizes) != 1:
            msg = f"Animation: expected frames of one size, got {sorted(sizes) or 'none'}."
            raise InputError(msg)
        if not (math.isfinite(self.fps) and self.fps > 0):
            msg = f"Animation: expected fps above 0, got {self.fps!r}."
            raise InputError(msg)

    def __len__(self) -> int:
        return len(self.frames)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write ``.gif``, ``.webp``, ``.png`` (animated PNG) or ``.mp4`` (extra ``video``).

        Raises
        ------
        InputError
            Another ending, or the folder is missing.
        MissingExtraError
            MP4 without the extra ``video``.
        """
        place = place_of(path, (*_PILLOW, ".mp4"), "Animation")
        return write_whole(place, self.encoded(place.suffix.lower()))

    def encoded(self, ending: str) -> bytes:
        """Return the bytes of a file of such an ending."""
        if ending == ".mp4":
            return _film(self.frames, self.fps)
        first, *others = (Image.fromarray(frame) for frame in self.frames)
        file = io.BytesIO()
        first.save(
            file,
            _PILLOW[ending],
            save_all=True,
            append_images=others,
            duration=round(1000 / self.fps),
            loop=0,
            **({"lossless": True} if ending == ".webp" else {}),
        )
        return file.getvalue()

    def figure(self) -> Any:
        """Draw the target's score against time, in seconds: a matplotlib Figure."""
        from saliency.render.curves import curve  # noqa: PLC0415 - matplotlib is slow to load

        places = np.asarray(self.places or range(len(self)))
        return curve(places / self.fps, self.scores, "seconds", "score")

    def __repr__(self) -> str:
        rows, columns, _ = self.frames[0].shape
        return f"Animation({len(self)} frames of {rows} x {columns}, {self.fps:g} a second)"

    def _repr_png_(self) -> bytes:
        return self.encoded(".png")


_PILLOW: Final = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG"}


def animate(
    results: Any,
    *,
    fps: float | None = None,
    palette: str | Palette = "green",
    vmax: float | None = None,
) -> Animation:
    """Show explanations one after the other, on one scale.

    Parameters
    ----------
    results
        A VolumeExplanation, or Explanations in order, as ``explain_many(model,
        read_frames(source))`` yields them. A Failure among them is left out.
    fps
        Frames a second; None: as the file says (Frame Time, Frame Time Vector, Recommended Display
        Frame Rate, Cine Rate, the first that is there; PS3.3 C.7.6.5), else 10.
    palette, vmax
        As for ``Explanation.overlay``; one vmax for all, None: that of all heat together.

    Raises
    ------
    InputError
        Nothing to show, images of several sizes, or maps of several units without ``vmax``.
    """
    numbered = [
        (place, result)
        for place, result in enumerate(_explanations(results))
        if not isinstance(result, Failure)
    ]
    shown = [result for _, result in numbered]
    if not shown:
        msg = "animate: expected explanations, got none."
        raise InputError(msg)
    scale = common_scale(shown) if vmax is None else vmax
    colours = shown[0].palette_for(palette) if palette == AUTO else palette
    frames = [_captioned_frame(result, colours, scale) for result in shown]
    seconds = shown[0].image.frame_seconds
    rate = fps or (1 / seconds if seconds else USUAL)
    scores = np.array([result.score for result in shown], np.float32)
    places = tuple(place for place, _ in numbered)
    return Animation(tuple(_padded(frames)), rate, scores, places)


def _explanations(results: Any) -> Iterable[Explanation | Failure]:
    if hasattr(results, "slice"):  # a volume
        return (results.slice(k) for k in range(len(results)))
    return results  # type: ignore[no-any-return]


def _captioned_frame(
    result: Explanation, palette: str | Palette, vmax: float | None
) -> Array:
    overlay = result.overlay(palette=palette, vmax=vmax)
    if result.image.spacing is not None:
        overlay = overlay.square(result.image.spacing)
    return captioned(result, overlay)


def _padded(frames: list[Array]) -> Iterable[Array]:
    """Give all frames the height of the tallest: captions may have more lines in some."""
    height = max(frame.shape[0] for frame in frames)
    for frame in frames:
        missing = ((0, height - frame.shape[0]), (0, 0), (0, 0))
        yield np.pad(frame, missing, constant_values=_PAPER)


def _film(frames: tuple[Array, ...], fps: float) -> bytes:
    """Return an MP4 (H.264, 4:2:0): odd sizes lose no pixel, they get one more."""
    try:
        import av  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = "Expected PyAV for MP4, found none: pip install 'dicom-saliency[video]'."
        raise MissingExtraError(msg) from error
    rows, columns = (size + size % 2 for size in frames[0].shape[:2])
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = columns, rows, "yuv420p"
        for frame in frames:
            even = np.pad(
                frame,
                ((0, rows - frame.shape[0]), (0, columns - frame.shape[1]), (0, 0)),
            )
            film.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        film.mux(stream.encode())
    return file.getvalue()
