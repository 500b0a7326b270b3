"""Two questions have one digest where they have one answer, in every process."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import keras
import numpy as np
import pytest

import saliency as sal
from saliency.errors import InputError
from saliency.pipeline.description import digest_of
from saliency.pipeline.files import Member
from saliency.pipeline.fingerprint import of_model, of_pictures, of_settings


def scaled(values, by=1.0, *, shift=0.0):
    """Return values on another scale."""
    return values * by + shift


def closed_over(limit):
    """Return a function that takes a limit from around it."""
    return lambda values: values > limit


def with_default(limit):
    """Return a function that has a limit as a default."""
    namespace = {}
    exec(f"def ask(values, limit={limit}): return values > limit", namespace)  # noqa: S102
    return namespace["ask"]


def with_global(source):
    """Return a function of a module that says ``source``."""
    namespace = {}
    exec(f"{source}\ndef ask(values): return outer(values) > LIMIT", namespace)  # noqa: S102
    return namespace["ask"]


def nested(limit):
    """Return a function whose constant lies in a function inside it."""
    namespace = {}
    exec(f"def ask(values): return [each > {limit} for each in values]", namespace)  # noqa: S102
    return namespace["ask"]


@dataclass(frozen=True)
class Threshold:
    """A target of the user's own; its repr hides the middle of an array."""

    levels: np.ndarray

    def __call__(self, output):
        return output[:, 0] - self.levels.mean()


@dataclass(frozen=True)
class Other:
    """Another class with the same fields."""

    levels: np.ndarray


LEVELS = np.zeros(5000, np.float32)
BUMPED = np.where(np.arange(5000) == 2500, np.float32(1), LEVELS)
SAME = "LIMIT = 3\ndef outer(values): return values + 1"

DIFFERENT = {
    "contrasts": (sal.Contrast(1, 0), sal.Contrast(0, 1)),
    "regions": (
        sal.Region(1, np.eye(4, dtype=bool)),
        sal.Region(1, ~np.eye(4, dtype=bool)),
    ),
    "arguments of partials": (partial(scaled, by=2), partial(scaled, by=3)),
    "functions of partials": (partial(scaled, 2), partial(np.clip, 2)),
    "nested partials": (
        partial(partial(scaled, 2), shift=1),
        partial(partial(scaled, 2), shift=2),
    ),
    "closures": (closed_over(1), closed_over(2)),
    "arrays in closures": (closed_over(LEVELS), closed_over(BUMPED)),
    "defaults": (with_default(1), with_default(2)),
    "globals": (with_global(SAME), with_global(SAME.replace("3", "4"))),
    "functions called": (with_global(SAME), with_global(SAME.replace("+", "-"))),
    "constants inside": (nested(1), nested(2)),
    "arrays in dataclasses": (Threshold(LEVELS), Threshold(BUMPED)),
    "classes": (Threshold(LEVELS), Other(LEVELS)),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "dtypes": (np.zeros(2, np.int32), np.zeros(2, np.float32)),
    "bound methods": (Threshold(LEVELS).__call__, Threshold(BUMPED).__call__),
    "library functions": (np.mean, np.median),
    "1 and True": (1, True),
    "scales of Prepare": (
        sal.Prepare(scale=closed_over(1)),
        sal.Prepare(scale=closed_over(2)),
    ),
    "names and masks": ({"a": LEVELS > 0}, {"b": LEVELS > 0}),
}


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_what_answers_otherwise_is_told_apart(pair):
    """One argument, one element, one constant is enough."""
    first, second = pair

    assert digest_of(first) != digest_of(second)
    assert digest_of(first) == digest_of(first)


EQUAL = {
    "partials": lambda: partial(scaled, LEVELS.copy(), shift=2),
    "closures": lambda: closed_over(2),
    "globals": lambda: with_global(SAME),
    "dataclasses": lambda: Threshold(LEVELS.copy()),
    "cached functions": lambda: lru_cache(maxsize=1)(scaled),
    "functions that call themselves": lambda: with_global(
        "LIMIT = 0\ndef outer(x): return ask(x)"
    ),
    "library functions": lambda: keras.applications.resnet50.preprocess_input,
}


@pytest.mark.parametrize("made", EQUAL.values(), ids=EQUAL)
def test_what_answers_alike_has_one_digest(made):
    """Values made twice of the same parts are one question."""
    assert digest_of(made()) == digest_of(made())


class Plain:
    """Callable, and nobody can say what decides about its answer."""

    def __call__(self, output):
        return output[:, 0]


