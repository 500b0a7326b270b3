"""VOI functions against the formulas of PS3.3 C.11.2, worked by hand."""

import numpy as np
import pytest
from dicom.build import dataset, item, ramp, written
from pydicom.pixels import apply_windowing

from saliency.dicom import describe, read_dicom
from saliency.dicom.display.lut import Descriptor, read_descriptor
from saliency.dicom.display.voi import Spread, linear, linear_exact, sigmoid
from saliency.errors import InputError
from saliency.values.window import Window


def linear_twin(value: float, center: float, width: float) -> float:
    """C.11.2.1.2.1, line by line."""
    if value <= center - 0.5 - (width - 1) / 2:
        return 0.0
    if value > center - 0.5 + (width - 1) / 2:
        return 1.0
    return (value - (center - 0.5)) / (width - 1) + 0.5


def test_values_between_two_entries_take_the_nearest() -> None:
    """A rescale of 0.75 gives 0.75, 1.5, 2.25: entries 1, 2, 2 of the VOI LUT."""
    table = item(LUTDescriptor=[4, 0, 8], LUTData=b"\0\0\x32\0\x64\0\xc8\0")
    made = dataset(np.array([[0, 1, 2, 3]], "u2"), VOILUTSequence=[table])
    made.RescaleSlope, made.RescaleIntercept = "0.75", "0"

    assert read_dicom(written(made)).display.tolist() == [[0, 50, 100, 100]]


def test_a_descriptor_that_is_signed_throughout() -> None:
    """40,000 entries under SS are -25,536; only the first value mapped is meant to be signed."""
    found = read_descriptor((40_000 - 65_536, -3, 16), signed=True)

    assert found == Descriptor(40_000, -3, 16)


def test_a_table_of_one_entry_has_the_bits_that_it_says() -> None:
    """Two bytes are one entry of 12 bits, and no 8-bit entry with one to make it even."""
    table = item(LUTDescriptor=[1, 0, 12], LUTData=[100])
    shown = read_dicom(written(dataset(ramp(), VOILUTSequence=[table]))).display

    assert set(shown.ravel()) == {round(255 * 100 / 4095)}


@pytest.mark.parametrize(
    "window", [(2048, 4096), (40, 400), (0, 2), (10, 1), (-3.5, 7.25)]
)
def test_linear_is_the_formula_of_the_standard(window: tuple[float, float]) -> None:
    """LINEAR equals the three lines of pseudo-code of C.11.2.1.2.1 for every value."""
    values = np.arange(-1200, 5000, 7, dtype=np.float64)

    found = linear(values, Window(*window))

    expected = [linear_twin(value, *window) for value in values]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_linear_maps_the_examples_of_the_standard() -> None:
    """Window 2048, 4096 sends 0 to black and 4095 to white; 0, 1 is a step at -0.5."""
    full, step = Window(2048, 4096), Window(0, 1)

    assert linear(np.array([0.0, 4095.0]), full).tolist() == [0, 1]
    assert linear(np.array([-0.6, -0.5, -0.4]), step).tolist() == [0, 0, 1]


def test_linear_exact_has_no_half_steps() -> None:
    """LINEAR_EXACT sends c - w/2 to 0, c to one half and c + w/2 to 1."""
    found = linear_exact(np.array([-50.0, 0.0, 50.0, 51.0]), Window(0, 100))

    assert found.tolist() == [0, 0.5, 1, 1]


def test_sigmoid_is_the_logistic_function() -> None:
    """SIGMOID is one half at c and 1 / (1 + exp(-2)) at c + w/2."""
    found = sigmoid(np.array([7.0, 57.0, 1e9, -1e9]), Window(7, 100))

    np.testing.assert_allclose(found, [0.5, 1 / (1 + np.exp(-2)), 1, 0], atol=1e-12)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_display_agrees_with_pydicom(function: str) -> None:
    """Every function shows what pydicom's apply_windowing computes, to one grey level."""
    made = dataset(ramp(), WindowCenter=800, WindowWidth=900, VOILUTFunction=function)

    shown = read_dicom(written(made)).display

    expected = apply_windowing(ramp(), made) / (2**16 - 1) * 255
    assert np.abs(shown - expected).max() <= 1


