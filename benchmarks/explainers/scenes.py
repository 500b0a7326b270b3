"""Pictures whose evidence is known, because it was drawn: real tissue with planted parts.

A part has a state (there or not, one texture or another). Redrawing a picture with one state
changed, all else alike, is an exact exchange: what the score does then is the true importance
of the pixels that differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from scipy import ndimage

import saliency as sal

Array = NDArray[np.generic]
Paint = Callable[[Array, "Part"], None]

SIZE = 64
CELL = 16
"""Side of the squares in which tissue is exchanged."""
SOURCES = ("CT_small.dcm", "examples_overlay.dcm")
"""Real slices that come with pydicom."""
EDGE = 10
"""Least distance of a part's centre from the border."""
APART = 20
"""Least distance of the centres of two parts."""


@dataclass(frozen=True)
class Part:
    """Something drawn: how, where, and in which state."""

    name: str
    paint: Paint
    row: int
    column: int
    state: bool


@dataclass(frozen=True)
class Scene:
    """A picture before it is drawn."""

    tissue: int
    parts: tuple[Part, ...]

    def switched(self, name: str) -> "Scene":
        """Return the scene with one part in its other state."""
        parts = tuple(
            replace(part, state=not part.state) if part.name == name else part
            for part in self.parts
        )
        return replace(self, parts=parts)

    def states(self) -> dict[str, bool]:
        """Return the state of each part by name."""
        return {part.name: part.state for part in self.parts}

    def drawn(self, tissue: int | None = None) -> Array:
        """Return float32 (SIZE, SIZE), 0..1; on other tissue where asked."""
        canvas = backgrounds()[self.tissue if tissue is None else tissue].copy()
        for part in self.parts:
            part.paint(canvas, part)
        return canvas.clip(0, 1)

    def region(self, name: str) -> Array:
        """Return bool (SIZE, SIZE): what differs between a part's states, two pixels wider."""
        change = np.abs(self.drawn() - self.switched(name).drawn())
        return ndimage.binary_dilation(change > change.max() / 10, iterations=2)


@dataclass(frozen=True)
class Scenario:
    """What is planted, and what the class says of it.

    Parameters
    ----------
    words
        For a reader.
    parts
        Painters by name.
    label
        From states to the class, 0..1.
    asked
        States of the pictures that are explained, where they matter.
    evidence
        Names of the parts that the class depends on.
    opposing
        Those of them that speak against it.
    """

    words: str
    parts: Mapping[str, Paint]
    label: Callable[[Mapping[str, bool]], float]
    asked: Mapping[str, bool]
    evidence: tuple[str, ...]
    opposing: tuple[str, ...] = ()

    def scene(self, generator: np.random.Generator) -> Scene:
        """Draw lots for tissue, places and states: each class as often as the other."""
        places = _places(generator, len(self.parts))
        wanted = generator.integers(2)
        for _ in range(50):
            states = generator.integers(0, 2, len(self.parts)).astype(bool)
            if round(self.label(dict(zip(self.parts, states, strict=True)))) == wanted:
                break
        parts = tuple(
            Part(name, paint, *place, bool(state))
            for (name, paint), place, state in zip(
                self.parts.items(), places, states, strict=True
            )
        )
        return Scene(int(generator.integers(len(backgrounds()))), parts)

    def asked_scene(self, generator: np.random.Generator) -> Scene:
        """Draw lots for a picture that is explained."""
        scene = self.scene(generator)
        for name, state in self.asked.items():
            scene = scene if scene.states()[name] == state else scene.switched(name)
        return scene


@lru_cache(maxsize=1)
def backgrounds() -> list[Array]:
    """Return patches of real tissue, float32 (SIZE, SIZE) within 0.1..0.4, turned both ways."""
    found = []
    for name in SOURCES:
        image = sal.read_dicom(get_testdata_file(name, download=False))
        shown = image.display.astype(np.float32) / 255
        low, high = np.quantile(shown, (0.02, 0.98))
        shown = 0.1 + 0.3 * ((shown - low) / (high - low)).clip(0, 1)
        shown = shown.astype(np.float32)
        rows, columns = shown.shape
        for top in range(0, rows - SIZE + 1, 8):
            for left in range(0, columns - SIZE + 1, 8):
                patch = shown[top : top + SIZE, left : left + SIZE]
                if (patch > 0.13).mean() > 0.7:  # not mostly air
                    found += [patch, patch[:, ::-1]]
    return found


def blob(canvas: Array, part: Part) -> None:
    """Paint a soft bright lesion, or none."""
    if part.state:
        canvas += 0.6 * np.exp(-(_distance(part) ** 2) / (2 * 3.0**2))


