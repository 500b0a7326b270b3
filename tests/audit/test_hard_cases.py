"""Cases in which an audit must find clear words and accuse nobody."""

import shutil

import numpy as np
import pytest
from marked_pictures import SIZE, corner_mask, pictures, reader, shown
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.errors import InputError
from saliency.pipeline.label_matching import assigned, plain_label


def files(folder, count=8):
    """Write so many DICOM files; return their names."""
    for number in range(count):
        shutil.copy(
            get_testdata_file("MR_small.dcm", download=False), folder / f"P{number}.dcm"
        )
    return [f"P{number}.dcm" for number in range(count)]


def test_a_constant_output_is_called_that():
    """A model that ignores everything: no verdict, no hint, and a warning in words."""
    images, labels = pictures(12)
    report = sal.audit(reader(0, 0, constant=3), images, labels=labels)

    assert {verdict.finding for verdict in report.verdicts.values()} == {"no evidence"}
    assert report.tone.finding == "no evidence"
    assert any("looks at nothing" in warning for warning in report.facts["warnings"])
    assert "looks at nothing" in report.html()


@pytest.mark.parametrize("values", ["one value", "one value a class"])
def test_constant_pictures(values):
    """Nothing can be seen in them; what tells the classes is brightness, and no zone is accused."""
    labels = [0, 1] * 6
    greys = [0.3 + 0.3 * label * (values != "one value") for label in labels]
    images = [
        shown(np.full(SIZE, grey)).with_zone("tag", corner_mask()) for grey in greys
    ]
    report = sal.audit(reader(0, 40), images, labels=labels)

    assert not report.shortcut
    assert report.verdicts["tag"].finding == "no evidence"
    assert report.html()


@pytest.mark.parametrize("pixel", [(0, 0), (36, 52), (20, 27)], ids=str)
def test_a_zone_of_one_pixel_is_weighed_as_one_pixel(pixel):
    """At the corners and inside: the model of the body is not accused of it."""
    mask = np.zeros(SIZE, bool)
    mask[pixel] = True
    images, labels = pictures(12, zone=False)
    chosen = [image.with_zone("dot", mask) for image in images]
    report = sal.audit(reader(0, 40), chosen, labels=labels)

    assert report.verdicts["dot"].finding == "no evidence"
    assert report.verdicts["dot"].measured["with_zone"] == 12


def test_one_class_only_is_said():
    """Nothing can be compared by label; the findings are by prediction, or nothing."""
    images, _ = pictures(12)
    report = sal.audit(reader(0, 40), images, labels=[1] * 12)

    assert not report.shortcut
    assert "All pictures have the same label" in report.html()
    assert report.worth.auc is None


def test_pictures_without_any_zone():
    """X-rays without text, border or marker: the search is told, not that they are clean."""
    images, labels = pictures(8, zone=False)
    report = sal.audit(reader(40, 40), images, labels=labels)

    sentence = report.verdicts["text"].sentence
    assert sentence.startswith("The search found no text in any of 8 pictures")
    assert "does not prove that they show none" in sentence
    assert "No shortcut was found" in report.html()


TABLES = {
    "as they are": str,
    "without ending": lambda name: name.removesuffix(".dcm"),
    "other case": str.lower,
    "with a folder": lambda name: f"C:\\export\\{name}",
    "blanks": lambda name: f" {name} ",
}


@pytest.mark.parametrize("spelt", TABLES.values(), ids=TABLES)
def test_labels_find_their_files(tmp_path, spelt):
    """However a table spells the names: every file gets its label, and more rows do no harm."""
    labels = {spelt(name): number % 2 for number, name in enumerate(files(tmp_path))}
    report = sal.audit(reader(0, 40), tmp_path, labels=labels | {spelt("P99.dcm"): 1})

    assert report.facts["labelled"] == 8
    assert report.divisions[0].counts == (4, 4)


def test_names_that_differ_in_case_alone_are_two():
    """The exact spelling goes first."""
    assert assigned(["a.dcm", "A.dcm"], ["x/A.dcm", "x/a.dcm"]) == ["A.dcm", "a.dcm"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda labels: labels.pop("P3.dcm"), "7 of 8; image 4"),
        (lambda labels: labels.update({"old/P3.dcm": 0}), "same image|equally well"),
    ],
    ids=["missing", "twice"],
)
def test_labels_that_leave_doubt_are_refused(tmp_path, change, match):
    """A label too few, or two for one file: which, and what is expected."""
    labels = {name: number % 2 for number, name in enumerate(files(tmp_path))}
    change(labels)

    with pytest.raises(InputError, match=match):
        sal.audit(reader(0, 40), tmp_path, labels=labels)


@pytest.mark.parametrize("given", ["sequence", "mapping"])
def test_continuous_labels_are_refused_before_anything_is_read(tmp_path, given):
    """Ages or volumes are no classes: where to cut is the user's to say."""
    names = files(tmp_path)
    values = [number + 0.5 for number in range(8)]
    labels = values if given == "sequence" else dict(zip(names, values, strict=True))

    with pytest.raises(InputError, match="continuous"):
        sal.audit(reader(0, 40), tmp_path, labels=labels)


@pytest.mark.parametrize(
    ("given", "label"),
    [("1", 1), ("1.0", 1), (np.float32(2), 2), (True, 1), (float("nan"), None), ("nan", None),
     (0.5, 0.5), ("0.5", 0.5), ("ill", "ill"), ("T1", "T1"), (None, None), ("-", "-")],
    ids=repr,
)  # fmt: skip
def test_numbers_are_numbers_however_a_table_writes_them(given, label):
    """A column with a gap makes 1.0 of 1, and a spreadsheet makes texts of all."""
    assert plain_label(given) == label
    assert type(plain_label(given)) is type(label)
