"""Heat's share of a zone, over the zone's share of the picture."""

import numpy as np
import pytest

from saliency.errors import InputError
from saliency.interventions.zone_shares import shares
from saliency.values.heatmap import Heatmap
from saliency.values.image import DicomImage


@pytest.fixture
def image():
    """A picture whose top quarter is text."""
    mask = np.zeros((8, 10), bool)
    mask[:2] = True
    return DicomImage.from_array(np.arange(80.0).reshape(8, 10)).with_zone("text", mask)


def test_even_heat_has_enrichment_one(image):
    """A control map that knows nothing gives every zone its area."""
    found = shares(image, Heatmap(np.full((8, 10), -3.0)))

    assert found["text"].heat == found["text"].area == 0.25
    assert found["text"].enrichment == found["diagnostic"].enrichment == 1


def test_all_heat_on_the_text(image):
    """Heat on the text alone is four times its area."""
    values = np.zeros((8, 10))
    values[1, 3] = -2
    found = shares(image, Heatmap(values))

    assert found["text"].enrichment == 4
    assert found["diagnostic"].heat == 0


def test_no_heat_has_no_share(image):
    """A zero map is not divided by its sum."""
    assert shares(image, Heatmap(np.zeros((8, 10))))["text"].heat == 0


def test_another_grid_is_refused(image):
    """A transposed heatmap does not pass."""
    with pytest.raises(InputError, match="expected a heatmap"):
        shares(image, Heatmap(np.zeros((10, 8))))
