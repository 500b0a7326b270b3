"""Probes of plain functions, for tests that need no Keras model."""

from collections.abc import Callable
from dataclasses import dataclass, field

import tensorflow as tf


@dataclass(frozen=True)
class FunctionProbe:
    """A score written down as a function (N, H, W, C) -> (N,); no layers."""

    function: Callable
    layers: tuple = ()
    chunk: int = 8
    calls: list = field(default_factory=list)

    def score(self, inputs):
        self.calls.append(("score", inputs.shape[0]))
        return self.function(inputs)

    def gradient(self, inputs):
        self.calls.append(("gradient", inputs.shape[0]))
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            score = self.function(inputs)
        return tape.gradient(score, inputs, unconnected_gradients="zero")

    def activations(self, inputs):
        return ()

    def activation_gradients(self, inputs):
        return ()


@dataclass(frozen=True)
class StagedProbe:
    """A network written down as stages, each tapped, and a head activation -> (N, classes).

    ``target`` None is the predicted class, chosen anew at every call.
    """

    stages: tuple
    logits: Callable
    target: int | None = None

    @property
    def layers(self):
        return tuple(f"stage{index}" for index in range(len(self.stages)))

    def activations(self, inputs):
        found = []
        for stage in self.stages:
            inputs = stage(inputs)
            found.append(inputs)
        return tuple(found)

    def head(self, activation):
        return self._chosen(self.logits(activation))

    def score(self, inputs):
        return self.head(self.activations(inputs)[-1])

    def gradient(self, inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            score = self.score(inputs)
        return tape.gradient(score, inputs)

    def activation_gradients(self, inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            found = self.activations(inputs)
            score = self.head(found[-1])
        return tuple(zip(found, tape.gradient(score, found), strict=True))

    def _chosen(self, logits):
        if self.target is None:
            return tf.reduce_max(logits, axis=-1)
        return logits[:, self.target]


@dataclass(frozen=True)
class SettledProbe(StagedProbe):
    """Classes fixed for each sample of a batch, and for its k-fold variants."""

    classes: tuple = ()

    def settled(self, inputs):
        return self

    def _chosen(self, logits):
        wanted = tf.tile(
            tf.constant(self.classes), [tf.shape(logits)[0] // len(self.classes)]
        )
        return tf.gather(logits, wanted, batch_dims=1)


@dataclass(frozen=True)
class SettlingProbe(StagedProbe):
    """A probe that can fix its classes."""

    def settled(self, inputs):
        if self.target is not None:
            return self
        logits = self.logits(self.activations(inputs)[-1])
        classes = tuple(tf.argmax(logits, axis=-1).numpy().tolist())
        return SettledProbe(self.stages, self.logits, classes=classes)


@dataclass(frozen=True)
class RandomisableProbe(SettlingProbe):
    """A probe of :func:`small_network` that can be asked about other weights."""

    def settled(self, inputs):
        found = super().settled(inputs)
        return RandomisableSettledProbe(
            found.stages, found.logits, classes=found.classes
        )


@dataclass(frozen=True)
class RandomisableSettledProbe(SettledProbe):
    """What :class:`RandomisableProbe` settles to."""

    def randomised(self, seed):
        other = small_network(channels=2, seed=seed + 1)
        return SettledProbe(other.stages, other.logits, classes=self.classes)


@dataclass(frozen=True)
class LastLayerProbe(StagedProbe):
    """A probe that refuses to differentiate by anything but the last layer."""

    def activation_gradients(self, inputs):
        raise AssertionError

    def gradient(self, inputs):
        raise AssertionError

    def last_gradient(self, inputs):
        found = self.activations(inputs)
        with tf.GradientTape() as tape:
            tape.watch(found[-1])
            score = self.head(found[-1])
        return found, tape.gradient(score, found[-1])


def conv(kernel, bias=0.0, stride=1, pad=0):
    """ReLU(convolution) with zeros around."""

    def stage(inputs):
        padded = tf.pad(inputs, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
        return tf.nn.relu(tf.nn.conv2d(padded, kernel, stride, "VALID") + bias)

    return stage


def small_network(probe=SettlingProbe, seed=0, channels=1, target=None):
    """Return three ReLU convolutions and a global average pooling with a dense layer."""

    def weights(draw, *shape):
        fan_in = float(tf.reduce_prod(shape[:-1]))
        return tf.random.stateless_normal(shape, [seed, draw]) * (2 / fan_in) ** 0.5

    stages = (
        conv(weights(0, 3, 3, channels, 6), pad=1),
        conv(weights(1, 3, 3, 6, 8), weights(2, 8) * 0.1, stride=2, pad=1),
        conv(weights(3, 3, 3, 8, 10), weights(4, 10) * 0.1, stride=2, pad=1),
    )
    dense = weights(5, 10, 4)
    return probe(stages, lambda last: tf.reduce_mean(last, axis=[1, 2]) @ dense, target)
