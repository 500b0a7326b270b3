"""Palettes, paint, PNG, figures."""

from saliency.render.paint import paint as paint
from saliency.render.palettes import Palette as Palette
