"""The elements that this library reads; every other element of a file is skipped by its length.

Nothing of a patient, institution, physician, or date is on the list of what a picture is read from.
A second list names what an audit may divide files by: one element of it at a time is read, and
leaves this room as a hash.
"""

from types import MappingProxyType
from typing import Final

from pydicom.datadict import dictionary_VR, tag_for_keyword

_KEYWORDS: Final = (
    # What it is
    "TransferSyntaxUID",
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",  # in memory alone, for who asks for it by name: Explanation.save(identify=)
    "Modality",
    "LossyImageCompression",
    "BurnedInAnnotation",
    "RecognizableVisualFeatures",
    # What may travel with the pixels
    "BodyPartExamined",
    "ViewPosition",
    "Laterality",
    "ImageLaterality",
    "ManufacturerModelName",
    # Image Pixel, PS3.3 C.7.6.3
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelAspectRatio",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "FloatPixelPaddingValue",
    "FloatPixelPaddingRangeLimit",
    "DoubleFloatPixelPaddingValue",
    "DoubleFloatPixelPaddingRangeLimit",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    "PixelPresentation",
    "ICCProfile",
    "OpticalPathSequence",
    "OpticalPathIdentifier",
    "OpticalPathIdentificationSequence",
    # DICOMDIR, PS3.3 F.3
    "DirectoryRecordSequence",
    "ReferencedFileID",
    # Grey levels, PS3.3 C.11
    "RescaleSlope",
    "RescaleIntercept",
    "DoseGridScaling",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "VOILUTSequence",
    "PresentationLUTShape",
    "PresentationLUTSequence",
    "LUTDescriptor",
    "LUTData",
    # Functional groups, PS3.3 C.7.6.16
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "PixelMeasuresSequence",
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "USImageDescriptionSequence",
    "PlanePositionSlideSequence",
    # Geometry, PS3.3 10.7
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
    # Series and slices, PS3.3 C.7.3.1, C.7.6.2, C.7.6.16.2.3, C.7.6.16.2.4. The UIDs only tell one
    # series from another: they are hashed where they are read.
    "SeriesInstanceUID",
    "SeriesNumber",
    "FrameOfReferenceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "InstanceNumber",
    "FrameContentSequence",
    "DimensionIndexValues",
    "TemporalPositionIndex",
    "TemporalPositionIdentifier",
    "AcquisitionNumber",
    "EchoNumbers",
    "EchoTime",
    "InversionTime",
    "FlipAngle",
    "KVP",
    "ConvolutionKernel",
    "FrameReferenceTime",
    "StackID",
    "CardiacSynchronizationSequence",
    "NominalCardiacTriggerDelayTime",
    "GridFrameOffsetVector",
    "MREchoSequence",
    "EffectiveEchoTime",
    "TriggerTime",
    "DiffusionBValue",
    "MRDiffusionSequence",
    "DiffusionGradientDirectionSequence",
    "DiffusionGradientOrientation",
    "FrameType",
    "FrameTime",
    "FrameTimeVector",
    "RecommendedDisplayFrameRate",
    "CineRate",
    "PatientOrientation",
    # Zones
    "FrameDisplayShutterSequence",
    "ShutterShape",
    "ShutterLeftVerticalEdge",
    "ShutterRightVerticalEdge",
    "ShutterUpperHorizontalEdge",
    "ShutterLowerHorizontalEdge",
    "CenterOfCircularShutter",
    "RadiusOfCircularShutter",
    "VerticesOfThePolygonalShutter",
    "ShutterOverlayGroup",
    "CollimatorShapeSequence",
    "CollimatorShape",
    "CollimatorLeftVerticalEdge",
    "CollimatorRightVerticalEdge",
    "CollimatorUpperHorizontalEdge",
    "CollimatorLowerHorizontalEdge",
    "CenterOfCircularCollimator",
    "RadiusOfCircularCollimator",
    "VerticesOfThePolygonalCollimator",
    "SpecimenLabelInImage",
    "TotalPixelMatrixRows",
    "TotalPixelMatrixColumns",
    "RowPositionInTotalImagePixelMatrix",
    "ColumnPositionInTotalImagePixelMatrix",
    "DimensionOrganizationType",
    # Slides, PS3.3 C.8.12.4, C.8.12.5, C.7.6.16.2.2 (concatenations): UIDs are hashed, too
    "TotalPixelMatrixOriginSequence",
    "TotalPixelMatrixFocalPlanes",
    "ImageOrientationSlide",
    "XOffsetInSlideCoordinateSystem",
    "YOffsetInSlideCoordinateSystem",
    "ZOffsetInSlideCoordinateSystem",
    "RecommendedAbsentPixelCIELabValue",
    "ConcatenationUID",
    "ConcatenationFrameOffsetNumber",
    "InConcatenationNumber",
    "InConcatenationTotalNumber",
    "SequenceOfUltrasoundRegions",
    "RegionSpatialFormat",
    "RegionDataType",
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
    "PhysicalUnitsXDirection",
    "PhysicalUnitsYDirection",
    "PhysicalDeltaX",
    "PhysicalDeltaY",
    # Where the frames lie
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)

