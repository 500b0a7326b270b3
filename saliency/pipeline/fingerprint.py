"""Which model, which pictures, which settings: one word, to tell whether work may go on."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.explain import versions
from saliency.pipeline.prepare import Prepare
from saliency.values.image import DicomImage


def of_model(model: Any) -> str:
    """Return the digest of a model file, or of a model's weights.

    Raises
    ------
    InputError
        It has neither.
    """
    if isinstance(model, str | os.PathLike):
        return _file(Path(model))
    probe = getattr(model, "source", model)
    network = getattr(probe, "model", probe)
    if not hasattr(network, "weights"):
        msg = "audit: resume needs a Keras model, a KerasProbe, or the path of a model."
        raise InputError(msg)
    parts = (np.asarray(weight).tobytes() for weight in network.weights)
    return _digest([repr(network.name).encode(), *_told(getattr(model, "target", None)), *parts])


def of_pictures(sources: Sequence[Any]) -> str:
    """Return one digest of all pictures: names, sizes and times of files.

    Raises
    ------
    InputError
        One is neither a file nor a DicomImage.
    """
    return _digest(part for source in sources for part in _picture(source))


def of_settings(
    prepare: Prepare | None, target: Any, zones: Any, seed: int, labels: Sequence[Any]
) -> str:
    """Return the digest of everything else that decides about numbers."""
    recipe = prepare or Prepare()
    told = (recipe.size, recipe.intensity, recipe.fit, recipe.channels, seed, labels, versions())
    return _digest([repr(told).encode(), *_told(recipe.scale), *_told(target), *_zones(zones)])


def _zones(zones: Any) -> list[bytes]:
    if not isinstance(zones, Mapping):
        return _told(zones)
    return [part for name, mask in zones.items() for part in (name.encode(), *_mask(mask))]


def _mask(mask: Any) -> list[bytes]:
    return _told(mask) if callable(mask) else [np.asarray(mask).tobytes()]


def _told(value: Any) -> list[bytes]:
    """Return what tells a value from others; of a function its code and what it closes over."""
    code = getattr(value, "__code__", None)
    if code is None:
        return [(repr(value) if not callable(value) else type(value).__name__).encode()]
    cells = [repr(cell.cell_contents) for cell in value.__closure__ or ()]
    return [code.co_code, repr((code.co_consts, code.co_names, cells)).encode()]


def _picture(source: Any) -> list[bytes]:
    if isinstance(source, DicomImage):
        zones = [
            part for zone in source.zones for part in (zone.name.encode(), zone.mask.tobytes())
        ]
        return [source.digest.encode(), *zones]
    if not isinstance(source, str | os.PathLike):
        msg = f"audit: resume needs files or DicomImages, got {type(source).__name__}."
        raise InputError(msg)
    try:
        found = Path(source).stat()
    except OSError:
        return [os.fsencode(source)]
    return [os.fsencode(source), f"{found.st_size} {found.st_mtime_ns}".encode()]


def _file(path: Path) -> str:
    if not path.is_file():
        return str(path)
    digest = sha256()
    with path.open("rb") as file:
        read: Callable[[], bytes] = lambda: file.read(1 << 20)  # noqa: E731
        for part in iter(read, b""):
            digest.update(part)
    return digest.hexdigest()


def _digest(parts: Iterable[bytes]) -> str:
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
