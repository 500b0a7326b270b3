"""A dataset of DICOM files: the pixels that ``explain`` shows a model, in order, none missing."""

import csv
import logging
import os
import shutil
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from pydicom.data import get_testdata_file
from shared import shared

import saliency as sal

CT = get_testdata_file("CT_small.dcm")
MR = get_testdata_file("MR_small.dcm")
GREY = (
    CT,
    MR,
    get_testdata_file("examples_overlay.dcm"),
    get_testdata_file("JPEG2000.dcm"),
)
CINE = get_testdata_file("rtdose.dcm")  # 15 frames
SMALL = sal.Prepare((24, 20), channels=1)


@pytest.fixture
def folder(tmp_path):
    """Eight files: CT and MR in turns, the fourth no DICOM."""
    for number in range(8):
        shutil.copy(CT if number % 2 else MR, tmp_path / f"{number}.dcm")
    (tmp_path / "3.dcm").write_bytes(b"no DICOM at all")
    return tmp_path


def numpy_of(dataset):
    return list(dataset.as_numpy_iterator())


@pytest.mark.parametrize(
    "prepare",
    [
        SMALL,
        sal.Prepare((24, 20), channels=3, fit="letterbox", scale="imagenet"),
        sal.Prepare((24, 20), channels=1, intensity="modality", scale="zscore"),
        sal.Prepare((24, 20), windows=((40, 400), (300, 1500))),
        lambda image: image.pixels[:16, :8],
    ],
    ids=["display", "letterbox", "modality", "windows", "function"],
)
def test_an_example_is_what_explain_prepares(prepare):
    """Bit for bit, whatever the preparation."""
    from saliency.pipeline.preparing import preparation

    found = numpy_of(sal.tf_dataset(GREY, prepare=prepare))

    for file, example in zip(GREY, found, strict=True):
        expected = preparation(prepare)(sal.read_dicom(file)).array[0]
        assert example.dtype == np.float32
        np.testing.assert_array_equal(example, expected)


@pytest.mark.parametrize("seed", [None, 0])
def test_frames_are_examples(seed):
    """Every frame of a cine once, in order unless shuffled, across the runs it is read in."""
    frames = [SMALL(image).array[0] for image in sal.read_frames(CINE)] * 2
    dataset = sal.tf_dataset((CINE, MR), prepare=SMALL, frames="all", seed=seed)
    found = numpy_of(dataset)
    expected = [*frames[:15], SMALL(sal.read_dicom(MR)).array[0]]

    assert len(found) == 16
    if seed is None:
        np.testing.assert_array_equal(found, expected)
    else:
        assert sorted(each.tobytes() for each in found) == sorted(
            e.tobytes() for e in expected
        )


def test_more_frames_than_are_read_at_once(tmp_path):
    """A cine of 40 frames, in a zip: one run after the other."""
    import pydicom

    dataset = pydicom.dcmread(CINE)
    values = np.arange(40 * 100, dtype=np.uint32).reshape(40, 10, 10)
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = 40, 10, 10
    dataset.PixelData = values.tobytes()
    dataset.GridFrameOffsetVector = list(range(40))
    dataset.save_as(tmp_path / "a.dcm")
    shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path, "a.dcm")
    stored = sal.Prepare((10, 10), channels=1, intensity="stored", scale="none")
    found = numpy_of(sal.tf_dataset(tmp_path / "all.zip", prepare=stored, frames="all"))

    np.testing.assert_array_equal(np.array(found)[..., 0], values)


def test_tensorflow_io_s_own_table():
    """Every file of tensorflow-io's test suite has the frames, size and channels of its table."""
    table = shared("facts", "tfio_table.csv")
    files = shared("tfio")
    with table.open() as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        dataset = sal.tf_dataset(
            files / row["file"], prepare=sal.Prepare(), frames="all"
        )
        size = tuple(int(row[name]) for name in ("rows", "columns", "channels"))

        assert dataset.element_spec == tf.TensorSpec(size, tf.float32), row["file"]
        assert len(numpy_of(dataset)) == int(row["frames"]), row["file"]
    assert len(rows) == 22


