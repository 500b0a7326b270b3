"""A hospital's name, burned into the upper left corner of pictures."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import saliency as sal
from lesions import SIZE


def burned(images: Any) -> Any:
    """Return the pictures (N, 128, 128, 1), in 0..1, with the name in them."""
    return np.maximum(images, _text()[..., np.newaxis])


def as_image(picture: Any, *, named: bool = True) -> sal.DicomImage:
    """Return a picture (128, 128, 1) in 0..1; if named, with the name, and its box as a zone."""
    if not named:
        return _shown(picture)
    rows, columns = np.nonzero(_text() > 0.2)
    box = np.zeros(SIZE, np.bool_)
    box[rows.min() - 1 : rows.max() + 2, columns.min() - 1 : columns.max() + 2] = True
    return _shown(burned(picture[np.newaxis])[0]).with_zone("name", box)


def _shown(picture: Any) -> sal.DicomImage:
    grey = np.rint(picture[..., 0] * 255)
    return sal.DicomImage.from_array(grey, window=sal.Window(128, 256))


def _text() -> Any:
    page = Image.new("L", SIZE[::-1])
    font = ImageFont.load_default(size=10)
    ImageDraw.Draw(page).text((4, 3), "ST ELSEWHERE", fill=220, font=font)
    return np.asarray(page, np.float32) / 255
