"""A sliding window explains a volume that is larger than the model's input."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import saliency as sal
from saliency.errors import InputError
from saliency.volumes.windows import sliding

GRID = (11, 20, 17)
WINDOW = (8, 12, 10)


def everything(output):
    """Sum an output map: the target of a network that has no head."""
    return tf.reduce_sum(output, (1, 2, 3, 4))


@pytest.fixture(scope="module")
def convolutions():
    """Two convolutions with a rectifier between: each output sees two voxels around it."""
    keras.utils.set_random_seed(0)
    entry = keras.Input((None, None, None, 1))
    hidden = keras.layers.Conv3D(3, 3, padding="same", activation="relu")(entry)
    return sal.KerasProbe(
        keras.Model(entry, keras.layers.Conv3D(2, 3, padding="same")(hidden))
    )


@pytest.fixture(scope="module")
def volume():
    """Noise of both signs: rectifiers are open in some places alone."""
    voxels = np.random.default_rng(0).normal(0, 1, GRID).astype(np.float32)
    return sal.DicomVolume.from_array(voxels, spacing=(3, 1, 0.5))


def prepare(size, **fields):
    """Values as they are."""
    return sal.Prepare(size, intensity="modality", scale="none", **fields)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("halo", [None, 0, 1, 2])
def test_weights_sum_to_one(overlap, halo):
    """At each voxel; none is below 0, and no window reaches over the grid."""
    total = np.zeros(GRID)
    for window in sliding(GRID, WINDOW, overlap, halo):
        assert window.weight.min() >= 0
        total[window.part] += window.weight
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_a_halo_counts_nowhere_but_at_the_ends():
    """The first window keeps its first voxel, and nothing of its last two rows."""
    first, *_, last = sliding((30, 12, 10), WINDOW, 0.5, 2)
    assert first.weight[0].min() > 0
    assert not first.weight[-2:].any()
    assert not last.weight[:2].any()
    assert last.weight[-1].min() > 0


@pytest.mark.parametrize("method", ["gradient", "gradient_x_input"])
def test_windows_make_the_map_of_the_whole_volume(convolutions, volume, method):
    """Of a fully convolutional network with a halo as wide as it sees."""
    whole = sal.explain(
        convolutions, volume, method, target=everything, prepare=prepare(GRID)
    )
    parts = sal.explain(
        convolutions,
        volume,
        method,
        target=everything,
        prepare=prepare(WINDOW, fit="sliding", halo=2),
    )
    np.testing.assert_allclose(parts.heatmap.values, whole.heatmap.values, atol=1e-4)
    assert np.abs(whole.heatmap.values).max() > 0.1

    narrow = sal.explain(
        convolutions,
        volume,
        method,
        target=everything,
        prepare=prepare(WINDOW, fit="sliding", halo=0, overlap=0.0),
    )
    assert np.abs(narrow.heatmap.values - whole.heatmap.values).max() > 1e-2


def test_scores_of_windows_are_kept(convolutions, volume, tmp_path):
    """Where each window stood, and its score; the answer is the greatest."""
    result = sal.explain(
        convolutions,
        volume,
        "gradient",
        target=everything,
        prepare=prepare(WINDOW, fit="sliding"),
    )
    windows = result.windows
    assert windows.starts.shape == (len(windows.scores), 3)
    assert result.score == windows.scores.max()
    start = windows.starts[windows.scores.argmax()]
    part = tuple(slice(s, s + n) for s, n in zip(start, WINDOW, strict=True))
    seen = volume.pixels[part][None, ..., None]
    assert result.score == pytest.approx(
        float(everything(convolutions.model(seen))[0]), rel=1e-4
    )
    assert f"{len(windows.scores)} windows" in repr(result)
    with np.load(result.save(tmp_path / "heat.npz")) as held:
        np.testing.assert_array_equal(held["starts"], windows.starts)
    result.save(tmp_path / "heat.html")
    assert "in the window of greatest score" in (tmp_path / "heat.html").read_text()


def test_a_volume_smaller_than_the_window_is_surrounded(convolutions):
    """By its least value, whole voxels: no voxel is interpolated, and heat outside is dropped."""
    voxels = np.random.default_rng(1).normal(0, 1, (5, 12, 10)).astype(np.float32)
    small = sal.DicomVolume.from_array(voxels)
    result = sal.explain(
        convolutions,
        small,
        "gradient",
        target=everything,
        prepare=prepare(WINDOW, fit="sliding"),
    )
    padded = np.pad(voxels, ((1, 2), (0, 0), (0, 0)), constant_values=voxels.min())
    bound = convolutions.at(everything)
    alone = np.asarray(bound.gradient(tf.constant(padded[None, ..., None])))[
        0, 1:6, ..., 0
    ]
    np.testing.assert_allclose(result.heatmap.values, alone, atol=1e-5)


def test_a_window_moves_over_voxels_of_another_spacing(convolutions, volume):
    """Resampled to 1.5 mm slices first: twice as many."""
    result = sal.explain(
        convolutions,
        volume,
        "gradient",
        target=everything,
        prepare=prepare(WINDOW, fit="sliding", spacing=(1.5, 1, 0.5)),
    )
    assert result.windows.starts[:, 0].max() == 22 - 8
    assert result.heatmap.values.shape == GRID


def test_the_model_gives_the_window_its_size(volume):
    """A network of patches with a head: the class of most windows is explained."""
    keras.utils.set_random_seed(0)
    entry = keras.Input((*WINDOW, 1))
    pooled = keras.layers.GlobalAveragePooling3D()(keras.layers.Conv3D(2, 3)(entry))
    model = keras.Model(entry, keras.layers.Dense(2, activation="softmax")(pooled))
    result = sal.explain(model, volume, "gradcam", prepare=prepare(None, fit="sliding"))
    assert result.windows.size == WINDOW
    classes = [
        int(np.argmax(model(volume.pixels[window.part][None, ..., None])))
        for window in sliding(GRID, WINDOW, 0.5, None)
    ]
    assert result.target == max(sorted(set(classes)), key=classes.count)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"overlap": 1.0}, "overlap to be 0 or more and below 1"),
        ({"halo": -1}, "halo to be None, 0 or more"),
        ({"halo": 1.5}, "halo to be None, 0 or more"),
    ],
)
def test_a_window_that_cannot_be_is_refused(fields, words):
    """When the Prepare is made."""
    with pytest.raises(InputError, match=words):
        sal.Prepare(WINDOW, fit="sliding", **fields)


def test_a_halo_that_leaves_nothing_is_refused(convolutions, volume):
    """With the numbers."""
    with pytest.raises(InputError, match="got 4 voxels at each side of 8"):
        sal.explain(
            convolutions,
            volume,
            "gradient",
            target=everything,
            prepare=prepare(WINDOW, fit="sliding", halo=4),
        )


def test_a_window_without_a_size_is_refused(convolutions, volume):
    """The model leaves it open, so nobody says how large it is."""
    with pytest.raises(InputError, match=r"needs size=\(D, H, W\) of the window"):
        sal.explain(
            convolutions,
            volume,
            "gradient",
            target=everything,
            prepare=prepare(None, fit="sliding"),
        )


def test_an_image_has_no_sliding_window(volume):
    """One sentence."""
    with pytest.raises(InputError, match="moves a window over a volume"):
        sal.Prepare(fit="sliding")(volume[0])
