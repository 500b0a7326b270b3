"""Elements that nobody asked for are passed over, as if they had been read one by one."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saliency.dicom.file import byte_source, parser
from saliency.dicom.file.byte_source import BytesStore
from saliency.dicom.file.limits import MAX_HEADERS
from saliency.dicom.file.parser import Walker
from saliency.dicom.file.syntax import EXPLICIT, IMPLICIT, Encoding
from saliency.errors import DicomError

SHORT, LONG = ("CS", "DS", "US", "LO"), ("OB", "UT", "UN", "SQ")
ITEM, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0" + bytes(4)
UNDEFINED = 0xFFFFFFFF


def element(tag, vr, value):
    """Return an element in explicit little endian (PS3.5 7.1.2); a sequence has no length."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr == "SQ":
        inner = element(0x00080005, "CS", value)
        item = ITEM + struct.pack("<I", len(inner)) + inner
        return head + struct.pack("<HI", 0, UNDEFINED) + item + SEQUENCE_END
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


def walked(data, wanted, encoding=EXPLICIT):
    """Return the fields of a walk; behind them the reason where the file is cut."""
    store, found = BytesStore(data), []
    try:
        found.extend(Walker(store).fields(0, store.size, encoding, wanted))
    except DicomError as error:
        found.append(error.reason)
    return found


def of_tags(found, tags):
    """Return the fields of some tags, and how the walk ended."""
    return [each for each in found if isinstance(each, str) or each.tag in tags]


@given(
    elements, st.integers(0, 2**32), st.integers(0, 30), st.sampled_from((64, 2**16))
)
def test_what_is_wanted_is_found_where_it_lies(parts, seed, cut, chunk):
    """With tags named, the walk gives the same fields of these tags.

    Cut files too, and wherever the bytes end that are held at once.
    """
    data = b"".join(element(*part) for part in parts)
    data = data[: max(0, len(data) - cut)] if cut < 8 else data
    tags = [tag for tag, _, _ in parts]
    chosen = np.random.default_rng(seed).random(len(tags)) < 0.3
    wanted = {tag for tag, kept in zip(tags, chosen, strict=True) if kept}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_source, "_CHUNK", chunk)
        every, some = walked(data, None), walked(data, wanted)

    assert of_tags(some, wanted) == of_tags(every, wanted)
    # What reaches beyond the end is never passed over: the reader has to refuse it.
    beyond = [
        each
        for each in every
        if not isinstance(each, str) and each.offset + each.length > len(data)
    ]
    assert [each for each in some if each in beyond] == beyond


def test_most_is_passed_over():
    """Of a hundred elements the walk makes nothing but what is wanted: that is its use."""
    tags = [0x00100000 + i for i in range(100)]
    data = b"".join(element(tag, "LO", b"ab") for tag in tags)

    found = walked(data, {tags[40], tags[99]})

    assert [each.tag for each in found] == [tags[40], tags[99]]


def test_an_item_is_no_element():
    """Its length may spell a VR: 21315 is 'CS', and what lies within is not the data set's."""
    inner = element(0x00100010, "LO", b"within").ljust(0x5343, b"\0")
    last = element(0x00100020, "LO", b"behind")
    data = element(0x00080060, "CS", b"MR") + ITEM + b"CS\0\0" + inner + last
    wanted = {0x00100010, 0x00100020}

    assert of_tags(walked(data, wanted), wanted) == of_tags(walked(data, None), wanted)
    assert [each.tag for each in of_tags(walked(data, wanted), wanted)] == [0x00100020]


def test_a_length_in_the_reserved_bytes_is_believed():
    """As DCMTK reads it: 16 bits behind a VR that has 32 (the walk without tags knows)."""
    odd = struct.pack("<HH2sH", 0x0009, 0x1001, b"OB", 6) + b"\0\0\0\0ef"
    data = odd + element(0x00100020, "LO", b"behind") + element(0x00100030, "DS", b"1 ")

    assert of_tags(walked(data, {0x00100020}), {0x00100020}) == [walked(data, None)[1]]


@pytest.mark.parametrize(
    ("encoding", "form", "length"),
    [
        (IMPLICIT, "<HHI", 0x5343),  # spells CS, and a length of 0
        (Encoding(implicit=False, little=False), ">HH2sH", 0x0100),  # 1, the other way
    ],
)
def test_other_encodings_are_read_one_by_one(encoding, form, length):
    """Implicit, and big endian: a wanted element is where it is."""
    vr = () if encoding.implicit else (b"LO",)
    data = b"".join(
        struct.pack(form, 0x0010, 0x10 * i, *vr, length) + bytes(length)
        for i in range(1, 5)
    )
    (found,) = of_tags(walked(data, {0x00100030}, encoding), {0x00100030})

    assert (found.offset, found.length) == (2 * (8 + length) + 8, length)


@pytest.mark.parametrize("vr", ["CS", "OB"])
@pytest.mark.parametrize("wanted", [None, set(), {0x00091001}])
def test_each_header_is_one_step(vr, wanted, monkeypatch):
    """Wanted, passed over or read one by one: as many headers are let through."""
    monkeypatch.setattr(parser, "MAX_HEADERS", 40)
    assert "over-limit" not in walked(element(0x00091001, vr, b"ab") * 40, wanted)
    assert walked(element(0x00091001, vr, b"ab") * 41, wanted)[-1] == "over-limit"


def test_what_is_passed_over_is_counted():
    """A header without end is refused, whoever asks for what."""
    data = element(0x00091001, "CS", b"") * (MAX_HEADERS + 10)
    store = BytesStore(data)
    with pytest.raises(DicomError, match="elements and items"):
        list(Walker(store).fields(0, store.size, EXPLICIT, {0x00100010}))
