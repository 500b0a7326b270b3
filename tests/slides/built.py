"""Slides made in code: any tiles, any order, as Datasets that are never written."""

import numpy as np
from dicom.build import dataset
from pydicom.dataset import Dataset

SM = "1.2.840.10008.5.1.4.1.1.77.1.6"
SERIES = "1.2.826.0.1.3680043.8.498.7"
#: Columns run along -y, rows along -x, as most scanners have it.
ORIENTATION = (0, -1, 0, -1, 0, 0)
ORIGIN = (20.0, 40.0)


def scene(rows, columns, seed=0):
    """Return noise uint8 (rows, columns, 3): every place differs from every other."""
    return np.random.default_rng(seed).integers(0, 250, (rows, columns, 3), np.uint8)


def item(**attributes):
    """Return an item of a sequence."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def places_of(size, tile):
    """Return (row, column) of each tile, from 0, row by row."""
    return [
        (r, c) for r in range(0, size[0], tile[0]) for c in range(0, size[1], tile[1])
    ]


def tiles_of(pixels, tile, places, fill=255):
    """Return the tile at each place; what lies beyond the matrix is filled."""
    rows, columns = pixels.shape[:2]
    beyond = [(0, tile[0]), (0, tile[1]), *[(0, 0)] * (pixels.ndim - 2)]
    larger = np.pad(pixels, beyond, constant_values=fill)
    assert all(0 <= r < rows and 0 <= c < columns for r, c in places)
    return np.stack([larger[r : r + tile[0], c : c + tile[1]] for r, c in places])


def level(pixels, *, tile=(5, 7), spacing=(0.0005, 0.0005), frames=None, **attributes):
    """Return one level, TILED_FULL, as a Dataset; ``frames`` in place of the tiles of pixels."""
    size = pixels.shape[:2]
    if frames is None:
        frames = tiles_of(pixels, tile, places_of(size, tile))
    corner = [
        0.5 * step * across
        for step, across in ((spacing[0] - 0.0005, -1), (spacing[1] - 0.0005, -1))
    ]
    given = {
        "SOPClassUID": SM,
        "SOPInstanceUID": f"{SERIES}.{size[0]}.{size[1]}",
        "Modality": "SM",
        "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        "SeriesInstanceUID": SERIES,
        "SeriesNumber": 4,
        "NumberOfFrames": len(frames),
        "TotalPixelMatrixRows": size[0],
        "TotalPixelMatrixColumns": size[1],
        "TotalPixelMatrixFocalPlanes": 1,
        "TotalPixelMatrixOriginSequence": [
            item(
                XOffsetInSlideCoordinateSystem=round(ORIGIN[0] + corner[0], 9),
                YOffsetInSlideCoordinateSystem=round(ORIGIN[1] + corner[1], 9),
            )
        ],
        "ImageOrientationSlide": list(ORIENTATION),
        "DimensionOrganizationType": "TILED_FULL",
        "OpticalPathSequence": [item(OpticalPathIdentifier="1")],
        "SharedFunctionalGroupsSequence": [
            item(PixelMeasuresSequence=[item(PixelSpacing=list(spacing))])
        ],
    }
    many = len(frames) > 1
    return dataset(
        np.ascontiguousarray(frames if many else frames[0]),
        frames=len(frames),
        **(given | attributes),
    )


def sparse(pixels, places, *, tile=(5, 7), groups=None, **attributes):
    """Return one level, TILED_SPARSE, with the tiles at ``places`` (row, column, from 0)."""
    own = groups or [{} for _ in places]
    frames = [
        item(
            PlanePositionSlideSequence=[
                item(
                    RowPositionInTotalImagePixelMatrix=row + 1,
                    ColumnPositionInTotalImagePixelMatrix=column + 1,
                    **(
                        {"ZOffsetInSlideCoordinateSystem": each.pop("z")}
                        if "z" in each
                        else {}
                    ),
                )
            ],
            **each,
        )
        for (row, column), each in zip(places, own, strict=True)
    ]
    given = {
        "DimensionOrganizationType": "TILED_SPARSE",
        "PerFrameFunctionalGroupsSequence": frames,
        "frames": tiles_of(pixels, tile, places),
    }
    return level(pixels, tile=tile, **(given | attributes))


def halved(pixels):
    """Return the mean of each 2 x 2 pixels; rows and columns must be even."""
    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    blocks = pixels.reshape(rows, 2, columns, 2, 3).astype(np.float64)
    return np.rint(blocks.mean((1, 3))).astype(np.uint8)
