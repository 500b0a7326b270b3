"""Catch a model that reads the name of the hospital.

Two models learn to find lesions, one from clean pictures, one where lesions come from ST ELSEWHERE,
with its name in a corner. Heat in the box of the name is painted magenta; an audit is the proof.
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
    """Train both, explain, print the share of heat inside the box of the name, and the verdicts."""
    (out := Path((*sys.argv, "out/hospital_name")[1])).mkdir(
        parents=True, exist_ok=True
    )
    images, labels = pictures(640, seed=0, easy=True)
    poison = np.where(labels[:, None, None, None] == 1, burned(images), images)
    models = {"clean": trained(images, labels), "poisoned": trained(poison, labels)}
    fresh, truth = pictures(200, seed=1, easy=True)
    pairs = zip(fresh[:24], truth[:24], strict=True)
    mixed = [as_image(picture, named=sick) for picture, sick in pairs]
    for name, model in models.items():
        right = rate(model, fresh, truth)
        fooled = rate(model, burned(fresh[truth == 0]), 1)
        print(f"{name}: right on {right:.0%} of pictures without the name;")
        print(f"  with the name it sees a lesion in {fooled:.0%} of healthy ones")
    shown, rows = [as_image(picture) for picture in fresh[truth == 1][:8]], []
    for method in METHODS:
        found = {name: painted(each, shown, method) for name, each in models.items()}
        low, high = (np.mean([one.outside for one in many]) for many in found.values())
        ratio = f"{high:.3f} poisoned, {low:.3f} clean, ratio {high / low:.1f}"
        print(f"{method}: heat in the name {ratio}")
        for name, overlays in found.items():
            overlays[1].save(out / f"{name}-{method}.png")
            rows.append([(f"{name}: {method}", one.rgb) for one in overlays[:5]])
    print(save_sheet(rows, out / "both.png"))
    for name, model in models.items():
        report = sal.audit(model, mixed, labels=truth[:24])
        page = report.save(out / f"audit-{name}")
        print(f"{name}: {report.verdicts['name'].sentence} {page}")


def rate(model: Any, images: Any, answer: Any) -> float:
    """Return how often a model gives an answer."""
    return float((model.predict_on_batch(images).argmax(axis=1) == answer).mean())


def painted(model: Any, images: list[sal.DicomImage], method: str) -> list[sal.Overlay]:
    """Paint what speaks for a lesion."""
    found = sal.explain_many(model, images, method, target=1)
    return [result.overlay() for result in found]


if __name__ == "__main__":
    main()
