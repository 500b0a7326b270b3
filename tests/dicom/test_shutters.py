"""Display shutters and bitmaps against programs that share no code with this library.

``shutters.json`` holds what PixelMed (Debian's libpixelmed-java 20220618) leaves open of white
pixels under shutters made in code: packed bits, row by row. It paints in a plane, from the corner
of a pixel, where PS3.3 C.7.6.11 counts rows and columns from 1; so only outlines may differ. DCMTK
3.6.7 reads these shutters, and paints none; its dcm2pnm paints the bitmaps of overlays.
"""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from dicom.build import SIZE, dataset, written
from dicom.test_zones import overlaid, zone_of
from PIL import Image, ImageFilter

from saliency.dicom.declared.shapes import circle, polygon

PAINTED = json.loads(Path(__file__).with_name("shutters.json").read_text())


def opened(shutter: dict) -> np.ndarray:
    """Return what this library leaves open of a shutter."""
    zone = zone_of(written(dataset(np.full(SIZE, 255, "u1"), **shutter)), "shutter")
    assert zone is not None
    return ~zone.mask


def grown(mask: np.ndarray) -> np.ndarray:
    """Return a mask with every pixel that touches it."""
    picture = Image.fromarray(np.pad(mask, 1, mode="edge").astype("u1") * 255)
    return np.asarray(picture.filter(ImageFilter.MaxFilter(3)))[1:-1, 1:-1] > 0


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in PAINTED])
def test_another_viewer_opens_the_same_area(case: dict) -> None:
    """Another program's shutter lies within one pixel of ours, from inside and from outside."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(case["open"]), "u1"))
    theirs = bits[: SIZE[0] * SIZE[1]].reshape(SIZE).astype(bool)
    ours = opened(case["shutter"])

    assert not (theirs & ~grown(ours)).any()
    assert not (ours & ~grown(theirs)).any()


def test_edges_of_a_rectangle_are_shown() -> None:
    """An edge is a column or row of pixels, counted from 1 (C.7.6.11), and belongs to the inside.

    OFFIS' own viewer, DICOMscope, makes it right - left + 1 columns wide.
    """
    shutter = next(case["shutter"] for case in PAINTED if case["name"] == "rectangle")
    shown = np.argwhere(opened(shutter)) + 1

    assert shown.min(axis=0).tolist() == [5, 11]
    assert shown.max(axis=0).tolist() == [20, 30]


def test_whole_frame_is_no_shutter() -> None:
    """Edges 1 and Columns, 1 and Rows hide nothing."""
    edges = {
        "ShutterLeftVerticalEdge": 1,
        "ShutterRightVerticalEdge": SIZE[1],
        "ShutterUpperHorizontalEdge": 1,
        "ShutterLowerHorizontalEdge": SIZE[0],
    }
    made = dataset(np.full(SIZE, 255, "u1"), ShutterShape="RECTANGULAR", **edges)

    assert zone_of(written(made), "shutter") is None


@pytest.mark.parametrize("radius", [1, 2, 5, 13])
def test_radius_reaches_a_pixel(radius: int) -> None:
    """The pixel ``radius`` columns from the center is shown, the next is not."""
    mask = circle(SIZE, (19, 27), radius)

    assert mask is not None
    assert mask[18].sum() == mask[:, 26].sum() == 2 * radius + 1


def distances(size: tuple[int, int], vertices: list[int]) -> np.ndarray:
    """Return how far each pixel's middle is from the polygon, negative inside, one by one."""
    corners = [
        (vertices[k] - 1, vertices[k + 1] - 1) for k in range(0, len(vertices), 2)
    ]
    found = np.empty(size)
    for at in np.ndindex(size):
        inside, least = False, np.inf
        for (y0, x0), (y1, x1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (y0 > at[0]) != (y1 > at[0]) and at[1] < x0 + (at[0] - y0) * (
                x1 - x0
            ) / (y1 - y0):
                inside = not inside
            along = np.array([y1 - y0, x1 - x0], float)
            from_start = np.array([at[0] - y0, at[1] - x0], float)
            part = np.clip(from_start @ along / max(along @ along, 1e-9), 0, 1)
            least = min(least, float(np.linalg.norm(from_start - part * along)))
        found[at] = -least if inside else least
    return found


@pytest.mark.parametrize("seed", range(12))
def test_polygon_is_every_pixel_whose_middle_is_inside(seed: int) -> None:
    """A middle inside is shown, one on the outline too, and none that is half a pixel outside."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))
    reach = rng.uniform(4, 17, angles.size)
    rows, columns = 19 + reach * np.sin(angles), 27 + reach * np.cos(angles)
    vertices = np.rint(np.stack([rows, columns], axis=1)).astype(int).ravel().tolist()
    mask, away = polygon(SIZE, vertices), distances(SIZE, vertices)

    assert mask is not None
    assert mask[away <= 0].all()
    assert not mask[away > 0.5 + 1e-9].any()


@pytest.mark.parametrize("origin", [(1, 1), (3, 5), (-4, -6), (30, 50)])
def test_dcmtk_paints_the_same_bitmap(origin: tuple[int, int], tmp_path: Path) -> None:
    """The bits of a 60xx plane, as overlay and as shutter, are those that dcm2pnm makes white."""
    program = shutil.which("dcm2pnm")
    if program is None:
        pytest.skip("dcm2pnm is not on the path: apt install dcmtk")
    drawn = np.random.default_rng(5).integers(0, 2, (10, 11)).astype(bool)
    file, picture = tmp_path / "a.dcm", tmp_path / "a.png"
    file.write_bytes(overlaid(drawn, origin))
    black = ("+Ww", "100000", "1")
    subprocess.run([program, "-S", "+O", "0", "+on", *black, file, picture], check=True)

    white = np.asarray(Image.open(picture)) > 127

    for name, more in (("overlay", {}), ("shutter", {"ShutterOverlayGroup": 0x6002})):
        zone = zone_of(overlaid(drawn, origin, **more), name)
        assert zone is not None
        np.testing.assert_array_equal(zone.mask, white)
