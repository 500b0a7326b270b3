"""What is asked of a model, counted: a regression shows here without a clock."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
from probe import nets

import saliency as sal
from saliency.explainers.catalogue import resolve
from saliency.explainers.perturbation import RISE
from saliency.explainers.registry import ENTRIES
from saliency.kernels import paths
from saliency.probe.keras_probe import BoundProbe
from saliency.testing import network

SIZE = nets.SHAPE[:2]


@pytest.fixture(scope="module")
def pooled():
    return sal.KerasProbe(nets.flat())


@pytest.fixture(scope="module")
def dense():
    """A head of two layers: its derivative is no closed form."""
    layers = [*nets.head_layers(4, "relu"), keras.layers.Dense(3, activation="softmax")]
    inputs = keras.Input(nets.SHAPE)
    outputs = nets.chained([*nets.trunk_layers(), *layers], inputs)
    return sal.KerasProbe(nets.filled(keras.Model(inputs, outputs)))


@pytest.fixture
def asked(monkeypatch):
    """Every question as it is put to the model: (name, pictures)."""
    questions = []
    answer = BoundProbe.answer

    def counting(probe, question, inputs, drawing=None):
        questions.append((question, int(inputs.shape[0])))
        return answer(probe, question, inputs, drawing)

    monkeypatch.setattr(BoundProbe, "answer", counting)
    return questions


def picture(seed=0):
    """Return a grey picture of the nets' size."""
    return sal.DicomImage.from_array(
        np.random.default_rng(seed).integers(0, 255, SIZE) * 1.0
    )


def total(questions):
    """Return the number of pictures by question."""
    count = Counter()
    for name, pictures in questions:
        count[name] += pictures
    return dict(count)


@pytest.mark.parametrize(
    ("recipe", "pictures", "calls"),
    [
        (sal.Gradient(), {"gradient": 1}, 1),
        (sal.GradCAM(), {"last_gradient": 1}, 1),
        (sal.FastCAM(), {"last_gradient": 1}, 1),
        (sal.FastCAM(cam=None), {"activations": 1}, 1),
        (sal.IntegratedGradients(steps=32), {"gradient": 32}, 4),
        (sal.IntegratedGradients(steps=33), {"gradient": 33}, 5),
        (sal.SmoothGrad(samples=25), {"gradient": 25}, 4),
        (sal.Occlusion(window=12, stride=12), {"score": 4 * 5 + 1}, 2),
        (RISE(masks=70), {"score": 70}, 3),
    ],
    ids=repr,
)
def test_passes(pooled, asked, recipe, pictures, calls):
    """As many pictures as the formula has are asked for: gradients by eight, scores by 32."""
    recipe(pooled.at(1), nets.pictures(1))
    assert total(asked) == pictures
    assert len(asked) == calls


def test_integrated_gradients_reuse_their_nodes(pooled, asked):
    """31 gradients, or one halving more; the score of both ends, and nothing else."""
    sal.IntegratedGradients()(pooled.at(1), nets.pictures(1))
    found = total(asked)
    assert found["gradient"] in {31, 63, 127, 255}
    assert found == {"gradient": found["gradient"], "score": 2}
    assert max(size for _, size in asked) <= 8


@pytest.mark.parametrize("target", [1, None])
@pytest.mark.parametrize(
    ("recipe", "wanted"),
    [
        ("fastcam", "last_gradient"),
        ("gradcam", "last_gradient"),
        ("gradient", "gradient"),
    ],
)
def test_one_answer_explains(asked, recipe, wanted, target):
    """The score and the class come with the map: explain asks a model once.

    And, unless ``cutoff`` is 0, for the scores of at most three pictures of other content.
    """
    model = nets.flat(shape=(37, 53, 1))
    sal.explain(model, picture(), recipe, target=target, cutoff=0)
    assert asked == [(wanted, 1)]
    asked.clear()
    found = sal.explain(model, picture(), recipe, target=target)
    assert found.indifferent
    assert asked == [(wanted, 1), *[("score", 1)] * 3]


def test_a_batch_is_one_question(asked):
    """Eleven pictures in batches of eight are two questions, the second about three."""
    model = nets.flat(shape=(37, 53, 1))
    images = [picture(seed) for seed in range(11)]
    found = list(sal.explain_many(model, images, "fastcam", cutoff=0))
    assert len(found) == 11
    assert asked == [("last_gradient", 8), ("last_gradient", 3)]


def test_nothing_is_traced_again(pooled):
    """One trace a question and one of FastCAM's kernel, for all classes and batch sizes."""
    probe = sal.KerasProbe(nets.flat())
    for samples in (1, 3, 2):
        for target in (0, 2, None):
            sal.FastCAM()(probe.at(target), nets.pictures(samples))
    assert probe.traces == {"last_gradient": 1, "drawn": 1}
    sal.FastCAM(statistic="std")(probe.at(1), nets.pictures())
    assert probe.traces == {"last_gradient": 1, "drawn": 2}


