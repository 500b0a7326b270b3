"""Asked twice, traced once; freed with the model."""

import gc
import weakref

import keras
import pytest
import tensorflow as tf
from probe import nets

from saliency.errors import ModelError
from saliency.probe.cache import probe_for
from saliency.probe.keras_probe import KerasProbe


def test_one_trace_for_all_classes_batches_and_explainers():
    """Class, label, batch size, settling and binding anew never trace again."""
    probe = KerasProbe(nets.flat(), labels=["a", "b", "c"])
    for target in (0, 1, "c", None):
        for samples in (1, 4, 3):
            inputs = nets.pictures(samples)
            probe.at(target).gradient(inputs)
            probe.at(target).last_gradient(inputs)
            probe.at(target).settled(inputs).gradient(inputs)
    assert probe.traces == {"gradient": 1, "last_gradient": 1, "classes": 1}


def test_one_trace_for_all_free_sizes():
    """Where the model leaves height and width free, pictures of all sizes share a trace."""
    inputs = keras.Input((None, None, 1))
    outputs = nets.chained([*nets.trunk_layers(), *nets.head_layers()], inputs)
    probe = KerasProbe(nets.filled(keras.Model(inputs, outputs)))
    for shape in [(37, 53, 1), (53, 37, 1), (64, 64, 1)]:
        assert probe.at(1).gradient(nets.pictures(2, shape)).shape == (2, *shape)
    assert probe.input_shape == (None, None, 1)
    assert probe.traces["gradient"] == 1


def test_one_trace_for_a_callable_in_use():
    """The same callable bound twice is compiled once; another one anew."""
    probe = KerasProbe(nets.flat())

    def margin(logits):
        return logits[:, 0] - logits[:, 1]

    for target in (margin, margin, lambda logits: logits[:, 2]):
        probe.at(target).score(nets.pictures())
    assert probe.traces["score"] == 2


def test_a_whole_explainer_can_be_compiled():
    """A bound probe works inside somebody's tf.function, with the same numbers."""
    bound = KerasProbe(nets.flat()).at(None)
    inputs = nets.pictures()

    @tf.function
    def explainer(inputs):
        settled = bound.settled(inputs)
        return settled.gradient(tf.concat([inputs, inputs * 0.5], 0))

    expected = bound.settled(inputs).gradient(tf.concat([inputs, inputs * 0.5], 0))
    tf.debugging.assert_near(explainer(inputs), expected)


@pytest.mark.parametrize("way", [nets.flat, nets.nested, nets.subclassed, nets.opaque])
def test_the_same_model_is_compiled_once(way):
    """Two calls with one model object share every trace; other layers or outputs do not."""
    model = way()
    for _ in range(2):
        probe_for(model).at(1).gradient(nets.pictures())
    assert probe_for(model).traces["gradient"] == 1
    assert probe_for(model, labels=["a", "b", "c"]).core is probe_for(model).core
    assert probe_for(model, output="probability").core is not probe_for(model).core


@pytest.mark.parametrize(
    "way", [nets.flat, nets.sequential, nets.nested, nets.subclassed, nets.opaque]
)
def test_a_dropped_model_is_freed(way):
    """When the user's last reference goes, model, variables and compiled questions go."""
    model = way()
    inputs = nets.pictures()
    for target in (1, None, lambda out: out[:, 0]):
        probe_for(model).at(target).gradient(inputs)
    probe_for(model).predict(inputs)
    core = probe_for(model).core
    graph = core.questions.gradient.get_concrete_function().graph
    watched = [model, core, core.plan, graph, *model.layers, *model.weights]
    alive = [weakref.ref(each) for each in watched]
    del model, core, graph, watched
    gc.collect()  # frees the model
    gc.collect()  # frees what the cache held for it
    assert [ref() for ref in alive if ref() is not None] == []


def test_a_held_probe_keeps_its_model():
    """A probe in the user's hands works after the model's name is gone."""
    probe = KerasProbe(nets.opaque())
    gc.collect()
    assert probe.at(1).score(nets.pictures()).shape == (2,)


def test_a_changed_model_is_compiled_anew():
    """A popped layer or an exchanged activation is seen, and not answered from the cache."""
    model = nets.sequential(activation="linear")
    inputs = nets.pictures()
    before = probe_for(model).at(0).score(inputs).numpy()
    model.get_layer("conv3").activation = keras.activations.tanh
    assert (probe_for(model).at(0).score(inputs).numpy() != before).any()
    model.pop()
    assert probe_for(model).outputs == 6


def test_a_set_weight_needs_no_new_trace():
    """New values in the same variables are seen by the compiled questions."""
    model = nets.flat()
    inputs = nets.pictures()
    before = probe_for(model).at(0).score(inputs).numpy()
    nets.filled(model, seed=9)
    assert (probe_for(model).at(0).score(inputs).numpy() != before).all()
    assert probe_for(model).traces["score"] == 1


def test_a_file_is_loaded(tmp_path):
    """A path gives a probe that keeps the loaded model."""
    nets.flat().save(tmp_path / "model.keras")
    assert probe_for(tmp_path / "model.keras").at(1).score(nets.pictures()).shape == (
        2,
    )


def test_what_is_no_model_is_refused():
    """Neither a number nor an unbuilt model can be asked."""
    with pytest.raises(ModelError, match="int"):
        probe_for(3)
    with pytest.raises(ModelError, match="no weights yet"):
        probe_for(keras.Sequential([keras.layers.Dense(2)]))