def test_shapes_are_static_and_the_length_is_known(folder):
    """Keras asks for both before the first file is read."""
    labels = {f"{number}.dcm": np.eye(3)[number % 3] for number in range(8)}
    dataset = sal.tf_dataset(folder, prepare=SMALL, labels=labels)

    assert dataset.cardinality() == 8
    assert dataset.element_spec == (
        tf.TensorSpec((24, 20, 1), tf.float32),
        tf.TensorSpec((3,), tf.float32),
    )


def test_an_error_names_the_file(folder):
    """TensorFlow stops with the name of the file as given, and our sentence."""
    with pytest.raises(tf.errors.OpError) as raised:
        numpy_of(sal.tf_dataset(str(folder), prepare=SMALL))

    assert (
        f"DicomError: {folder / '3.dcm'}: Expected a DICOM file" in raised.value.message
    )


def test_a_colour_image_among_grey_ones_is_told_of(folder):
    """An input of another shape than the first is no example."""
    shutil.copy(get_testdata_file("SC_rgb_small_odd.dcm"), folder / "3.dcm")
    for file in folder.glob("[012467].dcm"):
        file.unlink()
    dataset = sal.tf_dataset(
        (folder / "5.dcm", folder / "3.dcm"), prepare=sal.Prepare((24, 20))
    )

    with pytest.raises(
        tf.errors.OpError, match=r"3\.dcm: Expected an input of.*24, 20, 1.*Say"
    ):
        numpy_of(dataset)


def test_what_is_skipped_is_counted(folder, caplog):
    """One line a pass, without a name; the others keep their order and labels."""
    shutil.copy(get_testdata_file("SC_rgb_small_odd.dcm"), folder / "4.dcm")
    labels = {f"{number}.dcm": number for number in range(8)}
    dataset = sal.tf_dataset(folder, prepare=SMALL, labels=labels, errors="skip")
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "saliency.training"):
            found = [int(label) for _, label in numpy_of(dataset)]

        assert found == [0, 1, 2, 5, 6, 7]
        assert [record.getMessage() for record in caplog.records] == [
            "tf_dataset: 2 examples of 2 files skipped: 1 InputError, 1 not-dicom."
        ]


def test_a_function_is_told_of_what_is_skipped(folder):
    """With the name of the file, once."""
    told = []
    dataset = sal.tf_dataset(
        folder, prepare=SMALL, errors=lambda *each: told.append(each)
    )
    for _ in range(2):
        assert len(numpy_of(dataset)) == 7

    assert [name for name, _ in told] == [str(folder / "3.dcm")]
    assert isinstance(told[0][1], sal.DicomError)


def test_nothing_left_is_an_error(folder):
    """A preparation that fails for every file is no empty dataset."""
    dataset = sal.tf_dataset(
        folder, prepare=sal.Prepare((24, 20), channels=1, neighbours=1), errors="skip"
    )
    with pytest.raises(tf.errors.OpError, match="none of 8 files gave an example"):
        numpy_of(dataset)
    with pytest.raises(sal.InputError, match="none of 1 files"):
        sal.tf_dataset(folder / "3.dcm", prepare=sal.Prepare(), errors="skip")