def test_width_below_one_is_shown_by_the_exact_formula() -> None:
    """LINEAR with the forbidden width 0.5 is LINEAR_EXACT, not an error."""
    window = Window(3, 0.5)
    values = np.linspace(2, 4, 41)

    np.testing.assert_array_equal(linear(values, window), linear_exact(values, window))


def test_a_narrow_window_of_a_file_is_used() -> None:
    """A file's own width of 0.5 is kept, and half a unit from black to white."""
    image = read_dicom(written(dataset(ramp(), WindowCenter="10", WindowWidth="0.5")))

    assert image.window == Window(10, 0.5)
    assert image.display.ravel()[[9, 11]].tolist() == [0, 255]


def test_the_narrowest_window_is_a_step() -> None:
    """A width of 1e-300 overflows nothing: it is a step at the center."""
    shown = read_dicom(
        written(dataset(ramp())), window=Window(10.5, 1e-300)
    ).display.ravel()

    assert shown[[10, 11]].tolist() == [0, 255]


def test_windows_are_alternatives() -> None:
    """An index chooses one of the windows of the file, in modality units; none is the first."""
    made = dataset(ramp("i2"), WindowCenter=[100, 900], WindowWidth=[50, 60])
    file = written(made)

    assert (
        read_dicom(file).window == read_dicom(file, window=0).window == Window(100, 50)
    )
    assert read_dicom(file, window=1).window == Window(900, 60)
    assert read_dicom(file, window=Window(5, 6)).window == Window(5, 6)


def test_window_index_outside_is_refused() -> None:
    """A file of two windows has no third: InputError says how many there are."""
    file = written(dataset(ramp(), WindowCenter=[100, 900], WindowWidth=[50, 60]))

    with pytest.raises(InputError, match="below 2"):
        read_dicom(file, window=2)


UNUSABLE = [("10", "0"), ("10", "-4"), ("10", "inf"), ("inf", "5"), ("abc", "5")]


@pytest.mark.parametrize(("center", "width"), UNUSABLE)
def test_windows_are_counted_as_the_file_counts_them(center: str, width: str) -> None:
    """A window that cannot be used keeps its number, is refused by name, and moves no other."""
    centers, widths = ["11", "40", "600"], ["22", "400", "1200"]
    made = dataset(ramp(), WindowCenter=centers, WindowWidth=widths)
    made.WindowCenterWidthExplanation = ["A", "B", "A"]
    text = written(made)
    text = text.replace(b"11\\40\\600 ", f"{center}\\40\\600".encode().ljust(10))
    file = text.replace(b"22\\400\\1200 ", f"{width}\\400\\1200".encode().ljust(12))

    assert describe(file)["windows"] == (None, (40, 400), (600, 1200))
    assert (
        read_dicom(file).window == read_dicom(file, window=1).window == Window(40, 400)
    )
    assert read_dicom(file, window=2).window == Window(600, 1200)
    assert read_dicom(file, window="a").window == Window(600, 1200)
    with pytest.raises(InputError, match="the window 0 of the file cannot be used"):
        read_dicom(file, window=0)


def test_a_center_without_a_width_is_a_window_that_cannot_be_used() -> None:
    """Three centers and two widths are three windows, the last of which has no width."""
    file = written(dataset(ramp(), WindowCenter=[10, 40, 600], WindowWidth=[22, 400]))

    assert describe(file)["windows"] == ((10, 22), (40, 400), None)
    with pytest.raises(InputError, match="cannot be used"):
        read_dicom(file, window=2)
    with pytest.raises(InputError, match="below 3"):
        read_dicom(file, window=3)


@pytest.mark.parametrize("width", [0, -5, "inf", "nan"])
def test_impossible_window_gives_the_range(width: object) -> None:
    """A window that cannot be is left out: the display spreads the range of the frame."""
    file = written(dataset(ramp(), WindowCenter="100", WindowWidth="400")).replace(
        b"400 ", f"{width}".encode().ljust(4)[:4]
    )

    image = read_dicom(file)

    assert image.window is None
    assert (image.display.min(), image.display.max()) == (0, 255)


def test_no_window_spreads_the_range_without_padding() -> None:
    """Without window and LUT, least to greatest value that is no padding fill 0..255."""
    values = ramp("i2")
    values[0] = -2000
    image = read_dicom(written(dataset(values, PixelPaddingValue=-2000)))

    assert image.display[1, 0] == 0
    assert image.display[-1, -1] == 255


