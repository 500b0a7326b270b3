"""A report can be read by anybody, sent to nobody by accident, and parsed by machines."""

import base64
import csv
import html
import json
import re
import shutil
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from jinja2 import UndefinedError
from marked_pictures import pictures, reader
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.audit.judgement.results import Verdict
from saliency.audit.report.report import AuditReport
from saliency.errors import InputError
from saliency.statistics.significance import Interval
from saliency.values.failure import Failure


@pytest.fixture(scope="module")
def report():
    """The audit of a reader, with one file that is none."""
    images, labels = pictures(16)
    probe = sal.KerasProbe(reader(40, 8), labels=["<b>well</b>", "ill & old"])
    return sal.audit(probe, [b"nothing", *images], labels=[0, *labels])


@pytest.fixture(scope="module")
def page(report):
    return report.html()


def test_the_page_loads_nothing(page):
    """No script, no link, no address but data of pictures."""
    assert not re.search(r"<script|<link|<iframe|https?:|javascript:| on\w+=", page)
    sources = re.findall(r'src="([^"]*)"', page)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_the_pictures_are_png_without_text(page):
    """Pixels and nothing else: IHDR, IDAT, IEND."""
    for data in re.findall(r'src="data:image/png;base64,([^"]*)"', page):
        picture = base64.b64decode(data)
        assert picture[:8] == b"\x89PNG\r\n\x1a\n"
        assert not any(
            kind in picture for kind in (b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"tIME")
        )


def test_everything_is_escaped(page):
    """Names of classes cannot become tags."""
    assert "<b>well" not in page
    assert html.escape("<b>well</b>") in page


def test_hostile_names_and_messages_are_escaped():
    """Nor can zones, sentences or errors."""
    bad = "<img src=x onerror=alert(1)>"
    facts = {
        "pictures": 1, "asked": 1, "hosts": 1, "labelled": 0, "groups": [bad], "seed": 0,
        "decisions": {bad: 1}, "target": bad, "prepare": {"scale": bad}, "warnings": [bad],
        "rules": {}, "versions": {bad: bad},
    }  # fmt: skip
    verdict = Verdict(
        "reads", 1.0, Interval(1.0, 1.0), 0.001, bad, {"with_zone": 1, "pictures": 1}
    )
    page = AuditReport({bad: verdict}, facts, (Failure(0, bad, bad),), {bad: ()})

    assert "<img src=x" not in page.html()
    assert "<img src=x" not in page._repr_html_()


def test_the_page_says_what_was_found(page, report):
    """The sentence, the strips, the failure, the limits."""
    text = html.unescape(page)

    assert report.verdicts["text"].sentence in text
    assert "takes a shortcut" in text
    assert "text removed" in text
    assert "now: " in text
    assert report.failures[0].message in text
    assert "may name a patient" in text


def test_without_pictures_there_are_none(report):
    """What may identify is left out, and the page says so."""
    page = report.html(pictures=False)

    assert "<img" not in page
    assert "It holds no pictures" in page


def test_json_holds_the_same(report, tmp_path):
    """Verdicts, numbers and failures, in strict JSON."""
    report.save(tmp_path / "out")
    text = (tmp_path / "out" / "report.json").read_text()
    found = json.loads(text)

    assert "NaN" not in text
    assert found["shortcut"] is True
    assert found["verdicts"]["text"]["finding"] == "reads"
    assert found["verdicts"]["text"]["interval"] == list(
        report.verdicts["text"].interval
    )
    assert found["failures"][0]["index"] == 0
    assert found["cleaned"]["accuracy"]["before"] == report.worth.accuracy.before


def test_saving_is_whole_or_not_at_all(report, tmp_path):
    """A page that cannot be made leaves the old report as it was, and no drafts."""
    report.save(tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(UndefinedError):
        replace(report, facts={}).save(tmp_path / "out")

    assert set(before) == {"report.html", "report.json"}
    assert {
        path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()
    } == before


def test_no_drafts_are_left(report, tmp_path):
    """Not even where a file cannot be put into its place."""
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match=r"report\.json"):
        report.save(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_places_that_cannot_hold_a_report_are_refused(report, tmp_path):
    """A missing parent, or a file in the way."""
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "no" / "such", tmp_path / "file"):
        with pytest.raises(InputError, match="folder"):
            report.save(place)


def test_a_notebook_shows_the_verdicts(report):
    """A small table, styles in the tags, nothing to load."""
    shown = report._repr_html_()

    assert "reads" in shown
    assert "<style" not in shown
    assert "text: reads" in repr(report)


