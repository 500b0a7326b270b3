"""The unit in a row of the registry is that of the map: it scales as the score does."""

import numpy as np
import pytest
import tensorflow as tf
from small_recipes import SMALL

from saliency.explainers.catalogue import resolve
from saliency.explainers.registry import DEMANDING, ENTRIES
from saliency.testing import network

ROWS = {**ENTRIES, **DEMANDING}
FACTOR = 3.0
"""Of the score: a power of it comes back in the map."""
SAID = {
    name: 2
    if "squared" in row.unit
    else int("{score}" in row.unit and "relative" not in row.unit)
    for name, row in ROWS.items()
    if row.unit
    and row.unit != "weighted activation"
    and row.needs not in {"study", "randomised"}
}
PROBE, LOUDER = network(1, slope=-1.0), network(1, slope=-FACTOR)


@pytest.mark.parametrize("name", SAID)
def test_a_map_scales_as_its_unit_says(name):
    """Three times the score: three times, nine times, or the same map."""
    inputs = tf.random.stateless_uniform((1, 13, 17, 1), (1, 2))
    recipe = SMALL.get(name) or resolve(name)

    plain, louder = (np.asarray(recipe(probe, inputs)) for probe in (PROBE, LOUDER))

    assert np.abs(plain).max() > 0
    np.testing.assert_allclose(
        louder, FACTOR ** SAID[name] * plain, atol=1e-4 * np.abs(louder).max()
    )
