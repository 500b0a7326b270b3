"""A volume is explained on its own grid: at once, slice by slice, or with neighbours."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from volumes.built import planes

import saliency as sal
from saliency.errors import InputError

SIZE = (6, 10, 12)
LESION = (4, 7, 3)


@pytest.fixture(scope="module")
def volume():
    """A dark volume with one bright voxel off the middle; voxels are no cubes."""
    voxels = np.zeros(SIZE, np.float32)
    voxels[LESION] = 200
    return sal.DicomVolume.from_array(
        voxels, spacing=(3, 1, 0.5), window=sal.Window(127.5, 256)
    )


def summed(shape):
    """Return a model of two classes whose class 1 is the sum of its input."""
    entry = keras.Input(shape)
    total = keras.layers.Lambda(
        lambda x: tf.reduce_sum(x, axis=tuple(range(1, len(x.shape))))[:, None]
    )
    found = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(entry, found(total(entry)))
    found.set_weights([np.array([[0.0, 1.0]]), np.array([1.0, 0.0])])
    return model


@pytest.fixture(scope="module")
def three_axes():
    """A model that sees the volume at once, on its own grid."""
    return summed((*SIZE, 1))


@pytest.fixture(scope="module")
def two_axes():
    """A model that sees one slice."""
    return summed((*SIZE[1:], 1))


def hottest(result):
    """Return the index of the hottest voxel."""
    return np.unravel_index(
        np.abs(result.heatmap.values).argmax(), result.heatmap.values.shape
    )


def test_a_model_of_volumes_sees_all_at_once(three_axes, volume):
    """Gradient times input lies on the bright voxel, in the volume's own grid."""
    result = sal.explain(three_axes, volume, "gradient_x_input", target=1)

    assert result.heatmap.values.shape == SIZE
    assert hottest(result) == LESION
    assert result.scores is None
    assert result.slice(4).heatmap.values.shape == SIZE[1:]
    assert result.slice(-1).score == result.score


def test_a_model_of_images_sees_every_slice(two_axes, volume):
    """One score for each slice, and the heat of all of them."""
    result = sal.explain(two_axes, volume, "gradient_x_input", target=1)

    assert hottest(result) == LESION
    assert result.scores.shape == (6,)
    assert result.scores.argmax() == LESION[0]
    alone = sal.explain(two_axes, volume[LESION[0]], "gradient_x_input", target=1)
    np.testing.assert_allclose(
        result.slice(LESION[0]).heatmap.values, alone.heatmap.values, atol=1e-6
    )
    assert result.slice(LESION[0]).score == pytest.approx(alone.score, abs=1e-6)


def test_all_slices_speak_for_one_class(two_axes, volume):
    """Where no target is asked for: the class predicted for most slices."""
    result = sal.explain(two_axes, volume, "gradient")
    assert {answer.target for answer in result.answers} == {0}


def test_neighbours_are_channels(volume):
    """Five channels: two below, the slice, two above; the end slice repeats."""
    model = summed((*SIZE[1:], 5))
    with pytest.raises(InputError, match=r"Use Prepare\(neighbours=2\)"):
        sal.explain(model, volume, "gradient", target=1)
    result = sal.explain(
        model, volume, "gradient", target=1, prepare=sal.Prepare(neighbours=2)
    )

    # The bright slice 4 is among the neighbours of 2 to 5; it is 5's and no end slice itself.
    bright = result.scores - result.scores.min() > 0.1
    assert bright.tolist() == [False, False, True, True, True, True]


def test_the_end_slice_repeats(volume):
    """Beyond the last slice there is the last slice again."""
    voxels = np.zeros(SIZE, np.float32)
    voxels[-1] = 10
    ends = sal.DicomVolume.from_array(voxels, window=sal.Window(127.5, 256))
    model = summed((*SIZE[1:], 3))
    scores = sal.explain(
        model, ends, "gradient", target=1, prepare=sal.Prepare(neighbours=1)
    ).scores
    assert scores[-1] - scores[0] == pytest.approx(
        2 * (scores[-2] - scores[0]), rel=1e-4
    )


def test_another_grid_keeps_the_millimetre(volume):
    """A model of (3, 5, 6) sees the volume stretched; the heat returns to its place."""
    result = sal.explain(summed((3, 5, 6, 1)), volume, "gradient_x_input", target=1)
    slice_, row, column = hottest(result)
    assert abs(slice_ - LESION[0]) <= 1
    assert abs(row - LESION[1]) <= 1
    assert abs(column - LESION[2]) <= 1


def test_spacing_resamples_the_volume(volume):
    """Voxels of 1 mm: 18 x 10 x 6 of them, around the middle."""
    prepare = sal.Prepare(spacing=(1, 1, 1))
    result = sal.explain(
        summed((18, 10, 6, 1)), volume, "gradient_x_input", target=1, prepare=prepare
    )
    assert hottest(result)[:2] == LESION[:2]


def test_modality_values_reach_the_model(three_axes, volume):
    """Scale none and modality: the sum of the voxels is the logit."""
    prepare = sal.Prepare(intensity="modality", scale="none")
    result = sal.explain(three_axes, volume, "gradient", target=1, prepare=prepare)
    assert result.score == pytest.approx(200, rel=1e-4)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (sal.Prepare((5, 6)), r"size \(D, H, W\)"),
        (sal.Prepare(spacing=(1, 1)), r"spacing \(slice, row, column\)"),
        (sal.Prepare(neighbours=1), "neighbours"),
        (sal.Prepare(intensity="modality"), "needs values in 0..255"),
    ],
)
def test_what_makes_no_sense_for_a_volume_is_refused(
    three_axes, volume, prepare, words
):
    """One sentence each."""
    with pytest.raises(InputError, match=words):
        sal.explain(three_axes, volume, "gradient", target=1, prepare=prepare)


