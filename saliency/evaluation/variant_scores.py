"""What the model says of changed images, a bounded number at a time."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import tensorflow as tf

from saliency.errors import InputError, NotFiniteError
from saliency.explainers.queries import score_copies, settled
from saliency.kernels.batches import chunks
from saliency.probe.protocol import Probe, Tensor
from saliency.values.arrays import Array

Change = TypeVar("Change")


def variant_scores(
    probe: Probe,
    batch: Tensor,
    changes: Sequence[Change],
    changed: Callable[[Change], Tensor],
) -> Array:
    """Return the score of each image after each change, float32 (N, changes).

    Parameters
    ----------
    probe
        A target that is the predicted class is that of the unchanged image.
    batch
        float32 (N, H, W, C).
    changes
        What is done to the batch, one after the other.
    changed
        From one of them to the whole batch so changed.

    Raises
    ------
    InputError
        The probe cannot be asked for scores.
    NotFiniteError
        A score is NaN or infinite.
    """
    if not callable(getattr(probe, "score", None)):
        msg = (
            "probe: expected a model that is bound to a target, as KerasProbe(model).at(1), got "
            f"{type(probe).__name__}."
        )
        raise InputError(msg)
    fixed = settled(probe, batch)
    columns = []
    for some in chunks(changes, score_copies(probe, batch)):
        variants = tf.concat([changed(each) for each in some], axis=0)
        answers = np.asarray(fixed.score(variants))
        columns.append(answers.reshape(len(some), -1).T)
    scores: Array = np.concatenate(columns, axis=1)
    if not np.isfinite(scores).all():
        msg = (
            "The model's score of a changed image is NaN or infinite: expected finite numbers. "
            "Check the inputs, the fill or the donors, and the model's weights."
        )
        raise NotFiniteError(msg)
    return scores
