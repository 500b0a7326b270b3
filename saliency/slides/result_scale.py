"""The heat of full colour: one number for a method and a model, never taken from a slide.

A scale that is taken from a slide makes noise look like a finding: its hottest place always has
full colour. Ours says what full colour means, in the method's unit. Where the unit is the score
itself, full colour is a score of one (a logit: odds 2.7 times as great) that a patch of an eighth
of the tile's side carries alone; where it is a share, full colour is all of it.
"""

from typing import Final

from saliency.pipeline.method_words import unit_of

#: Patches of a tile: each has an eighth of its side.
PATCHES: Final = 64


def full_colour(
    recipe: str, tile: tuple[int, int], grid: tuple[int, int] | None
) -> float:
    """Return the heat of full colour.

    Parameters
    ----------
    recipe
        ``repr`` of the explainer.
    tile
        (H, W) of the model's input.
    grid
        (rows, columns) of the cells of a map that is made of a layer's; None where it has one value
        for each pixel of the input.
    """
    unit = unit_of(recipe, "{score}")
    pixel = PATCHES / (tile[0] * tile[1])
    if unit in ("{score} a pixel", "{score} per unit of input"):
        return pixel
    if unit.startswith(("squared", "({score} per unit of input) squared")):
        return pixel * pixel
    if unit == "weighted activation" and grid is not None:
        return PATCHES / (grid[0] * grid[1])
    return 1.0
