"""Nothing that identifies leaves the room: not in values, texts, errors or notes."""

import io
import logging
import re
import struct
import warnings
import zlib
from pathlib import Path

import pydicom
import pytest
from dicom.build import dataset, ramp, written
from pydicom.dataset import Dataset
from shared import ROOT, shared

from saliency.dicom import describe, read_dicom
from saliency.dicom.file.tags import READ, TAGS
from saliency.errors import DicomError, SaliencyError
from saliency.values.image import TRAVELS, DicomImage

#: Groups of patient and study, and VRs that name persons, dates, and objects.
IDENTIFYING_VRS = {"PN", "DA", "DT", "TM", "UI", "AE"}
IDENTIFYING = {
    "AccessionNumber",
    "DeviceSerialNumber",
    "IssuerOfPatientID",
    "OtherPatientIDs",
    "PatientAddress",
    "PatientComments",
    "PatientID",
    "SeriesDescription",
    "StationName",
    "StudyDescription",
    "StudyID",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "ProtocolName",
}


def identifying(made: Dataset) -> set[str]:
    """Every text of four characters and more that could identify."""
    values: list[object] = []
    for element in made.iterall():
        if element.VR in IDENTIFYING_VRS or element.keyword in IDENTIFYING:
            many = isinstance(element.value, pydicom.multival.MultiValue)
            values.extend(element.value if many else [element.value])
    words = (word for value in values if value for word in str(value).split("^"))
    return {word for word in words if len(word) >= 4 and word not in innocent(made)}


def innocent(made: Dataset) -> str:
    """Text that travels by right: the allow-listed attributes, the syntax, and our own words."""
    syntax = (
        made.file_meta.get("TransferSyntaxUID", "")
        if hasattr(made, "file_meta")
        else ""
    )
    own = "None JPEG Compression"
    return " ".join(
        [own, getattr(syntax, "name", ""), *(str(made.get(each)) for each in TRAVELS)]
    )


def said(image: DicomImage) -> str:
    """All text that an image holds or shows."""
    parts = [
        repr(image),
        str(image),
        repr(image.zones),
        repr(dict(image.info)),
        image.modality,
    ]
    return " ".join([*parts, repr(image.window), repr(image.spacing)])


def files() -> list:
    """One parameter a corpus file."""
    return [
        pytest.param(p.name, id=p.name)
        for p in sorted(ROOT.glob("corpus/corpus/*.dcm"))
    ]


@pytest.mark.parametrize("name", files())
def test_no_corpus_file_leaks(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """No identifying text of a real file is in what the image, its errors or the log say."""
    path = shared("corpus", "corpus", name)
    with caplog.at_level(logging.DEBUG):
        try:
            text = said(read_dicom(path)) + repr(dict(describe(path)))
        except SaliencyError as error:
            text = f"{error} {error!r} {error.__cause__!r}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            words = identifying(
                pydicom.dcmread(path, force=True, stop_before_pixels=True)
            )
        except Exception:  # noqa: BLE001  pydicom cannot read all that we can
            words = set()

    notes = "".join(
        note.message for note in caplog.records if note.name.startswith("saliency")
    )
    assert not [word for word in words if word in text + notes]


def test_a_name_in_every_text_stays_inside() -> None:
    """Return a file with a name in each of its texts gives an image that says it nowhere."""
    made = dataset(ramp())
    for keyword in sorted(IDENTIFYING):
        setattr(made, keyword, "QQXYZZY")
    made.PatientName = "QQXYZZY^QQXYZZY"

    image = read_dicom(written(made))

    assert "XYZZY" not in said(image)
    assert b"XYZZY" not in str(image.__dict__).encode()


