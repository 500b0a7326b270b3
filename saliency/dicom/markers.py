"""Moved to :mod:`saliency.zones.markers`; this path is kept for one release."""

from saliency.zones.markers import marker_boxes, marker_zone, markers_on

__all__ = ["marker_boxes", "marker_zone", "markers_on"]
