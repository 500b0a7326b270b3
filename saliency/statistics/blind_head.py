"""A linear head that is blind to some directions of its features, chosen by cross-fitting."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, Self, final

import numpy as np

from saliency.values.arrays import Array

FOLDS: Final = 4
DIRECTIONS: Final = (0, 1, 2, 4)
"""Directions of the exchange that are taken out of the features."""
PULLS: Final = (0.01, 0.1, 100.0)
"""Weight of the squared distance from the old head; 100 leaves its kernel as it is."""
SAFE: Final = 0.05
"""Effect on images held out below which a head counts as blind: half of what is tolerated."""


@final
@dataclass(frozen=True, eq=False)
class Head:
    """A dense layer.

    Parameters
    ----------
    kernel
        float (features, classes).
    bias
        float (classes,).
    """

    kernel: Array
    bias: Array

    def logits(self, rows: Array) -> Array:
        """Return float (..., classes) of features (..., d)."""
        return np.asarray(rows @ self.kernel + self.bias)


@final
@dataclass(frozen=True, eq=False)
class ExchangedFeatures:
    """Features of images as they are, and with content of other images.

    Parameters
    ----------
    rows
        float (1 + 2 * exchanges, n, d): as they are; then for each exchange with content that
        speaks for the image's own class, and with content that speaks for another.
    labels
        int (n,).
    units
        int (n,): the patient of each; no patient is in two folds.
    rounds
        Exchanges in a row that are of one question: their effects are averaged.
    """

    rows: Array
    labels: Array
    units: Array
    rounds: int = 1

    def part(self, kept: Array) -> Self:
        """Return the same of some of the images, bool (n,)."""
        return replace(
            self,
            rows=self.rows[:, kept],
            labels=self.labels[kept],
            units=self.units[kept],
        )

    def answers(self, logits: Array) -> "Answers":
        """Return what these logits (copies, n, classes) of them come to."""
        return Answers(logits, self.labels, self.rounds)

    def folds(self) -> Iterator[Array]:
        """Yield which images are held out, bool (n,): each once, by patient, classes in turn."""
        order = np.lexsort((self.units, self.labels))
        _, first = np.unique(self.units[order], return_index=True)
        ranked = self.units[order][np.sort(first)]
        for fold in range(FOLDS):
            yield np.isin(self.units, ranked[fold::FOLDS])


@final
@dataclass(frozen=True, eq=False)
class Answers:
    """Logits of the same images as :class:`ExchangedFeatures`, and what they come to.

    Parameters
    ----------
    logits
        float (1 + 2 * exchanges, n, classes).
    labels
        int (n,).
    rounds
        As there.
    """

    logits: Array
    labels: Array
    rounds: int = 1

    @property
    def accuracy(self) -> float:
        """Share of right decisions on images as they are."""
        return float((self.logits[0].argmax(axis=-1) == self.labels).mean())

    @property
    def unlinked(self) -> float:
        """Share of right decisions where content speaks for each class alike often."""
        return float((self.logits[1:].argmax(axis=-1) == self.labels).mean())

    @property
    def unlinked_recall(self) -> float:
        """The same as a mean over classes: guessing gives one over their number."""
        right = self.logits[1:].argmax(axis=-1) == self.labels
        classes = np.unique(self.labels)
        return float(
            np.mean([right[:, self.labels == kind].mean() for kind in classes])
        )

    @property
    def effects(self) -> Array:
        """Move of the lead over the swing of images as they are, (questions,)."""
        return np.asarray(np.abs(self._moves().mean(axis=1)))

    @property
    def error(self) -> float:
        """Standard error of the least sure of the effects."""
        moves = self._moves()
        return float(moves.std(axis=1).max() / np.sqrt(moves.shape[1]))

    def _moves(self) -> Array:
        """Return the moves of each image's lead, (questions, n), in shares of the swing."""
        leads = self._leads()
        moves = (leads[1::2] - leads[2::2]).reshape(-1, self.rounds, leads.shape[1])
        return np.asarray(moves.mean(axis=1) / max(2 * np.abs(leads[0]).mean(), 1e-9))

    def _leads(self) -> Array:
        """Return how far the true class is ahead of the best other, (copies, n)."""
        true = np.eye(self.logits.shape[-1], dtype=bool)[self.labels]
        others = np.where(true, -np.inf, self.logits).max(axis=-1)
        return np.asarray((self.logits * true).sum(axis=-1) - others)


@final
@dataclass(frozen=True, eq=False)
class Choice:
    """A head fitted to all images, and what heads chosen alike do on images held out."""

    head: Head
    held_out: Answers


