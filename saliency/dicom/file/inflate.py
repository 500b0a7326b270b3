"""Deflate streams (RFC 1951), with an end to what comes out of them.

Writers that hand on what zlib makes by default put a header around them (RFC 1950).
"""

import zlib
from contextlib import suppress
from typing import Final

import imagecodecs

_LIKELY: Final = 4  # times as long: pictures seldom get shorter without a loss
_SPARE: Final = 2**16  # bytes: a short stream may become many times as long
_FORMS: Final = (-zlib.MAX_WBITS, zlib.MAX_WBITS)  # RFC 1951, RFC 1950


def inflate(data: bytes, most: int) -> bytes | None:
    """Return at most ``most`` + 1 inflated bytes; None where the stream is broken.

    A byte more than ``most`` says that there are others. libdeflate is twice as fast as zlib, and
    knows only streams that fit; those that do not, and broken ones, are tried again.
    """
    room = min(most, _LIKELY * len(data) + _SPARE)
    try:
        return bytes(imagecodecs.deflate_decode(data, raw=True, out=room))
    except (ValueError, RuntimeError):
        pass
    # Slower, and it takes streams that do not fit.
    for form in _FORMS:
        with suppress(zlib.error):
            return zlib.decompressobj(form).decompress(data, most + 1)
    return None


def is_whole(data: bytes, most: int) -> bool:
    """Whether a stream of at most ``most`` inflated bytes ends within ``data``."""
    for form in _FORMS:
        inflater = zlib.decompressobj(form)
        with suppress(zlib.error):
            inflater.decompress(data, most)
            return inflater.eof
    return False