#: Elements of one overlay plane, PS3.3 C.9.2; groups 6000, 6002 .. 601E.
OVERLAY: Final = MappingProxyType(
    {
        "OverlayRows": 0x0010,
        "OverlayColumns": 0x0011,
        "OverlayType": 0x0040,
        "OverlaySubtype": 0x0045,
        "OverlayOrigin": 0x0050,
        "NumberOfFramesInOverlay": 0x0015,
        "ImageFrameOrigin": 0x0051,
        "OverlayBitsAllocated": 0x0100,
        "OverlayBitPosition": 0x0102,
        "OverlayData": 0x3000,
    }
)
OVERLAY_GROUPS: Final = range(0x6000, 0x6020, 2)


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        msg = f"{keyword} is not in PS3.6"
        raise LookupError(msg)
    return int(tag)


TAGS: Final = MappingProxyType({keyword: _tag(keyword) for keyword in _KEYWORDS})
READ: Final = frozenset(TAGS.values()) | frozenset(
    group << 16 | element for group in OVERLAY_GROUPS for element in OVERLAY.values()
)

#: What tells one patient from another: read by ``slices`` and ``header_groups`` alone, and hashed
#: under a salt there.
PATIENT_ID: Final = 0x00100020
PATIENT_NAME: Final = 0x00100010
STUDY_UID: Final = 0x0020000D

#: Keywords by which an audit divides files: what a device or a place leaves in each of its files.
#: Read by ``header_groups`` alone, to be hashed.
GROUPING: Final = frozenset(
    {
        "BitsStored",
        "BodyPartExamined",
        "Columns",
        "ConversionType",
        "DetectorID",
        "DetectorType",
        "DeviceSerialNumber",
        "Grid",
        "ImageLaterality",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "KVP",
        "Laterality",
        "Manufacturer",
        "ManufacturerModelName",
        "Modality",
        "PatientOrientation",
        "PatientPosition",
        "PatientSex",
        "PhotometricInterpretation",
        "ProtocolName",
        "Rows",
        "SoftwareVersions",
        "StationName",
        "ViewPosition",
    }
)
GROUPING_TAGS: Final = MappingProxyType(
    {keyword: _tag(keyword) for keyword in GROUPING}
)
_VRS: Final = MappingProxyType(
    {tag: str(dictionary_VR(tag)) for tag in READ.union(GROUPING_TAGS.values())}
)

CHARSET: Final = TAGS["SpecificCharacterSet"]
PER_FRAME: Final = TAGS["PerFrameFunctionalGroupsSequence"]
FLOAT_PIXELS: Final = 0x7FE00008
DOUBLE_PIXELS: Final = 0x7FE00009
PIXELS: Final = 0x7FE00010
PIXEL_TAGS: Final = frozenset({FLOAT_PIXELS, DOUBLE_PIXELS, PIXELS})


def vr_of(tag: int) -> str:
    """Return the VR of a listed tag in PS3.6; ``"US or SS"`` where the pixels decide."""
    return _VRS[tag]


def written(tag: int) -> str:
    """Return a tag as the standard writes it: ``"(0028,0010)"``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
