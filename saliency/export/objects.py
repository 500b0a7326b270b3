"""What all objects have in common: patient, study, series, equipment, words on how it was made."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Seq
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import NAMESPACE_OID, uuid5

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code
from pydicom.uid import UID, SecondaryCaptureImageStorage, generate_uid

from saliency import __version__
from saliency.dicom.file.guard import without_warnings
from saliency.dicom.kind import PRODUCT
from saliency.errors import InputError, MissingExtraError
from saliency.export.matching import UIDS, SourceFrame, numbers_of
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.method_words import class_of
from saliency.slides.result import SlideExplanation
from saliency.values.image import DicomImage
from saliency.volumes.explanation import VolumeExplanation

Explained: TypeAlias = Explanation | SlideExplanation
"""What speaks for an object: the explanation of an image, or of a slide."""

MANUFACTURER: Final = "saliency"
NOT_FOR_DIAGNOSIS: Final = "not for diagnosis"

#: What identifies patient and study, by the modules of PS3.3 C.7.1.1 and C.7.2.1: True where an
#: empty value must stand if the source has none (type 2).
_IDENTITY: Final = {
    "PatientName": True,
    "PatientID": True,
    "PatientBirthDate": True,
    "PatientSex": True,
    "IssuerOfPatientID": False,
    "PatientIdentityRemoved": False,
    "DeidentificationMethod": False,
    "DeidentificationMethodCodeSequence": False,
    "StudyInstanceUID": True,
    "StudyDate": True,
    "StudyTime": True,
    "StudyID": True,
    "StudyDescription": False,
    "AccessionNumber": True,
    "ReferringPhysicianName": True,
    "PatientAge": False,
    "BodyPartExamined": False,
}
#: Sides that the standard has, of a series and an image: others are left behind.
_SIDES: Final = {
    "Laterality": frozenset("RL"),
    "ImageLaterality": frozenset("RLUB"),  # unpaired, both
}
_LOSSY: Final = (
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
#: What else objects copy, or decide by.
_OF_IMAGE: Final = (
    *("PatientOrientation", "PixelAspectRatio"),
    *("BurnedInAnnotation", "SpecimenLabelInImage"),
)
#: Transfer syntaxes that lose something (PS3.5 A.4).
_LOSSY_SYNTAXES: Final = frozenset(
    f"1.2.840.10008.1.2.4.{last}" for last in ("50", "51", "81", "91", "93", "203")
)
#: PS3.16 CID 217: what a map shows.
_CLASS_ACTIVATION: Final = Code("130402", "DCM", "Class activation")
_GRADIENT_WEIGHTED: Final = Code("130403", "DCM", "Gradient-weighted class activation")
SALIENCY: Final = Code("130404", "DCM", "Saliency")
_QUANTITIES: Final = {
    **dict.fromkeys(
        ("CAM", "EigenCAM", "FEM", "AblationCAM", "ReciproCAM", "ScoreCAM"),
        _CLASS_ACTIVATION,
    ),
    **dict.fromkeys(
        (
            "GradCAM",
            "GradCAMPlusPlus",
            "XGradCAM",
            "HiResCAM",
            "LayerCAM",
            "EigenGradCAM",
        ),
        _GRADIENT_WEIGHTED,
    ),
}


def highdicom() -> Any:
    """Return the library.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import highdicom as library  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = "Expected highdicom for DICOM objects, found none: pip install 'dicom-saliency[pacs]'"
        raise MissingExtraError(msg) from error
    return library


def quantity_of(result: Explained) -> Code:
    """Return the code of what a map shows (PS3.16 CID 217)."""
    return _QUANTITIES.get(class_of(result.recipe), SALIENCY)


def views_of(
    result: Explanation | VolumeExplanation | Seq[Explanation],
) -> tuple[Explanation, ...]:
    """Return an Explanation itself, or that of each slice of a volume or frame of a loop."""
    if isinstance(result, Seq):
        return tuple(result)
    if isinstance(result, VolumeExplanation):
        return tuple(result.slice(k) for k in range(len(result)))
    return (result,)


