"""How the relevance of a linear step's output is shared among its inputs.

Each rule takes a linear step as ``apply(x, kernel)``, its kernel and bias, and returns a surrogate:
a tensor of zeros, shaped like the step's output, whose derivative carries relevance instead of a
slope. Where r is what comes back to the surrogate, the derivative by input i is the relevance R_i.

Every rule is R_i = sum_j x'_i k'_ij / (sum_i x'_i k'_ij + b'_j) r_j, with x', k', b' of its own
(Bach et al., PLoS ONE 10 (2015) e0130140; names as in Montavon et al., LNCS 11700 (2019) 193).
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import tensorflow as tf

from saliency.probe.protocol import Tensor

Apply: TypeAlias = Callable[[Tensor, Tensor], Tensor]


def stabilised(values: Tensor, epsilon: float) -> Tensor:
    """Move values away from 0 by ``epsilon``; 0 itself upwards."""
    return values + tf.where(values >= 0, epsilon, -epsilon)


def seed(x: Tensor, weight: Tensor) -> Tensor:
    """Return zeros whose derivative by ``x`` is ``weight``."""
    return tf.stop_gradient(weight) * (x - tf.stop_gradient(x))


def epsilon_share(
    apply: Apply, x: Tensor, kernel: Tensor, bias: Tensor, epsilon: float
) -> Tensor:
    """Share in proportion to x_i k_ij (Bach et al., eq. 58).

    R_i = sum_j x_i k_ij / (z_j + epsilon sign z_j) r_j, with z the step's own output.
    """
    total = apply(x, kernel) + bias
    return apply(seed(x, x), kernel) / _held(total, epsilon)


def plus_share(
    apply: Apply,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor,
    epsilon: float,
    *,
    nonnegative: bool = False,
) -> Tensor:
    """Share among what raised the output alone: the z+ rule, for inputs of any sign.

    R_i = sum_j (x_i k_ij)+ / (sum_i (x_i k_ij)+ + b_j+) r_j (Montavon et al., Pattern Recognition
    65 (2017) 211, eq. 15).
    """
    parts = _signs(x, nonnegative=nonnegative)
    return _signed(apply, x, parts, kernel, tf.nn.relu(bias), epsilon, sign=1)


def alpha_beta_share(
    apply: Apply,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor,
    epsilon: float,
    *,
    nonnegative: bool = False,
) -> Tensor:
    """Count what raised the output twice, less what lowered it: alpha 2, beta 1.

    R_i = sum_j (2 (x_i k_ij)+ / z_j+ - (x_i k_ij)- / z_j-) r_j (Bach et al., eq. 60).
    """
    parts = _signs(x, nonnegative=nonnegative)
    raised = _signed(apply, x, parts, kernel, tf.nn.relu(bias), epsilon, sign=1)
    lowered = _signed(apply, x, parts, kernel, -tf.nn.relu(-bias), epsilon, sign=-1)
    return 2.0 * raised - lowered


def gamma_share(  # noqa: PLR0913 - the numbers of a rule
    apply: Apply,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor,
    epsilon: float,
    gamma: float,
    *,
    nonnegative: bool = False,
) -> Tensor:
    """Favour what pulled the output towards its own sign, by a factor 1 + gamma.

    Where z_j > 0: R_i = sum_j (x_i k_ij + gamma (x_i k_ij)+) / (their sum, and the bias's) r_j
    (Montavon et al. 2019, section 10.2.1); where z_j < 0 with (.)-.
    """
    parts = _signs(x, nonnegative=nonnegative)
    favoured = [kernel + gamma * _of_sign(kernel, sign) for sign in (1, -1)]
    total = apply(x, kernel) + bias
    shares = 0.0
    for sign in (1, -1):
        kernels = favoured[::sign]
        whole = _summed(apply, parts, kernels) + bias + gamma * _of_sign(bias, sign)
        seeds = [seed(x, part) for part in parts]
        share = _summed(apply, seeds, kernels) / _held(whole, epsilon)
        shares += tf.where(
            tf.stop_gradient(sign * total) > 0, share, tf.zeros_like(share)
        )
    return shares


def flat_share(
    apply: Apply, x: Tensor, kernel: Tensor, bias: Tensor, epsilon: float
) -> Tensor:
    """Share evenly among all inputs that an output sees (Lapuschkin et al., arXiv 1902.10178)."""
    del bias
    even, ones = tf.ones_like(x), tf.ones_like(kernel)
    return apply(seed(x, even), ones) / _held(apply(even, ones), epsilon)


def box_share(
    apply: Apply, x: Tensor, kernel: Tensor, bias: Tensor, epsilon: float
) -> Tensor:
    """Share in proportion to how far each input lies from the end of its range that pulls down.

    R_i = sum_j (x_i k_ij - l_i k_ij+ - h_i k_ij-) / (their sum) r_j, each part >= 0 (Montavon et
    al., Pattern Recognition 65 (2017) 211, eq. 16: the z^B rule). ``x`` holds N pictures, then
    the ends of their ranges in any order: (3 N, ...). The ends get nothing.
    """
    del bias
    here, *ends = tf.split(x, 3)
    low, high = tf.minimum(*ends), tf.maximum(*ends)
    raised, lowered = tf.nn.relu(kernel), -tf.nn.relu(-kernel)
    whole = apply(here, kernel) - apply(low, raised) - apply(high, lowered)
    parts = apply(seed(here, here), kernel)
    parts -= apply(seed(here, low), raised) + apply(seed(here, high), lowered)
    share = parts / _held(whole, epsilon)
    return tf.concat([share, tf.zeros_like(share), tf.zeros_like(share)], axis=0)


def _signed(  # noqa: PLR0913 - the numbers of a rule
    apply: Apply,
    x: Tensor,
    parts: Sequence[Tensor],
    kernel: Tensor,
    bias: Tensor,
    epsilon: float,
    *,
    sign: int,
) -> Tensor:
    """Share among products x_i k_ij of one sign; ``bias`` is that part of the bias."""
    kernels = [_of_sign(kernel, each) for each in (sign, -sign)[: len(parts)]]
    whole = _summed(apply, parts, kernels) + bias
    seeds = [seed(x, part) for part in parts]
    return _summed(apply, seeds, kernels) / _held(whole, epsilon)


def _signs(x: Tensor, *, nonnegative: bool) -> tuple[Tensor, ...]:
    """Return x above 0 and x below 0; x alone where nothing is below."""
    return (x,) if nonnegative else (_of_sign(x, 1), _of_sign(x, -1))


def _of_sign(values: Tensor, sign: int) -> Tensor:
    """Return values of one sign, and 0 for the others."""
    return tf.nn.relu(values) if sign > 0 else -tf.nn.relu(-values)


def _summed(apply: Apply, parts: Sequence[Tensor], kernels: Sequence[Tensor]) -> Tensor:
    """Return the step of each part with its own kernel, added up."""
    first, *others = (
        apply(part, kernel) for part, kernel in zip(parts, kernels, strict=False)
    )
    return sum(others, first)


def _held(values: Tensor, epsilon: float) -> Tensor:
    return tf.stop_gradient(stabilised(values, epsilon))
