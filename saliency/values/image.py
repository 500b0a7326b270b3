"""One image from a DICOM file or an array."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from threading import RLock
from typing import Any, final

import numpy as np

from saliency.errors import InputError
from saliency.values.arrays import Array, finite, frozen
from saliency.values.deferred import Deferred
from saliency.values.notebook import bundle, preview
from saliency.values.window import Window, ends_of
from saliency.values.zone import Zone

#: What may travel with the pixels: nothing of a patient, institution, physician, or date.
TRAVELS = frozenset(
    {
        "BodyPartExamined",
        "ViewPosition",
        "Laterality",
        "ImageLaterality",
        "ManufacturerModelName",
    }
)

#: Fields that may be deferred: absent from the instance until :meth:`DicomImage.__getattr__`, which
#: Python calls only for attributes that are not there, computes and stores them.
_DEFERRABLE = ("pixels", "zones", "digest")
_UID = re.compile(r"[0-9.]{1,64}")


@final
@dataclass(frozen=True, eq=False, repr=False)
class DicomImage:
    """The pixels of one frame, how a viewer shows them, and which are diagnostic.

    Parameters
    ----------
    pixels
        float32 (rows, columns) in modality units (HU for CT), or (rows, columns, 3) RGB 0..255.
        May be :func:`saliency.values.deferred.deferred`, like ``zones`` and ``digest``.
    display
        uint8 on the same grid: VOI and presentation applied; colour as RGB.
    stored
        The stored values (rows, columns), before the Modality LUT; None where there are none.
    zones
        The parts that are not diagnostic. The zone ``"padding"`` holds no image at all.
    spacing
        (row mm, column mm) or None.
    frame, frames
        Index from 0, and how many the source has.
    modality
        (0008,0060), ``""`` where unknown.
    digest
        sha256 of the source's pixel data, hexadecimal.
    window
        The window used for ``display``; None where a LUT or the whole range was.
    info
        Keywords of :data:`TRAVELS` only.
    searched
        Whether ``zones`` includes what was found in the pixels: no search is needed again.
    orientation
        The side of the patient that rows run towards, and that columns run towards: ``("L", "P")``
        where the right of the image is the patient's left and its bottom the back (PS3.3
        C.7.6.1.1.1). None where the source does not say.
    frame_seconds
        Seconds from one frame of a cine to the next (PS3.3 C.7.6.5); None where the source does not
        say.

    Raises
    ------
    InputError
        Grids differ, pixels are not finite, or ``info`` holds a keyword that must not travel.
    """

    pixels: Array
    display: Array
    stored: Array | None = None
    zones: tuple[Zone, ...] = field(default_factory=tuple)
    spacing: tuple[float, float] | None = None
    frame: int = 0
    frames: int = 1
    modality: str = ""
    digest: str = field(default_factory=str)
    window: Window | None = None
    info: Mapping[str, str] = field(default_factory=dict)
    searched: bool = False
    orientation: tuple[str, str] | None = None
    frame_seconds: float | None = None

    def __post_init__(self) -> None:
        display = frozen(self.display, np.uint8, "display", ranks=(2, 3))
        forbidden = set(self.info) - TRAVELS
        if forbidden:
            msg = (
                f"DicomImage.info: {sorted(forbidden)} must not travel with the pixels."
            )
            raise InputError(msg)
        object.__setattr__(self, "display", display)
        if self.stored is not None:
            stored = frozen(
                self.stored, np.asarray(self.stored).dtype, "stored", ranks=(2, 3)
            )
            object.__setattr__(self, "stored", stored)
        object.__setattr__(self, "_later", {})
        object.__setattr__(self, "_lock", RLock())
        for name in _DEFERRABLE:
            self._keep(name, getattr(self, name))

    def _keep(self, name: str, value: object) -> None:
        """Store what may be deferred; if it is, it waits until :meth:`__getattr__` is called."""
        if isinstance(value, Deferred):
            self._later[name] = value.compute
            object.__delattr__(self, name)
        else:
            object.__setattr__(self, name, self._checked(name, value))

    def _checked(self, name: str, value: Any) -> object:
        if name == "pixels":
            return _checked_pixels(value, self.display.shape)
        return _checked_zones(value, self.size) if name == "zones" else value

    def __getattr__(self, name: str) -> Any:
        """Compute what was deferred; Python calls this only for attributes that are not there."""
        state = self.__dict__
        if name not in _DEFERRABLE or "_lock" not in state:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg)
        # Two threads may miss the attribute at once: the second waits here, and then finds it.
        # The lock is re-entrant, since computing zones may look at other deferred fields.
        with state["_lock"]:
            if name not in state:
                self._keep(name, state["_later"][name]())
                state["_later"].pop(name)  # with it goes what the computation held
        return state[name]

    @property
    def uid(self) -> str:
        """SOP Instance UID of the file just read; "" for an array, a copy, or after a pickle.

        It is no field: it is in no repr, pickle or record, unless a caller asks for it by name.
        """
        return str(self.__dict__.get("_uid", ""))

    def remembering(self, uid: str) -> "DicomImage":
        """Return the image with its UID, where it is one (PS3.5 9.1); what is none is dropped."""
        if _UID.fullmatch(uid):
            object.__setattr__(self, "_uid", uid)
        return self

    @staticmethod
    def size_of(pixels: Array) -> tuple[int, int]:
        """(rows, columns) of an array of pixels."""
        return pixels.shape[0], pixels.shape[1]

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.size_of(self.display)

    @cached_property
    def diagnostic(self) -> Array:
        """Bool (rows, columns), True where a pixel belongs to no zone."""
        inside = np.zeros(self.size, np.bool_)
        for zone in self.zones:
            inside |= zone.mask
        return frozen(~inside, np.bool_, "diagnostic", ranks=(2,))

    @cached_property
    def padding(self) -> Array:
        """Bool (rows, columns), True where there is no image (PS3.3 C.7.5.1.1.2)."""
        inside = np.zeros(self.size, np.bool_)
        for zone in self.zones:
            if zone.name == "padding":
                inside |= zone.mask
        return frozen(inside, np.bool_, "padding", ranks=(2,))

    def with_zone(
        self,
        name: str,
        mask: "Array | Callable[[DicomImage], Array | None]",
        evidence: str = "",
    ) -> "DicomImage":
        """Return the same image with one more zone.

        Zones may overlap, and several may have one name.

        Parameters
        ----------
        name
            What lies there.
        mask
            bool (rows, columns), True inside; or a function of the image that returns such a mask.
            A mask without a True, or None from the function, adds no zone.
        evidence
            Why we believe it; ``""``: that it was given by hand, or by which function.

        Raises
        ------
        InputError
            The mask has another shape or dtype, or the name cannot be that of a zone.
        """
        found = mask(self) if callable(mask) else mask
        if found is None:
            return self
        zone = Zone(name, found, evidence or _origin(mask))
        _checked_zones((zone,), self.size)
        return replace(self, zones=(*self.zones, zone)) if zone.mask.any() else self

    @classmethod
    def from_array(
        cls,
        pixels: Array,
        *,
        window: Window | None = None,
        spacing: tuple[float, float] | None = None,
    ) -> "DicomImage":
        """Make an image from pixels that were never in a file.

        Parameters
        ----------
        pixels
            (rows, columns), any real numbers; or (rows, columns, 3) RGB in 0..255.
        window
            What the display shows of grey pixels (LINEAR, PS3.3 C.11.2.1.2.1);
            None: from their minimum to their maximum. Colour takes no window.
        spacing
            (row mm, column mm).

        Raises
        ------
        InputError
            Wrong rank, not finite, or colour outside 0..255.
        """
        given = frozen(np.asarray(pixels), np.float32, "pixels", ranks=(2, 3))
        display = (
            _colour(given)
            if given.ndim == 3
            else _grey(finite(given, "pixels"), window)
        )
        digest = sha256(given.tobytes()).hexdigest()
        return cls(given, display, spacing=spacing, digest=digest, window=window)

    def __reduce__(self) -> tuple[object, ...]:
        names = tuple(self.__dataclass_fields__)
        return DicomImage, tuple(getattr(self, name) for name in names)

    def __repr__(self) -> str:
        rows, columns = self.size
        kind = "RGB" if self.display.ndim == 3 else "grey"
        where = f", frame {self.frame + 1} of {self.frames}" if self.frames > 1 else ""
        return (
            f"DicomImage({self.modality or 'array'}, {rows} x {columns} {kind}{where})"
        )

    def _repr_png_(self) -> bytes:
        return preview(self.display)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, Any]:
        del include, exclude  # the notebook filters by itself
        return bundle(repr(self), self.display)


def _origin(mask: object) -> str:
    """Say where a mask comes from."""
    if not callable(mask):
        return "given by hand"
    return f"found by {getattr(mask, '__qualname__', type(mask).__qualname__)}"


def _checked_pixels(pixels: Any, shape: tuple[int, ...]) -> Array:
    checked = finite(frozen(pixels, np.float32, "pixels", ranks=(2, 3)), "pixels")
    if checked.shape != shape or shape[2:] not in ((), (3,)):
        msg = f"DicomImage: pixels {checked.shape} and display {shape} must be alike."
        raise InputError(msg)
    return checked


def _checked_zones(zones: Any, size: tuple[int, int]) -> tuple[Zone, ...]:
    for zone in zones:
        if zone.mask.shape != size:
            msg = (
                f"Zone {zone.name!r}: expected a mask of {size}, got {zone.mask.shape}."
            )
            raise InputError(msg)
    return tuple(zones)


def _colour(pixels: Array) -> Array:
    if pixels.min() < 0 or pixels.max() > 255:
        low, high = float(pixels.min()), float(pixels.max())
        msg = f"from_array: expected RGB in 0..255, got {low:g} .. {high:g}."
        raise InputError(msg)
    return np.rint(pixels).astype(np.uint8)


def _grey(pixels: Array, window: Window | None) -> Array:
    low, high = (
        (float(pixels.min()), float(pixels.max()))
        if window is None
        else ends_of(window)
    )
    if high <= low:  # one value alone, or a window of width 1: a threshold
        return np.where(pixels > low, 255, 0).astype(np.uint8)
    unit: Any = np.clip((pixels - low) / (high - low), 0, 1)
    shown: Array = np.rint(unit * 255).astype(np.uint8)
    return shown
