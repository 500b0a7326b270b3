"""Several targets, several methods, chosen layers, one scale."""

import gc
import weakref
from typing import get_args

import keras
import numpy as np
import pytest

import saliency as sal
from saliency.explainers.names import MethodName
from saliency.explainers.registry import DEMANDING, ENTRIES
from saliency.pipeline.asked_layers import looks_at_layers
from saliency.render.scale import full

LAYERS = ("early", "late")


@pytest.fixture(scope="module")
def model():
    """Two named layers of two scales, softmax over three classes; 20 x 28 grey."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((20, 28, 1)),
            keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="early"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="late"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def same(one, other):
    """Say whether two explanations have one map and one answer."""
    return np.array_equal(one.heatmap.values, other.heatmap.values) and (
        (one.recipe, one.target, one.score) == (other.recipe, other.target, other.score)
    )


def test_several_targets_give_a_tuple_in_their_order(model, image):
    """Each is what one question for it gives."""
    found = sal.explain(model, image, "gradient", target=[2, 0, None])

    assert isinstance(found, tuple)
    for result, target in zip(found, (2, 0, None), strict=True):
        assert same(result, sal.explain(model, image, "gradient", target=target))


def test_several_methods_and_targets_go_method_by_method(model, image):
    """All targets of the first method come first."""
    found = sal.explain(model, image, ["Gradient", sal.GradCAM()], target=(0, 1))
    methods = [result.recipe.partition("(")[0] for result in found]

    assert methods == ["Gradient", "Gradient", "GradCAM", "GradCAM"]
    assert [result.target for result in found] == [0, 1, 0, 1]
    assert same(found[3], sal.explain(model, image, "gradcam", target=1))


def test_one_of_a_list_is_a_tuple_still(model, image):
    """The form of the answer is that of the question."""
    (one,) = sal.explain(model, image, ["gradient"])
    (other,) = sal.explain(model, image, "gradient", target=[one.target])

    assert same(one, other)


def test_the_file_is_read_once(model, tmp_path):
    """A stream that cannot be read twice serves all questions."""
    from dicom.build import dataset, ramp, written

    stream = written(dataset(ramp()))
    assert len(sal.explain(model, stream, ["gradient", "gradcam"], target=[0, 1])) == 4


def test_a_volume_is_asked_several_things_too(model):
    """The answers are VolumeExplanations, in the same order."""
    volume = sal.DicomVolume.from_array(
        np.random.default_rng(0).normal(size=(3, 20, 28))
    )
    found = sal.explain(model, volume, "gradient", target=[0, 2])

    assert [type(each).__name__ for each in found] == ["VolumeExplanation"] * 2
    assert [each.target for each in found] == [0, 2]


@pytest.mark.parametrize("asked", [{"explainer": []}, {"target": ()}])
def test_nothing_asked_is_refused(model, image, asked):
    """An empty list is a slip."""
    with pytest.raises(
        sal.InputError, match=f"one {next(iter(asked))} or more, got an empty"
    ):
        sal.explain(model, image, **asked)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("form", [str, lambda name: [name]])
def test_a_layer_is_the_one_that_is_looked_at(model, image, name, form):
    """By name or in a list, of a model and of a probe, it is KerasProbe(layers=...)'s map."""
    truth = sal.explain(
        sal.KerasProbe(model, layers=[name]), image, "gradcam", target=1
    )
    probe = sal.KerasProbe(model, labels=["a", "b", "c"])

    for asked, target in ((model, 1), (probe, "b")):
        found = sal.explain(asked, image, "gradcam", target=target, layer=form(name))
        assert found.model.layers == (name,)
        assert np.array_equal(found.heatmap.values, truth.heatmap.values)
    assert found.label == "b"


def test_several_layers_are_several(model, image):
    """Methods of all scales look at all of them; a map of layers has them all."""
    found = sal.explain(model, image, "smoe", layer=LAYERS)
    maps = sal.explain_layers(model, image, "smoe", layer=LAYERS)

    assert found.model.layers == maps.layers == LAYERS


def test_bulk_runs_take_layer_and_cutoff(model, image):
    """explain_many hands both on, as explain does."""
    asked = {"target": 1, "layer": "early", "cutoff": 0.25}
    (many,) = sal.explain_many(model, [image], "gradcam", **asked)
    one = sal.explain(model, image, "gradcam", **asked)

    assert many.model.layers == ("early",)
    assert many.cutoff == 0.25
    assert np.allclose(many.heatmap.values, one.heatmap.values, atol=1e-6)
    with pytest.raises(sal.InputError, match=r"cutoff to be in 0\.\.1, got 50"):
        sal.explain_many(model, [image], cutoff=50)


def test_held_inputs_stay_held(image):
    """A probe of a model of two inputs keeps the other's value when layers are chosen."""
    picture, age = (
        keras.Input((20, 28, 1), name="picture"),
        keras.Input((1,), name="age"),
    )
    x = keras.layers.Conv2D(4, 3, activation="relu", name="early")(picture)
    x = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D()(x), age])
    own = keras.Model([picture, age], keras.layers.Dense(2)(x))
    probe = sal.KerasProbe(own, input="picture", held={"age": [[7.0]]})
    plain, chosen = (
        sal.explain(probe, image, "gradcam", target=1, layer=layer)
        for layer in (None, "early")
    )

    assert plain.score == chosen.score


