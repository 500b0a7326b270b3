"""A slide explained tile by tile: scores, heat in its place, what is painted and what is not."""

import json
from dataclasses import fields, is_dataclass, replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.path import Path
from slides.built import level
from slides.networks import RED, convolutions, opened, red_detector, tissue

import saliency as sal
from saliency.errors import InputError
from saliency.slides.explain import explain_slide
from saliency.slides.result_painting import classes_of_cells
from saliency.slides.result_writers import geojson_of

SIZE = (512, 640)
LESION = (224, 352, 40)
ON = {"spacing": 0.0005, "prepare": sal.Prepare()}


def everything(output):
    """Sum an output map: the target of a network that has no head."""
    return tf.reduce_sum(output, (1, 2, 3))


def planted(scene, places=(LESION,)):
    """Return the scene with red squares: (first row, first column, side)."""
    scene = scene.copy()
    for row, column, side in places:
        scene[row : row + side, column : column + side] = RED
    return scene


@pytest.fixture(scope="module")
def probe():
    """Class 1 where a tile holds red."""
    return sal.KerasProbe(red_detector(), labels=("other", "tumour"))


@pytest.fixture(scope="module")
def slide():
    """A disc of tissue with one red square."""
    with opened(planted(tissue(*SIZE))) as held:
        yield held


@pytest.fixture(scope="module")
def result(probe, slide):
    """Where the red square is, by the gradient."""
    return explain_slide(probe, slide, "gradient", target="tumour", **ON)


def centroid(result):
    """Return the (row, column) in mm of the heat of half the greatest and more."""
    heat = result.heatmap.values
    cells = np.argwhere(heat >= heat.max() / 2) + 0.5
    return (result.placement @ np.append(cells.mean(axis=0), 1))[:2]


@pytest.mark.parametrize("method", ["fastcam", "gradcam", "integrated_gradients"])
def test_heat_lies_on_the_lesion(probe, slide, method):
    """Its centroid is off by less than half a cell, in mm."""
    recipe = sal.IntegratedGradients(steps=4) if method[0] == "i" else method
    found = explain_slide(probe, slide, recipe, target=1, **ON)
    row, column, side = LESION
    middle = np.array((row + side / 2, column + side / 2)) * 0.0005
    assert np.abs(centroid(found) - middle).max() < found.placement[0, 0] / 2
    assert not found.veiled


