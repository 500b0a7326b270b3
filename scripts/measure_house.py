"""Print how readable the package is: python scripts/measure_house.py [--names] [ROOM ...].

The figures are explained in docs/decisions/090-the-house-rearranged.md.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "saliency"
LONG_DOCSTRING_LINE = 30
Function = ast.FunctionDef | ast.AsyncFunctionDef
BRANCHES = (
    ast.If,
    ast.For,
    ast.While,
    ast.ExceptHandler,
    ast.IfExp,
    ast.comprehension,
    ast.Assert,
)


@dataclass(frozen=True)
class Module:
    """A file of the package, parsed."""

    path: Path
    text: str
    tree: ast.Module


def modules(rooms: Iterable[str]) -> list[Module]:
    """Parse the files of some rooms or files, named as below the package; of none: all of it."""
    places = [
        PACKAGE / room.removeprefix("saliency/").rstrip("/") for room in rooms
    ] or [PACKAGE]
    missing = [place.name for place in places if not place.exists()]
    if missing:
        sys.exit(
            f"expected rooms or files below {PACKAGE.name}/, found no {', '.join(missing)}"
        )
    files = {
        file
        for place in places
        for file in (place.rglob("*.py") if place.is_dir() else [place])
    }
    return [
        Module(path, text, ast.parse(text))
        for path in sorted(files)
        if (text := path.read_text())
    ]


def functions(module: Module) -> Iterator[Function]:
    """Every function and method of a file."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def docstring_lines(module: Module) -> set[int]:
    """Line numbers that docstrings take."""
    taken: set[int] = set()
    for node in ast.walk(module.tree):
        constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if constant and isinstance(node.value.value, str) and node.end_lineno:
            taken.update(range(node.lineno, node.end_lineno + 1))
    return taken


def line_kinds(module: Module) -> tuple[set[int], int]:
    """Return the numbers of code lines, and how many comments there are."""
    tokens = list(tokenize.generate_tokens(io.StringIO(module.text).readline))
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    written = {
        number
        for number, line in enumerate(module.text.split("\n"), start=1)
        if line.strip() and not line.strip().startswith("#")
    }
    told = sum(
        not text.startswith(("# noqa", "# type:", "# pragma")) for text in comments
    )
    return written - docstring_lines(module), told


def body_length(function: Function, code: set[int]) -> int:
    """Code lines of a function's body."""
    first = function.body[0].lineno
    return sum(
        line in code for line in range(first, (function.end_lineno or first) + 1)
    )


def complexity(function: Function) -> int:
    """McCabe's number: one, and one for each branch."""
    nodes = list(ast.walk(function))
    joined = sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
    return 1 + joined + sum(isinstance(node, BRANCHES) for node in nodes)


def syntax_nodes(module: Module) -> int:
    """Expressions and statements of a file."""
    return sum(isinstance(node, ast.expr | ast.stmt) for node in ast.walk(module.tree))


def top_level(module: Module) -> Iterator[str]:
    """Names of the functions and classes that a file defines."""
    for node in module.tree.body:
        if isinstance(node, Function | ast.ClassDef):
            yield node.name


def mentions(module: Module) -> Counter[str]:
    """How often each name is used in a file."""
    names = (node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name))
    attributes = (
        node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)
    )
    return Counter([*names, *attributes])


def private_helpers(module: Module) -> list[tuple[str, int]]:
    """Private functions and methods of a file, with the number of places that use them."""
    used = mentions(module)
    names = (function.name for function in functions(module))
    return [(name, used[name]) for name in names if name[0] == "_" and name[:2] != "__"]


def docstring_echo(found: list[Module]) -> float:
    """Share of long docstring lines that stand three times or more."""
    lines: list[str] = []
    for module in found:
        nodes = (
            n for n in ast.walk(module.tree) if isinstance(n, Function | ast.ClassDef)
        )
        texts = (ast.get_docstring(node) or "" for node in nodes)
        lines += [line.strip() for text in texts for line in text.split("\n")]
    long = [line for line in lines if len(line) >= LONG_DOCSTRING_LINE]
    counts = Counter(long)
    return sum(counts[line] >= 3 for line in long) / max(1, len(long))


def in_several_files(found: list[Module], *, private: bool) -> list[str]:
    """Names that more than one file defines."""
    files: dict[str, set[Path]] = defaultdict(set)
    for module in found:
        for name in top_level(module):
            if name.startswith("_") is private:
                files[name].add(module.path)
    return sorted(name for name, paths in files.items() if len(paths) > 1)


def table(found: list[Module]) -> Iterator[tuple[str, str, str]]:
    """Rows: what, the figure, the aim."""
    kinds = [line_kinds(module) for module in found]
    code = sum(len(lines) for lines, _ in kinds)
    comments = sum(count for _, count in kinds)
    pairs = [
        (f, lines)
        for m, (lines, _) in zip(found, kinds, strict=True)
        for f in functions(m)
    ]
    lengths = sorted(body_length(function, lines) for function, lines in pairs)
    complex_ones = sum(complexity(function) > 10 for function, _ in pairs)
    helpers = [used for module in found for _, used in private_helpers(module)]
    single = sum(used == 1 for used in helpers)
    nodes = sum(syntax_nodes(module) for module in found)

    spread = (statistics.median(lengths), lengths[int(0.9 * len(lengths))], lengths[-1])
    yield "functions", f"{len(pairs)}", ""
    yield (
        "code lines a function: median / p90 / longest",
        " / ".join(f"{n:.0f}" for n in spread),
        "keep",
    )
    yield "complexity above 10", f"{100 * complex_ones / len(pairs):.1f} %", "<= 1 %"
    yield "docstring echo", f"{100 * docstring_echo(found):.1f} %", "< 8 %"
    yield "syntax nodes a code line", f"{nodes / code:.2f}", "<= 5.5"
    yield (
        "private helpers with one caller",
        f"{100 * single / len(helpers):.0f} % of {len(helpers)}",
        "<= 40 %",
    )
    yield (
        "private names in several files",
        f"{len(in_several_files(found, private=True))}",
        "< 10",
    )
    yield (
        "public names in several files",
        f"{len(in_several_files(found, private=False))}",
        "0",
    )
    yield "comments per 100 code lines", f"{100 * comments / code:.1f}", "4 to 6"


def main() -> None:
    """Print the table; with ``--names`` also the names behind its counts."""
    rooms = [word for word in sys.argv[1:] if word != "--names"]
    found = modules(rooms)
    for what, figure, aim in table(found):
        print(f"{what:<48}{figure:>18}   {aim}")
    if "--names" in sys.argv:
        print("public:", *in_several_files(found, private=False))
        print("private:", *in_several_files(found, private=True))
        for module in found:
            single = [name for name, used in private_helpers(module) if used == 1]
            print(module.path.relative_to(PACKAGE), "one caller:", *single)


if __name__ == "__main__":
    main()
