"""Names of windows in every character set of PS3.3 C.12.1.1.2."""

import io
import struct
import warnings

import pydicom
import pytest
from dicom.build import dataset, item, ramp, written
from pydicom.dataset import Dataset

from saliency.dicom import read_dicom
from saliency.dicom.file.charset import decoded
from saliency.errors import InputError

#: Specific Character Set, a name, its bytes: by codecs of Python, escape sequences by hand from
#: PS3.3 tables C.12-2 to C.12-5 and PS3.5 annexes H to K.
NAMES = [
    ("", "LUNG", b"LUNG"),
    ("ISO_IR 6", "LUNG", b"LUNG"),
    ("ISO_IR 100", "Fenêtre", "Fenêtre".encode("latin_1")),
    ("ISO_IR 101", "Płuco", "Płuco".encode("iso8859_2")),
    ("ISO_IR 109", "Ħaġra", "Ħaġra".encode("iso8859_3")),
    ("ISO_IR 110", "Ķermenis", "Ķermenis".encode("iso8859_4")),
    ("ISO_IR 144", "Лёгкие", "Лёгкие".encode("iso8859_5")),
    ("ISO_IR 127", "رئة", "رئة".encode("iso8859_6")),
    ("ISO_IR 126", "Πνεύμονας", "Πνεύμονας".encode("iso8859_7")),
    ("ISO_IR 138", "ריאה", "ריאה".encode("iso8859_8")),
    ("ISO_IR 148", "Akciğer", "Akciğer".encode("iso8859_9")),
    ("ISO_IR 203", "Œdème €", "Œdème €".encode("iso8859_15")),
    ("ISO_IR 166", "ปอด", "ปอด".encode("tis_620")),
    ("ISO_IR 13", "ﾊｲ", "ﾊｲ".encode("shift_jis")),
    ("ISO_IR 192", "肺野", "肺野".encode()),
    ("GB18030", "肺窗𠀀", "肺窗𠀀".encode("gb18030")),
    ("GBK", "肺窗", "肺窗".encode("gbk")),
    ("ISO 2022 IR 100", "Fenêtre", "Fenêtre".encode("latin_1")),
    ("\\ISO 2022 IR 87", "肺野", b"\x1b$B" + "肺野".encode("iso2022_jp")[3:-3] + b"\x1b(B"),
    ("ISO 2022 IR 6\\ISO 2022 IR 87", "a肺野b", b"a" + "肺野".encode("iso2022_jp") + b"b"),
    ("ISO 2022 IR 13\\ISO 2022 IR 87", "ﾊｲ 肺野",
     "ﾊｲ ".encode("shift_jis") + "肺野".encode("iso2022_jp")[:-3] + b"\x1b(J"),
    ("\\ISO 2022 IR 159", "丂", b"\x1b$(D" + bytes([0x30, 0x21]) + b"\x1b(B"),
    ("\\ISO 2022 IR 149", "폐창", b"\x1b$)C" + "폐창".encode("euc_kr")),
    ("\\ISO 2022 IR 58", "肺窗", b"\x1b$)A" + "肺窗".encode("gb2312")),
    ("ISO 2022 IR 100\\ISO 2022 IR 126", "ê μ", "ê ".encode("latin_1") + b"\x1b-F"
     + "μ".encode("iso8859_7")),
    ("ISO 2022 IR 6\\ISO 2022 IR 203", "€", b"\x1b-b\xa4"),
]  # fmt: skip
#: Kanji whose second byte is that of a backslash: 0x5C in GBK, and in JIS X 0208 of G0.
BACKSLASHES = [
    ("GB18030", "運\\誠", "運\\誠".encode("gb18030")),
    ("GBK", "誠\\x", "誠\\x".encode("gbk")),
    ("\\ISO 2022 IR 87", "漾\\b", "漾".encode("iso2022_jp") + b"\\b"),
]
CENTERS = {"WindowCenter": [40, 600], "WindowWidth": [400, 1200]}


def explained(terms: str, raw: bytes) -> bytes:
    """A file whose second window has a name; the first is ``soft``."""
    made = dataset(ramp(), **CENTERS)
    value = b"soft\\" + raw
    made.add_new(0x00281055, "UN", value + b" " * (len(value) % 2))
    return with_charset(made, terms)


def with_charset(made: Dataset, terms: str) -> bytes:
    """A file with any Specific Character Set: pydicom would warn of those that it does not know."""
    file, value = written(made), terms.encode() + b" " * (len(terms) % 2)
    at = file.index(b"\x08\x00\x60\x00CS")
    return (
        file[:at] + struct.pack("<HH2sH", 8, 5, b"CS", len(value)) + value + file[at:]
    )


