"""From a DICOMweb archive to results beside their images: ``pacs.py URL STUDY_UID``."""

import sys
from pathlib import Path

import saliency as sal
from saliency import export
from saliency.export.dicomweb import Archive

MODEL = Path(__file__).with_name("demo_model.keras")


def main(url: str, study: str) -> None:
    """Explain and store each image of a study; SALIENCY_DICOMWEB_TOKEN is a token for it."""
    archive = Archive(url)
    images = [each for each in archive.search(study=study) if each.kind == "image"]
    print(f"{len(images)} images")
    for instance in images:
        try:
            source = next(archive.read(instance))
            result = sal.explain(MODEL, source)
            objects = [
                export.secondary_capture(result, source),
                export.parametric_map(result, source),
                export.segmentation(result, source, fractional=False),
            ]
            print(f"{instance.uid}: {result.caption}")
            for refusal in archive.store(objects):
                print(f"{instance.uid}: not stored: {refusal.reason}")
        except sal.SaliencyError as error:
            print(f"{instance.uid}: {error}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except sal.SaliencyError as error:
        sys.exit(str(error))
