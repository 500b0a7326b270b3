"""What holds for every value."""

import copy
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from values.laws import GRID, NUMBERS, VALUES, arrays_of

from saliency.errors import InputError, SaliencyError
from saliency.values.arrays import finite, frozen
from saliency.values.failure import Failure
from saliency.values.heatmap import Heatmap
from saliency.values.window import Window

TRAVELS = {
    "itself": lambda value: value,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),  # noqa: S301
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.fixture(params=VALUES)
def value(request):
    """Return one value of each kind."""
    return VALUES[request.param]


@pytest.mark.parametrize("travel", TRAVELS)
def test_arrays_are_read_only_wherever_they_went(value, travel):
    """No array of a value can be written, nor of a value that was copied or pickled."""
    for array in arrays_of(TRAVELS[travel](value)).values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("travel", TRAVELS)
def test_travel_loses_nothing(value, travel):
    """Every field is what it was: dtype, numbers, and text."""
    arrived = TRAVELS[travel](value)
    for name, array in arrays_of(value).items():
        assert getattr(arrived, name).dtype == array.dtype
        assert np.array_equal(getattr(arrived, name), array)
    assert repr(arrived) == repr(value)


def test_fields_cannot_be_set(value):
    """A value is frozen."""
    with pytest.raises(FrozenInstanceError):
        setattr(value, next(iter(value.__dataclass_fields__)), None)


def test_equality_is_identity(value):
    """Values with arrays are compared as objects, never element by element."""
    assert value == value  # noqa: PLR0124
    assert value != copy.deepcopy(value)
    assert isinstance(hash(value), int)


def test_names_are_short_and_one_line(value):
    """A repr is one line, and no dump of an array."""
    assert len(repr(value)) < 500
    assert "\n" not in repr(value)
    assert "array(" not in repr(value)


def test_a_value_does_not_follow_the_callers_array():
    """Writing into the array that was handed in changes nothing."""
    given = NUMBERS.copy()
    heatmap = Heatmap(given)
    given[:] = 7

    assert np.array_equal(heatmap.values, NUMBERS)


def test_a_frozen_array_is_shared_and_a_view_is_not():
    """Read-only memory of its own is not copied; a view can still be changed through its base."""
    own = frozen(NUMBERS, np.float32, "a", ranks=(2,))
    base = NUMBERS.copy()
    view = base[:]
    view.flags.writeable = False

    assert frozen(own, np.float32, "a", ranks=(2,)) is own
    assert frozen(view, np.float32, "a", ranks=(2,)) is not view


@pytest.mark.parametrize(
    ("given", "dtype", "words"),
    [
        (np.zeros(3), np.float32, r"a: expected an array of rank 2, got shape \(3,\)"),
        (np.zeros((0, 3)), np.float32, "no empty axis"),
        (np.zeros(GRID), np.uint8, "expected uint8 or what casts to it, got float64"),
        (np.zeros(GRID, complex), np.float32, "got complex128"),
        (np.full(GRID, "x"), np.float32, "got <U1"),
    ],
)
def test_frozen_says_what_it_expected(given, dtype, words):
    """An error names the argument, what was expected and what came."""
    with pytest.raises(InputError, match=words):
        frozen(given, dtype, "a", ranks=(2,))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_are_finite(bad):
    """One bad number of a thousand is found and counted."""
    numbers = NUMBERS.copy()
    numbers[3, 4] = bad

    with pytest.raises(InputError, match="got 1 NaN or infinite of 1961"):
        finite(numbers, "a")
    with pytest.raises(InputError, match="finite"):
        Heatmap(numbers)


def test_failures_are_false_and_equal():
    """A failure is skipped by ``if result:`` and compares by its content."""
    assert not Failure(3, "DicomError", "no pixel data")
    assert Failure(3, "DicomError", "x") == Failure(3, "DicomError", "x")


@pytest.mark.parametrize(
    ("center", "width"), [(0, 0), (0, -1), (np.nan, 1), (0, np.inf), (np.inf, 1)]
)
def test_windows_are_finite_and_wide(center, width):
    """A window has a width."""
    with pytest.raises(SaliencyError, match="width > 0"):
        Window(center, width)
