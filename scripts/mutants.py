"""Change the package in one place at a time and see whether a test notices.

    python scripts/mutants.py                                 all rooms of ROOMS, which takes hours
    python scripts/mutants.py saliency/values/placement.py    one file
    python scripts/mutants.py --survivors FILE ...            ask the survivors again

Each changed file lives in the memory of a forked process alone, which runs the tests that reach
the changed line. What was found stays in out/mutants.json as long as the file is the same, so an
interrupted run goes on where it was. Changes that no caller can notice are listed, with the reason,
in scripts/equivalent_mutants.txt.
"""

import argparse
import ast
import contextlib
import hashlib
import importlib.abc
import importlib.util
import inspect
import json
import os
import resource
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
STATE, EQUIVALENT = ROOT / "out/mutants.json", ROOT / "scripts/equivalent_mutants.txt"
ROOMS = (
    *("saliency/values", "saliency/statistics", "saliency/render", "saliency/pipeline"),
    *("saliency/audit/judgement", "saliency/dicom/pixels/stored.py"),
    *("saliency/dicom/declared/padding.py", "saliency/dicom/display/voi.py"),
)
EXAMINED_BY = {
    "saliency/audit": ("tests/audit", "tests/interventions"),
    "saliency/dicom/pixels/stored.py": (
        "tests/dicom/test_stored.py",
        "tests/dicom/test_codes.py",
    ),
    "saliency/dicom/declared/padding.py": (
        "tests/dicom/test_padding.py",
        "tests/dicom/test_zones.py",
    ),
    "saliency/dicom/display/voi.py": (
        "tests/dicom/test_voi.py",
        "tests/dicom/test_modality.py",
    ),
}
"""Tests by file or room; those of tests/ROOM where it is not here."""

KILLED, SURVIVED, UNREACHED = "killed", "survived", "reached by no test"
FAULT_OF_OURS = 70
#: pytest's exit codes for failed tests, and for a module that cannot be imported any more.
NOTICED = (1, 2)
AT_IMPORT = ""
#: A changed loop may never end: so many times the processor seconds of the tests, and some more.
PATIENCE, PATIENCE_SECONDS = 5, 20

SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Continue: ast.Break, ast.Break: ast.Continue,
}  # fmt: skip
NAMES = {
    "min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum",
    "maximum": "minimum", "argmin": "argmax", "argmax": "argmin", "floor": "ceil", "ceil": "floor",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what it says, and the source with it."""

    line: int
    last_line: int
    text: str
    source: str

    @property
    def key(self) -> str:
        """The change without its line number, which moves."""
        return self.text


Undo = Callable[[], None]


def changes(node: ast.AST) -> Iterator[tuple[str, Undo]]:
    """Change a node in each way, say how, and hand out what takes it back."""
    for field in ("op", "ops"):
        yield from _swapped_operators(node, field)
    if isinstance(node, ast.Constant):
        yield from _other_constants(node)
    if isinstance(node, ast.Name | ast.Attribute):
        field = "id" if isinstance(node, ast.Name) else "attr"
        name = getattr(node, field)
        if name in NAMES:
            setattr(node, field, NAMES[name])
            yield f"{name} -> {NAMES[name]}", lambda: setattr(node, field, name)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        test = node.test
        node.test = ast.UnaryOp(ast.Not(), test)
        yield f"if {ast.unparse(test)} -> if not", lambda: setattr(node, "test", test)


def _swapped_operators(node: ast.AST, field: str) -> Iterator[tuple[str, Undo]]:
    before = getattr(node, field, None)
    operators = (
        before if isinstance(before, list) else [before] if before is not None else []
    )
    for index, operator in enumerate(operators):
        if type(operator) in SWAPS:
            after = [*operators]
            after[index] = SWAPS[type(operator)]()
            setattr(node, field, after if isinstance(before, list) else after[0])
            yield (
                f"{type(operator).__name__} -> {type(after[index]).__name__}",
                lambda: setattr(node, field, before),
            )
        elif isinstance(operator, ast.Not | ast.USub):
            setattr(
                node, field, ast.UAdd() if isinstance(operator, ast.USub) else ast.Not()
            )
            if isinstance(operator, ast.USub):
                yield "- -> +", lambda: setattr(node, field, before)


def _other_constants(node: ast.Constant) -> Iterator[tuple[str, Undo]]:
    before = node.value
    if isinstance(before, bool):
        node.value = not before
    elif isinstance(before, int | float):
        node.value = before + 1
    else:
        return
    yield f"{before} -> {node.value}", lambda: setattr(node, "value", before)


def considered(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below one whose value matters: no annotations, decorators or messages."""
    for field, value in ast.iter_fields(node):
        if field in {
            "annotation",
            "returns",
            "decorator_list",
            "type_params",
            "keywords_doc",
        }:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_talk(child):
                yield child
                yield from considered(child)


def _is_talk(node: ast.AST) -> bool:
    """Whether a node is a docstring, a message or an import."""
    if isinstance(node, ast.Assign):
        return any(
            isinstance(each, ast.Name) and each.id == "msg" for each in node.targets
        )
    documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return documents or isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom)


