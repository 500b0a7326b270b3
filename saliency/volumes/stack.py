"""Frames put in order along their normal, and the place of every voxel (PS3.3 C.7.6.2)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from saliency.dicom.slices import FrameHeader
from saliency.errors import InputError
from saliency.values.arrays import Array, frozen

#: Direction cosines that differ by less are one orientation: writers keep three decimals at least.
#: Over 250 mm, half a wide field of view, 0.001 is a quarter of a millimetre.
ORIENTATION_TOLERANCE: Final = 1e-3
#: A slice may lie off the regular grid by 5 % of a slice, and by what rounding does: writers round
#: places to a tenth of a mm, each slice by 0.05 mm and the ends, which the grid is laid through, as
#: much. Tables of scanners are off by 0.02 mm.
PLACE_TOLERANCE: Final = 0.05
ROUNDING: Final = 0.1
#: Of thin slices, rounding is allowed this part of a slice: one that is missing moves others by
#: half a slice at least, and must be seen at any distance.
MOST_ROUNDING: Final = 0.2
#: Images nearer than this part of the mean distance lie at one place: an echo or a phase is
#: acquired where the other was, within what rounding leaves.
SAME_PLACE: Final = 0.02
#: Slices that slide by more than half a pixel over the whole stack are sheared, not rounded.
SHEAR_PIXELS: Final = 0.5
#: Pixel Spacing that differs by less (of its value) is one spacing.
SPACING_TOLERANCE: Final = 1e-4
#: How many places a message names.
NAMED: Final = 4


@final
@dataclass(frozen=True, eq=False)
class Slice:
    """One frame of a source, by its header.

    Parameters
    ----------
    source
        What ``read_dicom`` takes.
    header
        Of the frame.
    """

    source: object
    header: FrameHeader


@final
@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in the order of the patient's axis, on one regular grid.

    Parameters
    ----------
    slices
        Ascending along row direction x column direction.
    affine
        float64 (4, 4): (slice, row, column, 1) of a voxel's centre to mm in LPS (PS3.3
        C.7.6.2.1.1).
    spacing
        (slice, row, column) mm. The first is the distance of the centres of neighbouring slices.
    sheared
        Whether the slices slide over each other, as they do under gantry tilt: the affine is no
        product of a rotation and spacings.
    """

    slices: tuple[Slice, ...]
    affine: Array
    spacing: tuple[float, float, float]
    sheared: bool


def stacked(slices: Sequence[Slice]) -> Stack:
    """Put the slices of one volume in order.

    Raises
    ------
    InputError
        They are no volume: one slice alone, a mosaic, frames without a place, other sizes or
        orientations, several images of one place, or places that are not regular.
    """
    headers = [each.header for each in slices]
    _check_alike(headers)
    normal = np.cross(*_directions(headers))
    positions = np.array([each.position for each in headers])
    order = np.argsort(positions @ normal, kind="stable")
    slices, places = [slices[k] for k in order], positions[order]
    headers = [each.header for each in slices]
    # Of the first slice in the patient, so that the order of the files decides nothing.
    row, column = _directions(headers)
    normal = np.cross(row, column)
    _check_places(headers, places @ normal)
    step = (places[-1] - places[0]) / (len(places) - 1)
    _check_regular(places, step, float(step @ normal))
    down, across = _shared_spacing(headers)

    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = column * down
    affine[:3, 2] = row * across
    affine[:3, 3] = places[0]
    slide = step - (step @ normal) * normal
    slid = float(np.linalg.norm(slide)) * (len(places) - 1)
    return Stack(
        slices=tuple(slices),
        affine=frozen(affine, np.float64, "affine", ranks=(2,)),
        spacing=(float(np.linalg.norm(step)), down, across),
        sheared=slid > SHEAR_PIXELS * min(down, across),
    )


def listed_by_count(values: Iterable[object]) -> str:
    """Return values with their counts, the most frequent first, a few of them."""
    counts = Counter(values).most_common()
    named = ", ".join(f"{value} ({count})" for value, count in counts[:NAMED])
    rest = len(counts) - NAMED
    return f"{named} and {rest} more" if rest > 0 else named


