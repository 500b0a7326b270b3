"""Moved to :mod:`saliency.zones.ocr`; this path is kept for one release."""

from saliency.zones.ocr import TextReader, Words

__all__ = ["TextReader", "Words"]
