"""Recipes drawn behind a question: the same numbers, and nothing copied or compiled twice."""

import numpy as np
import pytest
import tensorflow as tf
from probe import nets

import saliency as sal
from saliency.explainers.fastcam import FastCAM
from saliency.kernels.activity import smoe_scale
from saliency.kernels.xla import fused_samples
from saliency.probe.compiled import Terms
from saliency.probe.fused_recipe import Drawing


def layers(samples, channels):
    """Return two activations with silent channels and one dead sample."""
    numbers = np.random.default_rng(channels)
    made = [
        np.maximum(numbers.normal(size=(samples, *size, channels)), 0).astype(
            np.float32
        )
        for size in ((5, 7), (3, 4))
    ]
    for each in made:
        each[-1] = 0
    return [tf.constant(each) for each in made]


@pytest.mark.parametrize("channels", [1, 3, 6, 12])
def test_one_kernel_equals_twenty_operations(channels):
    """One kernel or twenty operations: the same statistic, and exactly 0 of a dead layer."""
    given = layers(3, channels)
    run = tf.function(
        lambda *tensors: fused_samples(smoe_scale, tensors), autograph=False
    )
    for found, wanted in zip(run(*given), map(smoe_scale, given), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=3e-6, atol=4e-6)
        assert not np.any(found[-1])


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e6, 1e11])
def test_smoe_of_any_size_is_the_textbook_form(scale):
    """Products of pairs neither overflow nor underflow, from silent to huge activations."""
    given = layers(2, 8)[0] * scale
    values = np.asarray(given, np.float64) + 1e-7
    mean = values.mean(-1)
    wanted = mean * (np.log2(mean) - np.log2(values).mean(-1))
    np.testing.assert_allclose(
        smoe_scale(given), wanted, rtol=2e-5, atol=1e-9 * scale + 1e-12
    )


def graph_of(probe):
    """Return the graph of FastCAM behind its question."""
    drawing = Drawing(FastCAM._masked, FastCAM())
    asked = probe.core.asked(Terms(), "last_gradient", drawing)
    return asked.get_concrete_function().graph


def test_no_activation_is_copied_to_be_taken_apart():
    """The loop over the samples holds their numbers: a list of activations would copy them."""
    graph = graph_of(sal.KerasProbe(nets.flat()))
    lists = [
        each for each in graph.get_operations() if each.type == "TensorListFromTensor"
    ]
    assert lists
    assert {each.inputs[0].dtype for each in lists} == {tf.int32}


def test_the_kernel_has_fixed_shapes():
    """XLA compiles anew for each shape, so the batch must not be part of one."""
    graph = graph_of(sal.KerasProbe(nets.flat()))
    loop = next(each for each in graph.get_operations() if "While" in each.type)
    body = graph._get_function(loop.get_attr("body").name).graph
    calls = [each for each in body.get_operations() if "PartitionedCall" in each.type]
    shapes = [tensor.shape for call in calls for tensor in call.inputs]
    assert shapes
    assert all(shape.is_fully_defined() for shape in shapes)


def test_a_class_is_one_column_of_the_head():
    """The whole kernel, millions of weights of a large head, is not turned for each picture."""
    probe = sal.KerasProbe(nets.flat())
    question = probe.core.questions.last_gradient.get_concrete_function()
    turned = [
        each for each in question.graph.get_operations() if each.type == "Transpose"
    ]
    kernel = probe.model.layers[-1].kernel.shape
    assert all(tuple(each.inputs[0].shape) != tuple(kernel) for each in turned)


def test_a_model_of_free_size_has_one_trace():
    """Pictures of any size are one graph, with the numbers of a model of that size."""
    free = sal.KerasProbe(nets.flat(shape=(None, None, nets.SHAPE[2])))
    fixed = sal.KerasProbe(nets.flat())
    pictures = nets.pictures(2)
    found = sal.FastCAM()(free.at(1), pictures)
    np.testing.assert_allclose(found, sal.FastCAM()(fixed.at(1), pictures), atol=1e-5)
    sal.FastCAM()(free.at(1), pictures[:, 2:, 3:])
    assert free.traces == {"last_gradient": 1, "drawn": 1}
