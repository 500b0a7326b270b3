"""What is compiled is compiled quietly."""

import logging
from collections.abc import Callable

import keras
import pytest
import tensorflow as tf

from saliency.explainers.fastcam import FastCAM
from saliency.probe.keras_probe import KerasProbe


def test_many_models_are_no_retracing(caplog: pytest.LogCaptureFixture) -> None:
    """TensorFlow does not tell eight models, each traced once, apart; nobody is warned."""
    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    try:
        for _ in range(8):
            inputs = keras.Input((8, 11, 1))
            pooled = keras.layers.GlobalAveragePooling2D()(
                keras.layers.Conv2D(2, 3)(inputs)
            )
            probe = KerasProbe(keras.Model(inputs, keras.layers.Dense(2)(pooled)))
            FastCAM()(probe.at(1), keras.ops.ones((1, 8, 11, 1)))
    finally:
        logger.removeHandler(caplog.handler)

    assert "retracing" not in caplog.text


class Stubborn(keras.layers.Layer):
    """Draws although it is told not to: dropout, or nothing of it."""

    def __init__(self, draw: Callable[[tf.Tensor], tf.Tensor]) -> None:
        super().__init__()
        self.draw = draw

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return what was drawn, whatever ``training`` says."""
        return self.draw(x)


@tf.function
def _inside(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.dropout(x, 0.5)


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda x: tf.nn.dropout(x, 0.5), True),
        (_inside, True),
        (lambda x: x + tf.random.stateless_normal(tf.shape(x), (1, 2)), False),
        (lambda x: tf.cond(tf.constant(1.0) > 2, lambda: _inside(x), lambda: x), False),
        (lambda x: x, False),
    ],
    ids=["dropout", "in a function", "one fixed draw", "a branch not taken", "none"],
)
def test_a_model_that_answers_otherwise_each_time_is_told_once(
    caplog: pytest.LogCaptureFixture,
    draw: Callable[[tf.Tensor], tf.Tensor],
    *,
    told: bool,
) -> None:
    """Its map is one draw of many, and looks like any other; a graph that could draw may not."""
    inputs = keras.Input((8, 11, 1))
    pooled = keras.layers.Flatten()(Stubborn(draw)(inputs))
    probe = KerasProbe(keras.Model(inputs, keras.layers.Dense(2)(pooled))).at(1)
    for _ in range(2):
        probe.score(keras.ops.ones((1, 8, 11, 1)))
        probe.gradient(keras.ops.ones((1, 8, 11, 1)))

    told_of = [each.message for each in caplog.records if "draws" in each.message]
    assert len(told_of) == told