def _check_alike(headers: Sequence[FrameHeader]) -> None:
    _check_placed(headers)
    sizes = [f"{header.rows} x {header.columns}" for header in headers]
    if len(set(sizes)) > 1:
        hint = _how_to_choose(headers, sizes)
        msg = f"read_series: expected slices of one size, got {listed_by_count(sizes)}. {hint}"
        raise InputError(msg)
    references = [header.reference for header in headers if header.reference]
    if len(set(references)) > 1:
        counts = ", ".join(str(count) for _, count in Counter(references).most_common())
        msg = (
            "read_series: expected one Frame of Reference UID (0020,0052), got "
            f"{len(set(references))} ({counts} images): places of these slices cannot be compared."
        )
        raise InputError(msg)


def _how_to_choose(headers: Sequence[FrameHeader], kinds: Sequence[object]) -> str:
    """Return how to choose one kind of image: by what tells the kinds apart, if anything does."""
    for keyword, values in _phases(headers).items():
        pairs = set(zip(values, kinds, strict=True))
        if len(set(kinds)) <= len(set(values)) == len(pairs):
            usual = Counter(zip(values, kinds, strict=True)).most_common(1)[0][0][0]
            return f"Choose with where=, as in {_example_of_where(keyword, usual)}."
    return "Hand in the files of one of them."


def _example_of_where(keyword: str, value: object) -> str:
    written = f"{value:g}" if isinstance(value, float) else json.dumps(value)
    return f'where={{"{keyword}": {written}}}'


def _check_placed(headers: Sequence[FrameHeader]) -> None:
    """Refuse what has no place, or is one image alone."""
    if any("MOSAIC" in header.image_type for header in headers):
        msg = (
            "read_series: expected slices, got a mosaic: Image Type (0008,0008) says that one "
            "image holds many slices as tiles. Convert it to single slices first."
        )
        raise InputError(msg)
    placed = [bool(header.position and header.orientation) for header in headers]
    placeless = placed.count(False)
    if placeless and headers[0].frames > 1:
        msg = (
            f"read_series: expected slices of a volume, got {placeless} frames without Image "
            "Position (Patient) (0020,0032): a cine, or projections. Read them with read_frames."
        )
        raise InputError(msg)
    if placeless:
        msg = (
            "read_series: expected Image Position and Image Orientation (Patient) (0020,0032), "
            f"(0020,0037) of every slice; {placeless} of {len(headers)} have none or a broken one. "
            f"{_how_to_choose(headers, placed)} A single image is read with read_dicom."
        )
        raise InputError(msg)
    if len(headers) == 1:
        msg = (
            "read_series: expected two slices or more, got one: a single slice has no slice "
            "spacing. Read it with read_dicom."
        )
        raise InputError(msg)


def _directions(headers: Sequence[FrameHeader]) -> tuple[Array, Array]:
    """Return the unit vectors along a row and down a column."""
    orientations = np.array([header.orientation for header in headers])
    off = np.abs(orientations - orientations[0]).max(axis=1)
    if off.max() > ORIENTATION_TOLERANCE:
        written = [
            " ".join(f"{value:.3g}" for value in each) for each in orientations.round(3)
        ]
        msg = (
            "read_series: expected one Image Orientation (Patient) (0020,0037), got "
            f"{listed_by_count(written)}. {_how_to_choose(headers, written)}"
        )
        raise InputError(msg)
    row, column = orientations[0, :3], orientations[0, 3:]
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    skew = abs(float(row @ column))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), skew) > ORIENTATION_TOLERANCE:
        msg = (
            "read_series: expected Image Orientation (Patient) (0020,0037) to be two unit vectors "
            f"at right angles, got lengths {lengths[0]:.4g}, {lengths[1]:.4g}, cosine {skew:.4g}."
        )
        raise InputError(msg)
    return row / lengths[0], column / lengths[1]


