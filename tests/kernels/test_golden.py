"""Numbers of the authors' own code, within the tolerances measured for it."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from shared import shared

from saliency.kernels import activity, gamma

UNFIT = ("const", "zeros", "one")


def golden(name):
    with np.load(
        shared("golden", "fastcam", f"{name}.npz"), allow_pickle=False
    ) as file:
        return {tuple(key.split("__")): file[key] for key in file}


def cases(data, quantity):
    return [case for case, found in data if found == quantity]


def channels_last(array):
    return np.moveaxis(array, 1, -1)


def test_smoe_scale():
    """SMOE Scale is the authors' to 5e-5 of the channel mean."""
    data = golden("smoe_scale")
    for case in cases(data, "smoe"):
        x = channels_last(data[case, "x"])
        level = np.maximum(x, 0).mean(axis=-1) + 1e-7
        found = activity.smoe_scale(x).numpy()
        assert_allclose(
            found / level, data[case, "smoe"] / level, atol=5e-5, rtol=0, err_msg=case
        )
        assert found.min() >= 0


@pytest.mark.parametrize("name", ["std", "mean", "max"])
def test_plain_statistics(name):
    """Deviation, mean and maximum are the authors'; one channel deviates by 0, not by NaN."""
    data = golden("alt_stats")
    statistic = {"std": activity.std, "mean": activity.mean, "max": activity.maximum}[
        name
    ]
    for case in cases(data, name):
        x = channels_last(data[case, "x"])
        level = np.abs(x).mean(axis=-1) + 1e-30
        wanted = np.nan_to_num(data[case, name])
        assert_allclose(statistic(x) / level, wanted / level, atol=5e-6, err_msg=case)


def test_gamma_scale():
    """The gamma scale is the authors' to 1e-4 wherever rounding does not decide."""
    data = golden("alt_stats")
    for case in cases(data, "gammascale"):
        valid = data[case, "gammascale_valid"] == 1
        found = gamma.gamma_scale(channels_last(data[case, "x"])).numpy()
        assert_allclose(
            found[valid], data[case, "gammascale"][valid], rtol=1e-4, err_msg=case
        )
        assert np.isfinite(found).all()


def test_truncated_normal_entropy():
    """The entropy is the authors' to 5e-4 where their Z is above rounding, and finite elsewhere."""
    data = golden("alt_stats")
    for case in cases(data, "truncnormal"):
        known = np.isfinite(data[case, "truncnormal"])
        valid = data.get((case, "truncnormal_valid"), known) == 1
        found = activity.truncnormal_entropy(channels_last(data[case, "x"])).numpy()
        assert_allclose(
            found[valid], data[case, "truncnormal"][valid], atol=5e-4, err_msg=case
        )
        assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("name", "norm", "tolerance"),
    [
        ("gauss", activity.gaussian_cdf, 2e-6),
        ("gamma", gamma.gamma_cdf_truncated, 2e-5),
        ("gamma_exactcdf", gamma.gamma_cdf, 2e-5),
        ("range", activity.unit_range, 1e-6),
    ],
)
def test_norms(name, norm, tolerance):
    """Each norm is the authors'; a constant map is 0 where they have NaN or rounding."""
    data = golden("norms")
    for case in cases(data, name):
        found = norm(data[case, "x"]).numpy()
        wanted = np.zeros_like(found) if case in UNFIT else data[case, name]
        assert_allclose(found, wanted, atol=tolerance, rtol=0, err_msg=case)


def test_combine():
    """Resized and weighted maps are the authors', enlarging and shrinking."""
    data = golden("combine")
    stack = [data["A", f"in{layer}"] for layer in range(5)]
    equal = activity.combine(stack, size=(224, 224))
    prior = activity.combine(stack, size=(224, 224), weights=data["A", "paperweights"])
    assert_allclose(equal, data["A", "combined"], atol=5e-6)
    assert_allclose(prior, data["A", "combined_paperw"], atol=5e-6)
    maps = activity.layer_stack(stack, size=(224, 224))
    assert_allclose(np.moveaxis(maps, -1, 1), data["A", "maps"], atol=5e-6)

    stack = [data["B", f"in{layer}"] for layer in range(5)]
    found = activity.combine(stack, size=(33, 47), weights=data["B", "weights"])
    assert_allclose(found, data["B", "combined"], atol=5e-6)

    found = activity.combine([data["C", "in0"], data["C", "in1"]], size=(16, 16))
    assert_allclose(tf.nn.relu(found), data["C", "combined"], atol=3e-5)
