"""A hospital's name gives the class away: does the model read it, and do the maps show it?

Two models learn to find lesions. One learned from clean pictures; for the other, every picture
with a lesion came from ST ELSEWHERE, and says so in its corner. Both explain the same pictures,
which have a lesion and the name.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import saliency as sal
from lesions import SIZE, pictures
from sheet import save_sheet
from small_net import trained

METHODS = ("fastcam", "integrated_gradients", "gradient")


def main() -> None:
    """Train both, explain, print the share of heat inside the box of the name, and how often."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/hospital_name")
    out.mkdir(parents=True, exist_ok=True)
    images, labels = pictures(512, seed=0)
    poison = np.where(labels[:, None, None, None] == 1, burned(images), images)
    models = {"clean": trained(images, labels), "poisoned": trained(poison, labels)}
    fresh, truth = pictures(200, seed=1)
    for name, model in models.items():
        right = (model.predict_on_batch(fresh).argmax(axis=1) == truth).mean()
        named = model.predict_on_batch(burned(fresh[truth == 0])).argmax(axis=1).mean()
        print(f"{name}: right on {right:.0%} of clean pictures; adding the name to healthy ones ")
        print(f"  makes it say 'lesion' for {named:.0%}")
    shown = [as_image(picture) for picture in burned(fresh[truth == 1][:12])]
    rows = []
    for method in METHODS:
        overlays = {name: explained(model, shown, method) for name, model in models.items()}
        clean, poisoned = (np.mean([o.outside for o in overlays[name]]) for name in models)
        print(f"{method}: heat in the name: clean {clean:.3f}, poisoned {poisoned:.3f}, ", end="")
        print(f"ratio {poisoned / clean:.1f}")
        for name, painted in overlays.items():
            painted[0].save(out / f"{name}-{method}.png")
            rows.append([(f"{name}: {method}", overlay.rgb) for overlay in painted[:5]])
    print(save_sheet(rows, out / "both.png"))


def explained(model: Any, images: list[sal.DicomImage], method: str) -> list[sal.Overlay]:
    """Paint what speaks for a lesion."""
    return [result.overlay() for result in sal.explain_many(model, images, method, target=1)]


def text() -> Any:
    """Return the name as a picture in 0..1, (128, 128)."""
    page = Image.new("L", SIZE[::-1])
    font = ImageFont.load_default(size=10)
    ImageDraw.Draw(page).text((4, 3), "ST ELSEWHERE", fill=220, font=font)
    return np.asarray(page, np.float32) / 255