def leading_of(views: tuple[Explanation, ...]) -> Explanation:
    """Return the view that speaks for a result: the one of greatest score, then of most heat."""
    return max(views, key=lambda view: (view.score, np.abs(view.heatmap.values).sum()))


def subject_of(result: Explained) -> str:
    """Return the class explained, in words that fit into one value (PS3.5 6.2, LO)."""
    words = result.label or str(result.target)
    return re.sub(r"[\\\x00-\x1f\x7f]+", " ", words)


def derivation_of(result: Explained) -> str:
    """Return how the map was made, at most 1024 signs (ST)."""
    model = result.model
    whose = "" if model is None else f"; model {model.name}, sha256 {model.sha256}"
    return (
        f"Saliency map by {result.recipe} for {subject_of(result)}{whose}; "
        f"{PRODUCT} {__version__}; research use, {NOT_FOR_DIAGNOSIS}"
    )[:1024]


def series_words(result: Explained, kind: str) -> str:
    """Return the Series Description, at most 64 signs (LO)."""
    return f"{class_of(result.recipe)[:24]} {kind}, {NOT_FOR_DIAGNOSIS}"


def new_uid() -> UID:
    """Return a UID that was never used, made of a UUID (PS3.5 B.2)."""
    return generate_uid(prefix=None)


def lasting_uids(made: Dataset, name: str) -> Dataset:
    """Give an object the UIDs that go with a name: whoever makes it again makes the same object.

    A server that is sent it once more has it already, and does not have it twice. UIDs are made of
    a UUID of the name (PS3.5 B.2; RFC 9562 5.5).
    """
    made.SOPInstanceUID = f"2.25.{uuid5(NAMESPACE_OID, f'{name} instance').int}"
    made.SeriesInstanceUID = f"2.25.{uuid5(NAMESPACE_OID, f'{name} series').int}"
    return made


def builder_arguments(result: Explained, number: int) -> dict[str, Any]:
    """Return what every builder of highdicom is told of series and equipment."""
    return {
        "series_instance_uid": new_uid(),
        "series_number": number,
        "sop_instance_uid": new_uid(),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": PRODUCT,
        "software_versions": __version__,
        "device_serial_number": "none"
        if result.model is None
        else result.model.sha256[:16],
    }


def told_of(frame: SourceFrame) -> tuple[object, ...]:
    """Return all that objects say of a source, as values: where one differs, they would differ."""
    header = frame.header
    place = (frame.frame, frame.frames, frame.geometry)
    keywords = (*UIDS, *_IDENTITY, *_SIDES, *_LOSSY, *_OF_IMAGE)
    copied = [str(header.get(keyword)) for keyword in keywords]
    return *place, _syntax_of(header), *copied


def stand_in(frame: SourceFrame) -> Dataset:
    """Return what a builder may know of a source: which file, and where it lies; no patient.

    Builders log names that they find odd, and copy what they find; so they find nothing, and
    :func:`finished` writes the patient afterwards. Of several frames they get the one explained.
    """
    bare = Dataset()
    for keyword, must_stand in _IDENTITY.items():
        if must_stand:
            setattr(bare, keyword, "")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        setattr(bare, keyword, str(frame.header.get(keyword)))
    bare.SOPInstanceUID = new_uid()  # frames of one file must be told apart
    bare.Rows, bare.Columns = frame.header.Rows, frame.header.Columns
    bare.SOPClassUID, bare.Modality = SecondaryCaptureImageStorage, "OT"
    geometry = frame.geometry
    if geometry is not None:
        bare.FrameOfReferenceUID = geometry.reference
        bare.ImagePositionPatient = decimals(geometry.position)
        bare.ImageOrientationPatient = decimals(geometry.orientation)
        bare.PixelSpacing = decimals(geometry.spacing)
        deep = geometry.thickness or one_layer(geometry.spacing)
        (bare.SliceThickness,) = decimals([deep])
    return bare


