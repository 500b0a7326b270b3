"""Explainers of transformers: which patches the class token, or the mean of tokens, attends to."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import tensorflow as tf

from saliency.errors import ExplainerError, InputError
from saliency.explainers.propagation.attention import Attention
from saliency.explainers.queries import placed, studied, tensor
from saliency.kernels.attention import rollout, weighted_rollout
from saliency.kernels.resize import bilinear, size_of
from saliency.probe.protocol import Probe, Tensor

Token: TypeAlias = Literal["auto", "first", "mean"]
Grid: TypeAlias = tuple[int, int] | None


@final
@dataclass(frozen=True)
class AttentionRollout:
    """The share of each patch in the token that the head reads, independent of the class.

    Returns float32 (N, H, W), >= 0: the product of all layers' attention, resized from the grid of
    patches. Abnar and Zuidema, arXiv 2005.00928, section 3.

    Parameters
    ----------
    token
        What the head reads: ``"first"``, a class token; ``"mean"``, the mean of all tokens;
        ``"auto"``: the first where there are more tokens than patches, else the mean.
    grid
        (rows, columns) of patches; None: what fits the number of tokens and the image's shape.

    Raises
    ------
    InputError
        The token is unknown, or the grid is not two numbers above 0.
    ExplainerError
        On the call: the probe is no Keras model, or tokens and patches do not fit.
    ModelError
        On the call: the model has no attention layer, or one that cannot be reached or followed.
    """

    token: Token = "auto"  # noqa: S105
    grid: Grid = None

    def __post_init__(self) -> None:
        _check_token_and_grid("AttentionRollout", self.token, self.grid)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        attention, _ = studied("AttentionRollout", probe, Attention(), inputs)
        deciding = _on_picture(
            rollout(attention), size_of(inputs), self.token, self.grid
        )
        return placed(probe, deciding, inputs)


@final
@dataclass(frozen=True)
class GradientAttention:
    """The share of each patch in the token that the head reads, where it raises the score.

    Returns float32 (N, H, W), >= 0: attention times its positive derivative, followed through all
    layers, resized from the grid of patches. Chefer et al., arXiv 2103.15679, eq. 5 and 6.

    Parameters
    ----------
    token, grid
        As in :class:`AttentionRollout`.

    Raises
    ------
    InputError, ExplainerError, ModelError
        As :class:`AttentionRollout`.
    """

    token: Token = "auto"  # noqa: S105
    grid: Grid = None

    def __post_init__(self) -> None:
        _check_token_and_grid("GradientAttention", self.token, self.grid)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        attention, slopes = studied("GradientAttention", probe, Attention(), inputs)
        relevance = weighted_rollout(attention, slopes)
        deciding = _on_picture(relevance, size_of(inputs), self.token, self.grid)
        return placed(probe, deciding, inputs)


def patch_grid(tokens: int, size: tuple[int, ...]) -> tuple[int, int]:
    """Return the rows and columns of square patches that make so many tokens, or one less.

    Raises
    ------
    ExplainerError
        None does, or several do.
    """
    rows, columns = size
    grids = {(rows // side, columns // side) for side in range(1, min(size) + 1)}
    fitting = sorted(
        grid for grid in grids if grid[0] * grid[1] in (tokens, tokens - 1)
    )
    if len(fitting) == 1:
        return fitting[0]
    outcome = f"several do: {fitting}" if fitting else "none does"
    msg = (
        f"Square patches of a {rows} x {columns} picture should make {tokens} tokens, or one less "
        f"with a class token; {outcome}. Give grid=(rows, columns) of the patches."
    )
    raise ExplainerError(msg)


def _on_picture(
    matrix: Tensor, size: tuple[int, ...], token: Token, grid: Grid
) -> Tensor:
    """Return the row (N, T) of the token that decides in (N, T, T), on the picture's grid."""
    if len(size) != 2:
        msg = (
            f"attention: expected pictures (N, H, W, C), got volumes of {size}. Patches of volumes "
            "are not laid back yet: use GradCAM, IntegratedGradients or Occlusion."
        )
        raise ExplainerError(msg)
    tokens = matrix.shape[-1]
    rows, columns = grid or patch_grid(tokens, size)
    leading = tokens - rows * columns
    if leading < 0 or (token == "first" and not leading):  # noqa: S105
        msg = (
            f"attention: {tokens} tokens, expected at least {rows} x {columns} for the patches, "
            "and one more for a class token."
        )
        raise ExplainerError(msg)
    first = token == "first" or (token == "auto" and leading > 0)  # noqa: S105
    row = matrix[:, 0] if first else tf.reduce_mean(matrix, axis=1)
    # Class tokens come first; patches follow row by row.
    patches = tf.reshape(row[:, leading:], (-1, rows, columns))
    return bilinear(patches, size)


def _check_token_and_grid(recipe: str, token: str, grid: Grid) -> None:
    if token not in {"auto", "first", "mean"}:
        msg = f"{recipe}: expected token to be auto, first or mean, got {token!r}."
        raise InputError(msg)
    if grid is not None and (len(grid) != 2 or min(grid) < 1):
        msg = f"{recipe}: expected grid to be (rows, columns) above 0, got {grid}."
        raise InputError(msg)
