"""Where each frame lies in the patient, and what tells it from others (PS3.3 C.7.6.2)."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final, final

from saliency.dicom.display.geometry import pair
from saliency.dicom.file.elements import (
    Elements,
    codes,
    hashed,
    is_code,
    let_through,
)
from saliency.dicom.file.groups import Groups, read_groups
from saliency.dicom.file.guard import contained
from saliency.dicom.file.limits import check_claim
from saliency.dicom.file.open import Opened, open_source
from saliency.dicom.file.tags import PATIENT_ID, PATIENT_NAME, READ, TAGS
from saliency.dicom.pixels.image_pixel import Layout, read_layout
from saliency.dicom.read import pixels_of

Vector = tuple[float, ...]

#: What can differ between images of one place, as numbers: keyword -> the sequence that holds it
#: for a frame of an enhanced file (PS3.3 C.7.6.16.2, C.8.13.5).
PHASES: Final[Mapping[str, str]] = {
    "EchoNumbers": "",
    "EchoTime": "",
    "EffectiveEchoTime": "MREchoSequence",
    "InversionTime": "",
    "FlipAngle": "",
    "KVP": "",
    "TemporalPositionIdentifier": "",
    "TemporalPositionIndex": "FrameContentSequence",
    "TriggerTime": "",
    "NominalCardiacTriggerDelayTime": "CardiacSynchronizationSequence",
    "FrameReferenceTime": "",
    "AcquisitionNumber": "",
    "DiffusionBValue": "MRDiffusionSequence",
}
#: The same as text.
WORDS: Final[Mapping[str, str]] = {
    "StackID": "FrameContentSequence",
    "ConvolutionKernel": "",
}
_FRAME_TYPES: Final = (
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
)
#: Nobody keeps it: what it hashes can be compared within one process, and never be looked up.
_SALT: Final = secrets.token_bytes(32)
#: Delimiters and padding of a PN (PS3.5 6.2): empty components at its end may be left out.
_BETWEEN_NAMES: Final = b"\0 ^=\\"
_LISTED: Final = READ | {PATIENT_ID, PATIENT_NAME}


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
        What tells images of one place apart, by DICOM keyword: numbers of :data:`PHASES`, texts of
        :data:`WORDS`, ImageType (0008,0008) or FrameType (0008,9007), the gradient's direction,
        and ``DimensionIndex1``, ...: Dimension Index Values (0020,9157), whatever they count.
    image
        A salted hash of SOP Instance UID (0008,0018), ``""`` where there is none.
    patient, name
        Salted hashes of Patient ID (0010,0020) and Patient's Name (0010,0010).
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
    image: str = field(default="", repr=False)
    patient: str = field(default="", repr=False)
    name: str = field(default="", repr=False)


def frame_headers(source: object) -> tuple[FrameHeader, ...]:
    """Return the header of every frame of a file; no pixel is read.

    Raises
    ------
    DicomError
        The file cannot be shown; reason ``"no-pixel-data"`` where it holds no image.
    """
    with contained(), open_source(source, _LISTED) as opened:
        return headers_of(opened)


def headers_of(opened: Opened) -> tuple[FrameHeader, ...]:
    """Return the header of every frame of an open file."""
    layout = _layout(opened)
    groups = read_groups(opened.elements)
    whole = _header_of_file(opened.elements, layout)
    headers = [
        _of_frame(whole, groups.of(frame), frame) for frame in range(layout.frames)
    ]
    return tuple(_along_a_grid(headers, opened.elements))


def _layout(opened: Opened) -> Layout:
    """Return sizes and the number of frames, as read_dicom finds them."""
    pixels = pixels_of(opened)
    layout = read_layout(opened.elements, pixels.tag)
    check_claim(layout.frame_samples, pixels.there)
    return layout


def _header_of_file(top: Elements, layout: Layout) -> FrameHeader:
    """Return what all frames of a file share."""
    number = _first(top, "SeriesNumber")
    instance = _first(top, "InstanceNumber")
    return FrameHeader(
        frame=0,
        frames=layout.frames,
        rows=layout.size[0],
        columns=layout.size[1],
        series=hashed(top, TAGS["SeriesInstanceUID"]),
        number=None if number is None else int(number),
        modality=let_through(top, TAGS["Modality"]),
        reference=hashed(top, TAGS["FrameOfReferenceUID"]),
        image_type=codes(top, TAGS["ImageType"]),
        instance=0 if instance is None else instance,
        image=_salted(top.octets(TAGS["SOPInstanceUID"]).rstrip(b"\0 ")),
        patient=_salted(top.octets(PATIENT_ID).strip(b"\0 ")),
        name=_salted(top.octets(PATIENT_NAME).upper().translate(None, _BETWEEN_NAMES)),
    )


def _of_frame(whole: FrameHeader, groups: Groups, frame: int) -> FrameHeader:
    position = groups.macro("PlanePositionSequence", "ImagePositionPatient")
    orientation = groups.macro("PlaneOrientationSequence", "ImageOrientationPatient")
    measures = groups.macro("PixelMeasuresSequence", "PixelSpacing")
    return replace(
        whole,
        frame=frame,
        position=_finite_vector(position, "ImagePositionPatient", 3),
        orientation=_finite_vector(orientation, "ImageOrientationPatient", 6),
        spacing=pair(measures, "PixelSpacing"),
        instance=frame if whole.frames > 1 else whole.instance,
        phase=_phase(groups),
    )


def _along_a_grid(headers: list[FrameHeader], top: Elements) -> list[FrameHeader]:
    """Place the frames of a dose grid, whose file says the place of the first frame alone.

    Grid Frame Offset Vector (3004,000C) holds distances along the normal from the first frame,
    whose own is 0 (PS3.3 C.8.8.3.2); its other form, places along z, starts at that of the frame.
    """
    offsets = top.numbers(TAGS["GridFrameOffsetVector"])
    first = headers[0]
    known = len(offsets) == len(headers) == len(_finite(offsets)) > 1
    if not (known and first.position and first.orientation):
        return headers
    if offsets[0] not in (0, first.position[2]):
        return headers
    normal = normal_of(first.orientation)
    return [
        replace(header, position=_moved(first.position, normal, offset - offsets[0]))
        for header, offset in zip(headers, offsets, strict=True)
    ]


def normal_of(orientation: Vector) -> Vector:
    """Return row direction x column direction."""
    a, b, c, d, e, f = orientation
    return b * f - c * e, c * d - a * f, a * e - b * d


def _moved(point: Vector, along: Vector, distance: float) -> Vector:
    return tuple(p + distance * a for p, a in zip(point, along, strict=True))


def _phase(groups: Groups) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for keyword, sequence in PHASES.items():
        value = _first(
            groups.macro(sequence, keyword) if sequence else groups.top, keyword
        )
        if value is not None:
            found[keyword] = value
    for keyword, sequence in WORDS.items():
        holder = groups.macro(sequence, keyword) if sequence else groups.top
        found[keyword] = let_through(holder, TAGS[keyword])
    found["ImageType"] = _joined_codes(groups.top, "ImageType")
    for sequence in _FRAME_TYPES:
        frame_type = _joined_codes(groups.macro(sequence, "FrameType"), "FrameType")
        found["FrameType"] = frame_type or found.get("FrameType", "")
    found["DiffusionGradientOrientation"] = _gradient(groups)
    content = groups.macro("FrameContentSequence", "DimensionIndexValues")
    indices = content.numbers(TAGS["DimensionIndexValues"])
    found |= {f"DimensionIndex{k}": value for k, value in enumerate(indices, 1)}
    return {keyword: value for keyword, value in found.items() if value != ""}


def _joined_codes(item: Elements, keyword: str) -> str:
    """Return the values of a code string as one text; what is no code may be a name."""
    return "\\".join(each for each in codes(item, TAGS[keyword]) if is_code(each))


def _gradient(groups: Groups) -> str:
    """Return the direction of the diffusion gradient, three numbers to three decimals."""
    keyword = "DiffusionGradientOrientation"
    holder = groups.macro("MRDiffusionSequence", "DiffusionGradientDirectionSequence")
    nested = holder.items(TAGS["DiffusionGradientDirectionSequence"])
    place = nested[0] if len(nested) else groups.top
    return " ".join(f"{value:.3f}" for value in _finite_vector(place, keyword, 3))


def _first(item: Elements, keyword: str) -> float | None:
    """Return the first number of an element; None where there is none, or it is not finite."""
    numbers = _finite(item.numbers(TAGS[keyword])[:1])
    return numbers[0] if numbers else None


def _finite_vector(item: Elements, keyword: str, length: int) -> Vector:
    """Return the numbers of an element; () unless there are as many as the standard says."""
    numbers = item.numbers(TAGS[keyword])
    return numbers if len(numbers) == length == len(_finite(numbers)) else ()


def _finite(numbers: Vector) -> Vector:
    return tuple(each for each in numbers if abs(each) < float("inf"))


def _salted(value: bytes) -> str:
    return hmac.new(_SALT, value, sha256).hexdigest()[:16] if value else ""