def test_scores_are_the_models_own(probe, slide, result):
    """Of each tile with tissue, as read at its place; NaN of all others."""
    assert result.scores.shape == (*result.grid.tiles, 2)
    asked = np.argwhere(result.asked)
    assert 0.3 < result.asked.mean() < 0.9
    for row, column in asked[:: len(asked) // 7]:
        top = result.grid.down[row].start * 0.0005
        left = result.grid.across[column].start * 0.0005
        tile = slide.read_at(top, left, 64, 64, (0.0005, 0.0005))
        alone = probe.class_scores(tf.constant(tile[None] / 255, tf.float32))
        np.testing.assert_allclose(result.scores[row, column], alone[0], atol=1e-4)
    assert np.isnan(result.scores[~result.asked]).all()
    assert set(np.unique(result.classes)) == {-1, 0, 1}
    assert (result.classes == 1).sum() == (result.probabilities > 0.5).sum()


def test_a_cell_has_the_class_of_the_tile_of_greatest_weight(result):
    """Where two tiles have equal weight either will do."""
    asked = np.argwhere(result.asked)
    weights = np.zeros((len(asked), *result.grid.cells))
    for number, place in enumerate(asked):
        down, across = result.grid.at(place)
        weights[number, down.cells, across.cells] = np.outer(down.weight, across.weight)
    wanted = result.classes[tuple(asked.T)][weights.argmax(axis=0)]
    second, first = np.sort(weights, axis=0)[-2:]
    found = classes_of_cells(result)
    clear = first > second
    assert clear.mean() > 0.3
    np.testing.assert_array_equal(found[clear], wanted[clear])
    assert (found[first == 0] == -1).all()
    assert (second > 0).mean() > 0.1  # tiles overlap


def test_placement_and_affine_lead_to_the_slide(slide, result):
    """The first cell's corner is the matrix's, and the affine goes on to the slide's axes."""
    np.testing.assert_allclose(result.placement @ (0, 0, 1), (0, 0, 1))
    cell = result.grid.cell * 0.0005
    np.testing.assert_allclose(
        result.placement @ (3.5, 2.5, 1), (3.5 * cell, 2.5 * cell, 1)
    )
    np.testing.assert_allclose(result.affine, slide.affine @ result.placement)


@pytest.mark.parametrize("strides", [1, 2])
def test_tiles_of_a_convolutional_network_make_the_map_of_the_whole(strides):
    """Within 1e-4: the halo is the receptive field, and tiles stand in step with the strides."""
    scene = np.random.default_rng(3).integers(0, 255, (192, 256, 3), np.uint8)
    probe = sal.KerasProbe(convolutions(strides))
    with opened(scene) as held:
        found = explain_slide(
            probe,
            held,
            "gradient",
            target=everything,
            tile=64,
            spacing=0.0005,
            tissue=None,
        )
    image = sal.DicomImage.from_array(scene)
    whole = sal.explain(probe, image, "gradient", target=everything).heatmap.values
    cell = found.grid.cell
    means = whole.reshape(192 // cell, cell, 256 // cell, cell).mean((1, 3))
    np.testing.assert_allclose(found.heatmap.values, means, atol=1e-4)
    assert np.abs(means).max() > 1e-2
    assert len(found.grid.down) > 2


def test_without_a_halo_it_does_not():
    """So the law above can fail."""
    scene = np.random.default_rng(3).integers(0, 255, (192, 256, 3), np.uint8)
    probe = sal.KerasProbe(convolutions())
    ways = {"tile": 64, "spacing": 0.0005, "tissue": None, "target": everything}
    with opened(scene) as held:
        right = explain_slide(probe, held, "gradient", **ways)
        wrong = explain_slide(
            probe, held, "gradient", prepare=sal.Prepare(halo=0), **ways
        )
    assert np.abs(right.heatmap.values - wrong.heatmap.values).max() > 1e-3


def test_a_halo_that_leaves_less_than_a_stride_is_none():
    """Tiles in step would leave gaps: they are blended, and no cell is without weight."""
    scene = np.random.default_rng(3).integers(0, 255, (96, 128, 3), np.uint8)
    probe = sal.KerasProbe(convolutions(4))
    ways = {"tile": 42, "spacing": 0.0005, "tissue": None, "target": everything}
    assert (probe.reach.field, probe.reach.stride) == (21, 4)
    with opened(scene) as held:
        found = explain_slide(probe, held, "gradient", **ways)
        with pytest.raises(InputError, match="got 20 voxels at each side of 42; 4 or"):
            explain_slide(probe, held, "gradient", prepare=sal.Prepare(halo=20), **ways)
    assert found.explained.all()
    assert np.isfinite(found.heatmap.values).all()


def test_glass_stays_as_it_is(slide, result):
    """Bit for bit, of heat and of classes; the lesion does not."""
    shown = slide.thumbnail(2048).display
    tissue_there = result.tissue_on(shown.shape[:2])
    for kind in ("heat", "classes"):
        painted = result.overlay(kind).rgb
        np.testing.assert_array_equal(painted[~tissue_there], shown[~tissue_there])
    row, column, side = LESION
    middle = row + side // 2, column + side // 2
    assert (result.overlay("classes").rgb[middle] != shown[middle]).any()


def test_equal_heat_has_equal_colour_on_any_slide(probe, result):
    """Another slide with a second, larger lesion does not change the colours of the first."""
    scene = planted(tissue(*SIZE), (LESION, (128, 256, 56)))
    with opened(scene) as held:
        other = explain_slide(probe, held, "gradient", target="tumour", **ON)
    assert other.vmax == result.vmax
    row, column, side = LESION
    part = slice(row - 8, row + side + 8), slice(column - 8, column + side + 8)
    np.testing.assert_array_equal(other.overlay().rgb[part], result.overlay().rgb[part])


@pytest.mark.parametrize("method", ["fastcam", "gradient"])
def test_a_slide_of_noise_stays_dark(probe, method):
    """No pixel takes on a colour, whatever the method, and the caption says why."""
    with opened(tissue(*SIZE, seed=5)) as held:
        found = explain_slide(probe, held, method, target="tumour", overlap=0, **ON)
        shown = held.thumbnail(2048).display
    bare = found.overlay().rgb.astype(int) - shown
    assert np.abs(bare).max() <= 2
    assert "no tile is of this class" in found.veil_reason


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_shuffled_model_is_veiled(probe, slide, seed):
    """Its weights in disorder: it says the same of all tissue."""
    keras.utils.set_random_seed(seed)
    entry = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(8, 3, activation="relu")(entry)
    x = keras.layers.GlobalAveragePooling2D()(x)
    made = keras.Model(entry, keras.layers.Dense(2, activation="softmax")(x))
    found = explain_slide(made, slide, "fastcam", overlap=0, **ON)
    assert found.veiled


def test_tissue_may_be_told(probe, slide):
    """None: all tiles are asked; a mask: those that it meets; nothing in it: refused."""
    ways = ON | {"target": 1}
    assert explain_slide(probe, slide, "gradient", tissue=None, **ways).asked.all()
    mask = np.zeros((8, 10), np.bool_)
    mask[3, 5] = True
    some = explain_slide(probe, slide, "gradient", tissue=sal.Mask(mask), **ways)
    # 64 pixels a side, met by tiles of 64 that start every 48 pixels or less
    assert 4 <= some.asked.sum() <= 12
    assert some.dropped == pytest.approx(79 / 80)
    with pytest.raises(InputError, match="found none"):
        explain_slide(probe, slide, "gradient", tissue=mask & False, **ways)
    with pytest.raises(InputError, match="'auto', None, or a mask"):
        explain_slide(probe, slide, "gradient", tissue=np.ones(3), **ways)


def test_the_class_of_most_tiles_is_explained_where_none_is_named(probe, slide):
    """As of a volume: the heat of all tiles speaks for one class."""
    assert explain_slide(probe, slide, "gradient", **ON).target == 0


def test_a_model_of_another_scale_sees_pixels_of_that_scale(slide):
    """At 1 um a pixel there are a quarter of the tiles, and the lesion lies where it lay."""
    found = explain_slide(
        red_detector(),
        slide,
        "gradient",
        target=1,
        spacing=0.001,
        prepare=sal.Prepare(),
    )
    assert found.grid.size == (256, 320)
    row, column, side = LESION
    middle = np.array((row + side / 2, column + side / 2)) * 0.0005
    assert np.abs(centroid(found) - middle).max() < found.placement[0, 0]


def test_the_folder_holds_all_forms(result, tmp_path):
    """Numbers as they are, outlines in pixels of level 0, pictures with a caption below."""
    place = result.save(tmp_path / "told")
    with np.load(place / "heat.npz") as held:
        np.testing.assert_array_equal(held["values"], result.heatmap.values)
        np.testing.assert_array_equal(held["scores"], result.scores)
        np.testing.assert_array_equal(held["placement"], result.placement)
    record = json.loads((place / "record.json").read_text())
    assert record["tiles"]["asked"] == result.asked.sum()
    outlines = json.loads((place / "heat.geojson").read_text())
    assert outlines["type"] == "FeatureCollection"
    (feature,) = outlines["features"]
    assert feature["properties"]["objectType"] == "annotation"
    assert feature["properties"]["classification"]["name"] == "tumour"
    (outer, *_) = feature["geometry"]["coordinates"]
    assert outer[0] == outer[-1]
    x, y = np.array(outer).T
    row, column, side = LESION
    assert abs((x.min() + x.max()) / 2 - (column + side / 2)) < result.grid.cell
    assert abs((y.min() + y.max()) / 2 - (row + side / 2)) < result.grid.cell
    for name in ("heat.png", "classes.png"):
        assert (place / name).stat().st_size > 1000


def same(one, other):
    """Say whether two values are equal, field by field and array by array."""
    if is_dataclass(one):
        names = [each.name for each in fields(one) if each.name != "thumbnail"]
        return type(one) is type(other) and all(
            same(getattr(one, name), getattr(other, name)) for name in names
        )
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_a_saved_answer_is_read_back(result, slide, tmp_path):
    """Every field but the seconds, which are rounded; what is painted is equal bit for bit."""
    place = result.save(tmp_path / "told")
    for path in (place, place / "heat.npz"):
        read = sal.load_slide(path, slide)
        unasked = replace(result.answer, asked=None)
        wanted = replace(result, seconds=read.seconds, answer=unasked)
        assert same(read, wanted)
    assert read.seconds == pytest.approx(result.seconds, abs=1e-3)
    for kind in ("heat", "classes"):
        painted = read.overlay(kind).rgb
        np.testing.assert_array_equal(painted, result.overlay(kind).rgb)
    assert read.caption == result.caption
    assert read.overlay(pixels=300).rgb.shape[1] == 300


def test_what_is_not_read_back_is_told(result, slide, tmp_path):
    place = result.save(tmp_path / "told")
    different = pytest.raises(InputError, match="not the one that was explained")
    with opened(tissue(*SIZE, seed=5)) as other, different:
        sal.load_slide(place, other)
    with pytest.raises(InputError, match=r"load_slide\(folder, slide\)"):
        sal.load(place / "heat.npz")
    with pytest.raises(InputError, match="found no file under that name"):
        sal.load_slide(tmp_path, slide)
    with pytest.raises(sal.SaliencyError, match="Expected a file, a folder or a glob"):
        sal.load_slide(place, tmp_path / "no-slide")
    with pytest.raises(InputError, match="a file of another kind"):
        sal.load_slide(place / "record.json", slide)
    np.savez(tmp_path / "heat.npz", values=result.heatmap.values)
    with pytest.raises(InputError, match=r"heat\.npz of form 1"):
        sal.load_slide(tmp_path, slide)
    broken = (place / "heat.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(broken[: len(broken) // 2])
    with pytest.raises(InputError, match=r"another kind|cannot be read"):
        sal.load_slide(tmp_path / "cut.npz", slide)


def test_outlines_are_what_qupath_imports(result, slide):
    """Valid polygons that turn by the right-hand rule, within level 0, where heat is half."""
    made = json.loads(json.dumps(geojson_of(result, level=0.02)))
    assert made["type"] == "FeatureCollection"
    down, across = (result.grid.cell,) * 2  # the model saw the pixels of level 0
    covered = np.zeros(result.grid.cells, np.bool_)
    for feature in made["features"]:
        assert (feature["type"], feature["geometry"]["type"]) == ("Feature", "Polygon")
        told = feature["properties"]
        assert (told["objectType"], told["isLocked"]) == ("annotation", True)
        assert set(told["classification"]) == {"name", "color"}
        assert len(told["classification"]["color"]) == 3
        for number, ring in enumerate(feature["geometry"]["coordinates"]):
            assert ring[0] == ring[-1]
            assert len(ring) >= 4
            x, y = np.array(ring).T
            assert 0 <= x.min() <= x.max() <= SIZE[1]
            assert 0 <= y.min() <= y.max() <= SIZE[0]
            twice = float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())
            assert (twice > 0) == (number == 0)  # holes turn the other way
            rows, columns = np.indices(covered.shape) + 0.5
            inside = Path(np.column_stack([x, y])).contains_points(
                np.column_stack([(columns * across).ravel(), (rows * down).ravel()])
            )
            covered ^= inside.reshape(covered.shape)
    np.testing.assert_array_equal(covered, result.heatmap.values >= 0.02 * result.vmax)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"spacing": 0.5}, "Spacings are in mm"),
        ({"spacing": -1}, "above 0"),
        ({"tile": 0}, "a tile of 1 pixel or more"),
        ({"overlap": 1.0}, "overlap of 0 or more and below 1"),
        ({"batch_size": 0}, "batch_size of 1 or more"),
        ({"prepare": sal.Prepare(spacing=0.5)}, "Leave it out of Prepare"),
        ({"tissue": "glass"}, "'auto', None, or a mask"),
        ({"target": "cat"}, "cat"),
    ],
)
def test_what_cannot_be_is_refused(probe, slide, wrong, words):
    """In one sentence."""
    with pytest.raises(sal.SaliencyError, match=words):
        explain_slide(probe, slide, "gradient", **(ON | wrong))


