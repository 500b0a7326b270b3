"""What is compiled is compiled quietly."""

import logging

import keras
import pytest

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
