"""Maps of noisy copies of an image: mean, mean square and variance."""

from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.explainers.gradients import Gradient
from saliency.explainers.protocol import Explainer
from saliency.explainers.queries import check_positive, copies, settled, tensor
from saliency.kernels.batches import chunks, each
from saliency.kernels.noise import normal, spread_of
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class SmoothGrad:
    """The mean map of noisy copies.

    Returns what ``inner`` returns. Smilkov et al., arXiv 1706.03825, eq. 2.

    Parameters
    ----------
    inner
        Any explainer.
    samples
        Copies, at least 1.
    spread
        Standard deviation of the noise as a share of each image's max - min.
    seed
        Of the noise. Every image of a batch gets the same.

    Raises
    ------
    InputError
        ``samples`` or ``spread`` is not above 0.
    """

    inner: Explainer = Gradient()
    samples: int = 25
    spread: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("SmoothGrad", samples=self.samples, spread=self.spread)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        return _moments(self, probe, tensor(inputs)).mean


@final
@dataclass(frozen=True)
class SmoothGradSquared:
    """The mean of the squared maps of noisy copies.

    Fields as :class:`SmoothGrad`. Returns what ``inner`` returns, >= 0: the sign is lost. Hooker
    et al., arXiv 1806.10758, section 3.
    """

    inner: Explainer = Gradient()
    samples: int = 25
    spread: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("SmoothGradSquared", samples=self.samples, spread=self.spread)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        moments = _moments(self, probe, tensor(inputs))
        # E[x^2] = E[x]^2 + Var x.
        return tf.square(moments.mean) + moments.variance


@final
@dataclass(frozen=True)
class VarGrad:
    """The variance of the maps of noisy copies: where the explanation depends on the noise.

    Fields as :class:`SmoothGrad`. Returns what ``inner`` returns, >= 0; 0 for a linear model.
    Adebayo et al., arXiv 1810.03307, section 2.
    """

    inner: Explainer = Gradient()
    samples: int = 25
    spread: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("VarGrad", samples=self.samples, spread=self.spread)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        return _moments(self, probe, tensor(inputs)).variance


@dataclass(frozen=True)
class _Moments:
    mean: Tensor
    variance: Tensor


def _moments(
    recipe: SmoothGrad | SmoothGradSquared | VarGrad, probe: Probe, inputs: Tensor
) -> _Moments:
    """Welford's running mean and variance of the maps: no more than one chunk is in memory."""
    probe = settled(probe, inputs)
    width = recipe.spread * spread_of(inputs)
    count, mean, squares = 0, tf.constant(0.0), tf.constant(0.0)
    for draws in chunks(range(recipe.samples), copies(probe, inputs)):
        noisy = inputs + width * normal(draws, inputs, recipe.seed)
        maps = each(lambda pictures: recipe.inner(probe, pictures), noisy)
        for noisy_map in tf.unstack(maps):
            count += 1
            change = noisy_map - mean
            mean += change / count
            squares += change * (noisy_map - mean)
    return _Moments(mean, squares / count)
