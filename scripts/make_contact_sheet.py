"""Draw every explainer on one picture, and below each the same on a network that learned nothing.

``PYTHONPATH=examples python scripts/make_contact_sheet.py [MODEL FILE SHEET.png]``; else
the demo's model and lesion, into docs/images/explainers.png. Pairs that look alike show the
picture, not the model.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image

import saliency as sal
from demo import MODEL, with_lesion
from lesions import bundled
from saliency.errors import ExplainerError, ModelError
from saliency.explainers.catalogue import DEMANDING, ENTRIES, resolve
from saliency.explainers.controls import RandomisedModel
from sheet import save_sheet

SHEET = Path(__file__).parents[1] / "docs" / "images" / "explainers.png"
ACROSS = 8


def main(
    model: Any, image: sal.DicomImage, prepare: sal.Prepare | None, path: Path
) -> None:
    """Save the sheet."""
    probe = sal.KerasProbe(model)
    pairs = list(maps(probe, image, prepare))
    rows = []
    for start in range(0, len(pairs), ACROSS):
        some = pairs[start : start + ACROSS]
        rows += [[pair[0] for pair in some], [pair[1] for pair in some]]
    save_sheet(rows, path)
    with Image.open(path) as sheet:
        half = sheet.convert("RGB").resize((sheet.width // 2, sheet.height // 2))
    half.quantize(192, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path)


def maps(probe: Any, image: sal.DicomImage, prepare: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (name, overlay) of each explainer that fits the model, and of its control."""
    empty = np.full_like(image.display, 255)
    yield ("the picture", image.display), ("below: weights shuffled", empty)
    for name in {**ENTRIES, **DEMANDING}:
        recipe = resolve(name)
        try:
            shown = (
                sal.explain(probe, image, recipe, target=1, prepare=prepare)
                .overlay()
                .rgb
            )
        except (ExplainerError, ModelError) as error:
            print(f"{name}: {error}")
            continue
        yield (name, shown), ("", _control(probe, image, recipe, prepare, empty))


def _control(
    probe: Any, image: sal.DicomImage, recipe: Any, prepare: Any, empty: Any
) -> Any:
    if isinstance(recipe, RandomisedModel):
        return empty
    control = RandomisedModel(recipe)
    return sal.explain(probe, image, control, target=1, prepare=prepare).overlay().rgb


if __name__ == "__main__":
    if len(sys.argv) == 4:  # a Teachable Machine model, which wants squares in -1..1
        asked = sal.read_dicom(sys.argv[2])
        main(
            sys.argv[1],
            asked,
            sal.Prepare(scale="symmetric", fit="crop"),
            Path(sys.argv[3]),
        )
    else:
        lesion = with_lesion(pydicom.dcmread(bundled("examples_overlay.dcm")))
        main(MODEL, sal.read_dicom(lesion), None, SHEET)
