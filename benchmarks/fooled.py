"""How many overlays of networks that learnt nothing are taken for an answer.

``python benchmarks/fooled.py [models [first]]`` trains small networks of four architectures on
pictures with planted lesions, shuffles the weights of a copy of each, explains fresh pictures with
the default method and target, and counts the overlays under a veil, with 95 % intervals (Wilson).
Networks are numbered from ``first``. Twenty take four minutes on two cores.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from PIL import Image

import saliency as sal

SIDE = 32
#: Networks that do worse than this on fresh pictures have learnt too little to be called trained.
GOOD = 0.9
PREPARE = sal.Prepare(intensity="modality", scale="none")

Array = NDArray[Any]


@dataclass(frozen=True)
class Sample:
    """Pictures float32 (n, 32, 32, 1) in 0..1; label 1 where there is a lesion."""

    pictures: Array
    labels: Array

    def one(self, label: int, number: int) -> sal.DicomImage:
        """Return one picture of a label."""
        chosen = np.flatnonzero(self.labels == label)
        return sal.DicomImage.from_array(
            self.pictures[chosen[number % len(chosen)], ..., 0]
        )


def sample(count: int, seed: int) -> Sample:
    """Draw pictures: soft tissue of two scales, noise, and in every other a bright ring."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    tissue = [0.4 + 0.1 * _soft(random, 4) + 0.06 * _soft(random, 9) for _ in labels]
    noise = random.normal(0, 0.03, (count, SIDE, SIDE))
    lesions = np.stack([label * _ring(random) for label in labels])
    gain = random.uniform(0.7, 1, (count, 1, 1))
    pictures = np.clip((np.stack(tissue) + noise + lesions) * gain, 0, 1)
    return Sample(pictures.astype(np.float32)[..., np.newaxis], labels)


def _soft(random: np.random.Generator, cells: int) -> Array:
    coarse = Image.fromarray(random.normal(size=(cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _ring(random: np.random.Generator) -> Array:
    row, column = random.uniform(7, SIDE - 7, 2)
    reach = np.hypot(*(np.mgrid[:SIDE, :SIDE] - np.array([row, column])[:, None, None]))
    reach /= random.uniform(3, 5)
    rim: Array = 0.45 * np.exp(-(((reach - 1) / 0.25) ** 2)) - 0.2 * (reach < 0.8)
    return rim


def averaged() -> keras.Model:
    """Return convolutions with batch normalisation, averaged, and a softmax."""
    inputs = keras.Input((SIDE, SIDE, 1))
    x = layers.MaxPooling2D()(_step(_step(inputs, 8), 16))
    x = _step(_step(layers.MaxPooling2D()(x), 24), 24)
    return _classes(inputs, layers.GlobalAveragePooling2D()(x))


def dense() -> keras.Model:
    """Return convolutions without normalisation, a dense layer, and one sigmoid."""
    inputs = x = keras.Input((SIDE, SIDE, 1))
    for channels in (8, 16, 24):
        x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(24, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def separable() -> keras.Model:
    """Return separable convolutions and swish."""
    inputs = keras.Input((SIDE, SIDE, 1))
    x = _step(inputs, 12, "swish")
    for channels in (24, 32):
        x = layers.SeparableConv2D(channels, 3, padding="same", use_bias=False)(x)
        x = layers.Activation("swish")(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D()(x)
    return _classes(inputs, layers.GlobalAveragePooling2D()(x))


def residual() -> keras.Model:
    """Return a way around two convolutions, and the maximum over places."""
    inputs = keras.Input((SIDE, SIDE, 1))
    x = layers.MaxPooling2D()(_step(inputs, 12))
    x = layers.Add()([x, _step(_step(x, 12), 12)])
    return _classes(inputs, layers.GlobalMaxPooling2D()(_step(x, 24)))


NETWORKS: tuple[Callable[[], keras.Model], ...] = (averaged, dense, separable, residual)


def _step(x: Any, channels: int, activation: str = "relu") -> Any:
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    return layers.Activation(activation)(layers.BatchNormalization(momentum=0.9)(x))


def _classes(inputs: Any, features: Any) -> keras.Model:
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(features))


def trained(number: int, epochs: int = 8) -> keras.Model:
    """Return a network of one of the architectures, trained on pictures of its own seed."""
    keras.utils.set_random_seed(number)
    model = NETWORKS[number % len(NETWORKS)]()
    drawn = sample(384, 1000 + number)
    rate = keras.optimizers.schedules.CosineDecay(
        6e-3, epochs * len(drawn.labels) // 32
    )
    single = model.output_shape[1] == 1
    loss = "binary_crossentropy" if single else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(drawn.pictures, drawn.labels, batch_size=32, epochs=epochs, verbose=0)
    return model


def accuracy(model: keras.Model, fresh: Sample) -> float:
    """Return the share of fresh pictures whose class is predicted."""
    output = model.predict_on_batch(fresh.pictures)
    found = output[:, 0] > 0.5 if output.shape[1] == 1 else output.argmax(1)
    return float((found == fresh.labels).mean())


def shuffled_copy(model: keras.Model, seed: int) -> keras.Model:
    """Return a copy with the values of each weight permuted within their tensor."""
    random = np.random.default_rng(seed)
    copy = keras.models.clone_model(model)
    weights = model.get_weights()
    copy.set_weights(
        [random.permutation(each.ravel()).reshape(each.shape) for each in weights]
    )
    return copy


def judged(model: keras.Model, fresh: Sample, number: int) -> Iterator[tuple[str, str]]:
    """Yield why the default overlay of a picture with a lesion, and one without, is veiled."""
    for label, name in ((1, "with a lesion"), (0, "without")):
        result = sal.explain(model, fresh.one(label, number), prepare=PREPARE)
        yield name, result.veil_reason


def interval(count: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z, share = 1.96, count / of
    middle = share + z**2 / (2 * of)
    half = z * sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    whole = 1 + z**2 / of
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def main(models: int, first: int) -> None:
    """Print the counts of so many networks, numbered from the first."""
    fresh, start = sample(100, 1), time.process_time()
    counts: Counter[tuple[str, str]] = Counter()
    good, number = 0, first
    while good < models:
        model = trained(number)
        right = accuracy(model, fresh)
        if right >= GOOD:
            good += 1
            for kind, asked in (
                ("trained", model),
                ("shuffled", shuffled_copy(model, number)),
            ):
                for picture, reason in judged(asked, fresh, number):
                    counts[kind, picture] += bool(reason)
                    if reason and kind == "trained":
                        print(f"network {number}, {picture}: {reason}")
        print(
            f"network {number}: {model.layers[-1].output.shape}, right {right:.2f}",
            flush=True,
        )
        number += 1
    print("\n| networks | pictures | overlays under a veil | 95 % |\n|---|---|---|---|")
    for (kind, picture), count in sorted(counts.items()):
        low, high = interval(count, good)
        print(f"| {kind} | {picture} | {count} of {good} | {low:.0%} to {high:.0%} |")
    seconds = time.process_time() - start
    print(
        f"\n{number - first - good} networks learnt too little; {seconds:.0f} s of CPU"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=int, nargs="?", default=20)
    parser.add_argument("first", type=int, nargs="?", default=0)
    options = parser.parse_args()
    main(options.models, options.first)
