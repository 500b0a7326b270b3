"""Maps during training: one trace, the model untouched, the numbers those of ``explain``."""

import csv
import logging

import keras
import numpy as np
import pytest
from pydicom.data import get_testdata_file

import saliency as sal

SHAPE = (24, 20, 1)
CT = get_testdata_file("CT_small.dcm")
RNG = np.random.default_rng(0)
INPUTS, LABELS = RNG.random((16, *SHAPE)), RNG.integers(0, 2, 16)


def images(count=2):
    return [
        sal.DicomImage.from_array(np.random.default_rng(k).random((30, 26)) * 255)
        for k in range(count)
    ]


def fitted(callbacks, epochs=3, **options):
    """Train a small network with everything that an intruder could disturb."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Conv2D(4, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dropout(0.3),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    model.fit(
        INPUTS,
        LABELS,
        batch_size=4,
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
        **options,
    )
    return model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network trained for four epochs under watch, and who watched."""
    out = tmp_path_factory.mktemp("maps") / "new"
    watch = sal.ExplainCallback([*images(), CT], every=2, out=out, target=1)
    return fitted([watch], epochs=4), watch, out


def test_training_goes_as_it_would_without(trained):
    """All weights and statistics equal, bit for bit, with dropout and batch normalisation."""
    for one, other in zip(
        trained[0].weights, fitted([], epochs=4).weights, strict=True
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)


def test_one_trace_in_all_epochs(trained):
    """The graph that the second epoch was asked with is asked again."""
    probe = trained[1]._probe

    assert sum(probe.traces.values()) == len(probe.traces) > 0


def test_maps_are_those_of_the_weights_of_their_epoch(trained):
    """The last maps equal a fresh probe's; earlier rows had other scores and another model."""
    model, watch, _ = trained
    fresh = sal.KerasProbe(model)
    for image, result in zip([*images(), CT], watch.results, strict=True):
        expected = sal.explain(fresh, image, target=1)
        np.testing.assert_allclose(
            result.heatmap.values, expected.heatmap.values, atol=1e-5
        )
        assert result.score == pytest.approx(expected.score, abs=1e-5)
        assert result.model.sha256 == expected.model.sha256
    scores = {
        row.epoch: row.score for row in watch.rows if row.digest == watch.rows[0].digest
    }
    assert scores.keys() == {2, 4}
    assert scores[2] != scores[4]


def test_a_folder_an_epoch_and_one_table(trained):
    """PNGs by digest, a row an image and epoch, nothing of where the file lay."""
    _, watch, out = trained
    with (out / "epochs.csv").open() as lines:
        rows = list(csv.DictReader(lines))

    assert sorted(path.name for path in out.iterdir()) == [
        "epoch-0002",
        "epoch-0004",
        "epochs.csv",
    ]
    assert len(list((out / "epoch-0004").glob("*.png"))) == 3
    assert [(int(row["epoch"]), row["digest"]) for row in rows] == [
        (row.epoch, row.digest) for row in watch.rows
    ]
    assert [float(row["score"]) for row in rows] == [row.score for row in watch.rows]
    assert "CT_small" not in (out / "epochs.csv").read_text()


def test_the_share_outside_by_epoch(trained):
    """The mean over the images in which something was looked for: here the file alone."""
    watch = trained[1]
    expected = {row.epoch: row.outside for row in watch.rows if row.outside is not None}

    assert watch.outside == pytest.approx(expected)
    assert watch.outside.keys() == {2, 4}


def test_a_failure_costs_a_row_and_not_the_training(caplog):
    """Here a colour image: the others are explained."""
    colour = sal.DicomImage.from_array(np.zeros((8, 9, 3)))
    watch = sal.ExplainCallback([images(1)[0], colour])
    with caplog.at_level(logging.WARNING, "saliency.training"):
        fitted([watch], epochs=1)

    assert [bool(row.error) for row in watch.rows] == [False, True]
    assert "after epoch 1, 1 of 2 images" in caplog.text


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"images": ["absent.dcm"]}, r"absent\.dcm: "),
        ({"images": images(1), "target": 2}, "2"),
        ({"images": images(1), "every": 0}, "every"),
        ({"images": images(1), "every": True}, "every"),
    ],
    ids=["file", "target", "zero", "bool"],
)
def test_what_can_be_known_is_told_before_the_first_epoch(options, match):
    """Not after a night of training."""
    begun = []
    started = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *each: begun.append(each)
    )
    with pytest.raises(sal.SaliencyError, match=match):
        fitted([sal.ExplainCallback(**options), started], epochs=1)
    assert not begun


def test_a_model_that_is_built_by_its_first_batch():
    """A Sequential without an input shape can be asked after its first epoch."""
    model = keras.Sequential(
        [
            keras.layers.Conv2D(2, 3),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(2),
        ]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    watch = sal.ExplainCallback(images(1), explainer="gradient")
    model.fit(INPUTS, LABELS, verbose=0, callbacks=[watch])

    assert [row.error for row in watch.rows] == [""]