def test_constant_frame_is_black() -> None:
    """A frame of one value has no range and is shown black, not divided by zero."""
    image = read_dicom(written(dataset(np.full((37, 53), 7, "u2"))))

    assert not image.display.any()


def test_spread_is_linear() -> None:
    """The middle of the range is the middle of the grey levels."""
    assert Spread(-10, 30)(np.array([-10.0, 10.0, 30.0])).tolist() == [0, 0.5, 1]
    assert Spread(-10, 30)(np.array([-11.0, 31.0])).tolist() == [0, 1]
    assert Spread(7, 7)(np.array([6.0, 7.0, 8.0])).tolist() == [0, 0, 0]


def test_voi_lut_clamps_at_both_ends() -> None:
    """Values below the first mapped value show the first entry, those above the last."""
    lut = item(LUTDescriptor=[4, 100, 8], LUTData=[0, 85, 170, 255])
    made = dataset(ramp(), VOILUTSequence=[lut])
    made.VOILUTSequence[0]["LUTDescriptor"].VR = "US"
    made.VOILUTSequence[0]["LUTData"].VR = "US"

    shown = read_dicom(written(made)).display.ravel()

    assert shown[[0, 99, 100, 101, 102, 103, 104, 1900]].tolist() == [
        0,
        0,
        0,
        85,
        170,
        255,
        255,
        255,
    ]


def test_voi_lut_starts_below_zero_where_rescale_goes_there() -> None:
    """First value mapped 0xFF38 is -200 when modality values are signed (C.11.2.1.1)."""
    lut = item(LUTDescriptor=[4, 0xFF38, 8], LUTData=[0, 85, 170, 255])
    made = dataset(ramp(), VOILUTSequence=[lut], RescaleSlope=1, RescaleIntercept=-1024)
    made.VOILUTSequence[0]["LUTDescriptor"].VR = "US"
    made.VOILUTSequence[0]["LUTData"].VR = "US"

    shown = read_dicom(written(made)).display.ravel()

    assert shown[1024 - 200 : 1024 - 196].tolist() == [0, 85, 170, 255]


def test_window_comes_from_the_functional_group_of_the_frame() -> None:
    """Frame VOI LUT of the frame wins over the shared one, and that over the top (C.7.6.16)."""
    own = item(FrameVOILUTSequence=[item(WindowCenter=11, WindowWidth=12)])
    shared = item(FrameVOILUTSequence=[item(WindowCenter=21, WindowWidth=22)])
    made = dataset(
        np.stack([ramp(), ramp()]), frames=2, WindowCenter=31, WindowWidth=32
    )
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = [item(), own]
    file = written(made)

    assert read_dicom(file, frame=0).window == Window(21, 22)
    assert read_dicom(file, frame=1).window == Window(11, 12)


def test_a_voi_lut_comes_from_the_functional_group_of_the_frame() -> None:
    """A Frame VOI LUT may hold a table (C.7.6.16.2.10b): here one that inverts."""
    table = item(
        LUTDescriptor=[2048, 0, 16],
        LUTData=(65535 - 32 * ramp("u2", (32, 64))).tobytes(),
    )
    made = dataset(np.stack([ramp(), ramp()]), frames=2)
    made.PerFrameFunctionalGroupsSequence = [
        item(),
        item(FrameVOILUTSequence=[item(VOILUTSequence=[table])]),
    ]
    file = written(made)

    assert read_dicom(file, frame=0).display[0, 0] == 0
    assert read_dicom(file, frame=1).display[0, 0] == 255
    assert (
        np.abs(read_dicom(file, frame=1).display - (65535 - 32.0 * ramp()) / 257).max()
        <= 1
    )


def test_a_window_by_its_explanation() -> None:
    """(0028,1055) names the alternatives; letters may be of any case, and no name is guessed."""
    made = dataset(
        ramp(),
        WindowCenter=[40, 700],
        WindowWidth=[80, 400],
        WindowCenterWidthExplanation=["BRAIN", "BONE"],
    )
    file = written(made)

    assert read_dicom(file, window="bone").window == Window(700, 400)
    with pytest.raises(InputError, match="explanation"):
        read_dicom(file, window="lung")
