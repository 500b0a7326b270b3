"""The laws of the prepared picture."""

import numpy as np
import pytest

from saliency.errors import InputError
from saliency.values.model_input import ModelInput
from saliency.values.placement import stretch

PLACE = stretch((37, 53), (16, 24))


@pytest.mark.parametrize("shape", [(2, 16, 24, 1), (1, 24, 16, 1), (1, 16, 23, 3)])
def test_is_a_batch_of_one_on_the_models_grid(shape):
    """Rows and columns are those of the placement."""
    with pytest.raises(InputError, match=r"\(1, 16, 24, 'C'\)"):
        ModelInput(np.zeros(shape, np.float32), PLACE)


def test_holds_float32():
    """Integers and doubles become what a model takes."""
    assert ModelInput(np.zeros((1, 16, 24, 3), int), PLACE).array.dtype == np.float32
