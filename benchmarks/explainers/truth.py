"""What a network's score truly depends on, by exact exchange; and how maps compare with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scenes import CELL, SIZE, Array, Scenario, Scene, backgrounds

from saliency.evaluation import auprc, pointing_game

Score = Callable[[Array], Array]
"""Pictures (N, SIZE, SIZE, 1) -> scores (N,)."""

COUNT, TRIES, DONORS = 10, 80, 4
CLEAR = 0.25
"""What matters at least this share of what matters most is evidence."""


@dataclass(frozen=True)
class Case:
    """A picture, and where its evidence lies.

    Parameters
    ----------
    pixels
        float32 (SIZE, SIZE, 1).
    evidence
        bool (SIZE, SIZE): what speaks for the target.
    against
        bool (SIZE, SIZE): what speaks against it; nothing in most scenarios.
    parts
        bool (SIZE, SIZE) of each part that speaks for the target.
    """

    pixels: Array
    evidence: Array
    against: Array
    parts: tuple[Array, ...]


def cases(scenario: Scenario, score: Score) -> list[Case]:
    """Return pictures in which the network uses what was planted, and nothing else.

    Those are left out where a planted part matters less than ``CLEAR`` of what matters most, or
    where anything else (another part, a square of tissue) matters more: of them the truth is not
    known by construction.
    """
    generator = np.random.default_rng(3)
    found: list[Case] = []
    for _ in range(TRIES):
        scene = scenario.asked_scene(generator)
        case = _case(scenario, scene, importance(scene, score, generator))
        found += [] if case is None else [case]
        if len(found) == COUNT:
            break
    return found


def regions(scene: Scene) -> dict[str, Array]:
    """Return bool (SIZE, SIZE) of each part, and of each square of tissue between them."""
    parts = {part.name: scene.region(part.name) for part in scene.parts}
    free = ~np.any(list(parts.values()), axis=0)
    squares = _squares(free)
    return {**parts, **{f"tissue {i}": square for i, square in enumerate(squares)}}


def importance(
    scene: Scene, score: Score, generator: np.random.Generator
) -> Mapping[str, float]:
    """Return what each of the regions is worth: the score lost without it, by exact exchange."""
    names = [part.name for part in scene.parts]
    whole = scene.drawn()
    elsewhere = generator.integers(len(backgrounds()), size=DONORS)
    others = [scene.drawn(int(tissue)) for tissue in elsewhere]
    squares = [each for name, each in regions(scene).items() if name not in names]
    changed = [scene.switched(name).drawn() for name in names]
    changed += [
        np.where(square, other, whole) for square in squares for other in others
    ]
    scores = score(np.stack([whole, *changed])[..., np.newaxis])
    lost = scores[0] - scores[1:]
    tissue = lost[len(names) :].reshape(len(squares), DONORS).mean(axis=1)
    return {
        **dict(zip(names, lost.tolist(), strict=False)),
        **{f"tissue {place}": float(each) for place, each in enumerate(tissue)},
    }


def _case(scenario: Scenario, scene: Scene, worth: Mapping[str, float]) -> Case | None:
    most = max(map(abs, worth.values()))
    told = {name for name, each in worth.items() if abs(each) >= CLEAR * most}
    speaks = {name for name in scenario.evidence if worth[name] > 0}
    opposes = set(scenario.evidence) - speaks
    if told != set(scenario.evidence) or opposes != set(scenario.opposing):
        return None
    parts = tuple(scene.region(name) for name in sorted(speaks))
    nothing = np.zeros((SIZE, SIZE), bool)
    against = [scene.region(name) for name in sorted(opposes)]
    return Case(
        scene.drawn()[..., np.newaxis],
        np.any(parts, axis=0),
        np.any([nothing, *against], axis=0),
        parts,
    )


def _squares(free: Array) -> list[Array]:
    rows, columns = np.indices(free.shape)
    number = rows // CELL * (SIZE // CELL) + columns // CELL
    return [free & (number == each) for each in range(number.max() + 1)]


def told(heat: Array, case: Case) -> dict[str, float]:
    """Return how well a map tells the truth about a picture.

    ``auprc``: area under precision against recall. ``hit``: the hottest pixel lies in the
    evidence. ``weaker``: mean heat of the weaker of two parts, over that of the stronger.
    ``sign``: there is heat below zero on what speaks against the class, as a sum.
    """
    found = {
        "auprc": auprc(heat, case.evidence),
        "hit": pointing_game(heat, case.evidence),
    }
    if len(case.parts) > 1:
        means = sorted(max(0.0, float(heat[part].mean())) for part in case.parts)
        found["weaker"] = means[0] / means[-1] if means[-1] > 0 else 0.0
    if case.against.any():
        found["sign"] = float(heat[case.against].sum() < 0)
    return found
