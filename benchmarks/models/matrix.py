"""Ask every family of explainers of every family of keras.applications.

``python benchmarks/models/matrix.py [NAME ...]``. Random weights that let a signal through
(``living`` of tests/probe/applications.py), one noise picture of 96 x 96. A cell says what the
first map took in seconds of processor time, traces included; what was refused is listed below the
table with the library's own words. Anything else than a map or a SaliencyError stops.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from probe.applications import living

import saliency as sal
from saliency.errors import SaliencyError
from saliency.explainers.deeplift import DeepLIFT
from saliency.explainers.fullgrad import FullGrad
from saliency.explainers.guided import GuidedBackprop
from saliency.explainers.masked_cams import ReciproCAM
from saliency.explainers.perturbation import RISE
from saliency.explainers.relevance import LRP

SHAPE, CLASSES = (96, 96, 3), 7

MODELS = (
    *(
        "VGG16",
        "ResNet50",
        "ResNet50V2",
        "DenseNet121",
        "InceptionV3",
        "InceptionResNetV2",
    ),
    *("Xception", "MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"),
    *("EfficientNetB0", "EfficientNetV2B0", "NASNetMobile", "ConvNeXtTiny"),
)

RECIPES = {
    "gradient": sal.Gradient(),
    "IG": sal.IntegratedGradients(steps=4),
    "Grad-CAM": sal.GradCAM(),
    "Recipro-CAM": ReciproCAM(),
    "FastCAM": sal.FastCAM(),
    "LRP": LRP(),
    "DeepLIFT": DeepLIFT(),
    "guided": GuidedBackprop(),
    "FullGrad": FullGrad(),
    "RISE": RISE(masks=8),
    "occlusion": sal.Occlusion(window=48, stride=48),
}


def main(names: list[str]) -> None:
    """Print a line for each model, and then why cells are empty."""
    print(f"| model | {' | '.join(RECIPES)} |")
    print(f"|---|{'---|' * len(RECIPES)}")
    refused: list[str] = []
    for name in names or MODELS:
        cells = list(_row(name, refused))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print("\n" + "\n".join(f"- {line}" for line in refused))


def model_named(name: str) -> Any:
    """Return an application with random weights, and the statistics of noise in 0..255."""
    given = {"include_preprocessing": True} if "V3" in name and "Mobile" in name else {}
    make: Callable[..., Any] = getattr(keras.applications, name)
    keras.utils.set_random_seed(0)
    return living(make(weights=None, input_shape=SHAPE, classes=CLASSES, **given))


def _row(name: str, refused: list[str]) -> Iterator[str]:
    model = model_named(name)
    inputs = np.random.default_rng(0).uniform(0, 255, (1, *SHAPE)).astype(np.float32)
    probe = sal.KerasProbe(model).at(3)
    for word, recipe in RECIPES.items():
        start = time.process_time()
        try:
            found = np.asarray(recipe(probe, inputs))
        except SaliencyError as error:
            refused.append(f"{word} of {name}: {error}")
            yield "refused"
            continue
        if not np.isfinite(found).all() or found.shape[:3] != (1, *SHAPE[:2]):
            msg = f"{word} of {name}: {found.shape}, finite: {np.isfinite(found).all()}"
            raise RuntimeError(msg)
        gap = _rest(recipe, probe, inputs, found)
        yield f"{time.process_time() - start:.1f}{gap}"


def _rest(recipe: Any, probe: Any, inputs: Any, found: Any) -> str:
    """Say what share of the score is missing, of a method that promises to share out all of it."""
    if isinstance(recipe, DeepLIFT):
        return f" (gap {float(recipe.gap(probe, inputs, found)[0]):.1e})"
    if isinstance(recipe, FullGrad):
        score = float(probe.score(inputs)[0])
        total = float(recipe.decomposed(probe, inputs).total[0])
        return f" (gap {abs(total - score) / max(abs(score), 1e-9):.1e})"
    return ""


if __name__ == "__main__":
    main(sys.argv[1:])