def one_layer(spacing: tuple[float, ...]) -> float:
    """Return mm of a slice whose source says none: one layer of cubes, as viewers take it.

    Slice Thickness must be there, neither empty nor 0 (type 1C, PS3.3 C.7.6.16.2.1); highdicom
    reads no measures without it.
    """
    return min(spacing)


def with_one_orientation(sources: list[Dataset]) -> list[Dataset]:
    """Return stand-ins of slices, turned as the first: scanners differ in the last digits.

    Builders want the same digits; that the slices are parallel was checked when they were read.
    """
    for source in sources:
        if "ImageOrientationPatient" in source:
            source.ImageOrientationPatient = sources[0].ImageOrientationPatient
    return sources


def decimals(numbers: Iterable[float]) -> list[str]:
    """Return numbers as decimal strings of at most 16 signs (DS)."""
    return [f"{number:.9g}" for number in numbers]


def built(
    builder: Any,
    frames: Iterable[SourceFrame],
    stand_ins: list[Dataset],
    **arguments: Any,
) -> Dataset:
    """Call a builder of highdicom about stand-ins; let the object refer to what they stand for.

    Raises
    ------
    InputError
        The builder refuses what it got.
    """
    try:
        with without_warnings():
            made: Dataset = builder(**arguments)
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        msg = f"export: expected a source that {builder.__name__} can refer to: {error}"
        raise InputError(msg) from None
    meant = {
        each.SOPInstanceUID: of for each, of in zip(stand_ins, frames, strict=True)
    }
    for item in references_in(made):
        frame = meant.get(item.ReferencedSOPInstanceUID)
        if frame is None:
            continue
        item.ReferencedSOPClassUID = frame.header.SOPClassUID
        item.ReferencedSOPInstanceUID = frame.header.SOPInstanceUID
        whole = (
            "PurposeOfReferenceCodeSequence" in item or "GraphicLayerSequence" in made
        )
        if frame.frames > 1 and whole:
            item.ReferencedFrameNumber = frame.frame + 1
    _once(made)
    if made.get("NumberOfFrames") == 1:
        _forget_distance(made)
    return made


def _once(made: Dataset) -> None:
    """Name an instance once in a list of instances, though several of its frames were explained."""
    for keyword in ("ReferencedInstanceSequence", "ReferencedSOPSequence"):
        for holder in _holders(made, keyword):
            first = {
                item.ReferencedSOPInstanceUID: item
                for item in reversed(holder[keyword].value)
            }
            setattr(holder, keyword, list(reversed(first.values())))


def _holders(made: Dataset, keyword: str) -> Iterator[Dataset]:
    for element in made:
        for item in element.value if element.VR == "SQ" else ():
            if keyword in item:
                yield item
            yield from _holders(item, keyword)


def _forget_distance(made: Dataset) -> None:
    """Take out the distance of slices that highdicom gives a single one."""
    for group in made.get("SharedFunctionalGroupsSequence", ()):
        for measures in group.get("PixelMeasuresSequence", ()):
            measures.pop("SpacingBetweenSlices", None)


def spacing_or_shape(frame: SourceFrame, image: DicomImage) -> Dataset:
    """Return an item with Pixel Spacing, else Pixel Aspect Ratio, where one is known and needed.

    Viewers take pixels of unknown shape for squares (PS3.3 C.7.6.3.1.7).
    """
    item = Dataset()
    shape = numbers_of(frame.header.get("PixelAspectRatio"), 2)
    if image.spacing is not None:
        item.PixelSpacing = decimals(image.spacing)
    elif shape is not None and shape.min() > 0 and shape[0] != shape[1]:
        item.PixelAspectRatio = [int(each) for each in shape]
    return item


def sides_of(frame: SourceFrame, result: Explained) -> Any:
    """Return Patient Orientation (0020,0020); "" where it is not known (type 2C)."""
    stated = frame.header.get("PatientOrientation")
    if stated or isinstance(result, SlideExplanation):
        return stated or ""
    return list(result.image.orientation or ()) or ""


def references_in(made: Dataset) -> Iterator[Dataset]:
    """Yield every item that refers to an instance."""
    for element in made:
        for item in element.value if element.VR == "SQ" else ():
            if "ReferencedSOPInstanceUID" in item:
                yield item
            yield from references_in(item)


