"""A report opens in a browser from a file: small, dark, printed, without script or network."""

import json
import re
import shutil

import numpy as np
import pytest
from audit.chromium import run
from marked_pictures import pictures, reader
from PIL import Image

import saliency as sal

DARK = (20, 24, 28)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A report with strips, tables, strata and failures."""
    place = tmp_path_factory.mktemp("browser")
    images, labels = pictures(16)
    sites = ["a long name of a site", "b"] * 8
    probe = sal.KerasProbe(reader(40, 8), labels=["healthy", "ill, or so it seems"])
    report = sal.audit(
        probe,
        [b"no file", *images],
        labels=[0, *labels],
        strata={"site": ["b", *sites]},
        zones=lambda image: {
            "a_zone_with_a_very_long_name_indeed": image.display > 200
        },
    )
    report.save(place / "report")
    return place


def printed(folder, name, page):
    """Return a page's print on paper as the bytes of a PDF, which is made when all is loaded."""
    run(folder, page, f"--print-to-pdf={folder / name}.pdf")
    return (folder / f"{name}.pdf").read_bytes()


def figures(paper):
    """Return how many pictures a PDF holds."""
    return paper.count(b"/Subtype /Image")


def test_no_script_is_needed(folder):
    """The page holds none, and shows the same pictures where its policy forbids all but itself."""
    text = (page := folder / "report" / "report.html").read_text()
    assert not re.search(r"<script|javascript:|<[^>]+\son\w+\s*=", text, re.IGNORECASE)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    rule = f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">'
    (bound := folder / "bound.html").write_text(text.replace("<head>", rule, 1))

    assert rule in bound.read_text()
    assert (
        figures(printed(folder, "bound", bound))
        == figures(printed(folder, "free", page))
        > 3
    )


def test_a_dark_screen_stays_dark(folder):
    """Ground and ink change places for those who work in the dark."""
    picture, page = folder / "dark.png", folder / "report" / "report.html"
    whole = ("--virtual-time-budget=20000", "--run-all-compositor-stages-before-draw")
    dark = "--blink-settings=preferredColorScheme=0"
    run(
        folder, page, "--window-size=1000,1400", f"--screenshot={picture}", *whole, dark
    )
    with Image.open(picture) as image:
        shown = np.asarray(image.convert("RGB"))

    assert tuple(shown[2, 2]) == DARK
    assert (shown[:, :16] == DARK).all()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_it_is_never_wider_than_a_phone(folder, width):
    """Nobody scrolls sideways; wide tables do so by themselves."""
    harness = folder / f"harness{width}.html"
    harness.write_text(
        f"<iframe id=f width={width} height=700 src='report/report.html'></iframe><script>"
        "onload=()=>{const d=f.contentDocument.documentElement;"
        "document.title=`${d.scrollWidth} ${d.clientWidth} ${d.scrollHeight}`}</script>"
    )
    page = run(folder, harness, "--allow-file-access-from-files", "--dump-dom")
    wide, seen, high = map(int, re.search(r"<title>(\d+) (\d+) (\d+)", page).groups())

    assert wide == seen
    assert high > 1500


def test_nothing_is_asked_of_a_network(folder):
    """Every request of the page is for the file itself, or for data inside it."""
    log = folder / "net.json"
    run(
        folder,
        folder / "report" / "report.html",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--log-net-log={log}",
        "--dump-dom",
    )
    asked = json.loads(log.read_text())["events"]
    addresses = {
        one["params"]["url"] for one in asked if "url" in one.get("params", {})
    }
    outside = {
        each
        for each in addresses
        if re.match(r"https?://(?!(localhost|127\.0\.0\.1))", each)
    }

    assert not {
        each for each in outside if "google" not in each
    }  # the browser asks its maker
    assert "http://" not in (text := (folder / "report" / "report.html").read_text())
    assert "https://" not in text


def test_it_prints(folder):
    """A few pages of paper, with the pictures."""
    raw = printed(folder, "paper", folder / "report" / "report.html")

    assert raw.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", raw)) <= 12
    assert figures(raw) > 3


def test_it_opens_anywhere(folder, tmp_path):
    """A copy of the page alone, in another folder, shows all of its pictures."""
    shutil.copy(folder / "report" / "report.html", tmp_path / "copy.html")
    harness = tmp_path / "harness.html"
    harness.write_text(
        "<iframe id=f width=800 height=700 src='copy.html'></iframe><script>"
        "onload=()=>{const i=[...f.contentDocument.images];"
        "document.title=`${i.length} ${i.filter(e=>e.naturalWidth>0).length}`}</script>"
    )
    page = run(folder, harness, "--allow-file-access-from-files", "--dump-dom")
    there, shown = map(int, re.search(r"<title>(\d+) (\d+)", page).groups())

    assert there == shown > 3
