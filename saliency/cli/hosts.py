"""What the shell needs for a transplant: pictures that lack the zone, and the answer in lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from saliency.errors import InputError, SaliencyError

if TYPE_CHECKING:
    from saliency.audit.exchange.transplant import Transplant
    from saliency.values.image import DicomImage


@final
@dataclass(frozen=True, eq=False)
class Hosts:
    """Pictures that a zone can be put into.

    Parameters
    ----------
    images
        Those without the zone.
    having
        How many files were left out because they show the zone already.
    failures
        What is wrong with files that cannot be read, a sentence each.
    """

    images: tuple["DicomImage", ...]
    having: int
    failures: tuple[str, ...]


def hosts_in(files: Iterable[Path], zone: str, most: int) -> Hosts:
    """Return the first ``most`` pictures without the zone; what follows is not read.

    Raises
    ------
    InputError
        ``most`` is less than 1, or no picture lacks the zone.
    """
    from saliency.audit.cases.first_pass import masks_of, read_picture

    if most < 1:
        msg = f"--most: expected 1 picture or more, got {most}."
        raise InputError(msg)
    images: list[DicomImage] = []
    failures: list[str] = []
    having = 0
    for file in files:
        try:
            image = read_picture(file)
            has = zone in masks_of(image)
        except SaliencyError as error:
            failures.append(f"{file}: {error}")
            continue
        if has:
            having += 1
        else:
            images.append(image)
        if len(images) == most:
            break
    if not images:
        msg = (
            f"transplant: expected pictures without any {zone} to put it into; {having} have it "
            f"already, {len(failures)} cannot be read. `saliency audit` exchanges it between "
            "pictures that all have it."
        )
        raise InputError(msg)
    return Hosts(tuple(images), having, tuple(failures))


def transplant_lines(found: "Transplant") -> Iterator[str]:
    """Yield the answer: how far the score follows, then each way of exchange with its controls."""
    count = len(found.before)
    yield (
        f"{found.zone}: put into {count} picture{'s' * (count > 1)}; their mean score "
        f"{found.before.mean():+.3g} goes {100 * found.follows:.0f} % of the way to "
        f"{found.score:+.3g}, that of the picture it came from (p = {found.p_value:.2g})."
    )
    for way, gain in found.gains.items():
        controls = found.controls[way].mean(axis=0)
        yield (
            f"{way}: {gain.mean():+.3g}; as much tissue elsewhere, {len(controls)} times: "
            f"{controls.min():+.3g} to {controls.max():+.3g}; p = {found.p_values[way]:.2g}"
        )
