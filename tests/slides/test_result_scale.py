"""Full colour is a number of the method and the model: docs/slides.md, "The scale"."""

import pytest

from saliency.slides.result_scale import full_colour

TILE, LAYER = (224, 160), (14, 10)


@pytest.mark.parametrize("recipe", ["Gradient()", "IntegratedGradients()", "LRP()"])
def test_a_patch_of_an_eighth_of_the_side_carries_a_score_of_one(recipe):
    """Of a map of pixels: heat of full colour all over the patch sums to one."""
    patch = (TILE[0] / 8) * (TILE[1] / 8)
    assert full_colour(recipe, TILE, None) * patch == pytest.approx(1)
    assert full_colour(recipe, TILE, LAYER) == full_colour(recipe, TILE, None)


def test_squared_methods_are_painted_on_a_squared_scale():
    single = full_colour("Gradient()", TILE, None)
    assert full_colour("SmoothGradSquared()", TILE, None) == pytest.approx(single**2)


@pytest.mark.parametrize("recipe", ["GradCAM()", "CAM()"])
def test_of_a_layer_the_patch_is_one_of_its_cells(recipe):
    """An eighth of the layer's side, down and across."""
    patch = (LAYER[0] / 8) * (LAYER[1] / 8)
    assert full_colour(recipe, TILE, LAYER) * patch == pytest.approx(1)


@pytest.mark.parametrize("recipe", ["FastCAM()", "Occlusion()"])
def test_a_share_and_a_drop_are_full_at_one(recipe):
    assert full_colour(recipe, TILE, LAYER) == 1
    assert full_colour(recipe, TILE, None) == 1
