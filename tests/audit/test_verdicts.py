"""Who reads the mark is told; who does not is not accused."""

import numpy as np
import pytest
from marked_pictures import CENTRE, SIZE, corner_mask, pictures, reader, shown

import saliency as sal
from saliency.errors import InputError
from saliency.values.failure import Failure

TEXT = "text"


def finding(model, images, **options):
    return sal.audit(model, images, **options).verdicts[TEXT]


@pytest.mark.parametrize("classes", [1, 2, 4])
@pytest.mark.parametrize("told", [True, False], ids=["labels", "no labels"])
def test_a_reader_is_told(classes, told):
    """A model of the mark alone reads it, with and without labels, whatever its head."""
    images, labels = pictures()
    verdict = finding(
        reader(40, 0, classes=classes), images, labels=labels if told else None
    )

    assert verdict.finding == "reads"
    assert verdict.interval.low <= verdict.effect <= verdict.interval.high
    assert verdict.effect > 0.6
    assert "text" in verdict.sentence


@pytest.mark.parametrize("classes", [1, 2, 4])
@pytest.mark.parametrize("told", [True, False], ids=["labels", "no labels"])
def test_a_model_of_the_body_is_not_accused(classes, told):
    """The mark goes with the class in every picture, yet the model looks at the centre."""
    images, labels = pictures()
    verdict = finding(
        reader(0, 40, classes=classes), images, labels=labels if told else None
    )

    assert verdict.finding == "no evidence"
    assert verdict.effect < 0.1


def test_half_a_reader_may_read():
    """A sixth of the decision from the mark is neither nothing nor the most of it."""
    images, labels = pictures(40)
    verdict = finding(reader(8, 32), images, labels=labels)

    assert verdict.finding == "may read"
    assert 0.1 <= verdict.effect < 0.3


def test_marks_that_mislead_are_read_all_the_same():
    """Where the mark goes with the other class, what counts is that the model follows it."""
    images, labels = pictures(mark=-1)
    verdict = finding(reader(40, 0), images, labels=labels)

    assert verdict.finding == "reads"
    assert verdict.measured["decisions_changed"] > 0.9


def test_marks_without_order_are_read_by_their_reader():
    """Marks at random tell nothing of the label, but the predictions follow them."""
    images, labels = pictures(40, mark=0)
    verdict = finding(reader(40, 0), images, labels=labels)

    assert verdict.finding == "reads"
    assert verdict.measured["divided_by"] == "prediction"


def test_one_answer_for_all_is_divided_at_the_median():
    """A model that calls everything ill leans on the mark all the same."""
    images, _ = pictures()
    verdict = finding(reader(40, 0, constant=30), images)

    assert verdict.finding == "reads"
    assert verdict.measured["divided_by"] == "median"


def test_presence_alone_can_be_read():
    """Marks in pictures of one class only are exchanged with what lies there in the others."""
    images, labels = pictures(mark=0)
    plain = [np.array(image.display, float) / 255 for image in images]
    for pixels in plain:
        pixels[corner_mask()] = 0.4
    marked = []
    for pixels, label in zip(plain, labels, strict=True):
        if label:
            pixels[corner_mask()] = 1
        image = shown(pixels)
        marked.append(image.with_zone(TEXT, corner_mask()) if label else image)
    report = sal.audit(reader(40, 0, constant=5), marked, labels=labels)

    assert report.verdicts[TEXT].finding == "reads"
    assert report.verdicts[TEXT].measured["with_zone"] == len(images) // 2
    assert report.shortcut


def test_one_class_alone_leaves_removal():
    """All pictures of one class, all with the mark that decides: its removal is all there is."""
    images, labels = pictures(24)
    chosen = [image for image, label in zip(images, labels, strict=True) if label]
    same = [image.display / 255 for image in chosen]
    for pixels in same:
        pixels[corner_mask()] = 1
    same = [shown(pixels).with_zone(TEXT, corner_mask()) for pixels in same]
    verdict = finding(reader(40, 0), same, labels=[1] * len(same))

    assert verdict.finding == "may read"
    assert "removing" in verdict.sentence