def ring(canvas: Array, part: Part) -> None:
    """Paint a bright ring, or none."""
    if part.state:
        canvas += 0.6 * np.exp(-((_distance(part) - 5) ** 2) / (2 * 0.8**2))


def mark(canvas: Array, part: Part) -> None:
    """Paint a letter L of strokes as burned-in marks have, or none."""
    if part.state:
        row, column = part.row, part.column
        canvas[row - 5 : row + 5, column - 3 : column - 1] = 1
        canvas[row + 3 : row + 5, column - 3 : column + 4] = 1


def pair(canvas: Array, part: Part) -> None:
    """Paint two bright pixels, side by side or one above the other: finer than any last map."""
    row, column = part.row, part.column
    canvas[row, column] = 1
    after = (row, column + 2) if part.state else (row + 2, column)
    canvas[after] = 1


def checked(canvas: Array, part: Part) -> None:
    """Paint a disc with a texture: checks, or stripes of equal mean."""
    inside = _distance(part) < 7
    rows, columns = np.indices(canvas.shape)
    stripes = rows // 2 % 2
    checks = (rows // 2 + columns // 2) % 2
    canvas[inside] = np.where(checks if part.state else stripes, 0.85, 0.25)[inside]


def shaped(canvas: Array, part: Part) -> None:
    """Paint a flat patch: a square, or a disc of equal area."""
    rows, columns = np.indices(canvas.shape)
    reach = np.maximum(np.abs(rows - part.row), np.abs(columns - part.column))
    # A disc of radius r has the area of a square of half a side r sqrt(pi) / 2.
    inside = reach < 7.5 * np.sqrt(np.pi) / 2 if part.state else _distance(part) < 7.5
    canvas[inside] = 0.75


def _distance(part: Part) -> Array:
    rows, columns = np.indices((SIZE, SIZE))
    return np.hypot(rows - part.row, columns - part.column).astype(np.float32)


def _places(generator: np.random.Generator, count: int) -> list[tuple[int, int]]:
    while True:
        places = generator.integers(EDGE, SIZE - EDGE, (count, 2))
        gaps = np.hypot(*(places[:, np.newaxis] - places).transpose(2, 0, 1))
        if count < 2 or gaps[np.triu_indices(count, 1)].min() >= APART:
            return [(int(row), int(column)) for row, column in places]


LESION_AND_MARK: Mapping[str, Paint] = {"lesion": blob, "mark": mark}
LESION_RING_MARK: Mapping[str, Paint] = {"lesion": blob, "ring": ring, "mark": mark}
TEXTURE_AND_SHAPE: Mapping[str, Paint] = {"texture": checked, "shape": shaped}


def _all_there(parts: Mapping[str, Paint]) -> Mapping[str, bool]:
    return dict.fromkeys(parts, True)


SCENARIOS: Mapping[str, Scenario] = {
    "lesion": Scenario(
        "a soft lesion decides; a mark lies about",
        LESION_AND_MARK,
        lambda on: float(on["lesion"]),
        _all_there(LESION_AND_MARK),
        ("lesion",),
    ),
    "mark": Scenario(
        "a burned-in mark decides; a lesion lies about",
        LESION_AND_MARK,
        lambda on: float(on["mark"]),
        _all_there(LESION_AND_MARK),
        ("mark",),
    ),
    "two parts": Scenario(
        "lesion and ring decide together; one alone does not",
        LESION_RING_MARK,
        lambda on: float(on["lesion"] and on["ring"]),
        _all_there(LESION_RING_MARK),
        ("lesion", "ring"),
    ),
    "texture": Scenario(
        "the texture of a disc decides, not the shape of another patch",
        TEXTURE_AND_SHAPE,
        lambda on: float(on["texture"]),
        {"texture": True},
        ("texture",),
    ),
    "shape": Scenario(
        "the shape of a patch decides, not the texture of a disc",
        TEXTURE_AND_SHAPE,
        lambda on: float(on["shape"]),
        {"shape": True},
        ("shape",),
    ),
    "fine": Scenario(
        "the direction of two bright pixels decides; a lesion lies about",
        {"pair": pair, "lesion": blob},
        lambda on: float(on["pair"]),
        {"pair": True, "lesion": True},
        ("pair",),
    ),
    "against": Scenario(
        "a lesion speaks for the class, a ring against it",
        LESION_RING_MARK,
        lambda on: (1 + on["lesion"] - on["ring"]) / 2,
        _all_there(LESION_RING_MARK),
        ("lesion", "ring"),
        ("ring",),
    ),
}
