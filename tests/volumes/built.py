"""Series made in code: planes of any orientation, as Datasets or as one multi-frame Dataset."""

import numpy as np
from dicom.build import dataset
from pydicom.dataset import Dataset

SIZE = (6, 8)
AXIAL = (1, 0, 0, 0, 1, 0)
SERIES = "1.2.826.0.1.3680043.8.498.1"
REFERENCE = "1.2.826.0.1.3680043.8.498.2"


def plane(k, **attributes):
    """Return the Dataset of one axial slice, 2.5 mm above the one before; k also fills it."""
    values = np.full(SIZE, k, np.uint16)
    values[0, 0] = 100 + k
    given = {
        "Modality": "CT",
        "SeriesInstanceUID": SERIES,
        "FrameOfReferenceUID": REFERENCE,
        "SeriesNumber": 3,
        "InstanceNumber": 50 - k,
        "ImageOrientationPatient": list(AXIAL),
        "ImagePositionPatient": [-10.0, -20.0, 2.5 * k],
        "PixelSpacing": [0.5, 0.75],
        "SliceThickness": 9.0,
    }
    return dataset(values, **(given | attributes))


def planes(count=5, **attributes):
    """Return axial slices in an order that is not theirs."""
    made = [plane(k, **attributes) for k in range(count)]
    return made[1::2] + made[::2]


def placed(positions, orientation=AXIAL, **attributes):
    """Return slices at given places."""
    return [
        plane(
            k,
            ImagePositionPatient=list(place),
            ImageOrientationPatient=list(orientation),
            **attributes,
        )
        for k, place in enumerate(positions)
    ]


def item(**attributes):
    """Return an item of a sequence."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def enhanced(places, frame_types=()):
    """Return one multi-frame Dataset with functional groups; frames in the order of ``places``."""
    values = np.stack([np.full(SIZE, k, np.uint16) for k in range(len(places))])
    made = dataset(
        values,
        frames=len(places),
        Modality="MR",
        SeriesInstanceUID=SERIES,
        SeriesNumber=1,
    )
    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=[0.5, 0.75], SliceThickness=9.0)],
        PlaneOrientationSequence=[item(ImageOrientationPatient=list(AXIAL))],
    )
    made.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for k, place in enumerate(places):
        group = item(PlanePositionSequence=[item(ImagePositionPatient=list(place))])
        if frame_types:
            group.MRImageFrameTypeSequence = [item(FrameType=frame_types[k])]
        groups.append(group)
    made.PerFrameFunctionalGroupsSequence = groups
    return made
