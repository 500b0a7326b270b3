"""What a whole slide costs: memory, and wall time beside the model's own.

    python benchmarks/slides.py SLIDE [--model MODEL] [--tile 224] [--spacing 0.0005]
    python benchmarks/slides.py SLIDE --network DenseNet121

SLIDE is a folder of one whole slide image. Without a model a small network of random weights is
asked: what is measured is all that lies around it. ``--network`` takes one of keras.applications,
of random weights. The model's own time is that of asking it about the tiles with tissue, without
reading, preparing, stitching or keeping anything. Its share of the wall is that after the first
batch, in which the graph is traced.
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
    probe = sal.KerasProbe(options.model or network_of(options))
    loaded = peak()
    told: list[SlideProgress] = []
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
            progress=told.append,
        )
        levels = ", ".join(f"{each.rows} x {each.columns}" for each in slide.levels)
    wall = time.perf_counter() - start
    own = result.seconds["model"]
    print(f"levels {levels}; {result.asked.sum():,} of {result.asked.size:,} tiles")
    print(
        f"{told[-1].rate:.1f} tiles/s; wall {wall:.1f} s, model {own:.1f} s: {wall / own:.2f} times"
    )
    print(f"tiles alone: {result.seconds['wall'] / own:.3f} times the model's own time")
    print(f"after the first batch the model has {share_of_model(told):.1%} of the wall")
    print(f"peak {peak():.0f} MB, of which {loaded:.0f} MB before the slide was opened")


def arguments() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("slide")
    parser.add_argument("--model")
    parser.add_argument("--network", metavar="NAME", help="of keras.applications")
    parser.add_argument("--tile", type=int, default=224)
    parser.add_argument("--spacing", type=float, default=0.0005)
    parser.add_argument("--overlap", type=float, default=0.25)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--method", default="gradcam")
    return parser.parse_args()


def network_of(options: argparse.Namespace) -> keras.Model:
    """Return a network of random weights: the one named, else a small one."""
    if options.network is None:
        return small(options.tile)
    keras.utils.set_random_seed(0)
    build = getattr(keras.applications, options.network)
    model: keras.Model = build(
        weights=None, input_shape=(options.tile, options.tile, 3), classes=2
    )
    return model


def share_of_model(told: list[SlideProgress]) -> float:
    """Return the model's share of the wall after the first batch, 0..1."""
    first, last = told[1], told[-1]
    return (last.model_seconds - first.model_seconds) / (last.seconds - first.seconds)


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