@pytest.mark.parametrize(
    "value",
    [Plain(), partial(Plain(), 1), closed_over(Plain()), [object()], iter([1])],
    ids=["object", "in a partial", "in a closure", "in a list", "iterator"],
)
def test_what_cannot_be_told_apart_is_refused(value):
    """The message names the class, and what to use in its place."""
    with pytest.raises(InputError, match=r"functools.partial or a frozen dataclass"):
        digest_of(value)


def test_the_digest_is_the_same_in_another_process():
    """Sets, code and addresses do not depend on the process."""
    here = Path(__file__).parent
    places = os.pathsep.join(map(str, (here, here.parent, here.parents[1])))
    done = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import across; print(across())"],
        env=os.environ | {"PYTHONPATH": places, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == across(), done.stderr[-2000:]


def across():
    """Return a digest of many kinds of value."""
    values = [made() for made in EQUAL.values()]
    return digest_of(
        [*values, {"a", "b", "c"}, lambda x: x in {"a", "b"}, sal.Prepare()]
    ).hex()


@pytest.fixture(scope="module")
def network():
    """A picture and a number in, two outputs out."""
    keras.utils.set_random_seed(0)
    picture, age = (
        keras.Input((9, 11, 1), name="picture"),
        keras.Input((1,), name="age"),
    )
    seen = keras.layers.Conv2D(3, 3, activation="relu", name="first")(picture)
    seen = keras.layers.Conv2D(3, 3, activation="relu", name="second")(seen)
    both = keras.layers.Concatenate()([keras.layers.Flatten()(seen), age])
    heads = [
        keras.layers.Dense(2, activation="softmax", name=name)(both) for name in "ab"
    ]
    return keras.Model([picture, age], heads)


CHOICES = {
    "output": {"output": "probability"},
    "part": {"part": 1},
    "layers": {"layers": ["first"]},
    "labels": {"labels": ["ill", "well"]},
    "held values": {"held": {"age": np.array([[2.0]], np.float32)}},
    "held rows": {"held": {"age": np.array([[1.0], [1.0]], np.float32)}},
}
PLAIN = {"part": 0, "held": {"age": np.array([[1.0]], np.float32)}}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_every_choice_of_a_probe_is_another_question(network, choice):
    """The weights are the same, the numbers are not."""
    first = sal.KerasProbe(network, **PLAIN)
    other = sal.KerasProbe(network, **(PLAIN | choice))

    assert of_model(first) == of_model(sal.KerasProbe(network, **PLAIN))
    assert of_model(first) != of_model(other)


def test_bound_and_shuffled_probes_are_other_questions(network):
    """The target, and weights that stand in for the model's own."""
    probe = sal.KerasProbe(network, **PLAIN)
    found = [
        probe,
        probe.at(0),
        probe.at(1),
        probe.at(1).randomised(0),
        probe.at(1).randomised(1),
    ]

    assert len({of_model(each) for each in found}) == len(found)


def test_one_set_of_weights_in_two_architectures_is_two_models():
    """Another activation between the same weights."""

    def built(activation):
        inputs = keras.Input((5, 5, 1))
        hidden = keras.layers.Conv2D(1, 3, activation=activation, name="conv")(inputs)
        outputs = keras.layers.Dense(2, name="dense")(keras.layers.Flatten()(hidden))
        return keras.Model(inputs, outputs, name="model")

    first, second = built("relu"), built("tanh")
    second.set_weights(first.get_weights())

    assert of_model(first) != of_model(second)


def test_two_windows_of_one_file_are_two_pictures():
    """The digest of the pixel data is the same, the display is not."""
    pixels = np.arange(20.0).reshape(4, 5)
    first, second = (
        sal.DicomImage.from_array(pixels, window=sal.Window(10, width))
        for width in (4, 9)
    )

    assert first.digest == second.digest
    assert of_pictures([first]) != of_pictures([second])


def test_a_zip_that_was_replaced_holds_other_pictures(tmp_path):
    """A member of a zip has the size and time of its archive."""
    (archive := tmp_path / "a.zip").write_bytes(b"first")
    before = of_pictures([Member(archive, "1.dcm")])
    archive.write_bytes(b"the second")

    assert of_pictures([Member(archive, "1.dcm")]) != before


@pytest.mark.parametrize("place", ["prepare", "target", "zones"])
def test_settings_that_cannot_be_told_apart_are_refused(place):
    """Wherever a callable is taken."""
    given = {"prepare": None, "target": None, "zones": None}
    given[place] = sal.Prepare(scale=Plain()) if place == "prepare" else Plain()
    with pytest.raises(InputError, match="resume"):
        of_settings(**given, seed=0, labels=[])
