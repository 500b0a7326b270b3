"""Train examples/demo_model.keras, which tells slices with a ring-shaped lesion from others.

Run as ``PYTHONPATH=examples python scripts/train_demo_model.py``: some minutes on two cores. The
pixels are those that pydicom brings along, the lesions are drawn; see examples/lesions.py.
The same machine gives the same weights again.
"""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from lesions import SIZE, pictures
from saliency.probe.model.load import open_to_older_keras

EPOCHS = 10
TARGET = Path(__file__).parents[1] / "examples" / "demo_model.keras"


def main() -> None:
    """Train, measure on pictures never seen, and save without the optimizer."""
    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    model = network()
    images, labels = pictures(3000, seed=1)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * len(images) // 32)
    adam = keras.optimizers.Adam(rate)
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, batch_size=32, epochs=EPOCHS, verbose=2)
    _, accuracy = model.evaluate(*pictures(600, seed=2), verbose=0)
    fresh = network()
    fresh.set_weights(model.get_weights())
    fresh.save(TARGET)
    open_to_older_keras(TARGET, TARGET)
    print(f"{TARGET.name}: accuracy {accuracy:.3f} on 600 pictures never seen")


def network() -> keras.Model:
    """Return four scales of convolutions, averaged, and a softmax over two classes."""
    inputs = keras.Input((*SIZE, 1), name="display")
    x = block(inputs, 12, "scale_128")
    x = block(layers.MaxPooling2D()(x), 20, "scale_64")
    x = block(layers.MaxPooling2D()(x), 28, "middle_32")
    x = block(x, 28, "scale_32")
    x = block(layers.MaxPooling2D()(x), 48, "scale_16", quiet=1e-4)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, layers.Dense(2, activation="softmax", name="lesion")(x))


def block(x: Any, channels: int, name: str, *, quiet: float = 0.0) -> Any:
    """Convolve, normalise, rectify; ``quiet`` is the price of activity: maps get narrower."""
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.ReLU(name=name, activity_regularizer=keras.regularizers.L1(quiet))(x)


if __name__ == "__main__":
    main()