def test_a_target_is_weighed_alone():
    """One of many labels: its own logit, with labels 0 and 1 for it."""
    images, labels = pictures()
    model = reader(40, 0, classes=4)

    assert finding(model, images, labels=labels, target=1).finding == "reads"
    assert finding(model, images, target=1).finding == "reads"
    assert finding(model, images, labels=labels, target=2).finding == "no evidence"


def test_a_callable_target_and_a_bound_probe():
    """Anything that gives a score can be audited."""
    images, labels = pictures()
    probe = sal.KerasProbe(reader(40, 0))

    def lead(output):
        return output[:, 1] - output[:, 0]

    assert finding(probe, images, target=lead).finding == "reads"
    assert finding(probe.at(1), images, labels=labels).finding == "reads"


def test_the_seed_decides():
    """One seed, one report; another seed reaches intervals, p-values, and the random map."""
    images, labels = pictures(12, mark=0.5, body=0.5)
    first, again, other = (
        sal.audit(reader(20, 20), images, labels=labels, seed=seed)
        for seed in (5, 5, 6)
    )

    assert first.verdicts == again.verdicts
    assert first.heat == again.heat
    assert first.verdicts[TEXT].interval != other.verdicts[TEXT].interval
    assert first.heat[TEXT][-1] != other.heat[TEXT][-1]


def test_the_seed_reaches_every_draw():
    """No generator of an audit is made of another seed than the one that was given."""
    seed = 3
    images, labels = pictures(8)
    seeds, made = [], np.random.default_rng
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            np.random, "default_rng", lambda given: seeds.append(given) or made(given)
        )
        sal.audit(reader(20, 20), images, labels=labels, seed=seed)

    assert {given[0] if isinstance(given, tuple) else given for given in seeds} == {
        seed
    }


def test_a_constant_model_reads_nothing():
    """No swing, no lead, no verdict to give, no division by zero."""
    images, labels = pictures(8)
    verdict = finding(reader(0, 0), images, labels=labels)

    assert verdict.finding == "no evidence"
    assert verdict.p_value == 1


def test_two_pictures_are_too_few():
    """Nothing can be told from chance, and the sentence says why."""
    images, labels = pictures(2)

    assert finding(reader(40, 0), images, labels=labels).finding == "no evidence"
    four, labels = pictures(4)
    verdict = finding(reader(40, 0), four, labels=labels)
    assert verdict.finding == "no evidence"
    assert "too few" in verdict.sentence


def test_pictures_without_zones_have_nothing_to_read():
    """The zone text is always answered for."""
    images, labels = pictures(8, zone=False, mark=0)
    report = sal.audit(reader(0, 40), images, labels=labels)

    assert set(report.verdicts) == {TEXT, "grid", "pattern", "band"}
    assert report.verdicts[TEXT].finding == "no evidence"
    sentence = report.verdicts[TEXT].sentence
    assert sentence.startswith("The search found no text in any of 8 pictures")
    assert "does not prove" in sentence
    assert not report.shortcut


@pytest.mark.parametrize("case", ["pixel", "all", "constant"])
def test_odd_zones_and_pictures(case):
    """One pixel, everything, and pictures of one value: no error, no accusation."""
    images, labels = pictures(8, zone=False)
    mask = np.zeros(SIZE, bool)
    mask[5, 7] = True
    if case == "all":
        mask[:] = True
    if case == "constant":
        images = [shown(np.full(SIZE, 0.5)) for _ in images]
    report = sal.audit(
        reader(0, 40), [one.with_zone("odd", mask) for one in images], labels=labels
    )

    assert report.verdicts["odd"].finding == "no evidence"


def test_text_over_the_body_is_weighed_against_the_body():
    """A zone that covers the anatomy is read if the anatomy is; the reader of both is told."""
    mask = np.zeros(SIZE, bool)
    mask[CENTRE] = True
    images, labels = pictures(24, zone=False)
    covered = [image.with_zone("text", mask) for image in images]

    assert finding(reader(0, 40), covered, labels=labels).finding == "reads"