def _check_places(headers: Sequence[FrameHeader], along: Array) -> None:
    """Refuse several images of one place, and say what tells them apart."""
    gaps = np.diff(along)
    near = gaps <= SAME_PLACE * gaps.mean()
    if not near.any():
        return
    first = int(np.argmax(near))
    groups: list[list[FrameHeader]] = [[headers[0]]]
    for header, same in zip(headers[1:], near, strict=True):
        groups[-1].append(header) if same else groups.append([header])
    msg = (
        f"read_series: expected one image at each place, got {len(headers)} images at "
        f"{len(groups)} places, two of them {along[first]:.2f} mm along the normal."
        f"{_differences(headers, groups)}"
    )
    raise InputError(msg)


def _differences(
    headers: Sequence[FrameHeader], groups: Sequence[Sequence[FrameHeader]]
) -> str:
    """Return in what images of one place differ, and how to choose among them."""
    phases = _phases(headers)
    differing = [
        keyword
        for keyword in phases
        if any(len({each.phase.get(keyword) for each in group}) > 1 for group in groups)
    ]
    named = [
        each for each in differing if not each.startswith("DimensionIndex")
    ] or differing
    if named:
        told = "; ".join(
            f"{keyword} {listed_by_count(phases[keyword])}" for keyword in named
        )
        usual = Counter(phases[named[0]]).most_common(1)[0][0]
        example = _example_of_where(named[0], usual)
        return f" They differ in {told}. Choose with where=, as in {example}."
    images = [header.image for header in headers if header.image and header.frames == 1]
    if len(set(images)) < len(images):
        return (
            " Files of one SOP Instance UID (0008,0018) differ in their bytes: leave one of each "
            "out."
        )
    return (
        " They differ in nothing but Instance Number (0020,0013). Choose with "
        'where={"repetition": 0}; or leave doubled files out.'
    )


def _phases(headers: Sequence[FrameHeader]) -> Mapping[str, list[object]]:
    keywords = sorted({keyword for header in headers for keyword in header.phase})
    return {
        keyword: [header.phase.get(keyword) for header in headers]
        for keyword in keywords
    }


def _check_regular(places: Array, step: Array, spacing: float) -> None:
    """Refuse a hole, an uneven distance, and slices that do not lie on a line."""
    regular = places[0] + np.arange(len(places))[:, None] * step
    off = np.linalg.norm(places - regular, axis=1)
    allowed = PLACE_TOLERANCE * spacing + min(ROUNDING, MOST_ROUNDING * spacing)
    if off.max() <= allowed:
        return
    gaps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    usual = float(np.median(gaps))
    worst = int(np.argmax(np.abs(gaps - usual)))
    missing = round(float(gaps[worst]) / usual) - 1
    seem = "slice seems" if missing == 1 else "slices seem"
    hole = f" {missing} {seem} to be missing." if missing > 0 else ""
    msg = (
        f"read_series: expected slices at one distance, got {gaps.min():.2f} to {gaps.max():.2f} "
        f"mm (median {usual:.2f} mm); between slices {worst} and {worst + 1} it is "
        f"{gaps[worst]:.2f} mm.{hole} A slice may lie {allowed:.2f} mm off the regular grid; "
        f"one lies {off.max():.2f} mm off."
    )
    raise InputError(msg)


def _shared_spacing(headers: Sequence[FrameHeader]) -> tuple[float, float]:
    """Return (row, column) mm, which all slices must share."""
    spacings = [header.spacing for header in headers]
    known = [each for each in spacings if each is not None]
    if len(known) < len(spacings):
        msg = (
            "read_series: expected Pixel Spacing (0028,0030) of every slice; "
            f"{len(spacings) - len(known)} of {len(spacings)} have none."
        )
        raise InputError(msg)
    first = np.array(known[0])
    if np.abs(np.array(known) / first - 1).max() > SPACING_TOLERANCE:
        written = [f"{down:g} x {across:g} mm" for down, across in known]
        hint = _how_to_choose(headers, written)
        sizes = listed_by_count(written)
        msg = (
            f"read_series: expected one Pixel Spacing (0028,0030), got {sizes}. {hint}"
        )
        raise InputError(msg)
    return known[0]