def test_heat_is_told_beside_its_control(report):
    """The random map has the share of its area; the gradient of a mark's reader more."""
    rows = {row.explainer: row for row in report.heat["text"]}

    assert 0.7 < rows["random"].enrichment < 1.4
    assert rows["gradient"].enrichment > 5


def test_one_answer_for_all_is_warned_of():
    """A model that says the same of every picture was perhaps fed wrongly."""
    images, labels = pictures(8)
    report = sal.audit(reader(0, 1, constant=9), images, labels=labels)

    assert "the same of 8 of 8" in report.facts["warnings"][0]
    for text in (report.html(), report._repr_html_()):
        answers = [text.index(words) for words in ("Read this first", "shortcut")]
        assert answers == sorted(answers)
    assert report.html().count('class="answer"') == 1


def test_the_head_says_which_model_when_and_how_prepared(page, report):
    """Name and digest of the model, the day, the preparation; never a folder."""
    model = report.facts["model"]
    head = page[page.index("<h1>") : page.index('class="answer"')]

    assert model["name"] in head
    assert re.fullmatch(r"[0-9a-f]{64}", model["sha256"])
    assert model["sha256"][:16] in head
    assert date.fromisoformat(report.facts["date"]).isoformat() in head
    assert "intensity display" in head
    assert "scale unit" in head


def test_a_model_of_a_file_goes_by_the_name_of_the_file(tmp_path):
    """Without its folder, and with the digest that the same model has in memory."""
    images, labels = pictures(6)
    (model := reader(40, 0)).save(path := tmp_path / "chest.keras")
    told = sal.audit(path, images, labels=labels).facts["model"]

    assert told["name"] == "chest.keras"
    assert (
        told["sha256"]
        == sal.audit(model, images, labels=labels).facts["model"]["sha256"]
    )


@pytest.mark.parametrize(
    ("classes", "target"), [(1, None), (2, None), (4, None), (4, 1)]
)
def test_strips_tell_probabilities(classes, target):
    """The model's own output for the class that is named, in percent."""
    images, labels = pictures(8)
    model = reader(40, 8, classes=classes)
    report = sal.audit(model, images, labels=labels, target=target)
    output = model(images[0].display[np.newaxis, ..., np.newaxis] / 255).numpy()[0]
    if classes == 1:
        output = np.array([1 - output[0], output[0]])
    (first,) = (example for example in report.examples if example.number == 1)
    wanted = output.max() if target is None else output[target]

    assert np.isclose(first.pictures[0].probability, wanted, atol=1e-5)
    assert f"probability {100 * wanted:.1f} %" in report.html()
    assert "</span>, by " not in report.html()


def test_a_model_without_probabilities_tells_its_score():
    """A callable target has no probability."""
    images, labels = pictures(8)
    report = sal.audit(reader(40, 8), images, labels=labels, target=sal.Contrast(1, 0))

    assert all(
        one.probability is None for each in report.examples for one in each.pictures
    )
    assert "</span>, by " in report.html()


def test_pictures_enlarge_without_script(page):
    """Each lies in an element that opens and closes by itself."""
    images = re.findall(r"<details class=\"zoom\"><summary[^>]*><img ", page)

    assert len(images) == page.count("<img ") > 3
    assert ".zoom[open] img" in page


def test_magenta_means_one_thing(page):
    """Wherever the word stands, it is heat outside the diagnostic pixels."""
    assert page.count("magenta") == page.count(
        "magenta: heat on any zone that is not diagnostic"
    )
    assert page.count("magenta") >= 1


def test_the_table_of_files_is_written_on_request_alone(tmp_path):
    """Picture, digest, file as given; without it no name of a file leaves."""
    images, labels = pictures(4)
    names = [tmp_path / f"mueller_{number}.dcm" for number in range(6)]
    for name in names:
        shutil.copy(get_testdata_file("MR_small.dcm", download=False), name)
    report = sal.audit(reader(40, 0), [*images, *names], labels=[*labels, *[0, 1] * 3])
    report.save(tmp_path / "plain")
    report.save(tmp_path / "named", files=True)
    with (tmp_path / "named" / "files.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["file"] for row in rows] == [""] * 4 + list(map(str, names))
    assert rows[5]["digest"] == sal.read_dicom(names[1]).digest
    assert [row["picture"] for row in rows] == [str(number) for number in range(1, 11)]
    assert {path.name for path in (tmp_path / "plain").iterdir()} == {
        "report.html",
        "report.json",
    }
    for place in (tmp_path / "plain").iterdir():
        assert "mueller" not in place.read_text()
    assert "mueller" not in (tmp_path / "named" / "report.json").read_text()
