"""The size of a pixel: which attribute says it, and in what order (PS3.3 10.7)."""

import pytest
from dicom.build import dataset, item, ramp, written

from saliency.dicom import describe, read_dicom


def ultrasound(*deltas: float, units: int = 3) -> list:
    """Regions of one delta each, in centimetres."""
    return [
        item(
            RegionSpatialFormat=1,
            RegionDataType=1,
            PhysicalUnitsXDirection=units,
            PhysicalUnitsYDirection=units,
            PhysicalDeltaX=-delta,
            PhysicalDeltaY=2 * delta,
        )
        for delta in deltas
    ]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, None),
        ({"PixelSpacing": [0.5, 0.25]}, (0.5, 0.25)),
        ({"PixelSpacing": [0.5, 0.25], "ImagerPixelSpacing": [1, 1]}, (0.5, 0.25)),
        ({"ImagerPixelSpacing": [0.2, 0.3]}, (0.2, 0.3)),
        (
            {
                "ImagerPixelSpacing": [0.3, 0.6],
                "EstimatedRadiographicMagnificationFactor": 1.5,
            },
            (0.2, 0.4),
        ),
        ({"NominalScannedPixelSpacing": [0.1, 0.2]}, (0.1, 0.2)),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.2, 0.3]}, (0.2, 0.3)),
        ({"PixelSpacing": [-1, 1]}, None),
        ({"SequenceOfUltrasoundRegions": ultrasound(0.05)}, (1.0, 0.5)),
        ({"SequenceOfUltrasoundRegions": ultrasound(0.05, 0.05)}, (1.0, 0.5)),
        ({"SequenceOfUltrasoundRegions": ultrasound(0.05, 0.06)}, None),
        ({"SequenceOfUltrasoundRegions": ultrasound(0.05, units=4)}, None),
        ({"PixelAspectRatio": [1, 2]}, None),
    ],
)
def test_spacing(attributes: dict, expected: tuple | None) -> None:
    """Row spacing first; the most patient-near attribute wins; regions only where they agree."""
    spacing = read_dicom(written(dataset(ramp(), **attributes))).spacing

    assert spacing == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("attributes", "aspect"),
    [
        ({}, 1.0),
        ({"PixelAspectRatio": [1, 2]}, 0.5),
        ({"PixelAspectRatio": [0, 0]}, 1.0),
        ({"PixelSpacing": [0.6, 0.2], "PixelAspectRatio": [1, 2]}, 3.0),
    ],
)
def test_aspect(attributes: dict, aspect: float) -> None:
    """Aspect is height / width: of the spacing, else of Pixel Aspect Ratio, else 1."""
    assert describe(written(dataset(ramp(), **attributes)))["aspect"] == pytest.approx(
        aspect
    )
