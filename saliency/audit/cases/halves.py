"""Labels that are numbers - an age, a dose - as two groups, below and above a limit."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np

from saliency.errors import InputError
from saliency.pipeline.label_matching import plain_label
from saliency.values.arrays import Array


@overload
def halved(
    values: Mapping[Any, Any], at: float | None = None
) -> dict[Any, int | None]: ...
@overload
def halved(
    values: Sequence[Any] | Array, at: float | None = None
) -> list[int | None]: ...
def halved(values: Any, at: float | None = None) -> Any:
    """Return labels for ``audit(..., target=...)``: 1 where a value is above a limit, else 0.

    Parameters
    ----------
    values
        Numbers, or texts that say one, as a sequence or a mapping by path; None and NaN stay
        without a label.
    at
        The limit; None: the median of the values.

    Returns
    -------
    list or dict
        0, 1 or None, in the order or under the keys of ``values``.

    Raises
    ------
    InputError
        A value is no number, or all lie on one side of the limit.
    """
    if isinstance(values, Mapping):
        return dict(zip(values, halved(list(values.values()), at), strict=True))
    numbers = [plain_label(value) for value in values]
    for number in numbers:
        if number is not None and not isinstance(number, int | float):
            msg = (
                f"halved: expected numbers, got {number!r}. Labels that are words are classes as "
                "they are."
            )
            raise InputError(msg)
    known = np.array([float(number) for number in numbers if number is not None])
    limit = float(np.median(known)) if at is None and len(known) else at
    if limit is None or not len(known):
        msg = "halved: expected numbers, got none."
        raise InputError(msg)
    if not 0 < (known > limit).sum() < len(known):
        msg = (
            f"halved: expected values on both sides of the limit {limit:g}, got {len(known)} from "
            f"{known.min():g} to {known.max():g}. Name a limit between them."
        )
        raise InputError(msg)
    return [None if number is None else int(number > limit) for number in numbers]
