"""Moved to :mod:`saliency.zones.borders`; this path is kept for one release."""

from saliency.zones.borders import border_zone

__all__ = ["border_zone"]
