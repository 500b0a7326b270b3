"""Train a small 3-D network on planted lesions, and find one of them in a volume never seen."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

import saliency as sal
from lesions import bundled

SIZE = (10, 32, 32)
SPACING = (5.0, 4.0, 4.0)
LESION = (6, 20, 12)
ABDOMEN = (
    sal.read_dicom(bundled("examples_overlay.dcm"), window=sal.Window(450, 790)).display
    / 255
)


def main() -> None:
    """Write montage, heat as NIfTI, and a GIF that scrolls through the slices."""
    out = Path((*sys.argv, "out/volume")[1])
    out.mkdir(parents=True, exist_ok=True)
    model = trained()
    rng = np.random.default_rng(7)
    volume = sal.DicomVolume.from_array(
        planted(body(rng), LESION) * 255, spacing=SPACING, window=sal.Window(128, 256)
    )
    result = sal.explain(model, volume, "gradcam", target=1, prepare=sal.Prepare())
    hottest = np.unravel_index(result.heatmap.values.argmax(), volume.size)
    off = np.linalg.norm((np.array(hottest) - LESION) * SPACING)
    print(
        f"{result}\nthe hottest voxel lies {off:.0f} mm from the middle of the lesion"
    )
    for ending in (
        ".png",
        ".gif",
        ".npz",
        *([".nii.gz"] if find_spec("nibabel") else []),
    ):
        print(result.save(out / f"lesion{ending}"))
    print(result.projection("row").save(out / "from-the-front.png"))


def body(rng: np.random.Generator) -> Any:
    """Stack a real slice of an abdomen, cropped a little otherwise from slice to slice."""
    top, left = rng.integers(40, 70), rng.integers(60, 200)
    drift = rng.integers(-3, 4, 2)
    parts = [
        ABDOMEN[top + k * drift[0] :, left + k * drift[1] :][
            : 6 * SIZE[1], : 6 * SIZE[2]
        ]
        for k in range(SIZE[0])
    ]
    coarse = np.stack(parts).reshape(SIZE[0], SIZE[1], 6, SIZE[2], 6).mean((2, 4))
    return np.clip(coarse * rng.uniform(0.7, 1) + rng.normal(0, 0.02, SIZE), 0, 1)


def planted(voxels: Any, centre: Any, radius: float = 9.0) -> Any:
    """Add a bright ball; its radius is in mm, so that it spans fewer slices than rows."""
    grid = np.stack(np.indices(SIZE), axis=-1) - np.asarray(centre)
    distance = np.linalg.norm(grid * SPACING, axis=-1)
    return np.clip(voxels + 0.6 / (1 + np.exp(distance - radius)), 0, 1)


def trained() -> keras.Model:
    """Fit on 240 volumes, every other one with a lesion somewhere."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    labels = np.arange(240) % 2
    low, high = (2, 6, 6), (8, 26, 26)
    made = [
        planted(body(rng), rng.integers(low, high)) if each else body(rng)
        for each in labels
    ]
    entry = keras.Input((*SIZE, 1))
    x = layers.AveragePooling3D((1, 2, 2))(entry)
    for channels in (8, 8):
        x = layers.Conv3D(channels, 3, padding="same", activation="relu")(x)
    x = layers.GlobalMaxPooling3D()(x)
    model = keras.Model(entry, layers.Dense(2, activation="softmax")(x))
    adam = keras.optimizers.Adam(1e-2)
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    told = model.fit(
        np.stack(made)[..., None], labels, batch_size=24, epochs=10, verbose=0
    )
    print(f"right on {told.history['accuracy'][-1]:.0%} of the volumes trained on")
    return model


if __name__ == "__main__":
    main()
