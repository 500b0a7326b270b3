"""Which images show the same patient: patients are the unit of every test."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

from saliency.dicom.file.header_groups import patient_tokens
from saliency.errors import InputError
from saliency.pipeline.files import contents_of_files
from saliency.pipeline.label_matching import aligned
from saliency.statistics.units import is_missing, numbered

MUCH: Final = 0.5
"""Share of the images under one Patient ID from which an anonymiser may have written it."""


@final
@dataclass(frozen=True)
class Patients:
    """The patient of each image, as a number: names and IDs are not kept.

    Parameters
    ----------
    numbers
        One for each source; equal numbers are one patient.
    by
        What they were told by: ``"groups"``, ``"Patient ID"``, ``"Study Instance UID"``, or
        ``"image"``, where nothing tells them and each image counts as one patient.
    warning
        What is doubtful about that; empty where nothing is.
    """

    numbers: tuple[int, ...]
    by: str
    warning: str = ""


NOBODY: Final = Patients((), "image")


def patients_of(groups: object, sources: Sequence[Any], owner: str) -> Patients:
    """Return the patient of each image: as given, else by the header of DICOM files.

    Patient ID (0010,0020) tells them; a file without one counts by its Study Instance UID
    (0020,000D). Both are hashed under a salt that nobody keeps. ``owner`` asks: of errors.

    Raises
    ------
    InputError
        ``groups`` does not fit the images.
    """
    if groups is not None:
        given = aligned(groups, sources, owner=owner, name="groups")
        try:
            of_groups = numbered(given)
        except TypeError as error:
            msg = f"{owner}: expected groups as names or numbers of patients: {error}."
            raise InputError(msg) from error
        return Patients(tuple(of_groups.tolist()), "groups", _gaps(given))
    words = list(patient_tokens(contents_of_files(sources)))
    patient_words = [patient for patient, _ in words]
    studies = [study for _, study in words]
    if not any(patient_words):
        by = "Study Instance UID" if any(studies) else "image"
        return Patients(tuple(numbered(studies).tolist()), by)
    if len(set(patient_words)) == 1 and len(set(studies)) > 1:
        warning = (
            "All files have the same Patient ID, as an anonymiser may write it: each study was "
            "counted as a patient. groups= says which images show the same patient."
        )
        numbers = tuple(numbered(studies).tolist())
        return Patients(numbers, "Study Instance UID", warning)
    names = [patient or study for patient, study in words]
    return Patients(
        tuple(numbered(names).tolist()), "Patient ID", _warning(patient_words)
    )


def with_equal_images(patients: Patients, digests: Mapping[int, str]) -> Patients:
    """Count images of the same pixel data as one patient, unless groups were given.

    ``digests`` are those of images by their position; one may be empty.
    """
    if patients.by == "groups":
        return patients
    merged = {number: number for number in patients.numbers}

    def root(number: int) -> int:
        while merged[number] != number:
            number = merged[number]
        return number

    first: dict[str, int] = {}
    for index, digest in digests.items():
        number = patients.numbers[index]
        # Images made of arrays may have no digest.
        same = first.setdefault(digest, number) if digest else number
        merged[root(number)] = root(same)
    return replace(patients, numbers=tuple(root(each) for each in patients.numbers))


def _gaps(groups: Sequence[Any]) -> str:
    missing = sum(is_missing(group) for group in groups)
    if not missing:
        return ""
    return (
        f"{missing} of {len(groups)} images are without a patient in what was given, and count "
        "as a patient each. More witnesses than there are prove too much."
    )


def _warning(words: Sequence[Any]) -> str:
    counts = Counter(word for word in words if word is not None)
    most = max(counts.values())
    if len(words) < 4 or most <= MUCH * len(words):
        return ""
    return (
        f"{most} of {len(words)} files have the same Patient ID and count as one patient. If an "
        "anonymiser wrote it, pass groups= to say which images show the same patient."
    )