def finished(
    made: Dataset, frames: Seq[SourceFrame], result: Explained, kind: str
) -> Dataset:
    """Write patient, study and words on the derivation into an object; nothing else is copied."""
    with without_warnings():
        _identify(made, frames[0].header)
        _keep_side(made, frames[0].header)
        _keep_loss(made, [frame.header for frame in frames])
    if "DimensionIndexSequence" in made and "FrameOfReferenceUID" not in made:
        made.PatientOrientation = sides_of(frames[0], result)
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SeriesDescription = series_words(result, kind)
    made.ContributingEquipmentSequence = [_equipment()]
    return made


def _identify(made: Dataset, header: Dataset) -> None:
    for keyword, must_stand in _IDENTITY.items():
        value = header.get(keyword)
        if value is not None:
            setattr(made, keyword, _without_private(value))
        elif must_stand:
            setattr(made, keyword, "")


def _keep_side(made: Dataset, header: Dataset) -> None:
    """Write the side of the body; of a body part that the source does not name it is empty.

    Laterality is of type 2C (PS3.3 C.7.3.1): empty where unknown, absent of an unpaired part.
    """
    of_series, of_image = (_side_of(header, keyword) for keyword in _SIDES)
    sides = {"Laterality": of_series, "ImageLaterality": of_image}
    if "Rows" not in made:  # no image, whose side could differ
        sides = {"Laterality": of_series or of_image}
    if made.Modality == "SEG":  # where dciodvfy allows no Laterality
        sides = {"ImageLaterality": of_image or of_series}
    for keyword, side in sides.items():
        if side in _SIDES[keyword]:
            setattr(made, keyword, side)
    known = any(keyword in made for keyword in (*_SIDES, "BodyPartExamined"))
    without = made.Modality in ("SEG", "SR") or "ImageOrientationSlide" in made
    if not (known or without):
        made.Laterality = ""


def _side_of(header: Dataset, keyword: str) -> str:
    """Return a side that the standard has for this attribute; "" where the source says another."""
    side = str(header.get(keyword) or "").strip().upper()
    return side if side in _SIDES[keyword] else ""


def _without_private(value: Any) -> Any:
    """Return a value; a sequence as a copy without private groups, whatever their depth."""
    if not isinstance(value, Sequence):
        return value
    items = deepcopy(list(value))
    for item in items:
        item.remove_private_tags()
    return items


def _keep_loss(made: Dataset, headers: Seq[Dataset]) -> None:
    """Say that something was lost on the way where it was, in any frame (PS3.3 C.7.6.1.1.5)."""
    if "Rows" not in made:
        return
    header = next(filter(_is_lossy, headers), headers[0])
    for keyword in _LOSSY:
        if header.get(keyword):
            setattr(made, keyword, header.get(keyword))
    if _syntax_of(header) in _LOSSY_SYNTAXES:
        made.LossyImageCompression = "01"
    if "LossyImageCompression" not in made:
        made.LossyImageCompression = "00"


def _is_lossy(header: Dataset) -> bool:
    said = header.get("LossyImageCompression") == "01"
    return said or _syntax_of(header) in _LOSSY_SYNTAXES


def _syntax_of(header: Dataset) -> str:
    meta = getattr(header, "file_meta", None)
    return "" if meta is None else str(meta.get("TransferSyntaxUID", ""))


def _equipment() -> Dataset:
    item = Dataset()
    item.Manufacturer, item.ManufacturerModelName = MANUFACTURER, PRODUCT
    item.SoftwareVersions = __version__
    item.ContributionDateTime = datetime.now(UTC).strftime("%Y%m%d%H%M%S.%f+0000")
    item.PurposeOfReferenceCodeSequence = [
        coded(Code("109102", "DCM", "Processing Equipment"))
    ]
    return item


def coded(code: Code) -> Dataset:
    """Return a code as an item (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code.value, code.scheme_designator
    item.CodeMeaning = code.meaning
    return item
