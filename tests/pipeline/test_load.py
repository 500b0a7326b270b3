"""An explanation out of its file is the explanation."""

import gc
import json
import pickle
import weakref

import keras
import numpy as np
import pytest
from dicom.build import dataset, ramp, written

import saliency as sal
from saliency.pipeline.plain import Unavailable, plain, revived
from saliency.values.window import Window

FIELDS = sorted(set(sal.Explanation.__dataclass_fields__) - {"heatmap", "image"})
OF_IMAGE = sorted(set(sal.DicomImage.__dataclass_fields__) - {"zones"})


def assert_equal(found, right):
    """Compare every field of two explanations, and of their images."""
    assert np.array_equal(found.heatmap.values, right.heatmap.values)
    assert [getattr(found, name) for name in FIELDS] == [
        getattr(right, name) for name in FIELDS
    ]
    for name in OF_IMAGE:
        one, two = getattr(found.image, name), getattr(right.image, name)
        assert np.array_equal(one, two), name
        assert getattr(one, "dtype", None) == getattr(two, "dtype", None)
    for one, two in zip(found.image.zones, right.image.zones, strict=True):
        assert (one.name, one.evidence) == (two.name, two.evidence)
        assert np.array_equal(one.mask, two.mask)
    assert repr(found) == repr(right)
    assert found.caption == right.caption
    assert np.array_equal(found.overlay().rgb, right.overlay().rgb)


def recoloured(image):
    """Return an RGB image with two zones."""
    rgb = np.random.default_rng(0).integers(0, 256, (*image.size, 3))
    corner = np.zeros(image.size, bool)
    corner[:5, :7] = True
    return (
        sal.DicomImage.from_array(rgb)
        .with_zone("text", corner)
        .with_zone("logo", ~corner)
    )


@pytest.mark.parametrize(
    "explainer", ["gradcam", "integrated_gradients", sal.SmoothGrad(samples=2, seed=3)]
)
def test_every_field_comes_back(model, image, tmp_path, explainer):
    """Numbers, texts, preparation, model and image, to the bit."""
    probe = sal.KerasProbe(model, labels=["a", "b", "c"])
    right = sal.explain(probe, image, explainer, target="b", cutoff=0.25)

    assert_equal(sal.load(right.save(tmp_path / "a.npz")), right)


def test_files_and_colour_come_back(image, tmp_path):
    """Stored values, zones, window and orientation of a file; zones of a colour picture."""
    grey = written(
        dataset(ramp(), WindowCenter=40, WindowWidth=400, PatientOrientation=["L", "P"])
    )
    probe = sal.ClosedFormProbe(
        lambda x: (x**2).numpy().sum((1, 2, 3)), lambda x: 2 * x
    )
    for source in (sal.read_dicom(grey), recoloured(image)):
        right = sal.explain(probe, source, "gradient")
        assert_equal(sal.load(right.save(tmp_path / "a.npz")), right)


def test_the_json_is_the_record_of_the_npz(model, image, tmp_path):
    """One record in two forms; it is JSON of plain values, without a path or an array."""
    right = sal.explain(model, image, "gradcam", target=1)
    told = json.loads(right.save(tmp_path / "a.json").read_text())
    with np.load(right.save(tmp_path / "a.npz")) as arrays:
        assert json.loads(str(arrays["record"])) == told

    assert told["caption"] == right.caption
    assert told["probability"] == right.probability
    assert told["model"]["sha256"] == right.model.sha256
    assert told["unit"] == "weighted activation"
    assert str(tmp_path) not in json.dumps(told)


def test_equal_input_and_record_give_the_equal_map(model, image, tmp_path):
    """What the record says is enough to ask again."""
    first = sal.load(
        sal.explain(model, image, "smoothgrad", target=1).save(tmp_path / "a.npz")
    )
    again = sal.explain(
        model, first.image, "smoothgrad", target=1, prepare=first.prepare
    )

    assert again.recipe == first.recipe
    assert again.model == first.model
    assert np.array_equal(again.heatmap.values, first.heatmap.values)


