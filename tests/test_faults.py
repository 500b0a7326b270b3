"""Every kind of fault that was met is held by a test that is there."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs/decisions/092-faults-and-their-tests.md"
ROW = re.compile(r"^\| ([REBM]\d+) \| [^|]+ \| (.+) \|$", re.MULTILINE)
KINDS = {"R": 20, "E": 12, "B": 16, "M": 10}
"""How many kinds there are: reading, explaining, bulk and shell, changes of the code."""


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests of a file."""
    tree = ast.parse((TESTS / file).read_text())
    names = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


def test_every_kind_has_a_test_that_is_there() -> None:
    """The page has each kind once, and names tests of files under tests/."""
    rows = ROW.findall(PAGE.read_text())

    assert [kind for kind, _ in rows] == [
        f"{letter}{number}"
        for letter, most in KINDS.items()
        for number in range(1, most + 1)
    ]
    for kind, held_by in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", held_by)
        assert named, kind
        missing = [name for file, name in named if name not in names_in(file)]
        assert not missing, (kind, missing)
