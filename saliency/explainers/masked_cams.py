"""Class activation maps without gradients: channels or places are tried one by one."""

import math
from dataclasses import dataclass
from typing import final

import tensorflow as tf

from saliency.explainers.queries import (
    check_positive,
    head_probe,
    masking,
    on_inputs,
    score_copies,
    settled,
    tensor,
)
from saliency.kernels.activity import unit_range
from saliency.kernels.baselines import Reference, check_reference, reference
from saliency.kernels.cam import weighted
from saliency.kernels.channels import ablations, bells, busiest, increases, places
from saliency.kernels.resize import size_of
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class ScoreCAM:
    """Channels weighted with the score of the image seen through them.

    Returns float32 (N, H, W), >= 0: relu of the sum of channels times the softmax, over channels,
    of what the mask of each adds to the score of the filled image. Wang et al., arXiv 1910.01279,
    algorithm 1.

    Parameters
    ----------
    channels
        How many to try: those of the greatest variance in each image; None: all of them.
    fill
        What replaces the image where the mask is 0, see
        :func:`saliency.kernels.baselines.reference`.
    """

    channels: int | None = None
    fill: Reference = "black"

    def __post_init__(self) -> None:
        check_positive(
            "ScoreCAM", channels=1 if self.channels is None else self.channels
        )
        check_reference(self.fill)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        last = probe.activations(inputs)[-1]
        last = last if self.channels is None else busiest(last, self.channels)
        filled = reference(inputs, self.fill)
        masks = masking(probe, last, inputs)
        gains = increases(probe.score, inputs, filled, masks, many)
        weights = tf.nn.softmax(gains, axis=-1)
        return on_inputs(probe, tf.nn.relu(weighted(last, weights)), inputs)


@final
@dataclass(frozen=True)
class AblationCAM:
    """Channels weighted with the drop of the score without them.

    Returns float32 (N, H, W), >= 0: relu of the sum of channels times their drop, as a share of
    |score|. The rest of the network runs once for each channel. Desai and Ramaswamy, WACV 2020,
    eq. 3 and 5 (which divide by the score, so that a score below 0 turns the map over; the absolute
    value does not).

    Raises
    ------
    ExplainerError
        On the call: the probe cannot go on from an activation.
    """

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        head, many = head_probe(settled(probe, inputs)), score_copies(probe, inputs)
        last = head.activations(inputs)[-1]
        whole = tf.abs(head.head(last))[:, tf.newaxis]
        weights = tf.math.divide_no_nan(ablations(head.head, last, many), whole)
        return on_inputs(probe, tf.nn.relu(weighted(last, weights)), inputs)


@final
@dataclass(frozen=True)
class ReciproCAM:
    """The score of the last layer with one place left at a time.

    Returns float32 (N, H, W) in [0, 1]: stretched to its range, since a score of one place has no
    unit. The rest of the network runs once for each place. Byun and Lee, arXiv 2209.14074.

    Parameters
    ----------
    soft
        Keep a 3 x 3 bell around the place; False: the place alone.

    Raises
    ------
    ExplainerError
        On the call: the probe cannot go on from an activation.
    """

    soft: bool = True

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        head, many = head_probe(settled(probe, inputs)), score_copies(probe, inputs)
        last = head.activations(inputs)[-1]
        size = size_of(last)
        # (h w, h, w): place i alone, or with a bell around it.
        alone = tf.reshape(tf.eye(math.prod(size)), [-1, *size])
        reach = bells(size) if self.soft else alone
        scores = places(head.head, last, reach, many)
        return on_inputs(probe, unit_range(scores), inputs)
