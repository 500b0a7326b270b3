"""Explain a real DICOM file with the model that lies beside this script: ``make demo``.

An abdominal MR that pydicom brings along is explained as it is, and with a lesion drawn into its
stored values: so you know where a good map must be bright.
"""

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

import saliency as sal
from lesions import bundled, on_ring, ring
from saliency.cli.quiet import start_tensorflow
from sheet import Row, save_sheet

EXPLAINERS = ("fastcam", "gradcam", "integrated_gradients", "gradient")
MODEL = Path(__file__).with_name("demo_model.keras")
CENTRE, RADIUS = (112, 100), 26
WHERE = {"real": "where the other file has its lesion", "lesion": "on the lesion"}


def main() -> None:
    """Write an overlay for each explainer, and one figure of all."""
    start_tensorflow()
    (out := Path((*sys.argv, "out/demo")[1])).mkdir(parents=True, exist_ok=True)
    real = pydicom.dcmread(bundled("examples_overlay.dcm"))
    probe = sal.KerasProbe(MODEL, labels=("no lesion", "lesion"))
    files = {"real": real, "lesion": with_lesion(real)}
    rows = [explained(name, file, probe, out) for name, file in files.items()]
    sheet = save_sheet(rows, out / "side-by-side.png")
    print(f"{sheet}  all of them: look at this one first")


def explained(name: str, file: Any, probe: "sal.KerasProbe", out: Path) -> Row:
    """Explain one file; print a line for each overlay and return the row of the figure."""
    image = sal.read_dicom(file)
    row = [(name, image.display)]
    for explainer in EXPLAINERS:
        result = sal.explain(probe, image, explainer, target="lesion")
        overlay = result.overlay()
        path = overlay.save(out / f"{name}-{explainer}.png")
        hottest = f"{on_ring(result.heatmap, CENTRE, RADIUS):.0%} of its hottest 1 %"
        print(f"{path}: {result.caption}. {hottest} of pixels lie {WHERE[name]}.")
        row.append((f"{explainer}, logit {result.score:+.1f}", overlay.rgb))
    return row


def with_lesion(dataset: pydicom.Dataset) -> pydicom.Dataset:
    """Return a derived dataset with a ring in its stored values, and a new UID."""
    drawn = deepcopy(dataset)
    values = np.rint(ring(drawn.pixel_array, CENTRE, (RADIUS, RADIUS), 450))
    drawn.set_pixel_data(values.astype(np.uint16), "MONOCHROME2", drawn.BitsStored)
    drawn.ImageType = ["DERIVED", "SECONDARY"]
    return drawn


if __name__ == "__main__":
    main()
