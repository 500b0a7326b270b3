"""One map a layer, on the picture's grid, and one picture of them all."""

import numpy as np
import pytest

import saliency as sal
from saliency.kernels.activity import gaussian_cdf, smoe_scale


def test_layers_in_order_on_the_picture_s_grid(model, image):
    """Every tapped layer has a map; LOVI paints them into one picture."""
    maps = sal.explain_layers(model, image)

    assert maps.layers == sal.KerasProbe(model).layers
    assert maps.stack.shape == (37, 53, 2)
    assert maps.lovi().rgb.shape == (37, 53, 3)


def test_the_first_map_is_the_first_layer_s(model):
    """At the layer's own size nothing is resized: it is the normalised SMOE Scale."""
    picture = sal.DicomImage.from_array(
        np.random.default_rng(1).uniform(0, 255, (40, 56))
    )
    inputs = sal.Prepare()(picture).array
    first = sal.KerasProbe(model).at(0).activations(inputs)[0]

    maps = sal.explain_layers(model, picture, "smoe")

    assert np.allclose(
        maps.stack[..., 0], gaussian_cdf(smoe_scale(first))[0], atol=1e-6
    )


def test_an_explainer_with_layers_of_its_own(model, image):
    """FullGrad's layers are those with a bias, not those tapped: names and maps fit."""
    maps = sal.explain_layers(model, image, "fullgrad", target=1)

    assert maps.stack.shape == (37, 53, len(maps.layers))
    assert {name.split("/")[-1] for name in maps.layers} <= {
        each.name for each in model.layers
    }
    assert maps.lovi().rgb.shape == (37, 53, 3)


def test_an_explainer_without_layers_says_so(model, image):
    """A gradient looks at no layer."""
    with pytest.raises(sal.ExplainerError, match="no layer maps"):
        sal.explain_layers(model, image, "gradient")
