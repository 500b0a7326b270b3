"""Hours of broken files: coverage-guided by Atheris, with ways to break a DICOM file of our own.

``python tests/fuzz/fuzz_dicom.py out/fuzz -max_total_time=3600`` (options are libFuzzer's) needs
``pip install atheris``. It starts from the small files of the
corpus and from tiny ones made here, and stops at the first finding: an exception that is no
SaliencyError, one of the last safety net (``reason="broken"``), ten seconds of CPU time, two
gigabytes, or a file opened for writing.
"""

import logging
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["saliency"]):
    from saliency.dicom import describe, read_dicom

from dicom import breaking
from fuzz.seeds import seeds

from saliency.errors import DicomError, SaliencyError

_SECONDS = 10
_ZONES = 2**15  # pixels: burned-in text is searched for in small pictures alone


class WritesError(BaseException):
    """Reading wrote somewhere."""


class SlowError(Exception):
    """Reading took more than its seconds of CPU time."""


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    if (
        event == "open"
        and _GUARDED
        and isinstance(arguments[2], int)
        and arguments[2] & writing
    ):
        raise WritesError


_GUARDED: list[bool] = []


def read(data: bytes) -> None:
    """Read a file in every way, and let no error through that is not ours."""
    for each in (_first, _last, describe):
        try:
            each(data)
        except DicomError as error:
            if error.reason == "broken":
                raise
        except SaliencyError:
            pass


def _first(data: bytes) -> None:
    image = read_dicom(data)
    if image.display.size <= _ZONES:
        _ = image.zones, image.digest


def _last(data: bytes) -> None:
    frames = int(describe(data)["frames"])  # type: ignore[call-overload]
    if frames > 1:
        read_dicom(data, frame=frames - 1)


def one_input(data: bytes) -> None:
    """Entry of the fuzzer."""
    _GUARDED.append(True)
    begin = time.process_time()
    try:
        read(data)
    finally:
        _GUARDED.clear()
    if time.process_time() - begin > _SECONDS:
        raise SlowError


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Break a file in one to three of our ways, or as libFuzzer does."""
    dice = random.Random(seed)  # noqa: S311
    if dice.random() < 0.4:
        return bytes(atheris.Mutate(data, most))
    for _ in range(dice.randint(1, 3)):
        data = dice.choice(_WAYS)(data, dice)
    return data[:most]


def _where(data: bytes, dice: random.Random) -> int:
    return dice.randrange(dice.choice((len(data), min(len(data), 3000))) + 1)


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    lambda data, dice: breaking.cut(data, _where(data, dice)),
    lambda data, dice: breaking.flip(data, _where(data, dice), dice.randrange(256)),
    lambda data, dice: breaking.flip(data, _where(data, dice), dice.randrange(256)),
    lambda data, dice: breaking.swap_lengths(
        data, dice.randrange(300), dice.randrange(300)
    ),
    lambda data, dice: breaking.set_number(
        data, dice.randrange(600), dice.randrange(10)
    ),
    lambda data, dice: breaking.set_number(
        data, dice.randrange(600), dice.randrange(10)
    ),
    lambda data, dice: breaking.nest(
        data,
        dice.randrange(300),
        dice.choice((1, 2, 31, 33, 500)),
        closed=dice.random() < 0.5,
    ),
    lambda data, dice: breaking.double(
        data, _where(data, dice), dice.choice((2, 8, 12, 64)), dice.choice((1, 2, 1000))
    ),
)


def main() -> None:
    """Write the seeds beside the finds, and fuzz."""
    folder = Path(next((a for a in sys.argv[1:] if not a.startswith("-")), "out/fuzz"))
    start = folder.with_name(f"{folder.name}-seeds")
    for place in (folder, start):
        place.mkdir(parents=True, exist_ok=True)
    for name, data in seeds(os.environ.get("SALIENCY_SHARED")):
        (start / name).write_bytes(data)
    options = [a for a in sys.argv[1:] if a.startswith("-")]
    logging.disable(logging.CRITICAL)
    sys.dont_write_bytecode = True
    sys.addaudithook(_guard)
    limits = [
        "-timeout=60",
        "-rss_limit_mb=2048",
        "-max_len=200000",
        f"-artifact_prefix={folder}-",
    ]
    atheris.Setup(
        [sys.argv[0], *limits, *options, str(folder), str(start)],
        one_input,
        custom_mutator=mutated,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