def quietly(file: bytes) -> Dataset:
    """A Dataset, without what pydicom says in reading it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(file))


@pytest.mark.parametrize(
    ("terms", "name", "raw"), NAMES, ids=[name[0] for name in NAMES]
)
def test_a_name_in_each_set(terms: str, name: str, raw: bytes) -> None:
    """Bytes by the rules of a set are the name, and find the window by it."""
    assert decoded(raw, tuple(terms.split("\\"))) == name
    assert read_dicom(explained(terms, raw), window=name).window.center == 600


@pytest.mark.parametrize(("terms", "name", "raw"), BACKSLASHES)
def test_half_a_character_is_no_backslash(terms: str, name: str, raw: bytes) -> None:
    """Values are divided after they were decoded."""
    first, _ = name.split("\\")

    assert decoded(raw, tuple(terms.split("\\"))) == name
    assert read_dicom(explained(terms, raw), window=first).window.center == 600


def test_a_backslash_brings_back_the_first_set() -> None:
    """What was put into G1 for one value is not there for the next (PS3.5 6.1.2.5.3)."""
    raw = b"\x1b-F" + "μ".encode("iso8859_7") + b"\\" + "ê".encode("latin_1")

    assert decoded(raw, ("ISO 2022 IR 100", "ISO 2022 IR 126")) == "μ\\ê"


@pytest.mark.parametrize(
    ("terms", "raw", "text"),
    [
        ((), "ê".encode(), "ê"),
        ((), b"\xea", "ê"),
        (("NO SUCH SET",), b"\xea", "ê"),
        (("ISO_IR 192",), b"\xff", "\ufffd"),
        (("ISO 2022 IR 100",), b"a\x1bZb", "aZb"),
        (("ISO 2022 IR 6", "ISO 2022 IR 87"), b"\x1b$B\x30", "\ufffd"),
    ],
)
def test_broken_text_is_text(terms: tuple[str, ...], raw: bytes, text: str) -> None:
    """No bytes raise, and a missing set is guessed: UTF-8 if it can be, else Latin-1."""
    assert decoded(raw, terms) == text


@pytest.mark.parametrize("convert", [False, True])
@pytest.mark.parametrize("terms", ["ISO_IR 100", "ISO_IR 192"])
def test_a_name_in_a_dataset(terms: str, *, convert: bool) -> None:
    """A Dataset gives the same, whether or not pydicom has decoded the value before."""
    made = dataset(ramp(), SpecificCharacterSet=terms, **CENTERS)
    made.WindowCenterWidthExplanation = ["Médiastin", "Fenêtre pulmonaire"]
    read = pydicom.dcmread(io.BytesIO(written(made)))
    if convert:
        assert read.WindowCenterWidthExplanation[0] == "Médiastin"

    assert read_dicom(read, window="fenêtre PULMONAIRE").window.center == 600
    assert read_dicom(made, window="Fenêtre pulmonaire").window.center == 600


@pytest.mark.parametrize("inner", [None, "ISO_IR 144"])
def test_an_item_inherits_the_set_unless_it_has_its_own(inner: str | None) -> None:
    """The set of a data set holds for its items (PS3.5 7.5.3), also for those of a Dataset."""
    name = "Лёгкие" if inner else "Płuco"
    voi = item(**CENTERS, WindowCenterWidthExplanation=["soft", name])
    if inner:
        voi.SpecificCharacterSet = inner
    made = dataset(ramp(), SpecificCharacterSet="ISO_IR 101")
    made.SharedFunctionalGroupsSequence = [item(FrameVOILUTSequence=[voi])]
    file = written(made)

    for source in (file, pydicom.dcmread(io.BytesIO(file))):
        assert read_dicom(source, window=name).window.center == 600


def test_a_name_in_other_letters() -> None:
    """Composed or not, wide or narrow: a name is a name."""
    made = dataset(ramp(), SpecificCharacterSet="ISO_IR 192", **CENTERS)
    made.WindowCenterWidthExplanation = ["soft", "Fenêtre \uff21\uff22"]

    for name in ("Fenêtre AB", "Fene\u0302tre ab"):
        assert read_dicom(written(made), window=name).window.center == 600
    with pytest.raises(InputError, match="explanation"):
        read_dicom(written(made), window="Fenetre AB")


def test_a_set_that_nobody_knows_is_not_repeated(
    recwarn: pytest.WarningsRecorder,
) -> None:
    """Where pydicom would warn, and quote the value, nobody does."""
    made: Dataset = dataset(ramp(), **CENTERS)
    made.WindowCenterWidthExplanation = ["soft", "lung"]
    file = with_charset(made, "SMITH^JOHN")

    for source in (file, quietly(file)):
        assert read_dicom(source, window="lung").window.center == 600
    assert not recwarn.list