def test_a_tile_that_stands_alone_has_its_own_map(probe):
    """That of explain, times its probability: one tile is asked about, by a mask."""
    row, column, side = 200, 330, 14  # a twentieth of a tile: half sure
    mask = np.zeros(SIZE, np.bool_)
    mask[row + side // 2, column + side // 2] = True
    ways = {"target": 1, "tissue": mask, "overlap": 0}
    with opened(planted(tissue(*SIZE), ((row, column, side),))) as held:
        found = explain_slide(probe, held, "gradient", **ways, **ON)
        ((down, across),) = np.argwhere(found.asked)
        top, left = found.grid.down[down].start, found.grid.across[across].start
        tile = held.read_at(top * 0.0005, left * 0.0005, 64, 64, (0.0005, 0.0005))
    image = sal.DicomImage.from_array(tile)
    alone = sal.explain(probe, image, "gradient", target=1, prepare=sal.Prepare())
    assert 0.2 < alone.probability < 0.8
    cell = found.grid.cell
    means = alone.heatmap.values.reshape(64 // cell, cell, 64 // cell, cell).mean(
        (1, 3)
    )
    part = found.heatmap.values[found.explained].reshape(means.shape)
    np.testing.assert_allclose(part, means * alone.probability, rtol=1e-4)


def test_a_class_of_most_tissue_is_not_veiled(slide):
    """The tissue's own class: an even tile of its colour gets it, but the lesion does not."""
    found = explain_slide(red_detector(), slide, "gradient", target=0, overlap=0, **ON)
    assert found.probabilities[found.asked].mean() > 0.8
    assert not found.indifferent


def test_a_folder_and_a_path_do_as_well(tmp_path):
    """Files are opened for the while; larger thumbnails are read from them afterwards."""
    scene = planted(tissue(256, 320), ((96, 128, 64),))
    level(scene, tile=(64, 64)).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    red_detector().save(tmp_path / "red.keras")
    found = explain_slide(
        tmp_path / "red.keras", tmp_path / "a.dcm", "gradcam", target=1, overlap=0, **ON
    )
    for pixels in (100, 320):
        assert found.overlay(pixels=pixels).rgb.shape == (pixels * 4 // 5, pixels, 3)
    assert found.slide.spacing == (0.0005, 0.0005)
    told = found.caption + repr(found)
    assert str(tmp_path) not in told


def test_explain_takes_a_slide_as_it_takes_a_volume(probe, slide, result):
    """At the spacing of level 0, as the caption says; all else as explain_slide does it."""
    found = sal.explain(probe, slide, "gradient", target="tumour")
    np.testing.assert_array_equal(found.heatmap.values, result.heatmap.values)
    assert "assumed" in found.caption
