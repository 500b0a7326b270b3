"""A bulk run never dies, never loses a row, never doubles one."""

import shutil

import keras
import numpy as np
import pytest
from pydicom.data import get_testdata_file

import saliency as sal

CT = get_testdata_file("CT_small.dcm")
MR = get_testdata_file("MR_small.dcm")


def pictures(count):
    """Pictures of noise."""
    generator = np.random.default_rng(0)
    return [
        sal.DicomImage.from_array(generator.normal(size=(37, 53))) for _ in range(count)
    ]


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

    assert [bool(result) for result in results] == [
        True,
        False,
        True,
        False,
        False,
        True,
    ]
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


def failing(error, where):
    """A recipe that raises on the picture whose first pixel is brightest."""

    def recipe(probe, inputs):
        if where(inputs):
            raise error
        return probe.gradient(inputs)

    return recipe


def bright_among(images, place):
    """The same pictures with a white one in a place."""
    return [
        *images[:place],
        sal.DicomImage.from_array(np.eye(37, 53)),
        *images[place + 1 :],
    ]


@pytest.mark.parametrize(
    "error",
    [ValueError("a plug-in"), OSError(28, "No space left"), MemoryError()],
    ids=repr,
)
def test_whatever_one_picture_provokes_is_its_failure(model, error):
    """A plug-in that raises anything, on one picture of a batch, costs that picture alone."""
    sparse = failing(error, lambda inputs: (inputs.numpy().mean((1, 2, 3)) < 0.1).any())
    results = list(
        sal.explain_many(model, bright_among(pictures(5), 2), sparse, batch_size=4)
    )

    assert [bool(result) for result in results] == [True, True, False, True, True]
    assert (results[2].index, results[2].error) == (2, type(error).__name__)
    assert type(error).__name__ in results[2].message


def test_a_probe_without_memory_is_a_failure(model):
    """TensorFlow's errors in the score, too."""
    import tensorflow as tf

    class Probe:
        """Asks another probe, and runs out of memory on one picture."""

        layers, target = (), "score"
        activations = activation_gradients = lambda self, inputs: ()

        def __init__(self, inner):
            self.gradient, self.inner = inner.gradient, inner

        def score(self, inputs):
            if (inputs.numpy().mean((1, 2, 3)) < 0.1).any():
                raise tf.errors.ResourceExhaustedError(None, None, "OOM")
            return self.inner.score(inputs)

    probe = Probe(sal.KerasProbe(model).at(1))
    prepare = sal.Prepare((40, 56), channels=1)
    images = bright_among(pictures(3), 0)
    results = list(sal.explain_many(probe, images, "gradient", prepare=prepare))

    assert [type(each).__name__ for each in results] == [
        "Failure",
        "Explanation",
        "Explanation",
    ]
    assert results[0].error == "ResourceExhaustedError"


def test_a_preparation_that_raises_is_a_failure(model):
    """A function of the user's that stops at one picture does not stop the run."""

    def scale(array):
        if array.mean() < 0.1 * 255:
            msg = "dark"
            raise KeyError(msg)
        return array / 255

    images = bright_among(pictures(3), 1)
    results = list(
        sal.explain_many(model, images, "gradient", prepare=sal.Prepare(scale=scale))
    )

    assert [getattr(result, "error", None) for result in results] == [
        None,
        "KeyError",
        None,
    ]


def test_what_was_read_before_an_error_is_explained(model):
    """The iterator of the caller breaks: all before it is there, then one Failure in its place."""

    def archive():
        yield from pictures(3)
        raise OSError(5, "Input/output error", "/DOE^JANE")

    results = list(sal.explain_many(model, archive(), "gradient", batch_size=2))

    assert [bool(result) for result in results] == [True, True, True, False]
    assert (results[3].index, results[3].error) == (3, "OSError")
    assert "ended here" in results[3].message
    assert "DOE" not in results[3].message


def test_held_values_follow_their_picture(model, tmp_path):
    """After an unreadable file each picture still has its own row of the held values."""
    keras.utils.set_random_seed(0)
    entry, age = keras.Input((8, 8, 1)), keras.Input((1,), name="age")
    flat = keras.layers.Flatten()(entry)
    network = keras.Model([entry, age], keras.layers.Dense(1)(flat * age))
    ages = np.arange(1.0, 7.0)[:, None]
    probe = sal.KerasProbe(network, input=0, held={"age": ages})
    (tmp_path / "bad.dcm").write_bytes(b"no DICOM")
    image = sal.DicomImage.from_array(np.eye(8))
    images = [image, tmp_path / "bad.dcm", image, image, image, image]
    results = list(sal.explain_many(probe, images, "gradient", target=0, batch_size=2))
    heat = [
        result.heatmap.values.sum() / age
        for result, age in zip(results, ages, strict=True)
        if result
    ]

    assert [result.index for result in results if not result] == [1]
    assert np.allclose(heat, heat[0])


def test_a_path_is_a_folder_a_file_or_a_glob(model, tmp_path):
    """A bare text is never walked letter by letter."""
    for name in ("a", "b"):
        shutil.copy(CT, tmp_path / name)
    assert len(list(sal.explain_many(model, str(tmp_path), "gradient"))) == 2
    assert len(list(sal.explain_many(model, CT, "gradient"))) == 1
    assert len(list(sal.explain_many(model, f"{tmp_path}/[ab]", "gradient"))) == 2
    assert len(list(sal.explain_many(model, pictures(1)[0], "gradient"))) == 1
    with pytest.raises(sal.InputError):
        sal.explain_many(model, "folder/ct", "gradient")
