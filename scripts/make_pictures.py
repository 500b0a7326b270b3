"""Draw the pictures of the README anew: ``PYTHONPATH=examples python scripts/make_pictures.py``.

Run ``examples/hospital_name.py`` before: its overlays are taken as they are.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image

import saliency as sal
from demo import MODEL, with_lesion
from lesions import bundled

ROOT = Path(__file__).parents[1]
GAP = 8


def main() -> None:
    """Put painted pictures beside each other."""
    image = sal.read_dicom(
        with_lesion(pydicom.dcmread(bundled("examples_overlay.dcm")))
    )
    overlay = sal.explain(MODEL, image, "fastcam", target=1).overlay()
    beside("lesion", [np.stack([image.display] * 3, axis=2), overlay.rgb])
    painted = ROOT / "out" / "hospital_name"
    beside(
        "hospital-name",
        [enlarged(painted / f"{name}-fastcam.png") for name in ("clean", "poisoned")],
    )


def beside(name: str, pictures: list[Any]) -> None:
    """Save pictures of one height as one PNG."""
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    Image.fromarray(np.hstack(parts)).save(
        ROOT / "docs" / "images" / f"{name}.png", optimize=True
    )


def enlarged(path: Path, times: int = 3) -> Any:
    """Return a PNG as RGB, every pixel as a square."""
    with Image.open(path) as image:
        return (
            np.asarray(image.convert("RGB")).repeat(times, axis=0).repeat(times, axis=1)
        )


if __name__ == "__main__":
    main()
