"""A model file is read for what it is, or refused with the way out."""

import json
import zipfile

import keras
import numpy as np
import pytest
from probe import nets
from shared import shared

from saliency.errors import ModelError
from saliency.probe.keras_probe import KerasProbe
from saliency.probe.model.load import NEWER, load_model, open_to_older_keras


@pytest.mark.parametrize(
    ("way", "name"),
    [
        (nets.nested, "model.keras"),
        (nets.nested, "model.h5"),
        (nets.sequential, "model.hdf5"),
        (nets.nested, "misnamed.keras"),
    ],
)
def test_a_saved_model_comes_back_the_same(tmp_path, way, name):
    """Loading gives the function that was saved, whatever the format and the file's name."""
    model, file = way(), tmp_path / name
    saved = tmp_path / "model.h5" if name.startswith("misnamed") else file
    model.save(saved)
    saved.rename(file)
    inputs = nets.pictures()
    np.testing.assert_allclose(
        load_model(file)(inputs), model(inputs), rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(
        KerasProbe(str(file)).predict(inputs), model(inputs), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["tm_brain_mri", "tm_cxr_a11pha"])
def test_a_teachable_machine_export_equals_its_conversion(name):
    """The untouched keras_model.h5 gives what the converted flat .keras beside it gives."""
    ours = load_model(shared("models", name, "keras_model.h5"))
    theirs = load_model(shared("models", name, f"{name}.keras"))
    inputs = (
        np.random.default_rng(0).uniform(-1, 1, (3, 224, 224, 3)).astype(np.float32)
    )
    np.testing.assert_allclose(ours(inputs), theirs(inputs), atol=1e-5)


def test_weights_are_not_a_model(tmp_path):
    """Weights alone are refused with what to do, under every name."""
    model = nets.flat()
    model.save_weights(tmp_path / "some.weights.h5")
    with pytest.raises(ModelError, match=r"weights without a model.*load_weights"):
        load_model(tmp_path / "some.weights.h5")
    (tmp_path / "some.weights.h5").rename(tmp_path / "some.keras")
    with pytest.raises(ModelError, match=r"a \.keras file would be a zip"):
        load_model(tmp_path / "some.keras")


def test_a_published_weights_file_is_refused():
    """HDF5 weights under a .keras name, as one is published, are called what they are."""
    with pytest.raises(ModelError, match=r"HDF5 and holds weights without a model"):
        load_model(
            shared("models", "quantus_cifar", "original_is_hdf5_despite_name.keras")
        )


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_code_in_a_file_is_not_run(tmp_path, name):
    """A Lambda layer is refused, and the message says how to load it on one's own account."""
    inputs = keras.Input(nets.SHAPE)
    keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs)).save(
        tmp_path / name
    )
    with pytest.raises(ModelError, match="safe_mode=False"):
        load_model(tmp_path / name)


class Foreign(keras.layers.Layer):
    """A layer that nobody registered."""

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_foreign_layer_is_named(tmp_path, name):
    """A class that Keras cannot find is named in the error."""
    inputs = keras.Input(nets.SHAPE)
    Foreign.__module__ = "nowhere"
    keras.Model(inputs, Foreign()(inputs)).save(tmp_path / name)
    with pytest.raises(ModelError, match="Foreign"):
        load_model(tmp_path / name)


def test_what_a_newer_keras_added_is_left_out_where_it_is_off(tmp_path):
    """Keras 3.5 refuses options that it does not know; one that is on is not taken from a model."""
    model, file, copy = nets.nested(), tmp_path / "new.keras", tmp_path / "old.keras"
    model.save(file)
    with zipfile.ZipFile(file) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    config = members["config.json"].decode()
    given = '"filters": ', f'{json.dumps(NEWER)[1:-1]}, "rank": true, "filters": '
    changed = config.replace(*given).replace('"renorm": false', '"renorm": true', 1)
    with zipfile.ZipFile(file, "w") as packed:
        for name, content in (members | {"config.json": changed.encode()}).items():
            packed.writestr(name, content)

    open_to_older_keras(file, copy)

    with zipfile.ZipFile(copy) as packed:
        found = packed.read("config.json").decode()
    assert {option for option in NEWER if f'"{option}"' in found} == {"renorm"}
    assert found.count('"renorm"') == 1
    assert found.count('"rank": true') == config.count('"filters": ')


def test_no_path_gets_into_a_message(tmp_path):
    """Missing files, folders and other files are refused with the file's name alone."""
    secret = tmp_path / "patient-name"
    secret.mkdir()
    (secret / "file.keras").write_bytes(b"%PDF-1.7")
    for path, message in [
        (secret, "folder"),
        (secret / "none.keras", "no file"),
        (secret / "file.keras", "neither"),
    ]:
        with pytest.raises(ModelError, match=message) as caught:
            load_model(path)
        assert "patient-name" not in str(caught.value)
        assert path == secret or str(caught.value).startswith(f"{path.name}: Expected")


REAL = [
    ("malaria/malaria.keras", (64, 64, 3), 2, "activation_2", False),
    ("malaria/malaria.h5", (64, 64, 3), 2, "activation_2", False),
    (
        "mobilenet_v1_025_imagenet/mobilenet_v1_025_imagenet.keras",
        (128, 128, 3),
        1001,
        "",
        False,
    ),
    (
        "tm_brain_mri/keras_model.h5",
        (224, 224, 3),
        2,
        "sequential_1/model1/out_relu",
        False,
    ),
    ("tm_brain_mri/tm_brain_mri.keras", (224, 224, 3), 2, "out_relu", False),
    (
        "tm_cxr_a11pha/keras_model.h5",
        (224, 224, 3),
        3,
        "sequential_21/model6/out_relu",
        False,
    ),
    ("tm_cxr_a11pha/tm_cxr_a11pha.keras", (224, 224, 3), 3, "out_relu", False),
    ("shortcut/models/clean.keras", (256, 256, 1), 2, "relu5", True),
    ("shortcut/models/poisoned.keras", (256, 256, 1), 2, "relu5", True),
    ("shortcut/models/clean_mnv2.keras", (256, 256, 1), 2, "out_relu", True),
    ("shortcut/models/decorrelated_mnv2.keras", (256, 256, 1), 2, "out_relu", True),
    ("shortcut/models/poisoned_mnv2.keras", (256, 256, 1), 2, "out_relu", True),
]


@pytest.mark.parametrize(("name", "shape", "classes", "last", "closed"), REAL)
def test_a_real_model_is_understood(name, shape, classes, last, closed):
    """Of published models the input, the classes, the logits and the last scale are found."""
    probe = KerasProbe(shared("models", *name.split("/")))
    assert (probe.input_shape, probe.outputs, probe.output) == (shape, classes, "logit")
    assert probe.layers[-1] == (last or probe.layers[-1])
    assert len(probe.layers) in (3, 5)
    assert probe.closed_form_head is closed


@pytest.mark.parametrize("index", [0, 2, 7])
def test_a_small_real_model_can_be_asked(index):
    """Score, taps and derivative of a published model have the promised shapes."""
    name, shape, *_ = REAL[index]
    probe = KerasProbe(shared("models", *name.split("/")))
    inputs = nets.pictures(2, shape)
    activations, gradient = probe.at(None).last_gradient(inputs)
    assert gradient.shape == activations[-1].shape
    assert {each.shape.rank for each in activations} == {4}
    assert probe.at(0).gradient(inputs).shape == (2, *shape)