def blind_head(features: ExchangedFeatures, old: Head) -> Choice:
    """Choose how blind and how near to the old head a new one is, and fit it.

    Each image is answered by heads that were fitted without it, and the choice that it is measured
    by was made on images of other folds.
    """
    ways = list(product(DIRECTIONS, PULLS))
    folds = list(features.folds())
    shape = (len(ways), *features.rows.shape[:2], old.kernel.shape[1])
    logits = np.zeros(shape)
    for held in folds:
        seen = features.part(~held)
        for number, (directions, pull) in enumerate(ways):
            head = fitted_head(seen, old, directions, pull)
            logits[number][:, held] = head.logits(features.rows[:, held])
    chosen = np.zeros(shape[1:])
    for held in folds:
        others = features.part(~held)
        best = _best([others.answers(part[:, ~held]) for part in logits])
        chosen[:, held] = logits[best][:, held]
    directions, pull = ways[_best([features.answers(part) for part in logits])]
    head = fitted_head(features, old, directions, pull)
    return Choice(head, features.answers(chosen))


def _best(candidates: Sequence[Answers]) -> int:
    """Return the most often right of the blind ways; without one, that with the least effect.

    What the images cannot tell from no effect counts as blind.
    """

    def rank(number: int) -> tuple[bool, float, float]:
        answers = candidates[number]
        effect = float(answers.effects.max())
        blind = effect <= max(SAFE, answers.error)
        return blind, answers.unlinked if blind else 0.0, -effect

    return max(range(len(candidates)), key=rank)


def fitted_head(
    features: ExchangedFeatures, old: Head, directions: int, pull: float
) -> Head:
    """Fit a head to all copies, without so many directions in which the exchange moves them."""
    rows, width = features.rows, features.rows.shape[-1]
    centre, spread = rows[0].mean(axis=0), rows[0].std(axis=0)
    # What never varies cannot be weighed: a unit that is always 0 is not divided by nearly 0.
    spread = np.where(spread > 1e-6 * spread.max(), spread, 1.0)
    axes = _mean_moves(features, spread, directions)
    blind = ((rows - centre) / spread).reshape(-1, width)
    blind = blind - blind @ axes.T @ axes
    start = Head(spread[:, np.newaxis] * old.kernel, old.bias + centre @ old.kernel)
    head = nearest_head(blind, np.tile(features.labels, len(rows)), start, pull)
    # The projection and the scale become part of the layer.
    kernel = (head.kernel - axes.T @ (axes @ head.kernel)) / spread[:, np.newaxis]
    return Head(kernel, head.bias - centre @ kernel)


def _mean_moves(features: ExchangedFeatures, spread: Array, directions: int) -> Array:
    """Return unit vectors (directions, d) of what exchanges do on the mean of a class's images.

    A head across the mean moves has no effect, and what tissue and lesions travel with the content
    does not count, since it scatters about the mean.
    """
    moves = (features.rows[1::2] - features.rows[2::2]) / spread
    classes = np.unique(features.labels)
    means = [moves[:, features.labels == label].mean(axis=1) for label in classes]
    _, _, axes = np.linalg.svd(np.concatenate(means), full_matrices=False)
    return np.asarray(axes[:directions])


def nearest_head(rows: Array, labels: Array, old: Head, pull: float) -> Head:
    """Return the head that minimises mean cross-entropy + pull * |kernel - old kernel| ** 2.

    The bias is free. rows float (n, d); labels int (n,).
    """
    # An import of half a second.
    from scipy.optimize import minimize  # noqa: PLC0415
    from scipy.special import logsumexp, softmax  # noqa: PLC0415

    shape = old.kernel.shape
    base, true = old.logits(rows), np.eye(shape[1])[labels]

    def loss(step: Array) -> tuple[float, Array]:
        kernel, bias = step[shape[1] :].reshape(shape), step[: shape[1]]
        logits = base + rows @ kernel + bias
        entropy = (logsumexp(logits, axis=1) - (logits * true).sum(axis=1)).mean()
        error = (softmax(logits, axis=1) - true) / len(rows)
        slope = rows.T @ error + 2 * pull * kernel
        value = float(entropy + pull * (kernel**2).sum())
        return value, np.concatenate([error.sum(axis=0), slope.ravel()])

    start = np.zeros(shape[1] + old.kernel.size)
    step = minimize(loss, start, jac=True, method="L-BFGS-B", tol=1e-7).x
    return Head(
        old.kernel + step[shape[1] :].reshape(shape), old.bias + step[: shape[1]]
    )
