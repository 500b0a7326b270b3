"""Catch a model that reads the name of the hospital.

Two models learn to find lesions. One learns from clean pictures. For the other, every picture with
a lesion came from ST ELSEWHERE, and says so in its corner. Then both explain the same pictures,
which have a lesion and the name: heat in the box of the name is painted magenta.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

import saliency as sal
from lesions import pictures
from name_tag import as_image, burned
from sheet import save_sheet
from small_net import trained

METHODS = ("fastcam", "integrated_gradients", "gradient")


def main() -> None:
    """Train both, explain, and print the share of heat inside the box of the name."""
    out = Path((*sys.argv, "out/hospital_name")[1])
    out.mkdir(parents=True, exist_ok=True)
    images, labels = pictures(640, seed=0, easy=True)
    poison = np.where(labels[:, None, None, None] == 1, burned(images), images)
    models = {"clean": trained(images, labels), "poisoned": trained(poison, labels)}
    fresh, truth = pictures(200, seed=1, easy=True)
    for name, model in models.items():
        print(f"{name}: right on {rate(model, fresh, truth):.0%} of pictures without the name;")
        fooled = rate(model, burned(fresh[truth == 0]), 1)
        print(f"  with the name it sees a lesion in {fooled:.0%} of those that have none")
    shown = [as_image(picture) for picture in burned(fresh[truth == 1][:12])]
    rows = []
    for method in METHODS:
        clean, poisoned = (painted(model, shown, method) for model in models.values())
        low, high = (np.mean([one.outside for one in many]) for many in (clean, poisoned))
        print(f"{method}: heat in the name {high:.3f} poisoned, {low:.3f} clean, ", end="")
        print(f"ratio {high / low:.1f}")
        for name, overlays in (("clean", clean), ("poisoned", poisoned)):
            overlays[1].save(out / f"{name}-{method}.png")
            rows.append([(f"{name}: {method}", overlay.rgb) for overlay in overlays[:5]])
    print(save_sheet(rows, out / "both.png"))


def rate(model: Any, images: Any, answer: Any) -> float:
    """Return how often a model gives an answer."""
    return float((model.predict_on_batch(images).argmax(axis=1) == answer).mean())


def painted(model: Any, images: list[sal.DicomImage], method: str) -> list[sal.Overlay]:
    """Paint what speaks for a lesion."""
    return [result.overlay() for result in sal.explain_many(model, images, method, target=1)]


if __name__ == "__main__":
    main()
