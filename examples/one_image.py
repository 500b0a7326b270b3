"""One image, one model, one overlay: ``python examples/one_image.py OUT MODEL FILE``."""

import sys
from pathlib import Path

import pydicom

import saliency as sal
from demo import MODEL, with_lesion
from lesions import bundled


def main() -> None:
    """Explain your own file with your own model, or else what lies at hand."""
    given = sys.argv[1:]
    # A slice of pydicom's with a lesion drawn into it: the model that lies here finds such.
    own = MODEL, with_lesion(pydicom.dcmread(bundled("examples_overlay.dcm")))
    out, model, file = (*given, *("out/one_image", *own)[len(given) :])
    Path(out).mkdir(parents=True, exist_ok=True)

    image = sal.read_dicom(file)
    result = sal.explain(model, image, "fastcam")
    print(result)
    print(result.overlay().save(Path(out) / "overlay.png"))


if __name__ == "__main__":
    main()
