"""How the suite runs: which tests share a process, which need no TensorFlow, what is kept."""

import functools
import gc
import sys
from pathlib import Path

import pytest
from reach import reaches_tensorflow


def pytest_addoption(parser):
    parser.addoption(
        "--fast",
        action="store_true",
        help="no slow tests, no modules that reach TensorFlow",
    )


def pytest_ignore_collect(collection_path: Path, config):
    """Leave out what reaches TensorFlow, before it is imported."""
    test = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    left_out = (
        config.getoption("--fast") and test and reaches_tensorflow(collection_path)
    )
    return True if left_out else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Keep tests of a module in one process, where they share networks that are traced once.

    Tests that are marked ``spread`` build what they ask: each may run anywhere, or those with one
    word, ``spread("word")``, together. Slow ones come first, so that no process is left alone with
    one at the end.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    if config.getoption("--fast"):
        config.hook.pytest_deselected(items=slow)
        slow = []
    items[:] = [*slow, *others]
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        spread = item.get_closest_marker("spread")
        group = (
            item.path.stem if spread is None else "".join(spread.args) or item.nodeid
        )
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_finish(session):
    """Refuse versions with which a module is not kept in one process: networks are traced twice."""
    if not getattr(session.config.option, "loadgroup", False):
        return
    apart = [item for item in session.items if "@" not in item.nodeid]
    if apart:
        msg = (
            f"pytest {pytest.__version__} and this pytest-xdist do not keep the tests of a module "
            "in one process (--dist=loadgroup). Install pytest below 9.2."
        )
        raise pytest.UsageError(msg)


@pytest.fixture(autouse=True)
def without_tensorflow(request):
    """Fail a test of the fast part that loads TensorFlow all the same."""
    yield
    if request.config.getoption("--fast") and "tensorflow" in sys.modules:
        pytest.fail(
            "A test of the fast part has loaded TensorFlow: see tests/reach.py."
        )


@functools.cache
def freeze_libraries():
    """Leave TensorFlow's million objects out of collections, and collect less often.

    Tracing makes objects by the thousand: with Python's own thresholds, a seventh of it is spent
    looking for garbage among functions and modules that are never dropped.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True, scope="module")
def nothing_kept(request):
    """Drop what a module's caches and Keras keep, so that no process grows with its tests."""
    if "keras" in sys.modules:
        freeze_libraries()
    yield
    for value in vars(request.module).values():
        own = getattr(value, "__module__", None) == request.module.__name__
        if isinstance(value, functools._lru_cache_wrapper) and own:
            value.cache_clear()
    if keras := sys.modules.get("keras"):
        keras.backend.clear_session()
    gc.collect()
