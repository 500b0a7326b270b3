"""The room and the verb share a name, whatever was imported first."""

import inspect
import subprocess
import sys

import pytest

import saliency as sal
from saliency.audit.run import audit

ORDERS = {
    "room first": "import saliency.audit; import saliency as sal",
    "verb first": "import saliency as sal; verb = sal.audit; import saliency.audit",
    "module first": "import saliency.statistics.significance; import saliency as sal",
    "from": "from saliency import audit; import saliency as sal; assert sal.audit is audit",
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_name_is_a_verb_and_a_room(order):
    """It can be called, and imported from, after any order of imports; TensorFlow waits."""
    code = (
        f"{order}\nimport sys; from saliency.audit import judgement\n"
        "assert callable(sal.audit) and sal.audit is sys.modules['saliency.audit']\n"
        "assert 'tensorflow' not in sys.modules; print('both')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert result.stdout.strip() == "both", result.stderr


def test_the_room_opens_its_names():
    """What the room offers can be imported from it, and nothing else."""
    room = sal.audit

    assert all(callable(getattr(room, name)) for name in room.__all__)
    assert not hasattr(room, "verdicts")


def test_the_verb_and_the_room_have_one_signature():
    """What the room passes on is what the verb takes."""
    verb = inspect.signature(audit)
    room = inspect.signature(sal.audit)

    assert list(verb.parameters) == list(room.parameters)
    assert [one.default for one in verb.parameters.values()] == [
        one.default for one in room.parameters.values()
    ]