def test_functions_of_keras_come_back_and_others_by_name(model, image, tmp_path):
    """A function of keras.applications is found again; of yours the name is kept, not the code."""
    known = keras.applications.mobilenet_v2.preprocess_input
    given = sal.Prepare(scale=known, windows=(Window(40, 400),), region=(0, 0, 30, 40))
    assert revived(plain(given)) == given

    right = sal.explain(
        model, image, "gradient", prepare=sal.Prepare(scale=lambda x: x / 7)
    )
    found = sal.load(right.save(tmp_path / "a.npz"))
    assert isinstance(found.prepare.scale, Unavailable)
    with pytest.raises(sal.InputError, match=r"name of .*lambda"):
        found.prepare(image)


def test_a_function_as_preparation_is_recorded(model, image, tmp_path):
    """A function from the image to the input is kept by its name, through file and pickle."""
    right = sal.explain(
        model, image, "gradient", prepare=lambda _: np.zeros((40, 56, 1), np.float32)
    )

    assert "lambda" in sal.load(right.save(tmp_path / "a.npz")).prepare.function.name
    assert "lambda" in pickle.loads(pickle.dumps(right)).prepare.function.name  # noqa: S301


def test_uids_are_there_on_request_alone(model, tmp_path):
    """The default record has none, an array has none to give, and a pickle loses it."""
    made = dataset(ramp(), SOPInstanceUID="1.2.826.0.1.3680043.8.498.77")
    right = sal.explain(model, sal.read_dicom(written(made)), "gradient")
    uid = str(made.SOPInstanceUID)

    assert uid in right.save(tmp_path / "a.json", identify="uid").read_text()
    assert uid not in right.save(tmp_path / "a.json").read_text()
    assert uid.encode() not in pickle.dumps(right)
    array = sal.explain(model, sal.DicomImage.from_array(ramp() * 1.0), "gradient")
    with pytest.raises(sal.InputError, match="SOP Instance UID"):
        array.save(tmp_path / "b.json", identify="uid")
    with pytest.raises(sal.InputError, match="'uid' or None"):
        right.save(tmp_path / "b.json", identify="name")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_what_is_no_record_is_refused(tmp_path, content):
    """Broken and foreign files give one error, which repeats no path."""
    place = tmp_path / "SMITH.npz"
    place.write_bytes(content)
    with pytest.raises(sal.InputError, match=r"Explanation\.save wrote") as caught:
        sal.load(place)
    assert "SMITH" not in str(caught.value)
    with pytest.raises(sal.InputError, match="no file"):
        sal.load(tmp_path / "gone.npz")


def test_a_cut_file_is_refused(model, image, tmp_path):
    """However much of it is left."""
    whole = sal.explain(model, image, "gradient").save(tmp_path / "a.npz").read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        (tmp_path / "cut.npz").write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(sal.InputError):
            sal.load(tmp_path / "cut.npz")


def test_arrays_of_others_are_refused(tmp_path):
    """An .npz without a record, and one whose record asks for a class of its own."""
    np.savez(tmp_path / "a.npz", values=np.ones((2, 2)))
    with pytest.raises(sal.InputError, match="without a record"):
        sal.load(tmp_path / "a.npz")
    with pytest.raises(sal.InputError, match="got 'Popen'"):
        revived({"type": "Popen", "args": ["sh"]})
    assert isinstance(revived({"function": "os:system"}), Unavailable)


def test_the_control_needs_the_model_and_does_not_keep_it(image):
    """While the model lives the figure has a fourth map; then one error says why not."""
    own = keras.Sequential(
        [
            keras.Input((40, 56, 1)),
            keras.layers.Conv2D(2, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    found = sal.explain(own, image, "gradient")
    panels = [panel for panel in found.figure(control=True).axes if panel.images]
    titles = [panel.get_title() for panel in panels]
    assert "rank correlation" in titles[3]

    model = weakref.ref(own)
    del own
    for _ in range(
        3
    ):  # what was compiled waits for the model, and the control for that
        gc.collect()
    assert model() is None
    with pytest.raises(sal.InputError, match="model is gone"):
        found.figure(control=True)
    assert len([panel for panel in found.figure().axes if panel.images]) == 3
