"""The answer about a volume: where the model looked, on the volume's own grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, final

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.answer import Answer, explanation_of
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.prepare import Prepare
from saliency.render.palettes import Palette
from saliency.render.scale import full
from saliency.render.tiles import tiled
from saliency.values.arrays import Array
from saliency.values.heatmap import Heatmap
from saliency.values.overlay import Overlay
from saliency.volumes.volume import DicomVolume
from saliency.volumes.windows import WindowScores

Slices: TypeAlias = Sequence[int] | Literal["hottest"] | None

#: Slices of a montage where none are named.
MOST_TILES: Final = 16
#: Pixels across that the words above a tile take: a narrower slice is enlarged.
WORDS_WIDTH: Final = 160
AXES: Final = {"slice": 0, "row": 1, "column": 2}


@final
@dataclass(frozen=True, eq=False, repr=False)
class VolumeExplanation:
    """The explanation of one volume for one target by one recipe.

    Parameters
    ----------
    heatmap
        float32 (slices, rows, columns), on the volume's grid.
    volume
        The explained volume.
    answers
        The model's answers: one for the volume, or one for each slice where it sees slices.
    prepare
        How the volume became the model's input.
    cutoff
        A class below this probability is not predicted: see ``veiled``.
    windows
        Of a sliding window: where it stood, and the target's score in each place; the answer is
        that of the window of greatest score. None where the model saw all, or slices.

    Raises
    ------
    InputError
        The heatmap is not on the volume's grid, or there are neither one nor as many answers as
        slices.
    """

    heatmap: Heatmap
    volume: DicomVolume
    answers: tuple[Answer, ...]
    prepare: Prepare | None = None
    cutoff: float = 0.5
    windows: WindowScores | None = None

    def __post_init__(self) -> None:
        if self.heatmap.values.shape != self.volume.size:
            msg = (
                f"VolumeExplanation: expected a heatmap of {self.volume.size}, got "
                f"{self.heatmap.values.shape}."
            )
            raise InputError(msg)
        if len(self.answers) not in (1, len(self.volume)):
            msg = (
                f"VolumeExplanation: expected 1 or {len(self.volume)} answers, got "
                f"{len(self.answers)}."
            )
            raise InputError(msg)

    @property
    def by_slice(self) -> bool:
        """Whether the model saw each slice by itself."""
        return len(self.answers) > 1

    @property
    def scores(self) -> Array | None:
        """float32 (slices,) of a model that sees slices; None for a model of volumes."""
        if not self.by_slice:
            return None
        return np.array([answer.score for answer in self.answers], np.float32)

    @cached_property
    def leading(self) -> Answer:
        """The answer about the volume; of a model that sees slices, the one of greatest score."""
        return max(self.answers, key=lambda answer: answer.score)

    @property
    def score(self) -> float:
        """The target's score for the volume; the greatest of its slices or windows."""
        return self.leading.score

    @property
    def probability(self) -> float | None:
        """The model's own output that belongs to ``score``; None where it is no probability."""
        return self.leading.probability

    @property
    def target(self) -> int | str:
        """The class index, the label asked for, or the name of the callable."""
        return self.leading.target

    @property
    def label(self) -> str | None:
        """Name of the class; None where the model's classes have no names."""
        return self.leading.label

    @property
    def gap(self) -> float | None:
        """The greatest completeness gap; None where the method promises no completeness."""
        gaps = [answer.gap for answer in self.answers if answer.gap is not None]
        return max(gaps, default=None)

    @property
    def recipe(self) -> str:
        """``repr`` of the explainer."""
        return self.leading.recipe

    @property
    def model(self) -> Any:
        """Name, sha256 and tapped layers of the model; None where it is no Keras model."""
        return self.leading.model

    @cached_property
    def vmax(self) -> float:
        """Heat of full colour, in the method's unit: one scale for all slices."""
        return full(np.abs(self.heatmap.values))

    def __len__(self) -> int:
        return len(self.volume)

    def slice(self, index: int) -> Explanation:
        """Return the explanation of one slice, on its own grid; -1 is the last."""
        position = range(len(self))[index]
        answer = self.answers[position % len(self.answers)]
        return explanation_of(
            Heatmap(self.heatmap.values[position]),
            self.volume[position],
            answer,
            prepare=self.prepare,
            cutoff=self.cutoff,
        )

    def position(self, index: int) -> float:
        """Return where a slice lies along the normal of the slices, in mm."""
        affine = self.volume.affine
        normal = np.cross(affine[:3, 2], affine[:3, 1])
        centre = affine[:3, 3] + index * affine[:3, 0]
        return float(centre @ normal / np.linalg.norm(normal))

    def hottest(self, count: int) -> tuple[int, ...]:
        """Return the slices that hold the most |heat|, the hottest first."""
        sums = np.abs(self.heatmap.values).sum(axis=(1, 2), dtype=np.float64)
        return tuple(int(k) for k in np.argsort(-sums, kind="stable")[:count])

    def overlay(
        self, index: int, *, palette: str | Palette = "green", vmax: float | None = None
    ) -> Overlay:
        """Return one slice with its heat, on the scale of the whole volume."""
        scale = (self.vmax or None) if vmax is None else vmax
        painted = self.slice(index).overlay(palette=palette, vmax=scale)
        return painted.square(self.volume.spacing[1:])

    def montage(
        self,
        columns: int = 4,
        slices: Slices = None,
        *,
        palette: str | Palette = "green",
        vmax: float | None = None,
    ) -> Overlay:
        """Return many slices side by side, on one scale, with square millimetres.

        Parameters
        ----------
        columns
            Slices side by side.
        slices
            Which ones, in this order; ``"hottest"``: the 16 that hold the most heat, the hottest
            first; None: at most 16, evenly spread.
        palette, vmax
            As for :meth:`Explanation.overlay`; one scale for all.

        Returns
        -------
        Overlay
            Above each slice a strip with its number and place in mm; the first also says which
            side of the patient is left and up. Small slices are enlarged by a whole number, so
            that the words fit.
        """
        chosen = self._chosen(slices)
        pictures = [
            _wide_enough(self.overlay(k, palette=palette, vmax=vmax).rgb)
            for k in chosen
        ]
        words = [f"{k}: {self.position(k):.1f} mm" for k in chosen]
        words[0] = f"{words[0]}  {self._sides()}"
        return Overlay(tiled(pictures, words, columns))

    def projection(
        self,
        axis: Literal["slice", "row", "column"] = "slice",
        *,
        palette: str | Palette = "green",
    ) -> Overlay:
        """Return the greatest |heat| along one axis, on the mean of the display along it.

        Parameters
        ----------
        axis
            The axis that is looked along: ``"slice"`` gives (rows, columns), ``"row"`` (slices,
            columns), ``"column"`` (slices, rows). Slices ascend upwards.
        """
        from saliency.render.paint import paint  # noqa: PLC0415

        along = AXES[axis]
        values = self.heatmap.values
        where = np.abs(values).argmax(axis=along, keepdims=True)
        heat = np.take_along_axis(values, where, axis=along).squeeze(axis=along)
        shown = np.rint(self.volume.display.mean(axis=along)).astype(np.uint8)
        spacing = tuple(mm for k, mm in enumerate(self.volume.spacing) if k != along)
        if along != 0:  # the head, or whatever the slices ascend to, is up
            heat, shown = heat[::-1], shown[::-1]
        painted = paint(
            np.ascontiguousarray(shown),
            Heatmap(np.ascontiguousarray(heat)),
            palette=palette,
        )
        return painted.square((spacing[0], spacing[1]))

    def save(
        self, path: str | PathLike[str], *, palette: str | Palette = "green"
    ) -> Path:
        """Write the volume's answer; the ending of the name says in which form.

        Parameters
        ----------
        path
            ``.npz``: heat, affine, scores and record. ``.nii.gz`` or ``.nii`` (extra ``nifti``):
            the heat as NIfTI in RAS+, the affine kept. ``.png``: the montage. ``.gif``, ``.webp``:
            the slices one after the other. ``.html``: a page of montage and projections. No
            ending: a folder of one PNG a slice, which is made.

        Returns
        -------
        Path
            Where it lies.

        Raises
        ------
        InputError
            Another ending, or the folder is missing.
        MissingExtraError
            NIfTI without the extra ``nifti``.
        """
        from saliency.volumes.writers import save_volume  # noqa: PLC0415 - it imports this class

        return save_volume(self, path, palette=palette)

    def _chosen(self, slices: Slices) -> list[int]:
        if slices == "hottest":
            return list(self.hottest(MOST_TILES))
        if slices is None:
            count = min(MOST_TILES, len(self))
            spread = np.linspace(0, len(self) - 1, count).round()
            return [int(k) for k in spread]
        return [range(len(self))[k] for k in slices]

    def _sides(self) -> str:
        """Return which side of the patient is left and which is up in a slice."""
        orientation = self.volume[0].orientation
        if orientation is None:
            return ""
        opposite = str.maketrans("LRPAHF", "RLAPFH")
        right, bottom = orientation
        return f"left {right.translate(opposite)}, top {bottom.translate(opposite)}"

    def __repr__(self) -> str:
        sure = (
            "" if self.probability is None else f", probability={self.probability:.3f}"
        )
        what = f"{len(self)} slices" if self.by_slice else "one volume"
        if self.windows is not None:
            what = f"{len(self.windows.scores)} windows"
        return (
            f"VolumeExplanation({self.recipe}, target={self.target!r}, "
            f"score={self.score:.4g}{sure}, {what}, {self.volume!r})"
        )


def _wide_enough(rgb: Array) -> Array:
    """Repeat pixels, as often down as across, until the words above the picture fit."""
    times = -(-WORDS_WIDTH // rgb.shape[1])
    return rgb.repeat(times, axis=0).repeat(times, axis=1)
