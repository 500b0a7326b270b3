"""A field that is computed when it is first looked at."""

from collections.abc import Callable
from typing import Any, TypeVar, cast, final

T = TypeVar("T")


@final
class Deferred:
    """Stands for a value until somebody asks for it."""

    def __init__(self, compute: Callable[[], Any]) -> None:
        self.compute = compute


def deferred(compute: Callable[[], T]) -> T:
    """Return what a constructor may take in the place of a value that is dear to compute."""
    return cast("T", Deferred(compute))
