"""Every error that saliency raises on purpose.

::

    SaliencyError
    ├── InputError (ValueError)        a value handed in is not what was expected
    │   └── TargetError                the target is out of range, or no label of the model
    ├── DicomError                     a file or dataset cannot be shown
    ├── ModelError                     a model cannot be asked this question
    ├── ExplainerError                 a recipe is unknown, or broke the contract
    │   └── NotFiniteError             a recipe or model produced NaN or infinity
    └── MissingExtraError (ImportError) an optional package is not installed

A message says what was expected, what came, and what to do.
"""

from typing import final


class SaliencyError(Exception):
    """Root of all errors raised on purpose."""


class InputError(SaliencyError, ValueError):
    """An argument is not what was expected."""


@final
class TargetError(InputError):
    """The target is out of range, or no label of the model."""


@final
class DicomError(SaliencyError):
    """A file or dataset cannot be shown.

    Parameters
    ----------
    message
        What was expected, what was found (with tag and clause), what to do. It never holds an
        identifying value of the file.
    reason
        A short machine-readable word, for tables of failures: ``"no-pixel-data"``.
    """

    def __init__(self, message: str, *, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        return _dicom_error, (str(self), self.reason)


@final
class ModelError(SaliencyError):
    """A model cannot be asked this question."""


class ExplainerError(SaliencyError):
    """A recipe is unknown, or broke the contract of an explainer."""


@final
class NotFiniteError(ExplainerError):
    """A recipe or model produced NaN or infinity."""


@final
class MissingExtraError(SaliencyError, ImportError):
    """An optional package is not installed."""


def _dicom_error(message: str, reason: str) -> DicomError:
    return DicomError(message, reason=reason)
