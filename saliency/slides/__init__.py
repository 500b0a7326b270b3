"""Whole slide images: one matrix of pixels in several levels, read tile by tile."""