def test_one_bad_frame_does_not_take_the_others_along(tmp_path):
    """The frames of a file behind one that cannot be prepared are examples."""
    seen = []

    def prepare(image):
        seen.append(image.frame)
        if image.frame == 2:
            message = "no"
            raise RuntimeError(message)
        return np.full((4, 4, 1), image.frame)

    dataset = sal.tf_dataset(CINE, prepare=prepare, frames="all", errors="skip")

    assert [int(each.max()) for each in numpy_of(dataset)] == [0, 1, *range(3, 15)]
    raising = sal.tf_dataset(CINE, prepare=prepare, frames="all")
    with pytest.raises(
        tf.errors.OpError, match=r"InputError: .*rtdose\.dcm: RuntimeError: no"
    ):
        numpy_of(raising)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("file,label\n0.dcm,2\n1.dcm,1\n", {}, np.array([2, 1], np.int64)),
        (
            "file;x;Age\n0.dcm;9;61.5\n1.dcm;9;3\n",
            {"column": "age"},
            np.float32([61.5, 3]),
        ),
        (
            "file,label\n1.dcm,sick\n0.dcm,well\n",
            {"classes": ("well", "sick")},
            np.array([0, 1], np.int64),
        ),
    ],
    ids=["whole", "real", "classes"],
)
def test_labels_of_a_table(folder, text, options, expected):
    """A column of the table, by the name of the file."""
    (folder / "labels.csv").write_text(text)
    sources = (folder / "0.dcm", folder / "1.dcm")
    dataset = sal.tf_dataset(
        sources, prepare=SMALL, labels=folder / "labels.csv", **options
    )
    found = np.array([label for _, label in numpy_of(dataset)])

    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("labels", "options", "match"),
    [
        ({"0.dcm": 1}, {}, "7 of 8 files have no label; the first is .*1.dcm"),
        ({"0.dcm": 1, "1.dcm": None, "x.dcm": 2}, {}, "7 of 8"),
        ({"9.dcm": 1}, {"errors": "skip"}, "none of 1 labels"),
        ({"0.dcm": "sick"}, {"errors": "skip"}, "text 'sick'.*classes="),
        ({"0.dcm": "sick"}, {"classes": ("well",)}, "among classes=.*'sick'"),
        ({"0.dcm": [1, 2], "1.dcm": 3}, {"errors": "skip"}, "one shape"),
        ({"0.dcm": object()}, {"errors": "skip"}, "numbers"),
        ([1] * 8, {}, "mapping"),
        (None, {"frames": "last"}, "frames"),
        (None, {"errors": "ignore"}, "errors"),
    ],
)
def test_what_leaves_doubt_is_refused(folder, labels, options, match):
    """At the call, before a file is read."""
    with pytest.raises(sal.InputError, match=match):
        sal.tf_dataset(folder, prepare=SMALL, labels=labels, **options)


@pytest.mark.parametrize("sources", [(), 5, b"CT.dcm", [sal.Window(1, 2)]])
def test_what_is_no_path_is_refused(sources):
    """Images in memory need no dataset of files."""
    with pytest.raises(sal.InputError, match="expected a path"):
        sal.tf_dataset(sources, prepare=SMALL)


def test_files_without_a_label_are_skipped(folder, caplog):
    """Counted when the dataset is made; NaN and None are no labels."""
    labels = {"0.dcm": 1.0, "1.dcm": float("nan"), "2.dcm": 0.5, "5.dcm": None}
    with caplog.at_level(logging.WARNING, "saliency.training"):
        dataset = sal.tf_dataset(folder, prepare=SMALL, labels=labels, errors="skip")

    assert [label for _, label in numpy_of(dataset)] == [1.0, 0.5]
    assert "6 of 8 files have no label" in caplog.text


def test_each_pass_has_an_order_of_its_own():
    """Drawn from the seed: the same in every run, another in every pass."""
    files = {CT: 0, MR: 1, GREY[2]: 2, GREY[3]: 3, CINE: 4}

    def orders(seed):
        dataset = sal.tf_dataset(list(files), prepare=SMALL, labels=files, seed=seed)
        return [[int(label) for _, label in numpy_of(dataset)] for _ in range(4)]

    drawn = orders(3)

    assert drawn == orders(3)
    assert len({tuple(order) for order in drawn}) > 1
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in drawn)
    assert drawn != orders(4)


@pytest.mark.skipif(
    (os.cpu_count() or 1) < 2, reason="one core reads one file at a time"
)
def test_files_are_read_side_by_side_and_given_in_order(folder):
    """Two preparations wait for each other; the slow first one still comes first."""
    meeting = threading.Barrier(2, timeout=60)
    first = SMALL(sal.read_dicom(MR)).array.mean() * 255

    def scale(array):
        meeting.wait()
        if np.isclose(array.mean(), first):
            time.sleep(0.2)
        return array

    prepare = sal.Prepare((24, 20), channels=1, scale=scale)
    found = numpy_of(
        sal.tf_dataset((folder / "0.dcm", folder / "1.dcm"), prepare=prepare)
    )
    assert [bool(np.isclose(each.mean(), first)) for each in found] == [True, False]


# Keras says so, once, of every dataset whose length it learns in the first epoch.
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_model_trains_on_it(folder):
    """Fit takes it as it is."""
    import keras

    model = keras.Sequential(
        [keras.Input((24, 20, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    labels = {f"{number}.dcm": number % 2 for number in range(8)}
    dataset = sal.tf_dataset(
        folder, prepare=SMALL, labels=labels, errors="skip", seed=0
    )
    history = model.fit(dataset.batch(4), epochs=3, shuffle=False, verbose=0)

    assert len(history.history["loss"]) == 3
    assert np.isfinite(history.history["loss"]).all()
