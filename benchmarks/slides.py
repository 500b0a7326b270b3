"""What a whole slide costs: memory, and wall time beside the model's own.

    python benchmarks/slides.py SLIDE [--model MODEL] [--tile 224] [--spacing 0.0005]

SLIDE is a folder of one whole slide image. Without a model a small network of random weights is
asked: what is measured is all that lies around it. The model's own time is that of asking it about
the tiles with tissue, without reading, preparing, stitching or keeping anything.
"""

import argparse
import resource
import time

import keras

import saliency as sal
from saliency.slides.explain_run import SlideProgress


def main() -> None:
    """Explain a slide once and print what it took."""
    options = arguments()
    model = small(options.tile) if options.model is None else options.model
    probe = sal.KerasProbe(model)
    loaded = peak()
    last: list[SlideProgress] = []
    start = time.perf_counter()
    with sal.open_slide(options.slide) as slide:
        result = sal.explain_slide(
            probe,
            slide,
            options.method,
            target=0,
            spacing=options.spacing,
            tile=options.tile,
            overlap=options.overlap,
            batch_size=options.batch,
            progress=lambda at: last.__setitem__(slice(None), [at]),
        )
        levels = ", ".join(f"{each.rows} x {each.columns}" for each in slide.levels)
    wall = time.perf_counter() - start
    own = result.seconds["model"]
    print(f"levels {levels}; {result.asked.sum():,} of {result.asked.size:,} tiles")
    print(
        f"{last[0].rate:.1f} tiles/s; wall {wall:.1f} s, model {own:.1f} s: {wall / own:.2f} times"
    )
    print(f"tiles alone: {result.seconds['wall'] / own:.3f} times the model's own time")
    print(f"peak {peak():.0f} MB, of which {loaded:.0f} MB before the slide was opened")


def arguments() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("slide")
    parser.add_argument("--model")
    parser.add_argument("--tile", type=int, default=224)
    parser.add_argument("--spacing", type=float, default=0.0005)
    parser.add_argument("--overlap", type=float, default=0.25)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--method", default="gradcam")
    return parser.parse_args()


def small(side: int) -> keras.Model:
    """Return a network of five convolutions with strides, of random weights."""
    keras.utils.set_random_seed(0)
    entry = keras.Input((side, side, 3))
    x = entry
    for channels in (16, 32, 64, 96, 128):
        x = keras.layers.Conv2D(channels, 3, 2, padding="same", activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(entry, keras.layers.Dense(2, activation="softmax")(x))


def peak() -> float:
    """Return the greatest resident memory so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
