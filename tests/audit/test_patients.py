"""Patients, not images, are counted: by groups, by headers, by equal pixels."""

import numpy as np
import pytest
from dicom.build import dataset, ramp
from marked_pictures import pictures, reader

import saliency as sal
from saliency.audit.run import balanced
from saliency.dicom.file.header_groups import patient_tokens
from saliency.errors import InputError
from saliency.pipeline.patients import Patients, patients_of, with_equal_images


def files(*pairs):
    """Return data sets of (Patient ID, Study Instance UID); None leaves one out."""
    return [
        dataset(ramp(), **{
            keyword: value
            for keyword, value in zip(("PatientID", "StudyInstanceUID"), pair, strict=True)
            if value is not None
        })
        for pair in pairs
    ]  # fmt: skip


def test_four_patients_with_six_images_each_are_four_witnesses():
    """A reader is told by 24 patients; by 2 against 2 it is not, whatever it does."""
    images, labels = pictures(24)
    groups = [2 * (index // 12) + label for index, label in enumerate(labels)]
    alone = sal.audit(reader(40, 0), images, labels=labels)
    together = sal.audit(reader(40, 0), images, labels=labels, groups=groups)
    verdict = together.verdicts["text"]

    assert alone.verdicts["text"].finding == "reads"
    assert alone.facts["patients"] == 24
    assert verdict.finding == "no evidence"
    assert verdict.measured["patients"] == "2 + 2"
    assert verdict.measured["groups"] == "12 + 12"
    # 6 ways to divide four patients in halves; either half may be the first.
    assert verdict.measured["least_p_value"] == 2 / 6
    assert verdict.p_value >= 2 / 6
    assert "24 of 24 pictures (of 4 patients)" in verdict.sentence
    assert together.facts["patients"] == 4
    assert together.facts["patients_by"] == "groups"
    assert "of 4 patients" in together.html(pictures=False)


def test_no_content_goes_into_another_image_of_its_patient():
    """Hosts come from as many patients as there are, before a patient gives a second."""
    units = [index // 4 for index in range(24)]
    keys = [unit % 2 for unit in units]
    chosen = balanced(keys, 6, np.random.default_rng(0), units)

    assert len({units[row] for row in chosen}) == 6
    assert sorted(keys[row] for row in chosen) == [0, 0, 0, 1, 1, 1]


def test_files_are_told_apart_by_patient_then_by_study():
    """One ID is one patient in any spelling of its padding; without an ID a study stands for it."""
    found = patients_of(
        None,
        files(("A", "1.2"), ("B", "1.3"), ("A ", "1.4"), (None, "1.5"), ("", "1.5")),
        "audit",
    )

    assert found.numbers == (0, 1, 0, 2, 2)
    assert found.by == "Patient ID"
    assert not found.warning


def test_studies_stand_in_where_an_anonymiser_left_one_id():
    """One ID in all files of several studies says nothing, and the report says so."""
    found = patients_of(
        None, files(("ANON", "1.2"), ("ANON", "1.3"), ("ANON", "1.2")), "audit"
    )

    assert found.numbers == (0, 1, 0)
    assert found.by == "Study Instance UID"
    assert "anonymiser" in found.warning
    one = patients_of(None, files(("A", "1.2"), ("A", "1.2")), "audit")
    assert (one.numbers, one.warning) == ((0, 0), "")


def test_one_id_of_most_files_is_doubted():
    """Half an anonymised folder: what one ID stands for is said."""
    found = patients_of(
        None, files(*[("X", "1.2")] * 4, ("B", "1.3"), ("C", "1.4")), "audit"
    )

    assert found.numbers == (0, 0, 0, 0, 1, 2)
    assert found.warning.startswith("4 of 6 files")


def test_ids_leave_the_header_as_words_of_one_call():
    """Equal within a call, unlike in the next, and never the ID."""
    given = files(("4711", "1.2.3"), ("4711", "1.2.4"))
    (first, second), (again, _) = (list(patient_tokens(given)) for _ in range(2))

    assert first[0] == second[0] != again[0]
    assert first[1] != second[1]
    assert "4711" not in first[0]
    assert (
        list(patient_tokens([b"no file", files((None, None))[0]])) == [(None, None)] * 2
    )


def test_equal_pixels_are_one_patient_unless_groups_say_otherwise():
    """Copies of a file are no new patients; images without a digest are not alike."""
    digests = dict(enumerate(["a", "b", "a", "", "", "b"]))
    images = [np.zeros((2, 2))] * 6
    merged = with_equal_images(patients_of(None, images, "audit"), digests)
    given = with_equal_images(patients_of(range(6), images, "audit"), digests)

    assert merged.numbers == (0, 1, 0, 3, 4, 1)
    assert given.numbers == (0, 1, 2, 3, 4, 5)


def test_groups_by_file_name_and_groups_that_do_not_fit():
    """As labels: a mapping by path; another length is refused."""
    named = patients_of(
        {"b.dcm": "P1", "c.dcm": "P1"}, ["x/a.dcm", "x/b.dcm", "x/c.dcm"], "audit"
    )

    assert named.numbers == (0, 1, 1)
    with pytest.raises(InputError, match="2 groups for 3"):
        patients_of(["P1", "P2"], ["a", "b", "c"], "audit")


def test_patients_are_merged_in_a_chain():
    """One shares an image with a second, who shares another with a third: they are one."""
    digests = dict(enumerate(["a", "a", "b", "b", "c"]))
    told = Patients((0, 1, 1, 2, 3), "Patient ID")

    assert with_equal_images(told, digests).numbers == (0, 0, 0, 0, 3)