@dataclass
class WithoutHash:
    """Grad-CAM in a class that can be changed, and so has no hash."""

    def __call__(self, probe, inputs):
        return sal.GradCAM()(probe, inputs)


def test_a_recipe_without_a_hash_is_not_compiled():
    """What can be changed cannot be told from another by its hash: same map, no trace."""
    probe = sal.KerasProbe(nets.flat())
    expected = sal.FastCAM(cam=sal.GradCAM())(probe.at(1), nets.pictures())
    traces = probe.traces["drawn"]
    found = sal.FastCAM(cam=WithoutHash())(probe.at(1), nets.pictures())
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert probe.traces["drawn"] == traces


def test_weights_in_a_list_are_those_of_a_tuple():
    """A recipe is a value: it keeps a tuple, whatever came."""
    assert sal.FastCAM(weights=[1, 2]) == sal.FastCAM(weights=(1, 2))


class Counting:
    """A network in closed form that counts how many images go forward and back, and why."""

    def __init__(self):
        self.network, self.forward, self.back = network(1), 0, 0
        self.layers, self.questions = self.network.layers, set()

    def score(self, inputs):
        self.questions.add("score")
        self.forward += len(inputs)
        return self.network.score(inputs)

    def gradient(self, inputs):
        self.questions.add("gradient")
        self.forward += len(inputs)
        self.back += len(inputs)
        return self.network.gradient(inputs)

    def activations(self, inputs):
        self.questions.add("activations")
        self.forward += len(inputs)
        return self.network.activations(inputs)

    def activation_gradients(self, inputs):
        return self.network.activation_gradients(inputs)


STEPS = 3
SEARCHING = {
    "meaningful_perturbation": sal.MeaningfulPerturbation(steps=STEPS),
    "extremal_perturbation": sal.ExtremalPerturbation(steps=STEPS),
}
"""One gradient a step: their default of 100 would take many seconds."""
COUNTED = [
    name
    for name, row in ENTRIES.items()
    if row.needs
    in {"score", "gradient", "activations", "gradient, score", "activations, score"}
]


@pytest.mark.parametrize("name", COUNTED)
def test_a_row_is_what_is_asked(name):
    """Forward and backward passes of one map, and the questions, by the row of the catalogue."""
    probe, inputs = Counting(), nets.pictures(1)[..., :1]
    recipe = SEARCHING.get(name) or resolve(name)
    left_out = resolve(name).steps - STEPS if name in SEARCHING else 0
    recipe(probe, inputs)
    row = ENTRIES[name]
    assert probe.questions == {*row.needs.split(", ")}
    for letter, passes in (("F", probe.forward), ("B", probe.back)):
        said = re.search(rf"(\d+)(?: to (\d+))? {letter}(?! a )", row.cost)
        if said is None:
            assert passes == 0 or "a window" in row.cost or "a channel" in row.cost
            continue
        least, most = int(said[1]), int(said[2] or said[1])
        assert least <= passes + left_out <= most


def test_integrated_gradients_say_how_often_they_halve():
    """The row of the catalogue, and every page, follow the kernel's own numbers."""
    fewest, most = 2 * paths._PARTS - 1, paths._PARTS * 2**paths._HALVINGS - 1
    ends = 2
    expected = f"{fewest + ends} to {most + ends} F + {fewest} to {most} B"
    assert ENTRIES["integrated_gradients"].cost == expected
    page = (
        Path(__file__).parents[1] / "docs/explainers/integrated_gradients.md"
    ).read_text("utf-8")
    counts = [paths._PARTS * 2**n - 1 for n in range(1, paths._HALVINGS + 1)]
    assert f"{', '.join(map(str, counts[:-1]))} or {counts[-1]} gradients" in page


def operations(probe, question):
    """Return how many operations of each type the answer of a compiled question needs."""
    waiting = [
        getattr(probe.core.questions, question).get_concrete_function().graph.outputs
    ]
    waiting, found = [tensor.op for tensor in waiting[0]], {}
    while waiting:
        operation = waiting.pop()
        if operation.name not in found:
            found[operation.name] = operation.type
            waiting += [tensor.op for tensor in operation.inputs]
    return Counter(found.values())


def test_a_pooled_head_needs_no_backward_pass(pooled):
    """No operation of FastCAM's question on a pooled head belongs to a derivative."""
    found = operations(pooled, "last_gradient")
    assert not [kind for kind in found if "Grad" in kind or "Backprop" in kind]
    assert found["Conv2D"] == operations(pooled, "score")["Conv2D"] == 3


def test_other_heads_are_differentiated_alone(dense):
    """The derivative by the last layer never goes back through a convolution."""
    found = operations(dense, "last_gradient")
    assert not [kind for kind in found if "Conv2DBackprop" in kind]
    assert found["Conv2D"] == 3
    assert found["ReluGrad"] == 1


def test_a_gradient_is_by_the_input_alone(pooled):
    """Each convolution is run once and differentiated by its input; no weight has a gradient."""
    found = operations(pooled, "gradient")
    assert found["Conv2D"] == found["Conv2DBackpropInput"] == 3
    assert found["Conv2DBackpropFilter"] == 0
