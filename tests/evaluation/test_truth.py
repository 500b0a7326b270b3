"""Metrics of a map and a truth: CheXlocalize's sample, closed forms, an independent library."""

import csv

import numpy as np
import pytest
from numpy.testing import assert_allclose
from shared import shared
from sklearn.metrics import average_precision_score

from saliency.errors import InputError
from saliency.evaluation import (
    auprc,
    energy_inside,
    miou,
    miou_otsu,
    otsu_mask,
    pointing_game,
)
from saliency.pipeline.resize import resized
from saliency.values.heatmap import Heatmap
from saliency.values.mask import Mask

SQUARE = np.zeros((6, 8), bool)
SQUARE[2:4, 3:6] = True


def sample():
    """Yield (row, map, truth or None) of CheXlocalize's published sample."""
    folder = shared("evaluation")
    arrays = np.load(folder / "chexlocalize_sample.npz")
    for row in csv.DictReader(
        (folder / "chexlocalize_sample.csv").read_text().splitlines()
    ):
        patient = row["image"].split("_")[0]
        name = f"{patient}/{row['finding']}"
        height, width = arrays[f"{patient}/shape"]
        truth = None
        if f"{name}/truth" in arrays:
            bits = np.unpackbits(arrays[f"{name}/truth"])[: height * width]
            truth = bits.reshape(height, width).astype(bool)
        yield row, resized(arrays[f"{name}/map"], (int(height), int(width))), truth


def test_chexlocalize():
    """Masks, overlap and hits of the sample, as its authors' code gives them."""
    seen = 0
    for row, heat, truth in sample():
        if (
            truth is None and row["finding"] != "Edema"
        ):  # one mask without truth is enough
            continue
        # Two of the published masks differ by a pixel of a million from any but OpenCV's rounding.
        assert abs(int(otsu_mask(heat).values.sum()) - int(row["mask_pixels"])) <= 1
        if truth is None:
            continue
        seen += 1
        assert pointing_game(heat, truth) == float(row["hit"])
        assert_allclose(miou_otsu(heat, truth), float(row["iou_otsu"]), atol=1e-6)
        tuned = miou(heat, truth, threshold=float(row["tuned_threshold"]))
        assert_allclose(tuned, float(row["iou_tuned"] or "nan"), atol=1e-6)
    assert seen == 4


def test_a_map_that_is_the_truth():
    heat = SQUARE.astype(np.float32)
    for metric in (pointing_game, energy_inside, miou_otsu, auprc):
        assert metric(Heatmap(heat), Mask(SQUARE)) == 1
        assert metric(1 - heat, SQUARE) < 0.5


def test_a_flat_map_has_the_share_of_pixels():
    flat, share = np.ones(SQUARE.shape, np.float32), SQUARE.mean()
    assert_allclose([energy_inside(flat, SQUARE), auprc(flat, SQUARE)], share)


def test_equal_values_count_in_row_order():
    heat = np.zeros(SQUARE.shape, np.float32)
    heat[0, 0] = heat[2, 3] = 1
    assert pointing_game(heat, SQUARE) == 0
    heat[0, 0] = 0
    assert pointing_game(heat, SQUARE) == 1


@pytest.mark.parametrize("seed", range(5))
def test_precision_and_recall_as_scikit_learn_has_them(seed):
    generator = np.random.default_rng(seed)
    heat = generator.integers(0, 9, SQUARE.shape).astype(np.float32)
    truth = generator.random(SQUARE.shape) < 0.3
    assert_allclose(
        auprc(heat, truth), average_precision_score(truth.ravel(), heat.ravel())
    )


def test_holes_are_filled_and_single_pixels_dropped():
    heat = np.zeros((12, 12), np.float32)
    heat[2:7, 2:7] = 1
    heat[4, 4] = 0
    heat[10, 10] = 1
    mask = otsu_mask(heat).values
    assert mask[4, 4]
    assert not mask[10, 10]
    assert mask.sum() == 25


def test_what_is_empty():
    blank, nothing = np.zeros(SQUARE.shape, np.float32), np.zeros_like(SQUARE)
    assert np.isnan([pointing_game(blank, nothing), auprc(blank, nothing)]).all()
    assert np.isnan([energy_inside(blank, SQUARE), miou_otsu(blank, SQUARE)]).all()
    assert miou_otsu(blank, SQUARE, empty="zero") == 0
    assert np.isnan(miou_otsu(blank, nothing, empty="zero"))


def test_a_map_of_another_grid_is_resized():
    heat = resized(SQUARE.astype(np.float32), (12, 16))
    assert pointing_game(heat, SQUARE) == 1


@pytest.mark.parametrize(
    ("heat", "truth", "words"),
    [
        (np.ones((2, 3, 1)), SQUARE, "rows, columns"),
        (np.full((6, 8), np.nan), SQUARE, "finite"),
        (np.ones((6, 8)), SQUARE.astype(int), "mask > 0"),
    ],
)
def test_refusals(heat, truth, words):
    with pytest.raises(InputError, match=words):
        energy_inside(heat, truth)


def test_pixels_that_touch_at_a_corner_are_one_part():
    """As OpenCV's contours have it: only a pixel without any neighbour is dropped."""
    heat = np.zeros((9, 9), np.float32)
    heat[2, 2] = heat[3, 3] = heat[7, 1] = 1
    assert sorted(zip(*np.nonzero(otsu_mask(heat).values), strict=True)) == [
        (2, 2),
        (3, 3),
    ]
