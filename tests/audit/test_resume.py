"""An audit that was killed goes on, and nothing of another audit is taken for its own."""

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from marked_pictures import corner_mask, new_reader, pictures, reader

import saliency as sal
from saliency.audit import run
from saliency.audit.cases.first_pass import AuditPlan
from saliency.audit.cases.records import ImageRecord, Trial
from saliency.audit.exchange.exchange import Experiment, Recipient
from saliency.errors import InputError
from saliency.interventions.scoring import Scorer
from saliency.pipeline.checkpoint import State

COUNT = 20
LABELS = [index % 2 for index in range(COUNT)]

KILLED = """
import os, signal, sys
from marked_pictures import new_reader, pictures
import saliency as sal
from saliency.pipeline.checkpoint import State

stage, rows, moment, model, state = sys.argv[1:]
keep, kept = State.keep, []

def killed(self, name, number, row):
    kept.append(name.split()[0])
    if kept.count(stage) == int(rows) and moment == "between":
        os.kill(os.getpid(), signal.SIGKILL)
    keep(self, name, number, row)
    if kept.count(stage) == int(rows):
        with self._connection:
            self._connection.execute("DELETE FROM rows")  # half of a transaction
            os.kill(os.getpid(), signal.SIGKILL)

State.keep = killed
images, labels = pictures(20)
sal.audit(model, images, labels=labels, resume=state)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in a file: it is the same in every process."""
    path = tmp_path_factory.mktemp("model") / "model.keras"
    reader(20, 20).save(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "left"),
    [(("look", "2", "between"), 20), (("trial", "6", "inside"), 14)],
    ids=["while looking", "while a row of trials is written"],
)
def test_a_killed_audit_goes_on(tmp_path, monkeypatch, model, moment, left):
    """SIGKILL between two rows, or inside a transaction: the report is the same to the digit."""
    state, tests = tmp_path / "state", Path(__file__).parents[1]
    places = os.pathsep.join([str(tests.parent), str(tests)])
    child = subprocess.run(
        [sys.executable, "-c", KILLED, *moment, model, state],
        env=os.environ | {"PYTHONPATH": places},
        capture_output=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    count, trial = [], run.interventions_of
    monkeypatch.setattr(
        run, "interventions_of", lambda *given: count.append(1) or trial(*given)
    )
    images, labels = pictures(COUNT)
    again = sal.audit(model, images, labels=labels, resume=state)

    assert len(count) == left
    assert not state.exists()
    assert again.to_dict() == sal.audit(model, images, labels=labels).to_dict()


def stopped(state, model, images, **options):
    """Run an audit up to its first trial."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "interventions_of", None)
        with pytest.raises(TypeError):
            sal.audit(model, images, resume=state, **options)


def looks(state):
    """Count the rows of the first stage in a file."""
    connection = sqlite3.connect(state)
    (found,) = connection.execute(
        "SELECT count(*) FROM rows WHERE stage = 'look'"
    ).fetchone()
    connection.close()
    return found


def weighed(output, by):
    """A target: so many times the lead of class 1."""
    return by * (output[:, 1] - output[:, 0])


CHANGES = {
    "labels": {"labels": LABELS[::-1]},
    "no labels": {"labels": None},
    "seed": {"seed": 1},
    "preparation": {"prepare": sal.Prepare(scale="symmetric")},
    "target": {"target": 1},
    "groups": {"groups": [index // 2 for index in range(COUNT)]},
    "each image a patient": {"groups": range(COUNT)},
    "zones": {"zones": {"tag": corner_mask()}},
    "a function of zones": {"zones": lambda image: {"tag": image.display > 200}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_kept_for_other_settings_is_dropped_with_a_word(
    tmp_path, caplog, model, change
):
    """A row of another question must never answer this one."""
    images, _ = pictures(COUNT)
    stopped(tmp_path / "state", model, images, labels=LABELS)
    assert looks(tmp_path / "state") == 2
    with caplog.at_level(logging.WARNING, "saliency.audit"):
        stopped(tmp_path / "state", model, images, **({"labels": LABELS} | change))

    assert "begun anew" in caplog.text


PAIRS = {
    "contrasts": (sal.Contrast(1, 0), sal.Contrast(0, 1)),
    "arguments of partials": (partial(weighed, by=1), partial(weighed, by=-1)),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_targets_of_one_type_are_two_questions(tmp_path, caplog, model, pair):
    """Not the name of the type, but what the target holds."""
    images, _ = pictures(8)
    stopped(tmp_path / "state", model, images, target=pair[0])
    with caplog.at_level(logging.WARNING, "saliency.audit"):
        stopped(tmp_path / "state", model, images, target=pair[1])

    assert "begun anew" in caplog.text


def test_logits_and_probabilities_are_two_questions(tmp_path, caplog):
    """One model in two probes."""
    images, _ = pictures(8)
    network = reader(20, 20)
    stopped(tmp_path / "state", sal.KerasProbe(network), images)
    with caplog.at_level(logging.WARNING, "saliency.audit"):
        stopped(
            tmp_path / "state", sal.KerasProbe(network, output="probability"), images
        )

    assert "begun anew" in caplog.text


def test_what_cannot_be_told_apart_is_refused_before_anything_is_read(tmp_path, model):
    """Better no checkpoint than one that mixes two questions."""

    class Plain:
        def __call__(self, output):
            return output[:, 1]

    with pytest.raises(InputError, match=r"functools.partial or a frozen dataclass"):
        sal.audit(model, ["no such file"], target=Plain(), resume=tmp_path / "state")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("what", ["weights", "pictures", "version"])
def test_another_model_pictures_or_version_are_noticed(
    tmp_path, caplog, monkeypatch, what
):
    """By the weights, the pixels' digests, the versions of libraries."""
    images, _ = pictures(8)
    network = new_reader(20, 20)
    stopped(tmp_path / "state", network, images)
    if what == "weights":
        network.layers[-1].set_weights(
            [part * 2 for part in network.layers[-1].get_weights()]
        )
    if what == "version":
        monkeypatch.setattr(
            "saliency.pipeline.fingerprint.versions", lambda: {"keras": "0.1"}
        )
    with caplog.at_level(logging.WARNING, "saliency.audit"):
        stopped(
            tmp_path / "state", network, images[::-1] if what == "pictures" else images
        )

    assert "begun anew" in caplog.text


def test_the_same_question_goes_on_without_a_word(tmp_path, caplog, model):
    """Nothing was dropped, so nothing is said."""
    images, _ = pictures(8)
    for _ in range(2):
        stopped(
            tmp_path / "state", model, images, zones=lambda _: {"tag": corner_mask()}
        )

    assert "begun anew" not in caplog.text
    assert looks(tmp_path / "state") == 1


def test_the_file_holds_no_pixels_names_or_labels(tmp_path, model):
    """A row is scores, shares, coarse maps; zones by name."""
    images, _ = pictures(8)
    stopped(tmp_path / "state", model, images, labels=LABELS[:8])
    raw = (tmp_path / "state").read_bytes()

    assert images[0].display[10].tobytes() not in raw
    assert np.asarray(images[0].pixels[10]).tobytes() not in raw


def test_what_other_hosts_were_asked_is_asked_again(tmp_path, monkeypatch):
    """A recipient that could not be read is there again: rows of seven hosts are not of eight."""
    images, _ = pictures(3)
    plan = AuditPlan(Scorer(None), None, images, [None] * 3, 0)
    records = [ImageRecord(index, "", {}, 0.0, None) for index in range(3)]
    asked = []

    def ask(experiment, _, index):
        asked.append((len(experiment.hosts), index))
        return Trial(index, np.zeros(1), np.zeros(1))

    monkeypatch.setattr(run, "interventions_of", ask)
    with State(tmp_path / "state", "one question") as state:
        for hosts in (2, 1, 2):
            given = tuple(Recipient(k, None, {}, np.zeros(1)) for k in range(hosts))
            experiment = Experiment(plan.scorer, (None,), ("text",), hosts=given)
            assert len(list(run._trials(plan, state, experiment, records))) == 3

    assert asked == [(hosts, index) for hosts in (2, 1) for index in range(3)]


def test_rows_are_kept_by_zones_hosts_and_place():
    """Each of them is another question; the same one has the same name in every call."""
    host = Recipient(4, None, {}, np.zeros(1))
    one = Experiment(None, (None,), ("text",))
    stages = [
        one.stage("trial"),
        one.stage("pattern", corner_mask()),
        one.stage("pattern", ~corner_mask()),
        replace(one, hosts=(host,)).stage("trial"),
        replace(one, zones=("border", "text")).stage("trial"),
        one.stage("frame", [(0, 1, 0, 1)], [0, 1]),
        one.stage("frame", [(0, 1, 0, 1)], [1, 0]),
    ]

    assert len(set(stages)) == len(stages)
    assert replace(one, hosts=(host,)).stage("trial") == stages[3]
