"""A bulk run never dies, never loses a row, never doubles one."""

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import saliency as sal

CT = get_testdata_file("CT_small.dcm")
MR = get_testdata_file("MR_small.dcm")


def pictures(count):
    """Pictures of noise."""
    generator = np.random.default_rng(0)
    return [sal.DicomImage.from_array(generator.normal(size=(37, 53))) for _ in range(count)]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8])
@pytest.mark.parametrize("explainer", ["gradient", "fastcam", "smoothgrad"])
def test_a_batch_is_a_loop(model, explainer, batch_size):
    """Bulk results are those of explain, in order, whatever the batch size."""
    images = pictures(5)
    alone = [sal.explain(model, image, explainer) for image in images]
    bulk = list(sal.explain_many(model, images, explainer, batch_size=batch_size))

    assert [each.target for each in bulk] == [each.target for each in alone]
    for one, other in zip(bulk, alone, strict=True):
        assert np.allclose(one.heatmap.values, other.heatmap.values, atol=1e-5)


def test_failures_are_values_in_their_place(model, tmp_path):
    """An unreadable file, a folder, and a colour picture fail; the others go on."""
    (tmp_path / "bad.dcm").write_bytes(b"no DICOM")
    colour = sal.DicomImage.from_array(np.zeros((8, 9, 3)))
    sources = [CT, tmp_path / "bad.dcm", MR, colour, tmp_path / "absent.dcm", CT]

    results = list(sal.explain_many(model, sources, "gradient", batch_size=4))

    assert [bool(result) for result in results] == [True, False, True, False, False, True]
    assert [result.index for result in results if not result] == [1, 3, 4]
    assert [result.error for result in results if not result] == [
        "DicomError",
        "InputError",
        "DicomError",
    ]


def test_one_bad_sample_does_not_take_its_batch_along(model):
    """A recipe that breaks on one picture fails for that picture alone."""

    def breaks_on_dark(probe, inputs):
        import tensorflow as tf

        dark = tf.reduce_mean(inputs, axis=(1, 2, 3), keepdims=True) < 0.1
        return tf.where(dark, np.nan, probe.gradient(inputs))

    images = pictures(3)
    images[1] = sal.DicomImage.from_array(np.eye(37, 53))
    results = list(sal.explain_many(model, images, breaks_on_dark))

    assert [type(result).__name__ for result in results] == [
        "Explanation",
        "Failure",
        "Explanation",
    ]


def test_images_are_drawn_as_they_are_needed(model):
    """An archive is not read to its end before the first result."""
    drawn = []

    def archive():
        for image in pictures(50):
            drawn.append(1)
            yield image

    next(sal.explain_many(model, archive(), "gradient", batch_size=2))

    assert len(drawn) <= 10


def test_what_is_wrong_for_all_raises_at_once(model):
    """A misspelt explainer is not fifty thousand failures."""
    with pytest.raises(sal.ExplainerError):
        sal.explain_many(model, [CT], "gradent")
    with pytest.raises(sal.TargetError):
        sal.explain_many(model, [CT], target=7)
    with pytest.raises(sal.InputError, match="batch_size"):
        sal.explain_many(model, [CT], batch_size=0)
