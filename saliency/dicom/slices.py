"""Where each frame lies in the patient, and what tells it from others (PS3.3 C.7.6.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, final

from saliency.dicom.display.geometry import pair
from saliency.dicom.file.elements import Elements, codes, let_through
from saliency.dicom.file.groups import Groups, read_groups
from saliency.dicom.file.guard import contained
from saliency.dicom.file.open import open_source
from saliency.dicom.file.tags import TAGS
from saliency.dicom.read import Reader

Vector = tuple[float, ...]

#: What can differ between images of one place: keyword -> the sequence that holds it for a frame.
PHASES: Final[Mapping[str, str]] = {
    "EchoTime": "",
    "EffectiveEchoTime": "MREchoSequence",
    "TemporalPositionIdentifier": "",
    "TemporalPositionIndex": "FrameContentSequence",
    "TriggerTime": "",
    "AcquisitionNumber": "",
    "DiffusionBValue": "MRDiffusionSequence",
}
_FRAME_TYPES: Final = (
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
)


@final
@dataclass(frozen=True)
class FrameHeader:
    """What the header says of one frame, without its pixels.

    Parameters
    ----------
    frame, frames
        Index from 0, and how many the file has.
    rows, columns
        Size of the frame.
    series
        A hash of Series Instance UID (0020,000E), ``""`` where there is none.
    number
        Series Number (0020,0011), None where there is none.
    modality
        (0008,0060).
    reference
        A hash of Frame of Reference UID (0020,0052), ``""`` where there is none.
    image_type
        Values of Image Type (0008,0008).
    position
        Image Position (Patient) (0020,0032): the centre of the first pixel, mm in LPS; () where
        there is none.
    orientation
        Image Orientation (Patient) (0020,0037): direction of a row, then of a column; or ().
    spacing
        (row, column) mm of Pixel Spacing (0028,0030), or None.
    instance
        Instance Number (0020,0013), or the index of the frame: the order of repetitions.
    phase
        What tells images of one place apart, by DICOM keyword: numbers of :data:`PHASES`, and
        FrameType (0008,9007) as text.
    """

    frame: int
    frames: int
    rows: int
    columns: int
    series: str = ""
    number: int | None = None
    modality: str = ""
    reference: str = ""
    image_type: tuple[str, ...] = ()
    position: Vector = ()
    orientation: Vector = ()
    spacing: tuple[float, float] | None = None
    instance: float = 0
    phase: Mapping[str, float | str] = field(default_factory=dict)


def frame_headers(source: object) -> tuple[FrameHeader, ...]:
    """Return the header of every frame of a file; no pixel is read.

    Raises
    ------
    DicomError
        The file cannot be shown; reason ``"no-pixel-data"`` where it holds no image.
    """
    with contained(), open_source(source) as opened:
        top = opened.elements
        layout = Reader(opened).layout
        groups = read_groups(top)
        return tuple(
            _header(groups.of(frame), frame, layout.frames, layout.size)
            for frame in range(layout.frames)
        )


def _header(groups: Groups, frame: int, frames: int, size: tuple[int, int]) -> FrameHeader:
    top = groups.top
    position = groups.macro("PlanePositionSequence", "ImagePositionPatient")
    orientation = groups.macro("PlaneOrientationSequence", "ImageOrientationPatient")
    measures = groups.macro("PixelMeasuresSequence", "PixelSpacing")
    number = _first(top, "SeriesNumber")
    instance = frame if frames > 1 else _first(top, "InstanceNumber")
    return FrameHeader(
        frame=frame,
        frames=frames,
        rows=size[0],
        columns=size[1],
        series=_hashed(top, "SeriesInstanceUID"),
        number=None if number is None else int(number),
        modality=let_through(top, TAGS["Modality"]),
        reference=_hashed(top, "FrameOfReferenceUID"),
        image_type=codes(top, TAGS["ImageType"]),
        position=_vector(position, "ImagePositionPatient", 3),
        orientation=_vector(orientation, "ImageOrientationPatient", 6),
        spacing=pair(measures, "PixelSpacing"),
        instance=0 if instance is None else instance,
        phase=_phase(groups),
    )


def _phase(groups: Groups) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for keyword, sequence in PHASES.items():
        holder = groups.macro(sequence, keyword) if sequence else groups.top
        value = _first(holder, keyword)
        if value is not None:
            found[keyword] = value
    for sequence in _FRAME_TYPES:
        frame_type = codes(groups.macro(sequence, "FrameType"), TAGS["FrameType"])
        if frame_type:
            found["FrameType"] = "\\".join(frame_type)
    return found


def _first(item: Elements, keyword: str) -> float | None:
    """Return the first number of an element; None where there is none, or it is not finite."""
    numbers = _finite(item.numbers(TAGS[keyword])[:1])
    return numbers[0] if numbers else None


def _vector(item: Elements, keyword: str, length: int) -> Vector:
    """Return the numbers of an element; () unless there are as many as the standard says."""
    numbers = item.numbers(TAGS[keyword])
    return numbers if len(numbers) == length == len(_finite(numbers)) else ()


def _finite(numbers: Vector) -> Vector:
    return tuple(each for each in numbers if abs(each) < float("inf"))


def _hashed(top: Elements, keyword: str) -> str:
    value = top.octets(TAGS[keyword]).rstrip(b"\0 ")
    return sha256(value).hexdigest()[:16] if value else ""
