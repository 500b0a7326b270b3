"""A model that all tests of archives can afford."""

import keras


def save_small_model(folder):
    """Save a grey model of 16 x 16 with two classes; return its path."""
    keras.utils.set_random_seed(0)
    path = folder / "model.keras"
    layers = [
        keras.Input((16, 16, 1)),
        keras.layers.Conv2D(3, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    keras.Sequential(layers).save(path)
    return path
