"""Side and view markers: letters and arrows that stand alone near the edge of the picture."""

from collections.abc import Iterator

from saliency.values.arrays import Array
from saliency.values.placement import Box
from saliency.values.zone import Zone
from saliency.zones.marker_classifier import odds
from saliency.zones.marker_features import signs
from saliency.zones.pyramid import InkLevel, ink_levels, picture_box
from saliency.zones.text_boxes import pad_and_join, zone_of

#: Markers stand in the outer fifth of a picture; what looks like a letter in its middle is a port,
#: a clip or a vessel.
OUTER = 0.2
#: Log odds from which a sign is called a marker. Nearly every radiograph has one, hardly any other
#: picture: the prior differs by so much.
SURE, SURE_ON_RADIOGRAPHS = 4.0, 2.5
#: What the evidence calls a marker.
WHAT = "a letter or sign that stands alone"
#: (0008,0060) of pictures on which lead letters lie.
RADIOGRAPHS = frozenset({"CR", "DX", "MG", "PX", "RG"})
#: Share of the picture's shorter side that a sign is high at most. Drawn letters are small.
LARGEST, LARGEST_ON_RADIOGRAPHS = 1 / 16, 1 / 8


def marker_zone(display: Array, modality: str = "") -> Zone | None:
    """Return the boxes of :func:`marker_boxes` as the zone ``"marker"``, None of none."""
    boxes = marker_boxes(display, modality)
    return zone_of("marker", boxes, display.shape, WHAT)


def marker_boxes(display: Array, modality: str = "") -> tuple[Box, ...]:
    """Find letters and arrows that stand alone.

    Parameters
    ----------
    display
        uint8 (rows, columns) or RGB (rows, columns, 3).
    modality
        (0008,0060): radiographs are believed sooner.

    Returns
    -------
    tuple of Box
        One box a sign, padded by a quarter of its height.

    Raises
    ------
    InputError
        Another shape or dtype.
    """
    boxes = [
        box for level in ink_levels(display) for box in markers_on(level, modality)
    ]
    return pad_and_join(boxes, display.shape)


def markers_on(level: InkLevel, modality: str = "") -> Iterator[Box]:
    """Yield the boxes of the signs of a level that are markers."""
    corners, features = signs(level.ridges, level.components, outer=OUTER)
    if not len(corners):
        return
    lead = modality in RADIOGRAPHS
    sure = odds(features) > (SURE_ON_RADIOGRAPHS if lead else SURE)
    largest = LARGEST_ON_RADIOGRAPHS if lead else LARGEST
    # Corners are (K, 4): top, left, bottom, right.
    heights = corners[:, 2] - corners[:, 0]
    small = heights <= largest * min(level.ridges.grey.shape)
    for top, left, bottom, right in corners[sure & small].tolist():
        yield picture_box((top, left, bottom, right), level.scale)