def test_an_unknown_layer_is_told_the_nearest(model, image):
    """One sentence, with the name that was meant."""
    with pytest.raises(sal.ModelError, match=r"'lat'; nearest: .*late"):
        sal.explain(model, image, "gradcam", layer="lat")


@pytest.mark.parametrize("layer", ["late", ["early", "late"]])
@pytest.mark.parametrize("method", ["gradient", "smoothgrad", "occlusion", "lrp"])
def test_a_method_that_looks_at_no_layer_takes_none(model, image, method, layer):
    """To take the argument and ignore it would be a lie."""
    with pytest.raises(sal.InputError, match="looks at no layer"):
        sal.explain(model, image, [method, "gradcam"], layer=layer)


@pytest.mark.parametrize("layer", [[], 3, [None]])
def test_layers_are_names(model, image, layer):
    """What is no name is refused."""
    with pytest.raises(sal.InputError, match="a layer's name or a list of names"):
        sal.explain(model, image, "gradcam", layer=layer)


def test_a_bound_probe_has_its_layers(model, image):
    """It was made with some; the sentence shows how to choose."""
    bound = sal.KerasProbe(model).at(1)

    with pytest.raises(sal.InputError, match=r"KerasProbe\(model, layers="):
        sal.explain(bound, image, "gradcam", layer="late")


def test_wrappers_look_where_their_inside_looks():
    """A mean of CAMs looks at layers, a mean of gradients does not; a stranger may."""
    assert looks_at_layers(sal.SmoothGrad(inner=sal.GradCAM()))
    assert not looks_at_layers(sal.SmoothGrad())
    assert not looks_at_layers(sal.XRAI())
    assert looks_at_layers(lambda probe, inputs: inputs)
    assert looks_at_layers(sal.GuidedGradCAM())


def test_layers_are_traced_once_and_freed_with_the_model(image):
    """The cache keeps the probe of a layer while the model lives, and the model not at all."""
    own = keras.Sequential(
        [
            keras.Input((20, 28, 1)),
            keras.layers.Conv2D(2, 3, name="only"),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    from saliency.pipeline.explain import probe_of
    from saliency.probe.cache import with_layers

    first = with_layers(probe_of(own), ["only"])
    sal.explain(own, image, "gradcam", target=0, layer="only")
    traced = dict(first.traces)
    sal.explain(own, image, "gradcam", target=1, layer="only")
    assert traced
    assert first.traces == traced

    gone = weakref.ref(own)
    del own, first
    gc.collect()
    assert gone() is None


def test_a_model_keeps_few_choices(image):
    """Whoever looks at each of twelve layers keeps no twelve compiled networks."""
    from saliency.probe import cache

    own = keras.Sequential(
        [keras.Input((6, 6, 1))]
        + [keras.layers.Conv2D(1, 1, name=f"c{k}") for k in range(12)]
        + [keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    probe = cache.probe_for(own)
    for k in range(12):
        last = cache.with_layers(probe, [f"c{k}"])

    kept = cache._CORES[own]
    assert len(kept) == cache._KEPT
    assert cache.with_layers(probe, ["c11"]).core is last.core


def explanations(*maps, recipe="GradCAM()"):
    """Return explanations of maps alone."""
    return [
        sal.Explanation(
            sal.Heatmap(values),
            1.0,
            0,
            None,
            recipe,
            sal.DicomImage.from_array(np.zeros(values.shape)),
        )
        for values in maps
    ]


def test_one_scale_is_that_of_all_heat_together():
    """The 99.5th percentile of what is not 0 in any of them; failures are left out."""
    random = np.random.default_rng(0)
    maps = [random.normal(size=(40, 50)).astype(np.float32) * k for k in (1, 3, 0)]
    results = [*explanations(*maps), sal.Failure(3, "DicomError", "broken")]

    assert sal.common_scale(results) == full(np.abs(np.stack(maps)))
    assert {
        result.overlay(vmax=sal.common_scale(results)).full for result in results[:3]
    } == {sal.common_scale(results)}


def test_one_scale_of_nothing():
    """Blank maps have no scale, and no maps are a slip."""
    assert sal.common_scale(explanations(np.zeros((4, 5)))) is None
    with pytest.raises(sal.InputError, match="got none"):
        sal.common_scale([sal.Failure(0, "DicomError", "broken")])


def test_units_are_not_mixed():
    """A gradient is not compared with an activation."""
    both = [
        *explanations(np.ones((4, 5))),
        *explanations(np.ones((4, 5)), recipe="Gradient()"),
    ]

    with pytest.raises(
        sal.InputError, match="'score per unit of input', 'weighted activation'"
    ):
        sal.common_scale(both)


def test_editors_know_every_name():
    """The Literal type lists the catalogue, in its order."""
    assert get_args(MethodName) == (*ENTRIES, *DEMANDING)


def test_an_image_is_prepared_once_for_all_questions(model):
    """However many methods and targets ask about it."""
    calls = []

    def prepare(image):
        calls.append(image)
        return image.display[..., np.newaxis] / np.float32(255)

    image = sal.DicomImage.from_array(np.arange(560.0).reshape(20, 28))
    found = sal.explain(
        model, image, ["gradient", "smoe"], target=[0, 1], prepare=prepare
    )
    assert len(found) == 4
    assert len(calls) == 1
