"""Moved to :mod:`saliency.zones.text`; this path is kept for one release."""

from saliency.zones.text import candidates, text_boxes, text_on, text_zone

__all__ = ["candidates", "text_boxes", "text_on", "text_zone"]
