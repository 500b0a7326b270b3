"""Colours of others: matplotlib's maps, and palettes that other packages offer."""

import pickle

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import LinearSegmentedColormap, ListedColormap

from saliency.errors import InputError
from saliency.render import Palette, paint
from saliency.render.palettes import NAMED
from saliency.values.heatmap import Heatmap

BLACK = np.zeros((4, 64), np.uint8)
RISING = Heatmap(np.linspace(0, 1, BLACK.size, dtype=np.float32).reshape(BLACK.shape))

CODE = """
from matplotlib.colors import ListedColormap
from saliency import Palette

row = "400080,ff0080"
colour_map = ListedColormap(["#102030", "#ff8040"], name="mine")
palette = Palette("00f|f80")
number = 3
nonsense = "not a colour"
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a function that installs a package with palettes ``name = attribute``."""

    def install(package="colours_of_ours", **points):
        (tmp_path / f"{package}.py").write_text(CODE, encoding="utf-8")
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        lines = [
            f"{name} = {package}:{attribute}" for name, attribute in points.items()
        ]
        (info / "entry_points.txt").write_text(
            "[saliency.palettes]\n" + "\n".join(lines) + "\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


@pytest.mark.parametrize("name", ["magma", "viridis", "plasma_r", "Reds", "jet"])
def test_a_name_of_matplotlib_has_its_colours(name):
    """The 256 colours are matplotlib's own, from weak to strong; nothing is signed."""
    palette = Palette(name)
    truth = np.rint(255 * mpl.colormaps[name](np.arange(256))[:, :3])

    assert palette.source == name
    assert np.abs(palette.positive - truth).max() <= 1
    assert not palette.signed


@pytest.mark.parametrize("name", ["RdBu_r", "coolwarm", "PuOr"])
def test_a_diverging_map_has_0_in_its_middle(name):
    """Its upper end is the strongest heat for, its lower end the strongest against."""
    palette = Palette(name)
    lowest, highest = (
        np.rint(255 * np.array(mpl.colormaps[name](end)))[:3] for end in (0, 255)
    )

    assert palette.signed
    assert np.array_equal(palette.negative[255], lowest)
    assert np.array_equal(palette.positive[255], highest)


def test_a_colour_map_is_its_name_where_matplotlib_knows_it():
    """A palette of a map and of its name are one; a map called like one of ours is not ours."""
    assert Palette(mpl.colormaps["magma"]) == Palette("magma")
    theirs = Palette(mpl.colormaps["hot"])
    assert theirs != Palette("hot")
    assert theirs.positive[255].tolist() == [255, 255, 255]


def test_an_own_colour_map_is_kept_as_colours():
    """Its source is a row of hex colours, so that a file or another process can say it."""
    own = ListedColormap(["#102030", "#ff8040"], name="magma")
    palette = Palette(own)

    assert palette.positive[0].tolist() == [0x10, 0x20, 0x30]
    assert palette.positive[255].tolist() == [255, 0x80, 0x40]
    assert np.array_equal(Palette(palette.source).positive, palette.positive)


def test_it_paints_by_name_and_by_map():
    """Full heat, painted opaquely on black, is the map's last colour."""
    by_name, by_map = (
        paint(BLACK, RISING, palette=source, strength=1.0).rgb
        for source in ("viridis", Palette(mpl.colormaps["viridis"]))
    )

    assert np.array_equal(by_name, by_map)
    assert by_name[-1, -1].tolist() == [253, 231, 37]


@pytest.mark.parametrize("name", ["gray", "Greys", "binary_r"])
def test_greys_are_refused(name):
    """Heat in grey on a grey picture is not seen, or is taken for a finding."""
    with pytest.raises(InputError, match="greys alone"):
        Palette(name)


def test_a_map_without_a_name_is_taken():
    """The name of a colour map is no matter."""
    own = LinearSegmentedColormap.from_list("", ["#000", "#0f0"])

    assert Palette(own).positive[255].tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    ("attribute", "signed", "full"),
    [
        ("row", False, [255, 0, 128]),
        ("colour_map", False, [255, 128, 64]),
        ("palette", True, [255, 136, 0]),
    ],
)
def test_a_package_offers_a_palette(installed, attribute, signed, full):
    """Hex colours, a colour map or a Palette, by name; what is painted says the name."""
    installed(hospital=attribute)
    palette = Palette("hospital")

    assert palette.signed == signed
    assert palette.positive[255].tolist() == full
    assert paint(BLACK, RISING, palette="hospital").palette == "hospital"


def test_a_copy_needs_the_package_no_more(installed, monkeypatch):
    """What travels to another machine has its colours with it."""
    installed(hospital="row")
    packed = pickle.dumps(Palette("hospital"))
    monkeypatch.undo()

    with pytest.raises(InputError, match="got 'hospital'"):
        Palette("hospital")
    assert pickle.loads(packed).positive[255].tolist() == [255, 0, 128]  # noqa: S301


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("number", "got int"),
        ("nonsense", "got str"),
        ("missing", "cannot be loaded: Attribute"),
    ],
)
def test_what_is_no_palette_is_refused_by_name(installed, attribute, words):
    """The sentence names the palette and what was found."""
    installed(broken=attribute)

    with pytest.raises(InputError, match="'broken'") as caught:
        Palette("broken")
    assert words in str(caught.value)


def test_two_packages_of_one_name_are_refused(installed):
    """Nobody guesses whose colours are meant."""
    installed("colours_of_ours", hospital="row")
    installed("colours_of_theirs", hospital="palette")

    with pytest.raises(
        InputError, match="colours_of_ours and colours_of_theirs both offer"
    ):
        Palette("hospital")


@pytest.mark.parametrize("name", [*NAMED, "magma"])
def test_ours_and_matplotlib_s_names_are_not_taken_over(installed, name):
    """A package that offers a known name changes nothing."""
    before = Palette(name).positive
    installed(**{name: "row"})

    assert np.array_equal(Palette(name).positive, before)


def test_the_nearest_name_may_be_another_package_s(installed):
    """A misspelt name is told the right one."""
    installed(hospital="row")

    for wrong, right in (("hospitl", "hospital"), ("Magma", "magma")):
        with pytest.raises(InputError, match=f"Nearest names: .*{right}"):
            Palette(wrong)
