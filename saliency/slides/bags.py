"""Models of multiple instances: features of tiles, and a head that looks at all of them at once.

Which method to trust was measured by others (xMIL; arXiv 2603.08328): relevance propagation,
integrated gradients and single tiles follow the model, attention often does not. ``flipping``
measures it for a model and a slide of your own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import tensorflow as tf

from saliency.errors import InputError, ModelError
from saliency.probe.keras_probe import BoundProbe, KerasProbe
from saliency.probe.protocol import Target, Tensor
from saliency.values.arrays import Array

#: Steps of the path from a bag of zeros.
STEPS: Final = 32
#: Single tiles that the head sees at once.
SINGLES: Final = 256
#: Random orders that a curve is compared with.
ORDERS: Final = 5


@final
@dataclass(frozen=True, eq=False)
class Bag:
    """A model of multiple instances, in its two parts.

    Parameters
    ----------
    tiles
        A Keras model of tiles (N, H, W, C) -> features (N, d), or the path of one.
    head
        A Keras model of bags (N, n, d) -> output, n free, or the path of one.
    labels
        Names of the classes.
    attention
        Name of the head's layer whose output are the weights of tiles; None: the last softmax
        whose weights sum to one over the tiles.
    """

    tiles: Any
    head: Any
    labels: Sequence[str] | None = None
    attention: str | None = None


@final
@dataclass(frozen=True, eq=False)
class FlippingCurve:
    """The score of a bag while its tiles are taken away, the hottest first.

    Parameters
    ----------
    shares
        float64 (steps + 1,): which share of the tiles is gone; 0 first.
    scores
        float32 (steps + 1,): the target's score.
    random
        float32 (steps + 1,): the mean of random orders.
    """

    shares: Array
    scores: Array
    random: Array

    @property
    def area(self) -> float:
        """Mean score along the way; a method that finds what matters makes it low."""
        return float(np.trapezoid(self.scores, self.shares) / self.shares[-1])

    @property
    def gain(self) -> float:
        """How far ``area`` lies below that of random orders, in the score's unit."""
        random = float(np.trapezoid(self.random, self.shares) / self.shares[-1])
        return random - self.area


def bag_heat(
    bag: Bag, features: Array, method: str = "single", *, target: Target = None
) -> Array:
    """Return the heat of each tile of a bag, float32 (n,).

    Parameters
    ----------
    features
        float32 (n, d).
    method
        ``"single"``: the probability of the target (its score, where there is none) for a bag of
        this tile alone. ``"integrated_gradients"``: its share of the score, from a bag of zeros,
        times n. ``"lrp"``: its share of the score by gradient times input with attention held
        constant (the AH rule, arXiv 2406.04280; LRP-0 for rectifiers), times n. ``"attention"``:
        its weight, times n: 1 is what all tiles would have evenly.
    target
        As for :func:`saliency.explain`.

    Raises
    ------
    InputError
        No such method, or features are no (n, d).
    ModelError
        The head has no attention over tiles, or does not take a bag of one.
    """
    if method not in METHODS:
        msg = f"bag: expected a method of {', '.join(METHODS)}, got {method!r}."
        raise InputError(msg)
    given = np.asarray(features, np.float32)
    if given.ndim != 2 or not len(given):
        msg = f"bag: expected features (tiles, d) of a tile or more, got {given.shape}."
        raise InputError(msg)
    bound = KerasProbe(bag.head, labels=bag.labels).at(target)
    settled: BoundProbe = bound.settled(tf.constant(given[None]))
    heat = METHODS[method](bag, settled, given)
    return np.asarray(heat, np.float32)


def flipping(
    bag: Bag,
    features: Array,
    heat: Array,
    *,
    target: Target = None,
    steps: int = 20,
    seed: int = 0,
) -> FlippingCurve:
    """Take tiles out of a bag, the hottest first, and score what is left.

    Parameters
    ----------
    features, heat
        float32 (n, d) and (n,); n is 2 or more.
    target
        As for :func:`saliency.explain`; None: the class predicted for the whole bag.
    steps
        Into so many parts the tiles are divided; one tile stays in the end.
    seed
        Of the random orders.

    Raises
    ------
    InputError
        Shapes do not fit together.
    """
    if len(features) != len(heat) or len(heat) < 2:
        msg = f"flipping: expected 2 tiles or more, got {np.shape(features)}, {np.shape(heat)}."
        raise InputError(msg)
    bound = KerasProbe(bag.head, labels=bag.labels).at(target)
    settled = bound.settled(tf.constant(features[None], tf.float32))
    count = len(heat)
    gone = np.unique(np.linspace(0, count - 1, steps + 1).round().astype(int))

    def along(order: Array) -> Array:
        rest = (features[order[n:]][None] for n in gone)
        return np.array(
            [float(settled.score(tf.constant(each, tf.float32))[0]) for each in rest]
        )

    rng = np.random.default_rng(seed)
    random = np.mean([along(rng.permutation(count)) for _ in range(ORDERS)], axis=0)
    hottest_first = np.argsort(-np.asarray(heat), kind="stable")
    return FlippingCurve(gone / count, along(hottest_first), random)


