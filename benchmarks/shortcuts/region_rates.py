"""How often `saliency.audit.regions` finds a drawn lesion, and what is not there.

``python benchmarks/shortcuts/region_rates.py --models FOLDER [--kinds KIND ...] [--images N]``
trains networks on real tissue with and without a drawn lesion, and asks for the regions of

- ``lesion``: an image with a lesion, decided for it, against images that are decided otherwise;
- ``alike``: an image without one, against others without one. What is found is false: the image is
  drawn as they are;
- ``shuffled``: an image with a lesion against images without one, of the same network with shuffled
  weights; ``shuffled, alike``: as above.

Regions that touch the lesion are hits; those whose margin reaches it are near; others are away.
Each question has references of its own: with the same ones, all answers would be one draw.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np
from marks import SIZE, Array, with_lesion
from networks import inputs_of, network
from PIL import Image, ImageFilter
from wider import rows_in, share, shown

from saliency.audit import Regions, regions
from saliency.audit.exchange.region_exchange import MARGIN

LESION = 0.5
"""Brightness of a lesion that networks learn to see in nine of ten images."""
TRAINED, EPOCHS, TESTED = 2400, 12, 400
GRID = 7
"""Regions along a side, of 48 that are asked for."""
REFERENCES = 22
"""As few as a rate of 0.05 allows."""
KINDS = ("max", "flat", "residual", "separable", "patches")


@dataclass(frozen=True)
class Asked:
    """A network, whose score is the lead of the lesion, and how many images it is asked about.

    Where ``decided``, only images are asked about that it decides for the lesion, and references
    that it decides otherwise.
    """

    lead: keras.Model
    seed: int
    count: int
    decided: bool = True


def taught(kept: Path, kind: str, seed: int) -> keras.Model:
    """Return a network that tells images with a lesion from others, kept in a folder."""
    path = kept / f"regions-{kind}-{seed}.keras"
    if path.exists():
        return keras.models.load_model(path)
    keras.utils.set_random_seed(seed)
    model = network(kind)
    ill, well, _ = with_lesion(TRAINED // 2, seed, LESION)
    labels = np.repeat([1, 0], TRAINED // 2)
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    pictures = inputs_of(np.concatenate([ill, well]))
    model.fit(pictures, labels, batch_size=32, epochs=EPOCHS, verbose=0)
    model.save(path)
    return model


def accuracy(model: keras.Model, seed: int) -> float:
    """Return the share of new images that it decides rightly."""
    ill, well, _ = with_lesion(TESTED // 2, seed + 1000, LESION)
    said = model.predict(inputs_of(np.concatenate([ill, well])), verbose=0)
    right = said.argmax(axis=1) == np.repeat([1, 0], TESTED // 2)
    return float(right.mean())


def lead_of(model: keras.Model) -> keras.Model:
    """Return the model with one score: the logarithm of the odds of a lesion."""
    last = model.layers[-1]
    kernel, bias = last.get_weights()
    lead = keras.layers.Dense(1, name="lead")
    scored = keras.Model(model.input, lead(last.input))
    lead.set_weights([kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]])
    return scored


def shuffled(model: keras.Model, seed: int) -> keras.Model:
    """Return the model with each array of weights in another order."""
    generator = np.random.default_rng(seed)
    other = keras.models.clone_model(model)
    other.set_weights(
        [
            generator.permuted(array.ravel()).reshape(array.shape)
            for array in model.get_weights()
        ]
    )
    return other


def lesion_rows(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield a row for each image with a lesion: its effect, and what was found where."""
    for number in range(asked.count):
        seed = asked.seed + 10_000 + 100 * number
        ill, well, lesions = with_lesion(1, seed, LESION)
        _, others, _ = with_lesion(4 * REFERENCES, seed + 50, LESION)
        scores = _scores(asked.lead, np.concatenate([ill, well, others]))
        if asked.decided:
            others = others[scores[2:] < 0]
        if asked.decided and (scores[0] <= 0 or len(others) < REFERENCES):
            continue
        references = [shown(one) for one in others[:REFERENCES]]
        found = regions(asked.lead, shown(ill[0]), references, seed=seed)
        hits = _found_on(found, lesions[0])
        within = _found_on(found, _widened(lesions[0]))
        yield {
            "truth": float(scores[0] - scores[1]),
            "apart": found.apart,
            "least": found.least,
            "hits": hits,
            "near": within - hits,
            "away": int(found.found.sum()) - within,
        }


