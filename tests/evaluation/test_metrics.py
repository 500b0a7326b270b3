"""The table of metrics, and what tells of it."""

import re
from pathlib import Path

import saliency.evaluation as room
from saliency.evaluation.metrics import METRICS

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_every_metric_is_a_function_of_the_room_and_in_the_documents() -> None:
    """docs/evaluation.md has a row for each, and says as the table does which way is better."""
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| (less|greater) \|", PAGE.read_text("utf-8"), re.MULTILINE
    )

    assert dict(rows) == {
        name: "greater" if metric.greater else "less"
        for name, metric in METRICS.items()
    }
    assert all(
        getattr(room, name) is metric.function for name, metric in METRICS.items()
    )