def test_three_numbers_are_refused_for_an_image(two_axes, volume):
    """Size and neighbours of a volume say so."""
    with pytest.raises(InputError, match="sees a volume at once"):
        sal.explain(two_axes, volume[0], "gradient", prepare=sal.Prepare((6, 10, 12)))
    with pytest.raises(InputError, match="single image"):
        sal.explain(two_axes, volume[0], "gradient", prepare=sal.Prepare(neighbours=1))


def test_montage_is_on_one_scale_and_square(two_axes, volume):
    """Tiles hold the overlays bit for bit, each pixel as a square: 24 are enlarged 7 times."""
    result = sal.explain(two_axes, volume, "gradient_x_input", target=1)
    montage = result.montage(columns=3)
    tile = result.overlay(0).rgb
    assert tile.shape[0] / tile.shape[1] == pytest.approx(10 * 1 / (12 * 0.5))
    times = -(-160 // tile.shape[1])
    tile = tile.repeat(times, axis=0).repeat(times, axis=1)
    strip = montage.rgb.shape[0] // 2 - tile.shape[0] - 2
    np.testing.assert_array_equal(
        montage.rgb[strip : strip + tile.shape[0], : tile.shape[1]], tile
    )
    assert result.hottest(1) == (LESION[0],)


def test_the_words_above_a_small_slice_are_whole(two_axes, volume):
    """The strip has room for number and place: its last pixels are empty."""
    montage = sal.explain(two_axes, volume, "gradient_x_input", target=1).montage(
        columns=3
    )
    width = montage.rgb.shape[1] // 3
    strip = montage.rgb[:12, :width].max(axis=(0, 2)).astype(int)
    written = np.flatnonzero(strip > 100)
    assert 45 < written[-1] < width - 6


def test_projections_look_along_each_axis(two_axes, volume):
    """The hot voxel is seen from three sides."""
    result = sal.explain(two_axes, volume, "gradient_x_input", target=1)
    shapes = [
        result.projection(axis).rgb.shape[:2] for axis in ("slice", "row", "column")
    ]
    # mm: slices 18, rows 10, columns 6; pixels are the smaller spacing of the two axes.
    assert shapes == [(20, 12), (36, 12), (18, 10)]


def test_nifti_has_the_millimetres_of_the_volume(two_axes, volume, tmp_path):
    """RAS, axes (column, row, slice): the hot voxel lies where the affine says."""
    nibabel = pytest.importorskip("nibabel", reason="the extra nifti is not installed")
    result = sal.explain(two_axes, volume, "gradient_x_input", target=1)
    image = nibabel.load(result.save(tmp_path / "heat.nii.gz"))

    np.testing.assert_array_equal(
        image.get_fdata(dtype=np.float32).transpose(2, 1, 0), result.heatmap.values
    )
    place = image.affine @ [*LESION[::-1], 1]
    wanted = volume.affine @ [*LESION, 1]
    np.testing.assert_allclose(place * [-1, -1, 1, 1], wanted)
    assert "".join(nibabel.aff2axcodes(image.affine)) == "LPS"


@pytest.mark.parametrize("ending", [".npz", ".png", ".gif", ".webp", ".html", ""])
def test_every_form_is_written(two_axes, volume, tmp_path, ending):
    """By the ending of the name; without one, a folder of slices."""
    result = sal.explain(two_axes, volume, "gradient_x_input", target=1)
    path = result.save(tmp_path / f"heat{ending}")
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    assert len(files) == (6 if ending == "" else 1)
    assert all(file.stat().st_size > 60 for file in files)
    if ending == ".npz":
        with np.load(path) as held:
            np.testing.assert_array_equal(held["values"], result.heatmap.values)
            np.testing.assert_array_equal(held["affine"], volume.affine)


def test_a_form_that_is_none_is_refused(two_axes, volume, tmp_path):
    """The message lists the endings."""
    result = sal.explain(two_axes, volume, "gradient", target=1)
    with pytest.raises(InputError, match=r"\.nii\.gz"):
        result.save(tmp_path / "heat.tiff")
    with pytest.raises(InputError, match="missing"):
        result.save(tmp_path / "no" / "heat.npz")


def test_a_cine_is_animated_at_its_own_rate(two_axes):
    """Frame Time of the file, one scale, a score for each frame."""
    from dicom.build import dataset, written

    frames = np.zeros((4, 10, 12), np.uint8)
    for k in range(4):
        frames[k, 5, 5] = 60 * k
    file = written(
        dataset(frames, frames=4, FrameTime=40, WindowCenter=127.5, WindowWidth=256)
    )
    results = list(
        sal.explain_many(two_axes, sal.read_frames(file), "gradient_x_input", target=1)
    )
    film = sal.animate(results)
    assert film.fps == pytest.approx(25)
    assert film.scores.argmax() == 3
    assert len({frame.shape for frame in film.frames}) == 1
    assert film.figure().axes[0].get_xlabel() == "seconds"


def test_a_real_series_is_explained(two_axes):
    """Slices out of files, by a model of another grid."""
    result = sal.explain(two_axes, sal.read_series(planes()), "occlusion", target=1)
    assert result.heatmap.values.shape == (5, 6, 8)
    assert "VolumeExplanation(Occlusion" in repr(result)
