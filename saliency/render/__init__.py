"""Palettes, paint, layers, figures. The figures are in :mod:`saliency.render.figure`."""

from saliency.render.layers import heat as heat
from saliency.render.layers import lovi as lovi
from saliency.render.paint import paint as paint
from saliency.render.palettes import Palette as Palette