def single_scores(
    bound: BoundProbe, features: Array
) -> tuple[Array, Array, Array | None]:
    """Return of each tile as a bag of its own: all scores (n, classes), the target's, and sure.

    The last is the target's probability (n,), None where the model gives none.

    Raises
    ------
    ModelError
        The head takes bags of another number of tiles only.
    """
    size = bound.source.input_shape[0]
    if size not in (None, 1):
        msg = (
            f"bag: the head takes bags of {size} tiles, and a bag of one tile is asked. Build it "
            "with keras.Input((None, d))."
        )
        raise ModelError(msg)
    answers = []
    for first in range(0, len(features), SINGLES):
        alone = tf.constant(features[first : first + SINGLES, None])
        answers.append(bound.answer("score", alone)[1])
    parts = [np.concatenate(part) for part in zip(*answers, strict=True)]
    if len(parts) == 1:  # a callable target
        return parts[0][:, None], parts[0], None
    return parts[2], parts[0], parts[3] if len(parts) > 3 else None


def _single(bag: Bag, bound: BoundProbe, features: Array) -> Array:  # noqa: ARG001
    _, scores, sure = single_scores(bound, features)
    return scores if sure is None else sure


def _integrated(bag: Bag, bound: BoundProbe, features: Array) -> Array:  # noqa: ARG001
    total = np.zeros_like(features, np.float64)
    for share in (np.arange(STEPS) + 0.5) / STEPS:
        total += np.asarray(
            bound.gradient(tf.constant(share * features[None], tf.float32))
        )[0]
    mean = total / STEPS
    shares: Array = (mean * features).sum(axis=1) * len(features)
    return shares


def _relevance(bag: Bag, bound: BoundProbe, features: Array) -> Array:  # noqa: ARG001
    slope = np.asarray(
        bound.ruled(holding_attention).gradient(tf.constant(features[None]))
    )[0]
    shares: Array = (slope * features).sum(axis=1) * len(features)
    return shares


def holding_attention(
    name: str,  # noqa: ARG001 - a rule takes it
    operation: Any,
    args: tuple[Any, ...],
    call: Callable[..., Any],
) -> Any:
    """Run a call with its attention held constant: relevance flows through the values alone."""
    if _is_softmax(operation):
        return tf.stop_gradient(call(*args))
    if type(operation).__name__ != "MultiHeadAttention":
        return call(*args)
    query, value, *rest = args
    named = dict(getattr(call, "keywords", {}))
    key = rest[0] if rest else named.get("key")
    constant = tf.stop_gradient(value if key is None else key)
    return call(tf.stop_gradient(query), value, key=constant)


def _attention(bag: Bag, bound: BoundProbe, features: Array) -> Array:
    found: Mapping[str, Any] = bound.study(Weights(), tf.constant(features[None]))
    count = len(features)
    fitting = {
        name: weights
        for name, tensor in found.items()
        if (weights := _over_tiles(np.asarray(tensor)[0], count)) is not None
    }
    name = bag.attention or next(reversed(fitting), None)
    if name not in fitting:
        known = ", ".join(fitting) or "none"
        msg = (
            "bag: expected a softmax whose weights sum to one over the tiles, found "
            f"{known}{'' if bag.attention is None else f', not {bag.attention!r}'}. Use 'single', "
            "'lrp' or 'integrated_gradients'."
        )
        raise ModelError(msg)
    return fitting[name] * count


def _over_tiles(weights: Array, count: int) -> Array | None:
    """Return (n,) weights that sum to one over the tiles, the mean of several heads; else None."""
    for axis in range(weights.ndim):
        if weights.shape[axis] != count:
            continue
        rest = tuple(k for k in range(weights.ndim) if k != axis)
        if np.allclose(weights.sum(axis=axis), 1, atol=1e-4):
            mean: Array = weights.mean(axis=rest)
            return mean
    return None


@final
@dataclass(frozen=True)
class Weights:
    """What each softmax of a network gives: a study that answers name -> tensor."""

    def begin(self) -> "_Noted":
        """Return blank notes."""
        return _Noted()


@final
class _Noted:
    """Notes the outputs of softmax calls."""

    def __init__(self) -> None:
        self._found: dict[str, Tensor] = {}

    def __call__(
        self, name: str, operation: Any, args: tuple[Any, ...], call: Callable[..., Any]
    ) -> Any:
        output = call(*args)
        if _is_softmax(operation):
            self._found[name] = tf.cast(output, tf.float32)
        return output

    def finish(self, forward: Any) -> dict[str, Tensor]:  # noqa: ARG002
        """Return them by name, in the order of calls."""
        return self._found


def _is_softmax(operation: Any) -> bool:
    activation = getattr(operation, "activation", None)
    return "softmax" in (
        type(operation).__name__.lower(),
        getattr(activation, "__name__", ""),
    )


METHODS: Final[Mapping[str, Callable[[Bag, BoundProbe, Array], Array]]] = {
    "single": _single,
    "integrated_gradients": _integrated,
    "lrp": _relevance,
    "attention": _attention,
}