def alike_rows(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield a row for each image that is drawn as its references are."""
    for number in range(asked.count):
        seed = asked.seed + 20_000 + 100 * number
        _, drawn, _ = with_lesion(1 + REFERENCES, seed, LESION)
        image, *others = [shown(one) for one in drawn]
        found = regions(asked.lead, image, others, seed=seed)
        yield {"apart": found.apart, "away": int(found.found.sum())}


def _found_on(found: Regions, mask: Array) -> int:
    """Return how many of the found regions touch a mask."""
    return int(found.found[np.unique(found.labels[mask])].sum())


def _widened(mask: Array) -> Array:
    """Return a lesion and what lies so near that a region's margin reaches it."""
    reach = round(MARGIN * min(SIZE) / GRID)
    picture = Image.fromarray(mask.astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.MaxFilter(2 * reach + 1)), bool)


def _scores(lead: keras.Model, images: Array) -> Array:
    return np.asarray(lead.predict_on_batch(inputs_of(images)))[:, 0]


def summed_up(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what all rows of a question say."""
    for question in dict.fromkeys(row["question"] for row in rows):
        asked = [row for row in rows if row["question"] == question]
        if "hits" in asked[0]:
            hits = sum(row["hits"] > 0 for row in asked)
            yield f"{question}: lesion found in {share(hits, len(asked))}"
            for kind in ("near", "away"):
                shares = [
                    row[kind] / max(row["hits"] + row["near"] + row["away"], 1)
                    for row in asked
                ]
                yield f"{question}: mean share of regions {kind} {np.mean(shares):.3f}"
        wrong = sum(row["away"] > 0 for row in asked)
        yield f"{question}: a false region in {share(wrong, len(asked))}"


def answers(model: keras.Model, seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of all questions to a network, and print a line for each question."""
    other = lead_of(shuffled(model, seed))
    trained = Asked(lead_of(model), seed, count)
    no_order = Asked(other, seed, count, decided=False)
    for question, found in (
        ("lesion", lesion_rows(trained)),
        ("alike", alike_rows(trained)),
        ("shuffled", lesion_rows(no_order)),
        ("shuffled, alike", alike_rows(no_order)),
    ):
        rows = [{"question": question} | row for row in found]
        counts = [
            "/".join(str(row[kind]) for kind in ("hits", "near", "away") if kind in row)
            for row in rows
        ]
        print(f"  {question}, regions found: {' '.join(counts)}", flush=True)
        yield from rows


def main() -> None:
    """Print a line for each question to each network, then the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="*", default=KINDS, help="networks to train")
    parser.add_argument("--seed", type=int, default=900, help="of the first network")
    parser.add_argument("--images", type=int, default=8, help="for each question")
    parser.add_argument(
        "--models", type=Path, default=Path(tempfile.gettempdir(), "wider")
    )
    options = parser.parse_args()
    options.models.mkdir(parents=True, exist_ok=True)
    kept = options.models / "regions.jsonl"
    rows = rows_in(kept)
    for seed, kind in enumerate(options.kinds, options.seed):
        if any(row["network"] == [kind, seed] for row in rows):
            continue
        model = taught(options.models, kind, seed)
        right = accuracy(model, seed)
        print(f"{kind} {seed}: {right:.2f} of new images right", flush=True)
        of_network = {"network": [kind, seed], "accuracy": right}
        new = [of_network | row for row in answers(model, seed, options.images)]
        with kept.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in new)
        rows += new
        keras.backend.clear_session()  # graphs of earlier models would only be kept
    print("\n".join(summed_up(rows)))


if __name__ == "__main__":
    main()
