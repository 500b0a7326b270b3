"""What a file holds, without decoding it and without anything about the patient."""

from collections.abc import Mapping
from dataclasses import asdict

from saliency.dicom.declared.slides import label_in_image
from saliency.dicom.declared.zones import declared_names
from saliency.dicom.display.geometry import read_aspect, spacing_of
from saliency.dicom.display.voi import read_windows
from saliency.dicom.file.elements import is_code, let_through
from saliency.dicom.file.groups import read_groups
from saliency.dicom.file.guard import beside, contained
from saliency.dicom.file.limits import check_claim
from saliency.dicom.file.open import open_source
from saliency.dicom.file.tags import TAGS
from saliency.dicom.pixels.image_pixel import read_layout
from saliency.dicom.read import pixels_of, read_info
from saliency.values.window import Window


def describe(source: object) -> Mapping[str, object]:
    """Return what a file holds.

    Parameters
    ----------
    source
        What ``read_dicom`` takes.

    Returns
    -------
    Mapping
        ``modality``, ``photometric``, ``syntax`` (its name), ``rows``, ``columns``, ``frames``,
        ``samples``, ``allocated``, ``bits``, ``signed``, ``windows`` (center and width in modality
        units, as the file counts them; None for one that cannot be used), ``spacing``
        (row mm, column mm, or None), ``aspect`` (height / width of a pixel), ``burned``
        (0028,0301), ``recognizable`` (0028,0302), ``label_in_image`` (0048,0010), ``zones`` (names
        of those that the header declares), and what may travel: body part, view, laterality, model
        of the device.

    Raises
    ------
    DicomError
        The file cannot be shown.
    """
    with contained(), open_source(source) as opened:
        pixels, top = pixels_of(opened), opened.elements
        layout, groups = read_layout(top, pixels.tag), read_groups(top).of(0)
        check_claim(layout.frame_samples, pixels.there)
        shape = asdict(layout)
        photometric = layout.photometric if is_code(layout.photometric) else ""
        names = ("rows", "columns", "frames", "samples", "allocated", "bits", "signed")
        return {
            "modality": let_through(top, TAGS["Modality"]),
            "photometric": photometric,
            "syntax": opened.syntax.name,
            **{name: shape[name] for name in names},
            "windows": tuple(_numbers(each.window) for each in read_windows(groups)),
            "spacing": spacing_of(groups),
            "aspect": beside(
                "Pixel Aspect Ratio (0028,0034)", lambda: read_aspect(groups), 1.0
            ),
            "zones": declared_names(top, layout),
            "label_in_image": label_in_image(top),
            "burned": let_through(top, TAGS["BurnedInAnnotation"]),
            "recognizable": let_through(top, TAGS["RecognizableVisualFeatures"]),
            **read_info(top),
        }


def _numbers(window: Window | None) -> tuple[float, float] | None:
    return None if window is None else (window.center, window.width)
