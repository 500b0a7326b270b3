"""What an evaluation says of the explainer behind a map."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, final


@final
@dataclass(frozen=True)
class Trust:
    """How well an explainer did on images of the same model.

    Parameters
    ----------
    metric
        Name of the metric that ranks.
    greater
        Whether greater is better.
    value, interval
        The explainer's mean over patients and its 95 % interval; None where no image had a value,
        and no interval where one patient had.
    baseline
        The same mean of maps that know nothing, by name; None where there is none.
    images, patients
        How many were asked about.
    rank, explainers
        Place of the explainer among all that were measured, 1 the best mean.
    best
        Which one is named best; None: that cannot be told.
    """

    metric: str
    greater: bool
    value: float | None
    interval: tuple[float, float] | None
    baseline: Mapping[str, float | None] = field(default_factory=dict)
    images: int = 0
    patients: int = 0
    rank: int = 1
    explainers: int = 1
    best: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "baseline", MappingProxyType(dict(self.baseline)))

    def __reduce__(self) -> tuple[object, ...]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["baseline"] = dict(self.baseline)  # its view cannot be pickled
        return Trust, tuple(values.values())

    @property
    def words(self) -> str:
        """One sentence: the number, its interval and baselines, the rank, and who is named."""
        over = f"{self.images} images"
        if self.patients != self.images:
            over += f" of {self.patients} patients"
        if self.value is None:
            return f"measured on {over} of this model: {self.metric} has no value there"
        ends = "of one patient, so without an interval"
        if self.interval is not None:
            low, high = self.interval
            ends = f"{low:.3g} to {high:.3g}"
        beside = ", ".join(
            f"{name} {'none' if value is None else f'{value:.3g}'}"
            for name, value in self.baseline.items()
        )
        better = "greater" if self.greater else "less"
        named = (
            "which is best cannot be told"
            if self.best is None
            else f"{self.best} is named best"
        )
        return (
            f"measured on {over} of this model: {self.metric} {self.value:.3g} ({ends}; "
            f"{better} is better; {beside}), place {self.rank} of "
            f"{self.explainers}; {named}"
        )


@final
@dataclass(frozen=True)
class TrustByRecipe:
    """What an evaluation says of every explainer that it measured on a model.

    Parameters
    ----------
    sha256
        Of the model's architecture and weights; "" where it was no Keras model.
    layers
        Names of the layers that were tapped.
    prepare
        How images became the model's input.
    recipes
        By ``repr`` of the explainer.
    left_out
        Why an explainer was not measured, by its ``repr``.
    """

    sha256: str
    layers: tuple[str, ...]
    prepare: Any
    recipes: Mapping[str, Trust]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "recipes", MappingProxyType(dict(self.recipes)))
        object.__setattr__(self, "left_out", MappingProxyType(dict(self.left_out)))

    def __reduce__(self) -> tuple[object, ...]:
        maps = (dict(self.recipes), dict(self.left_out))
        return TrustByRecipe, (self.sha256, self.layers, self.prepare, *maps)
