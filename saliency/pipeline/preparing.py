"""What a user may hand over as ``prepare=``: a Prepare, ``preprocess_input``, or a function."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias, final

import numpy as np

from saliency.errors import InputError, SaliencyError
from saliency.pipeline.prepare import Prepare
from saliency.values.image import DicomImage
from saliency.values.model_input import ModelInput
from saliency.values.placement import stretch

_FORMS = (
    "Expected prepare=Prepare(224), prepare=Prepare(scale=preprocess_input), or a function from a "
    "DicomImage to a ModelInput or an array (H, W, C)"
)


@final
@dataclass(frozen=True)
class FromFunction:
    """A function of the user's from a picture to the model's input.

    Parameters
    ----------
    function
        DicomImage -> ModelInput, or an array (H, W), (H, W, C) or (1, H, W, C) in the range that
        the model was trained on, in which the whole picture fills the grid.
    """

    function: Callable[[DicomImage], Any]
    size: ClassVar[None] = None
    in_place: ClassVar[bool] = True

    def __call__(self, image: DicomImage) -> ModelInput:
        """Prepare one picture.

        Raises
        ------
        InputError
            The function stops, or returns something else.
        """
        made = self._called(image)
        if isinstance(made, ModelInput):
            return replace(made, made_by=self)
        array = np.asarray(made)
        if array.dtype == object or array.ndim not in (2, 3, 4):
            msg = f"{_FORMS}; the function returned {_short_repr(made)}."
            raise InputError(msg)
        tensor = {2: array[None, ..., None], 3: array[None]}.get(array.ndim, array)
        return ModelInput(tensor, stretch(image.size, tensor.shape[1:3]), self)

    def filled(self, input_shape: tuple[int | None, ...]) -> "FromFunction":  # noqa: ARG002
        """Return itself: the function alone decides."""
        return self

    def _called(self, image: DicomImage) -> Any:
        try:
            return self.function(image)
        except SaliencyError:
            raise
        except (
            AttributeError,
            TypeError,
        ) as error:  # a function of arrays, most likely
            name = getattr(self.function, "__name__", type(self.function).__name__)
            msg = (
                f"{_FORMS}; {name} stopped with {type(error).__name__} on a DicomImage. A function "
                f"of an array (1, H, W, C) goes into Prepare(scale={name})."
            )
            raise InputError(msg) from error


Preparation: TypeAlias = Prepare | FromFunction


def preparation(prepare: object) -> Preparation:
    """Return what a user means by ``prepare=``.

    Parameters
    ----------
    prepare
        None: ``Prepare()``. A Prepare. ``preprocess_input`` of keras.applications, known by its
        name, becomes ``Prepare(scale=preprocess_input)``. Any other function takes a DicomImage.

    Raises
    ------
    InputError
        It is none of these; the message shows the right form.
    """
    if prepare is None:
        return Prepare()
    if isinstance(prepare, Prepare | FromFunction):
        return prepare
    if getattr(prepare, "__name__", "") == "preprocess_input" and callable(prepare):
        return Prepare(scale=prepare)
    if isinstance(prepare, type) or not callable(prepare):
        msg = f"{_FORMS}; got {_short_repr(prepare)}."
        raise InputError(msg)
    return FromFunction(prepare)


def _short_repr(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else type(value).__name__
