"""Every explainer on every network of the bench; what was measured once is kept in a folder."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from candidates import CANDIDATES
from networks import GOOD, NETWORKS, tested, trained
from scenes import SCENARIOS
from truth import COUNT, cases, told

import saliency as sal
from saliency.evaluation.baselines import controls
from saliency.evaluation.measuring import Batch, maps
from saliency.explainers.catalogue import resolve
from saliency.explainers.registry import DEMANDING, ENTRIES
from saliency.values.files import write_whole

CONTROLS = ("random", "centre", "edges")
FEW = (
    *("fastcam", "gradcam", "hirescam", "layercam", "gradient", "gradient_x_input"),
    *("smoothgrad", "integrated_gradients", "lrp", "guided_backprop", "occlusion"),
)
"""Those that people use most, of every kind."""
OURS = tuple(name for name in (*ENTRIES, *DEMANDING) if name not in CONTROLS)
BENCH: Mapping[str, Sequence[str]] = {
    "plain": tuple(SCENARIOS),
    "residual": ("lesion", "mark", "two parts", "texture", "against"),
    "mobile": ("lesion", "mark", "two parts", "texture", "fine", "against"),
    "transformer": ("lesion", "mark", "texture"),
    "unet": ("lesion", "mark", "shape"),
}
"""Which scenarios each kind of network learns."""


@dataclass(frozen=True)
class Row:
    """One explainer on one network.

    ``figures`` are means over the pictures of what ``truth.told`` says; empty where the explainer
    refuses the network, and ``refusal`` says why.
    """

    scenario: str
    network: str
    explainer: str
    figures: Mapping[str, float]
    seconds: float
    refusal: str = ""


@dataclass(frozen=True)
class Asked:
    """A network, ready to be asked about its cases."""

    probe: object
    cases: list
    inputs: object


Also = Callable[[str, Asked, Path], object]
"""(scenario, network, file): asked of each network while it is there."""


def recipe_of(name: str) -> Callable:
    """Return the recipe of an explainer, a control or a candidate."""
    known = {**controls(0), **CANDIDATES}
    return known[name] if name in known else resolve(name)


def asked_of(scenario: str, network: str, folder: Path) -> Asked | None:
    """Return a network with its cases; None where the evidence is not as planted."""
    place = folder / f"{scenario}_{network}.keras".replace(" ", "_")
    model = trained(network, SCENARIOS[scenario], place)
    if tested(SCENARIOS[scenario], model) < GOOD:
        return None
    probe = sal.KerasProbe(model).at(NETWORKS[network].target)
    found = cases(SCENARIOS[scenario], lambda some: np.asarray(probe.score(some)))
    if len(found) < COUNT:
        return None
    return Asked(probe, found, tf.constant(np.stack([case.pixels for case in found])))


def row_of(scenario: str, network: str, name: str, asked: Asked) -> Row:
    """Ask one explainer about one network."""
    began = time.perf_counter()
    try:
        heats = maps(Batch((), asked.probe, asked.inputs), recipe_of(name))
    except sal.SaliencyError as error:
        return Row(scenario, network, name, {}, 0.0, str(error))
    took = time.perf_counter() - began
    each = [told(*pair) for pair in zip(heats, asked.cases, strict=True)]
    figures = {key: float(np.mean([one[key] for one in each])) for key in each[0]}
    return Row(scenario, network, name, figures, took)


def rows(
    folder: Path,
    names: tuple[str, ...],
    *,
    networks: tuple[str, ...] = tuple(BENCH),
    also: Also | None = None,
) -> list[Row]:
    """Return all rows; those that lie in ``folder`` are not measured again."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Row] = []
    for network in networks:
        for scenario in BENCH[network]:
            place = folder / f"{scenario}_{network}.json".replace(" ", "_")
            kept = _kept(place)
            missing = [name for name in names if name not in kept]
            way = place.with_suffix(".npz")
            ready = not missing and (also is None or way.is_file())
            asked = None if ready else asked_of(scenario, network, folder)
            for name in missing if asked else ():
                kept[name] = row_of(scenario, network, name, asked)
                told_rows = [asdict(each) for each in kept.values()]
                write_whole(place, json.dumps(told_rows, indent=1).encode())
            if asked and also:
                also(scenario, asked, way)
            print(f"{scenario}, {network}: {len(kept)} explainers", flush=True)
            found += kept.values()
            tf.keras.backend.clear_session()
    return found


def kept_rows(folder: Path) -> list[Row]:
    """Return the rows that lie in a folder."""
    return [
        row for place in sorted(folder.glob("*.json")) for row in _kept(place).values()
    ]


def _kept(place: Path) -> dict[str, Row]:
    if not place.is_file():
        return {}
    told_rows = json.loads(place.read_text(encoding="utf-8"))
    return {each["explainer"]: Row(**each) for each in told_rows}