def mutants(path: Path) -> list[Mutant]:
    """Every change of a file, in the order of its lines."""
    text = path.read_text()
    tree, lines = ast.parse(text), text.splitlines()
    made, seen = [], defaultdict(int)
    for node in list(considered(tree)):
        if not hasattr(node, "lineno"):
            continue
        for change, undo in changes(node):
            source = ast.unparse(tree)
            undo()
            words = f"{lines[node.lineno - 1].strip()}  [{change}]"
            seen[words] += 1
            numbered = words if seen[words] == 1 else f"{words} #{seen[words]}"
            made.append(Mutant(node.lineno, _last_line(node), numbered, source))
    return sorted(made, key=lambda each: each.line)


def _last_line(node: Any) -> int:
    test = node.test if isinstance(node, ast.If | ast.While) else node
    return test.end_lineno or test.lineno


class InMemory(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Hand out a changed source in the place of a module's own."""

    def __init__(self, path: Path, source: str) -> None:
        self.name, self.path, self.source = module_name(path), path, source

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:  # noqa: ARG002
        """Return a spec for the changed module, and None for all others."""
        if fullname != self.name:
            return None
        package = self.path.name == "__init__.py"
        return importlib.util.spec_from_file_location(
            fullname,
            self.path,
            loader=self,  # type: ignore[arg-type]
            submodule_search_locations=[str(self.path.parent)] if package else None,
        )

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        """Return the changed source."""
        return self.source

    def exec_module(self, module: Any) -> None:
        """Run the changed source under the name of the file, so that traces tell its lines."""
        exec(compile(self.source, str(self.path), "exec"), module.__dict__)  # noqa: S102


class Reached:
    """Which tests reach which lines of a file, and how long each takes."""

    def __init__(self, path: Path) -> None:
        self.path, self.test = str(path), AT_IMPORT
        self.lines: dict[int, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = {}

    def trace(self, frame: Any, event: str, argument: Any) -> Any:  # noqa: ARG002
        """Note a line, where the frame is one of the file."""
        if frame.f_code.co_filename != self.path:
            return None
        in_a_function = frame.f_code.co_flags & inspect.CO_OPTIMIZED
        self.lines[frame.f_lineno].add(self.test if in_a_function else AT_IMPORT)
        return self.trace

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        """Note what the test does, its fixtures included."""
        self.test = item.nodeid
        start = cpu_seconds()
        sys.settrace(self.trace)
        threading.settrace(self.trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            self.seconds[item.nodeid] = cpu_seconds() - start
            self.test = AT_IMPORT


def cpu_seconds() -> float:
    """Processor seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def module_name(path: Path) -> str:
    """Return a file's dotted name: saliency.values.mask."""
    parts = path.resolve().relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def examined_by(path: Path) -> list[str]:
    """Return where the tests of a file are."""
    name = _relative(path)
    told = [tests for place, tests in EXAMINED_BY.items() if name.startswith(place)]
    return [*told[0]] if told else [f"tests/{name.split('/')[1]}"]


def forked(work: Callable[[], int], seconds: int) -> int:
    """Start work in a process of its own; return the process's number."""
    child = os.fork()
    if child:
        return child
    with contextlib.suppress(BaseException):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        sys.dont_write_bytecode = True
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os._exit(work())
    os._exit(FAULT_OF_OURS)


def tested(tests: list[str], *plugins: object) -> int:
    """Run tests until the first failure."""
    quiet = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no")
    return int(pytest.main([*quiet, *tests], plugins=[*plugins]))


@dataclass(frozen=True)
class Plan:
    """A file, its changes, and the tests of its lines, quickest first."""

    path: Path
    reached: dict[int, list[str]]
    seconds: float

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Tests that reach the changed lines; all of them where the lines run at import."""
        lines = range(mutant.line, mutant.last_line + 1)
        names = {name for line in lines for name in self.reached.get(line, ())}
        if AT_IMPORT in names:
            names |= {name for tests in self.reached.values() for name in tests}
        return sorted(names - {AT_IMPORT}, key=self._order)

    def _order(self, test: str) -> tuple[bool, str]:
        stem = self.path.stem.strip("_")
        return stem not in test.split("::", maxsplit=1)[0], test

    def begin(self, mutant: Mutant) -> int:
        """Start the tests of a change; return the process's number."""

        def work() -> int:
            sys.meta_path.insert(0, InMemory(self.path, mutant.source))
            return tested(self.tests_of(mutant))

        return forked(work, int(PATIENCE * self.seconds) + PATIENCE_SECONDS)

    def verdicts(
        self, changed: list[Mutant], processes: int
    ) -> Iterator[tuple[Mutant, str]]:
        """Try changes, so many at a time; yield each with its verdict as it comes."""
        waiting, running = [*changed], {}
        while waiting or running:
            while waiting and len(running) < processes:
                mutant = waiting.pop(0)
                if self.tests_of(mutant):
                    running[self.begin(mutant)] = mutant
                else:
                    yield mutant, UNREACHED
            if running:
                child, status = os.wait()
                code = os.waitstatus_to_exitcode(status)
                if code not in {0, *NOTICED} and code >= 0:
                    sys.exit(
                        f"{self.path}: the tests could not be run (exit code {code})."
                    )
                yield running.pop(child), KILLED if code else SURVIVED


def plan_of(path: Path) -> Plan:
    """Run the tests of a file as it is, and note what they reach."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "reached.json"

        def work() -> int:
            reached = Reached(path)
            sys.settrace(reached.trace)
            code = tested(examined_by(path), reached)
            told = {line: sorted(tests) for line, tests in reached.lines.items()}
            answer.write_text(json.dumps([told, reached.seconds]))
            return code

        _, status = os.waitpid(forked(work, 3600), 0)
        code = os.waitstatus_to_exitcode(status)
        if code:
            sys.exit(f"{path}: the tests are red as the file is (exit code {code}).")
        told, seconds = json.loads(answer.read_text())
    reached = {int(line): tests for line, tests in told.items()}
    return Plan(path, reached, sum(seconds.values()))


class Notebook:
    """What was found, on disk after each change."""

    def __init__(self) -> None:
        self.rows = json.loads(STATE.read_text()) if STATE.exists() else {}

    def of(self, path: Path) -> dict[str, str]:
        """Return verdicts by change; none where the file is another now."""
        name, digest = _relative(path), hashlib.sha256(path.read_bytes()).hexdigest()
        if self.rows.get(name, {}).get("digest") != digest:
            self.rows[name] = {"digest": digest, "verdicts": {}}
        verdicts: dict[str, str] = self.rows[name]["verdicts"]
        return verdicts

    def keep(self) -> None:
        """Write the state."""
        STATE.parent.mkdir(exist_ok=True)
        STATE.write_text(json.dumps(self.rows, indent=1))


def _relative(path: Path) -> str:
    return path.resolve().relative_to(ROOT).as_posix()


def equivalents() -> set[tuple[str, str]]:
    """Return changes that nobody can notice: lines of ``file: change | reason``."""
    lines = EQUIVALENT.read_text().splitlines() if EQUIVALENT.exists() else []
    told = [
        line.rsplit(" | ", maxsplit=1)[0].split(": ", maxsplit=1)
        for line in lines
        if line
    ]
    return {(file, change) for file, change in told if not file.startswith("#")}


def examine(
    path: Path, notebook: Notebook, *, again: bool, processes: int
) -> dict[str, str]:
    """Try every change of a file that was not tried before; return verdicts by change."""
    known, verdicts = equivalents(), notebook.of(path)
    wanted = [
        each for each in mutants(path) if (_relative(path), each.key) not in known
    ]
    open_ones = [
        each
        for each in wanted
        if each.key not in verdicts or (again and verdicts[each.key] != KILLED)
    ]
    if open_ones:
        plan = plan_of(path)
        for mutant, verdict in plan.verdicts(open_ones, processes):
            verdicts[mutant.key] = verdict
            notebook.keep()
    return {f"{each.line}: {each.key}": verdicts[each.key] for each in wanted}


def files(places: list[str]) -> list[Path]:
    """Files with changes to try."""
    paths = [ROOT / place for place in places]
    found = [sorted(path.rglob("*.py")) if path.is_dir() else [path] for path in paths]
    return [path for each in found for path in each if mutants(path)]


def main() -> None:
    """Print a score for each file, and the survivors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", default=[*ROOMS])
    parser.add_argument("--survivors", action="store_true", help="try survivors again")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("SALIENCY_SHARED", str(ROOT.parent / "shared"))
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    for name in ("numpy", "scipy.stats", "pydicom", "PIL.Image", "imagecodecs"):
        importlib.import_module(name)  # once, before the forks
    notebook, total = Notebook(), []
    for path in files(asked.files):
        verdicts = examine(
            path, notebook, again=asked.survivors, processes=asked.processes
        )
        killed = sum(each == KILLED for each in verdicts.values())
        total += verdicts.values()
        print(f"{_relative(path)}: {killed} of {len(verdicts)} noticed", flush=True)
        for change, verdict in verdicts.items():
            if verdict != KILLED:
                print(f"  {verdict}: {change}", flush=True)
    noticed = total.count(KILLED)
    print(
        f"all: {noticed} of {len(total)} noticed, {100 * noticed / max(1, len(total)):.0f} %"
    )


if __name__ == "__main__":
    main()
