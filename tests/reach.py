"""Which test modules reach TensorFlow: found by reading imports, without importing anything."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import saliency

TESTS = Path(__file__).parent
PACKAGE = Path(saliency.__file__).parent
BENCHMARKS = TESTS.parent / "benchmarks"
ENGINES = frozenset({"tensorflow", "keras"})
SCRIPTS = "examples.running"
"""Who imports it runs scripts in processes of their own, which load TensorFlow."""


def reaches_tensorflow(path: Path) -> bool:
    """Tell whether a module imports TensorFlow or Keras, itself or by what it imports."""
    waiting, seen = [path], set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        for name in _names(module):
            if name.split(".", maxsplit=1)[0] in ENGINES or name == SCRIPTS:
                return True
            waiting += _files(name)
    return False


@cache
def _names(path: Path) -> tuple[str, ...]:
    """Return the dotted names that a module imports, at any depth of its code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    doors = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "saliency"
    }
    imported = (
        name for node in ast.walk(tree) for name in _imported(node, doors, path)
    )
    return (*imported, *_scripts(tree, path))


def _scripts(tree: ast.AST, path: Path) -> Iterator[str]:
    """Yield files that texts name: steps beside a test, run as a process, and the benchmarks'."""
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = {node.value for node in constants if isinstance(node.value, str)}
    if not path.is_relative_to(TESTS):
        return
    for file in path.parent.glob("*_steps.py"):
        if file.name in texts:
            yield ".".join(file.relative_to(TESTS).with_suffix("").parts)
    for file in BENCHMARKS.rglob("*.py") if "benchmarks" in texts else ():
        if {file.stem, file.name} & texts:
            yield ".".join(file.relative_to(BENCHMARKS.parent).with_suffix("").parts)


def _imported(node: ast.AST, doors: set[str], path: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            yield from (
                f"{node.module}.{alias.name}",
                node.module,
                _home(node.module, alias.name),
            )
    if _asks_a_door(node, doors):
        every = node.attr == "__all__"
        yield from saliency._HOMES if every else (_home("saliency", node.attr),)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _written(node.value, path)


def _asks_a_door(node: ast.AST, doors: set[str]) -> bool:
    named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    return named and node.value.id in doors


def _home(module: str, name: str) -> str:
    """Return where a name of the front door lives: it is loaded when it is asked for."""
    return (
        saliency._HOME_OF.get(name, f"saliency.{name}") if module == "saliency" else ""
    )


def _written(text: str, path: Path) -> Iterator[str]:
    """Yield modules in texts: to be patched, or rows of a table such as "cams:GradCAM"."""
    words = text.split(":", maxsplit=1)[0]
    if words.replace(".", "").replace("_", "").isalnum() and path.name != "__init__.py":
        if words.startswith("saliency."):
            yield words
        if ":" in text and path.is_relative_to(PACKAGE):
            yield ".".join(("saliency", *path.relative_to(PACKAGE).parts[:-1], words))


@cache
def _files(name: str) -> tuple[Path, ...]:
    """Return the files that an import of a dotted name runs, the front door left out."""
    parts = name.split(".")
    top = parts[0] in (PACKAGE.name, BENCHMARKS.name)
    root = PACKAGE.parent if top else TESTS
    heads = (root.joinpath(*parts[: count + 1]) for count in range(len(parts)))
    found = (
        file
        for head in heads
        for file in (head.with_suffix(".py"), head / "__init__.py")
    )
    return tuple(
        file for file in found if file.is_file() and file != PACKAGE / "__init__.py"
    )
