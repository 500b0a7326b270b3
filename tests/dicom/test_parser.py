"""Elements that nobody asked for are passed over, as if they had been read one by one."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saliency.dicom.file.byte_source import BytesStore
from saliency.dicom.file.limits import MAX_HEADERS
from saliency.dicom.file.parser import Walker
from saliency.dicom.file.syntax import EXPLICIT
from saliency.errors import DicomError

SHORT, LONG = ("CS", "DS", "US", "LO"), ("OB", "UT", "UN")


def element(tag, vr, value):
    """Return an element in explicit little endian (PS3.5 7.1.2)."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in SHORT:
        return head + struct.pack("<H", len(value)) + value
    return head + struct.pack("<HI", 0, len(value)) + value


elements = st.lists(
    st.tuples(
        st.integers(0x00080001, 0x0030FFFF),
        st.sampled_from(SHORT + LONG),
        st.binary(max_size=40),
    ),
    max_size=30,
)


@given(elements, st.integers(0, 2**32), st.integers(0, 30))
def test_what_is_wanted_is_found_where_it_lies(parts, seed, cut):
    """With tags named, the walk gives the same fields of these tags, cut files too."""
    data = b"".join(element(*part) for part in parts)
    data = data[: max(0, len(data) - cut)] if cut < 8 else data
    tags = [tag for tag, _, _ in parts]
    chosen = np.random.default_rng(seed).random(len(tags)) < 0.3
    wanted = {tag for tag, kept in zip(tags, chosen, strict=True) if kept}

    def walked(wanted_tags):
        store = BytesStore(data)
        return list(Walker(store).fields(0, store.size, EXPLICIT, wanted_tags))

    every = walked(None)
    some = walked(wanted)
    assert [field for field in some if field.tag in wanted] == [
        field for field in every if field.tag in wanted
    ]
    # What reaches beyond the end is never passed over: the reader has to refuse it.
    beyond = [field for field in every if field.offset + field.length > len(data)]
    assert [field for field in some if field in beyond] == beyond


def test_what_is_passed_over_is_counted():
    """A header without end is refused, whoever asks for what."""
    data = element(0x00091001, "CS", b"") * (MAX_HEADERS + 10)
    store = BytesStore(data)
    with pytest.raises(DicomError, match="elements and items"):
        list(Walker(store).fields(0, store.size, EXPLICIT, {0x00100010}))
