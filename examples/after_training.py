"""Ask a model that you just trained what it learned to look at."""

import sys
from pathlib import Path

import numpy as np

import saliency as sal
from lesions import pictures
from sheet import save_sheet
from small_net import trained

NAMES = ("healthy", "lesion")


def main() -> None:
    """Train, test, then explain pictures never seen: the right answers and the wrong ones."""
    out = Path((*sys.argv, "out/after_training")[1])
    out.mkdir(parents=True, exist_ok=True)
    model = trained(*pictures(640, seed=0, easy=True))
    images, labels = pictures(200, seed=1, easy=True)
    answers = model.predict_on_batch(images).argmax(axis=1)
    print(f"right on {(answers == labels).mean():.0%} of 200 pictures never seen")

    right = np.flatnonzero((answers == labels) & (labels == 1))[:4]
    wrong = np.flatnonzero(answers != labels)[:4]
    probe = sal.KerasProbe(model)
    rows = []
    for kind, chosen in {"right": right, "wrong": wrong}.items():
        shown = [
            sal.DicomImage.from_array(
                images[index, ..., 0] * 255, window=sal.Window(128, 256)
            )
            for index in chosen
        ]
        row = []
        for number, result in enumerate(sal.explain_many(probe, shown, "fastcam")):
            overlay = result.overlay()
            print(overlay.save(out / f"{kind}-{number}.png"))
            row += [
                (kind, result.image.display),
                (f"speaks for: {NAMES[result.target]}", overlay.rgb),
            ]
        rows += [row] if row else []
    print(save_sheet(rows, out / "all.png"))


if __name__ == "__main__":
    main()
