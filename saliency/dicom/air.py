"""Moved to :mod:`saliency.zones.air`; this path is kept for one release."""

from saliency.zones.air import air_zone

__all__ = ["air_zone"]
