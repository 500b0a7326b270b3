"""From a DICOMweb archive to results stored beside their images.

``python examples/pacs.py https://host/dicom-web STUDY_UID``; SALIENCY_DICOMWEB_TOKEN is its token.
"""

import sys
from pathlib import Path

import saliency as sal
from saliency import export
from saliency.export.dicomweb import Archive

MODEL = Path(__file__).with_name("demo_model.keras")
NO_IMAGE = ("OT", "SR", "SEG", "PR", "KO")  # results, and what has no pixels


def main() -> None:
    """Explain every image of a study that the model can see; store overlay and map of each."""
    url, study = sys.argv[1:3]
    archive = Archive(url)
    for instance in archive.search(study=study):
        if instance.modality in NO_IMAGE:
            continue
        source = next(archive.read(instance))
        try:
            result = sal.explain(MODEL, source)
        except sal.SaliencyError as error:
            print(f"{instance.uid}: {error}")
            continue
        objects = [
            export.secondary_capture(result, source),
            export.parametric_map(result, source),
        ]
        for refusal in archive.store(objects):
            print(f"{instance.uid}: not stored: {refusal.reason}")
        print(f"{instance.uid}: {result.caption}")


if __name__ == "__main__":
    main()
