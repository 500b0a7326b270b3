"""``saliency demo``: what the library does, on a picture that everybody has."""

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import saliency as sal
from saliency.cli.codes import DONE
from saliency.cli.options import add_verb, folder
from saliency.cli.quiet import start_tensorflow
from saliency.errors import InputError

METHODS: Final = ("fastcam", "gradcam", "integrated_gradients")
#: Row and column of the lesion that is drawn, its radius, and its brightness in stored values.
CENTRE, RADIUS, GAIN = (112, 100), 26, 450


def add_demo(commands: Any) -> None:
    """Add the verb."""
    command = add_verb(
        commands, "demo", "explain a bundled MR picture with a bundled model", demo
    )
    command.add_argument(
        "--out", type=folder, default=Path("saliency-demo"), metavar="DIR"
    )


def demo(options: argparse.Namespace) -> int:
    """Explain a picture as it is, and with a lesion drawn into it; return the exit code."""
    start_tensorflow()
    from saliency.values.files import make_folder

    make_folder(options.out)
    real = sal.read_dicom(_bundled_mr())
    probe = sal.KerasProbe(_model(), labels=("no lesion", "lesion"))
    print(
        "A small model was trained to tell MR slices with a ring-shaped lesion from others."
    )
    print("It is asked about one slice: as it is, and with a lesion drawn into it.")
    for name, image in {"as-it-is": real, "with-lesion": _with_lesion(real)}.items():
        for method in METHODS:
            result = sal.explain(probe, image, method, target="lesion")
            path = result.save(options.out / f"{name}-{method}.png")
            print(f"{path}: {result.caption}.")
    print(
        f"Look at {options.out / 'with-lesion-fastcam.png'} first: green is where the lesion is."
    )
    return DONE


def _model() -> Path:
    """Return the demo's model: in the package where it was installed, else in examples/."""
    installed = Path(__file__).with_name("demo_model.keras")
    checkout = Path(__file__).parents[2] / "examples" / "demo_model.keras"
    return installed if installed.is_file() else checkout


def _bundled_mr() -> Path:
    """Return an abdominal MR that the package pydicom brings along."""
    spec = find_spec("pydicom")
    if spec is None or spec.origin is None:
        msg = "demo: expected the package pydicom with its test files, found none."
        raise InputError(msg)
    return Path(spec.origin).parent / "data" / "test_files" / "examples_overlay.dcm"


def _with_lesion(image: Any) -> Any:
    """Draw a bright rim around a dark core, as a ring-enhancing lesion looks."""
    import numpy as np

    rows, columns = np.ogrid[: image.size[0], : image.size[1]]
    reach = np.hypot(rows - CENTRE[0], columns - CENTRE[1]) / RADIUS
    rim = np.exp(-(((reach - 1) / 0.2) ** 2))
    core = 1 / (1 + np.exp((reach - 1) / 0.1))
    drawn = image.pixels * (1 - 0.6 * core) + GAIN * rim
    return sal.DicomImage.from_array(drawn, window=image.window, spacing=image.spacing)
