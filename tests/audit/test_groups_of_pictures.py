"""Labels, strata, names, and an audit that was stopped."""

import numpy as np
import pytest
from marked_pictures import pictures, reader
from pydicom import dcmread
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.audit import run
from saliency.dicom.file.header_groups import tokens
from saliency.errors import InputError
from saliency.pipeline.label_matching import assigned
from saliency.statistics.association import associate


def test_nothing_is_told_by_noise_and_something_by_signal():
    """Under the null p-values spread evenly; a shift is seen within blocks."""
    generator = np.random.default_rng(0)
    member = np.arange(40) % 2
    none = np.zeros(40, int)
    found = [
        associate(generator.normal(size=(40, 8)), member, none, generator)
        for _ in range(40)
    ]
    assert 8 <= sum(one.p_value < 0.5 for one in found) <= 32
    assert sum(one.p_value < 0.05 for one in found) <= 6

    shifted = generator.normal(size=(40, 8)) + 2 * member[:, np.newaxis]
    assert associate(shifted, member, np.arange(40) // 20, generator).p_value < 0.001
    assert associate(shifted, member, member, generator) is None


def test_the_score_follows_a_stratum_within_labels():
    """A reader of marks that go with the site, not the label, differs between sites."""
    images, marks = pictures(32, body=0)
    labels = [index // 2 % 2 for index in range(32)]
    report = sal.audit(reader(40, 0), images, labels=labels, strata={"site": marks})
    site = report.divisions[1]
    answers = {answer.what: answer.finding for answer in site.answers}

    assert answers["score"] == "differs"
    assert answers["label"] == "no evidence"


def test_paths_are_matched_from_their_ends():
    """Folders tell files of one name apart; without them there is doubt."""
    sources = ["x/a/1.dcm", "x/b/1.dcm"]
    assert assigned(["a/1.dcm", "C:\\old\\b\\1.dcm"], sources) == [
        "a/1.dcm",
        "C:\\old\\b\\1.dcm",
    ]
    assert assigned(["a/1.dcm"], sources) == ["a/1.dcm", None]
    with pytest.raises(InputError, match="several folders"):
        assigned(["1.dcm"], sources)


def test_attributes_are_words_that_cannot_be_looked_up():
    """Equal values have equal words in a call, and others in the next."""
    dataset = dcmread(get_testdata_file("CT_small.dcm"))
    first, second = (list(tokens([dataset, dataset], "Manufacturer")) for _ in range(2))

    assert first[0] == first[1] != second[0]
    assert str(dataset.Manufacturer) not in first[0]
    with pytest.raises(InputError, match="Manufacturer"):
        tokens([dataset], "PatientName")


def test_what_was_stopped_goes_on(tmp_path, monkeypatch):
    """The report is the same to the digit; what was tried is not tried again; the file is gone."""
    images, labels = pictures(20)
    model, state = reader(20, 20), tmp_path / "state"
    whole = sal.audit(model, images, labels=labels)
    trial, count = run.interventions_of, []

    def stopping(*given):
        count.append(given)
        if len(count) == 8:
            raise KeyboardInterrupt
        return trial(*given)

    monkeypatch.setattr(run, "interventions_of", stopping)
    with pytest.raises(KeyboardInterrupt):
        sal.audit(model, images, labels=labels, resume=state)
    assert state.exists()
    again = sal.audit(model, images, labels=labels, resume=state)

    assert len(count) == 8 + 13
    assert again.to_dict() == whole.to_dict()
    assert not state.exists()
