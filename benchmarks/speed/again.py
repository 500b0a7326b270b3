"""The second picture and the thousandth: no trace, no leak, little besides the model."""

import gc
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import keras
import nets
import psutil
from clock import Row, Times, goal_row, in_turns

import saliency as sal
from saliency.probe.cache import probe_for

CALLS = 1000


def rows(rounds: int) -> Iterator[Row]:
    """Yield traces, dispatch and leaks of a small model, where what is not the model shows."""
    model = _small()
    image = nets.picture(64)
    probe = sal.KerasProbe(model)
    given = nets.tf.constant(sal.Prepare().filled(probe.input_shape)(image).array)
    question = probe.core.questions.gradient
    index = nets.tf.constant([1])

    def asked() -> None:
        for _ in range(20):
            question(given, index, ())[0].numpy()

    for name, subject in (("probe", probe), ("model", model)):
        jobs = {
            "question": asked,
            "explain": lambda subject=subject: _explained(subject, image),
        }
        found = in_turns(jobs, max(rounds, 7))
        pairs = zip(found["explain"].cpu, found["question"].cpu, strict=True)
        clock = zip(found["explain"].wall, found["question"].wall, strict=True)
        spent = Times(
            tuple((a - b) / 20 for a, b in clock), tuple((a - b) / 20 for a, b in pairs)
        )
        yield goal_row(
            f"explain({name}, ...) less the model", spent.milliseconds(), 2, "ms"
        )
    yield _traces(model, image)
    yield _leaks(model, image)


def _explained(subject: object, image: sal.DicomImage) -> None:
    for _ in range(20):
        sal.explain(subject, image, "gradient", target=1)


def _traces(model: object, image: sal.DicomImage) -> Row:
    before = probe_for(model).traces
    for target in (0, 1, None):
        sal.explain(model, image, "gradient", target=target)
    more = sum((probe_for(model).traces - before).values())
    return Row("traces by three more pictures", str(more), goal="0", met=more == 0)


def _leaks(model: object, image: sal.DicomImage) -> Row:
    """Return what a second half of many calls adds, when the first has filled all pools."""
    process = psutil.Process()
    seen = []
    for _ in range(3):
        for _ in range(CALLS // 2):
            sal.explain(model, image, "fastcam")
        gc.collect()
        seen.append((process.memory_info().rss / 2**20, len(gc.get_objects())))
    grown, objects = seen[2][0] - seen[1][0], seen[2][1] - seen[1][1]
    text = f"{grown:+.1f} MiB, {objects:+d} objects"
    met = grown < 2 and objects < CALLS // 20
    return Row(
        f"memory after {CALLS // 2} more explanations", text, goal="no growth", met=met
    )


def _small() -> keras.Model:
    layers = [
        keras.Input((64, 64, 1)),
        keras.layers.Conv2D(4, 3, strides=2, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    return keras.Sequential(layers)


def imports(rounds: int) -> Iterator[Row]:
    """Yield what ``import saliency`` adds to an empty interpreter."""
    jobs = {"ours": partial(_run, "import saliency"), "none": partial(_run, "pass")}
    both = [
        (_child(jobs["ours"]), _child(jobs["none"])) for _ in range(max(rounds, 25))
    ]
    cpu, wall = zip(*(((a - c), (b - d)) for (a, b), (c, d) in both), strict=True)
    spent = Times(wall, cpu)
    yield goal_row("import saliency", spent.milliseconds(), 50, "ms")
    loads = _run(
        "import sys, saliency; assert not {'numpy', 'tensorflow', 'keras'} & {*sys.modules}"
    )
    what = "... loads numpy, TensorFlow or Keras"
    yield Row(what, "yes" if loads else "no", goal="no", met=not loads)


def _run(code: str) -> int:
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


def _child(job: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of a child process: of the processor, and of the clock."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    job()
    after, wall = (
        resource.getrusage(resource.RUSAGE_CHILDREN),
        time.perf_counter() - start,
    )
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall
