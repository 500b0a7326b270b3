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
    for name, model in models.items():
        print(
            f"{name}: right on {rate(model, fresh, truth):.0%} of pictures without the name;"
        )
        fooled = f"{rate(model, burned(fresh[truth == 0]), 1):.0%}"
        print(f"  with the name it sees a lesion in {fooled} of those that have none")
    shown, rows = [as_image(picture) for picture in fresh[truth == 1][:8]], []
    for method in METHODS:
        clean, poisoned = (painted(model, shown, method) for model in models.values())
        low, high = (
            np.mean([one.outside for one in many]) for many in (clean, poisoned)
        )
        ratio = f"{high:.3f} poisoned, {low:.3f} clean, ratio {high / low:.1f}"
        print(f"{method}: heat in the name {ratio}")
        for name, overlays in (("clean", clean), ("poisoned", poisoned)):
            overlays[1].save(out / f"{name}-{method}.png")
            rows.append(
                [(f"{name}: {method}", overlay.rgb) for overlay in overlays[:5]]
            )
    print(save_sheet(rows, out / "both.png"))
    mixed = [
        as_image(one, named=label)
        for one, label in zip(fresh[:24], truth, strict=False)
    ]
    for name, model in models.items():
        report = sal.audit(model, mixed, labels=truth[:24])
        print(
            f"{name}: {report.verdicts['name'].sentence} {report.save(out / f'audit-{name}')}"
        )


def rate(model: Any, images: Any, answer: Any) -> float:
    """Return how often a model gives an answer."""
    return float((model.predict_on_batch(images).argmax(axis=1) == answer).mean())


def painted(model: Any, images: list[sal.DicomImage], method: str) -> list[sal.Overlay]:
    """Paint what speaks for a lesion."""
    return [
        result.overlay() for result in sal.explain_many(model, images, method, target=1)
    ]


if __name__ == "__main__":
    main()
