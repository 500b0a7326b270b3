"""An audit is of single images: volumes are refused, and slices keep their zones."""

import keras
import numpy as np
import pytest
from volumes.built import planes

import saliency as sal
from saliency.errors import InputError


@pytest.fixture(scope="module")
def volume():
    """Five slices, of which the third has a shutter."""
    made = planes()
    for each in made:
        if each.ImagePositionPatient[2] == 5:
            each.ShutterShape = "RECTANGULAR"
            each.ShutterUpperHorizontalEdge, each.ShutterLowerHorizontalEdge = 2, 5
            each.ShutterLeftVerticalEdge, each.ShutterRightVerticalEdge = 2, 7
    return sal.read_series(made)


def flat():
    """Return a model of images."""
    entry = keras.Input((6, 8, 1))
    return keras.Model(entry, keras.layers.Dense(2)(keras.layers.Flatten()(entry)))


def deep():
    """Return a model of volumes."""
    entry = keras.Input((5, 6, 8, 1))
    return keras.Model(entry, keras.layers.Dense(2)(keras.layers.Flatten()(entry)))


@pytest.mark.parametrize(
    ("model", "images", "words"),
    [
        (flat, lambda v: v, "got a volume of 5 slices"),
        (flat, lambda v: [v, v], "got 2 volumes among 2 cases"),
        (deep, lambda v: [v, v], "got 2 volumes among 2 cases"),
        (
            deep,
            lambda v: [v[0], v[1]],
            r"got a model of \(D, H, W, C\) = \(5, 6, 8, 1\)",
        ),
    ],
)
def test_volumes_cannot_be_audited_yet(volume, model, images, words):
    """Slices of one patient are no independent cases; a model of volumes takes no image."""
    with pytest.raises(InputError, match=words) as caught:
        sal.audit(model(), images(volume))
    assert "volumes cannot be audited yet" in str(caught.value)


def test_zones_are_those_of_the_slice(volume):
    """A shutter of one slice is a zone of that slice alone, also in the explanation's slice."""
    named = [{zone.name for zone in image.zones} for image in volume]
    assert ["shutter" in names for names in named] == [False, False, True, False, False]
    result = sal.explain(flat(), volume, "gradient", target=1)
    shutter = next(z for z in result.slice(2).image.zones if z.name == "shutter")
    assert shutter.mask.sum() == shutter.mask.size - 4 * 6
    assert np.array_equal(
        shutter.mask, next(z for z in volume[2].zones if z.name == "shutter").mask
    )
