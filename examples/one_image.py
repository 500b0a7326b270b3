"""One picture, one model, one overlay: ``python examples/one_image.py OUT MODEL FILE``."""

import sys
from pathlib import Path

import saliency as sal
from lesions import bundled


def main() -> None:
    """Explain your own file with your own model, or else what lies at hand."""
    given = sys.argv[1:]
    own = Path(__file__).with_name("demo_model.keras"), bundled("CT_small.dcm")
    out, model, file = (*given, *("out/one_image", *own)[len(given) :])
    Path(out).mkdir(parents=True, exist_ok=True)

    image = sal.read_dicom(file)
    result = sal.explain(model, image, "fastcam")
    print(result)
    print(result.overlay().save(Path(out) / "overlay.png"))


if __name__ == "__main__":
    main()
