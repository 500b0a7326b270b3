"""Draw stained slides, train a small network on tiles of one, find the tumour in another."""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

import saliency as sal
from stained_slides import MM, SIZE, drawn, write

TILE = 64


def main() -> None:
    """Write the slide as DICOM, and the folder of its explanation."""
    out = Path((*sys.argv, "out/slide")[1])
    out.mkdir(parents=True, exist_ok=True)
    model, centre = trained(), (1250, 800)
    write(drawn(7, centre), out / "slide.dcm")
    with sal.open_slide(out / "slide.dcm") as slide:
        result = sal.explain_slide(
            model, slide, "gradcam", target=1, spacing=2 * MM, out=out / "maps"
        )
    cells = np.argwhere(result.heatmap.values > result.vmax / 4).mean(axis=0) + 0.5
    off = (result.placement @ np.append(cells, 1))[:2] - np.multiply(centre, MM)
    print(f"{result.caption}\nthe heat is centred {1000 * np.hypot(*off):.0f} um off")
    print(*sorted(path.name for path in (out / "maps").iterdir()))


def trained() -> keras.Model:
    """Fit on 800 tiles of one slide at 1 um a pixel, half of them from its tumour."""
    keras.utils.set_random_seed(0)
    centre, rng = (900, 1100), np.random.default_rng(0)
    scene = drawn(1, centre).reshape(SIZE // 2, 2, SIZE // 2, 2, 3).mean((1, 3))
    corners = rng.integers(0, SIZE // 2 - TILE, (20000, 2))
    far = np.hypot(*(2 * corners + TILE - centre).T)
    chosen = np.concatenate([corners[far > 400][:400], corners[far < 200][:400]])
    images = np.stack([scene[r : r + TILE, c : c + TILE] for r, c in chosen]) / 255
    entry = keras.Input((TILE, TILE, 3))
    x = layers.Rescaling(4, -3)(entry)
    for channels, strides in ((8, 2), (16, 2), (16, 1)):
        x = layers.Conv2D(channels, 3, strides, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(entry, layers.Dense(2, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    labels = np.repeat([0, 1], 400)
    model.fit(images, labels, batch_size=32, epochs=8, verbose=0)
    return model


if __name__ == "__main__":
    main()