def test_pictures_of_many_sizes_share_zones():
    """A zone is stretched onto the picture that it comes into."""
    images, labels = pictures()
    wide = [
        sal.DicomImage(
            np.kron(image.pixels, np.ones((2, 3), np.float32)),
            np.kron(image.display, np.ones((2, 3), np.uint8)),
        ).with_zone(TEXT, np.kron(corner_mask(), np.ones((2, 3), bool)))
        if index % 3 == 0
        else image
        for index, image in enumerate(images)
    ]

    assert finding(reader(40, 0), wide, labels=labels).finding == "reads"
    assert finding(reader(0, 40), wide, labels=labels).finding == "no evidence"


def test_what_cannot_be_read_is_a_row(tmp_path):
    """Broken files in the folder cost no other picture its place."""
    images, labels = pictures(8)
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"no DICOM file")
    report = sal.audit(reader(40, 0), [broken, *images], labels=[0, *labels])

    assert report.failures == (Failure(0, "DicomError", report.failures[0].message),)
    assert report.verdicts[TEXT].measured["pictures"] == 8


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        ([0, 1, 0], "3 labels for 8 images"),
        ({"elsewhere.dcm": 1}, "none of 1 labels"),
        ("01010101", "sequence"),
        ([0, 1, 2, 3, 0, 1, 0, 1], "from 0 to 1"),
        (["a", "b"] * 4, "names"),
    ],
    ids=["count", "paths", "kind", "range", "names"],
)
def test_labels_that_do_not_fit_are_refused(labels, match):
    """The message says how many came and what was expected."""
    images, _ = pictures(8)

    with pytest.raises(InputError, match=match):
        sal.audit(reader(40, 0), images, labels=labels)


def test_a_mapping_must_name_every_picture():
    """Half of the labels is no labels."""
    images, labels = pictures(8)
    some = {
        image.digest: label for image, label in zip(images[:5], labels, strict=False)
    }

    with pytest.raises(InputError, match="labels for 5 of 8"):
        sal.audit(reader(40, 0), images, labels=some)


@pytest.mark.parametrize("images", [[], "no such folder", 3, b"DICM"], ids=str)
def test_no_pictures_are_refused(images):
    """Neither an empty list nor a single file is a set of pictures."""
    with pytest.raises(InputError, match=r"[Ee]xpected"):
        sal.audit(reader(40, 0), images)


def test_names_of_classes_are_labels():
    """A probe that knows names takes them as labels."""
    images, labels = pictures()
    probe = sal.KerasProbe(reader(40, 0), labels=["healthy", "ill"])
    words = [("healthy", "ill")[label] for label in labels]

    assert finding(probe, images, labels=words).finding == "reads"


@pytest.mark.parametrize(
    ("marks", "finding"), [(5, "no evidence"), (6, "may read"), (8, "reads")]
)
def test_pictures_without_a_zone_do_not_vouch_for_it(marks, finding):
    """Five marks in two groups are a toss of five coins, however many pictures lie beside them."""
    images, labels = pictures(32, zone=False, mark=0)
    chosen = []
    for image, label in zip(images, labels, strict=True):
        pixels = image.display / 255
        pixels[corner_mask()] = 0.5
        shows = label and marks > 0
        marks -= int(shows)
        if shows:
            pixels[corner_mask()] = 1
        one = shown(pixels)
        chosen.append(one.with_zone(TEXT, corner_mask()) if shows else one)
    verdict = finding_of(reader(400, 0, constant=-2), chosen, labels)

    assert verdict.finding == finding
    assert (
        verdict.finding != "no evidence"
        or "found in 5 of 32 pictures" in verdict.sentence
    )


def finding_of(model, images, labels):
    """Return the verdict about the text where removal, which speaks for itself, is left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("saliency.audit.run.removal_effect", lambda *_: None)
        return finding(model, images, labels=labels)