class Failing(io.BytesIO):
    """A file that breaks after its first bytes, with a name in its complaint."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__(bytes(1000))
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        """Read nothing but nothing."""
        if size == 0:
            return b""
        msg = "disk of SMITH^JOHN failed"
        raise self.error(msg)


class Raising(Dataset):
    """A Dataset that nobody can look into, and whose complaint holds a name."""

    def get_item(self, *_: object, **__: object) -> None:
        """Fail."""
        msg = "value of SMITH^JOHN"
        raise RuntimeError(msg)


@pytest.mark.parametrize(
    "error", [OSError, TimeoutError, EOFError, RuntimeError, zlib.error]
)
def test_an_error_of_the_medium_is_no_broken_file(error: type[Exception]) -> None:
    """Whatever a drive, a share or a stream raises: the file cannot be opened, it is not broken."""
    with pytest.raises(DicomError, match=error.__name__) as caught:
        read_dicom(Failing(error))

    assert caught.value.reason == "cannot-open"
    assert "SMITH" not in str(caught.value)


def test_a_value_that_was_left_in_a_file_that_is_gone(tmp_path: Path) -> None:
    """A Dataset read with ``defer_size`` needs its file; without it the path is not repeated."""
    path = tmp_path / "smith.dcm"
    path.write_bytes(written(dataset(ramp())))
    deferred = pydicom.dcmread(path, defer_size=100)
    path.unlink()

    with pytest.raises(DicomError, match="defer_size") as caught:
        read_dicom(deferred)
    assert caught.value.reason == "cannot-open"
    assert "smith" not in str(caught.value)


def test_an_unforeseen_error_is_contained() -> None:
    """Whatever is raised within leaves as a DicomError that quotes nothing."""
    with pytest.raises(DicomError, match="RuntimeError") as caught:
        read_dicom(Raising(dataset(ramp())))

    assert caught.value.reason == "broken"
    assert caught.value.__suppress_context__
    assert "SMITH" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["DOE^JOHN", "DOE^JOHN^^DR", "A" * 65 + "^B", "DOE=JOHN^X", "doe^j"]
)
def test_a_name_in_an_attribute_that_travels_stays_inside(value: str) -> None:
    """What is let through by its tag is let through as far as its VR allows it (PS3.5 6.2)."""
    keywords = {
        *TRAVELS,
        "Modality",
        "BurnedInAnnotation",
        "RecognizableVisualFeatures",
    }
    for keyword in (*keywords, "PhotometricInterpretation"):
        raw = value.encode() + b" " * (len(value) % 2)
        file = with_raw(dataset(ramp()), TAGS[keyword], raw)
        text = said(read_dicom(file)) + repr(dict(describe(file)))
        assert not {"DOE", "doe", "JOHN", "AAA"} & set(
            re.findall("[A-Za-z]{3,4}", text)
        ), keyword


def with_raw(made: Dataset, tag: int, value: bytes) -> bytes:
    """A file with a raw value, which pydicom would warn of."""
    keyword = pydicom.datadict.keyword_for_tag(tag)
    setattr(made, keyword, "QQQ")
    head = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, made[tag].VR.encode(), 4)
    file = written(made)
    assert file.count(head + b"QQQ ") == 1
    new = head[:6] + struct.pack("<H", len(value)) + value
    return file.replace(head + b"QQQ ", new)


def test_what_a_vr_allows_travels() -> None:
    """Codes and the names of devices are what they are for; letters of codes are capitals."""
    made = dataset(
        ramp(), ManufacturerModelName="Discovery CT750-HD (2.0), v/1", Modality="CT"
    )
    file = with_raw(made, TAGS["BodyPartExamined"], b"Chest_2 ")

    assert dict(read_dicom(file).info) == {
        "BodyPartExamined": "CHEST_2",
        "ManufacturerModelName": "Discovery CT750-HD (2.0), v/1",
    }
    assert describe(file)["modality"] == "CT"


def test_the_list_of_elements_names_no_one() -> None:
    """No element that is ever read is of a person, place, date or identifier.

    Three UIDs tell one series, frame of reference and concatenation from another: they are hashed
    where they are read. The image's own UID stays in memory, for who asks for it by name.
    """
    hashed = {
        TAGS[f"{each}UID"]
        for each in ("SeriesInstance", "FrameOfReference", "Concatenation")
    }
    allowed = {
        TAGS[f"{each}UID"] for each in ("TransferSyntax", "SOPClass", "SOPInstance")
    } | hashed
    vrs = {tag: pydicom.datadict.dictionary_VR(tag) for tag in READ - allowed}

    assert not [tag for tag, vr in vrs.items() if vr in IDENTIFYING_VRS]
    assert not set(TAGS) & IDENTIFYING
    assert set(TAGS) >= TRAVELS


def test_describe_says_what_a_file_holds() -> None:
    """The description of a file: shape, bits, syntax by name, windows."""
    found = describe(written(dataset(ramp(), WindowCenter=[3, 4], WindowWidth=[5, 6])))

    assert found["rows"] == 37
    assert found["columns"] == 53
    assert found["bits"] == 16
    assert found["syntax"] == "Explicit VR Little Endian"
    assert found["windows"] == ((3, 5), (4, 6))
