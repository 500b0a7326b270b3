"""Open what is exported in OHIF, a viewer for the web, and save what it shows of each object.

``PYTHONPATH=tests:examples python scripts/show_in_ohif.py OHIF OUT [FILE.dcm ...]``

OHIF is the folder ``dist`` of its package, unpacked: ``npm pack @ohif/app``. A picture for each
object, a log of what the page complained of, and ``sheet.jpg``, which stands in docs/pacs.md, are
written to OUT. Without files the image is an abdominal MR that pydicom brings along, with a lesion
drawn into it and a made-up name. Files are explained by the demo model, whose answer about them
means nothing.

Needs Orthanc with DICOMweb (``apt-get install orthanc orthanc-dicomweb``), Chromium, the extra
``pacs``, and playwright (``pip install playwright``). All of it runs in a network of its own, where
there is a loopback and nothing else; it takes about five minutes.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
from orthanc import APART, ORTHANC, SETTINGS
from PIL import Image
from pydicom.dataset import Dataset

import saliency as sal
from lesions import bundled, ring
from saliency import export
from saliency.export.dicomweb import Archive

MODEL: Final = Path(__file__).parents[1] / "examples" / "demo_model.keras"
INSIDE: Final = "--in-its-own-network"
STORE: Final = "http://127.0.0.1:18042"
PORT: Final = 18080
CONFIG: Final = """
window.config = {
  routerBasename: null, extensions: [], modes: [], customizationService: {},
  showStudyList: true, maxNumberOfWebWorkers: 2, showErrorDetails: 'always',
  investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'orthanc',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: 'orthanc',
    configuration: {
      friendlyName: 'Orthanc', name: 'orthanc',
      wadoUriRoot: '/wado', qidoRoot: '/dicom-web', wadoRoot: '/dicom-web',
      qidoSupportsIncludeField: false, supportsWildcard: true, enableStudyLazyLoad: true,
      imageRendering: 'wadors', thumbnailRendering: 'wadors',
      omitQuotationForMultipartRequest: true,
      bulkDataURI: { enabled: true, relativeResolution: 'studies' },
    },
  }],
};
"""
#: WebGL without a graphics card.
CHROMIUM: Final = (
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
)  # fmt: skip
WINDOW: Final = {"width": 1040, "height": 580}
#: The image's part of the window, right of the list of series.
VIEWPORT: Final = (288, 52, 1002, 572)
#: On the sheet is what OHIF 3.13 shows: no fractional segmentation, no presentation state.
ON_SHEET: Final = ("sc", "pm", "outline", "sr")
WIDTH: Final = 340  # pixels of a picture on the sheet


def main(ohif: Path, out: Path, files: list[str]) -> None:
    """Store image and objects, open each, and save the pictures."""
    out.mkdir(parents=True, exist_ok=True)
    sources = [pydicom.dcmread(file) for file in files] or [made_up()]
    with pacs(), site(ohif):
        archive = Archive(f"{STORE}/dicom-web")
        archive.store(sources)
        result = sal.explain(MODEL, sources[0], "gradcam", target=1)
        objects = objects_of(result, sources[0])
        for refusal in archive.store(objects.values()):
            print(f"not stored: {refusal.reason}")
        pictures = dict(pictures_of(objects, out))
    sheet([pictures[kind] for kind in ON_SHEET], out / "sheet.jpg")


def made_up() -> Dataset:
    """Return an MR of pydicom with a ring-shaped lesion, under a made-up name."""
    source = pydicom.dcmread(bundled("examples_overlay.dcm"))
    bottom, width = 55.0, 790.0  # of its first window
    shown = np.clip((source.pixel_array - bottom) / width, 0, 1)
    sick = np.clip(ring(shown, (112, 100), (26, 26), 0.57), 0, 1)
    source.PixelData = (sick * width + bottom).astype(np.uint16).tobytes()
    source.PatientName, source.PatientID = "Made^Up", "MADE-UP"
    source.StudyDescription = source.SeriesDescription = "MR"
    return source


def objects_of(result: Any, source: Dataset) -> dict[str, Dataset]:
    """Return every kind of object of a result."""
    return {
        "sc": export.secondary_capture(result, source, caption=True),
        "pm": export.parametric_map(result, source),
        "outline": export.segmentation(result, source, fractional=False),
        "seg": export.segmentation(result, source),
        "pr": export.presentation_state(result, source),
        "sr": export.report(result, source),
    }


@contextmanager
def pacs() -> Iterator[None]:
    """Run an Orthanc; this network must have its loopback up."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607 - of the system
    web = {**SETTINGS["DicomWeb"], "Host": f"127.0.0.1:{PORT}"}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "db").mkdir()
        (place / "settings.json").write_text(json.dumps({**SETTINGS, "DicomWeb": web}))
        words = [str(ORTHANC), "settings.json"]
        log = (place / "log").open("w")
        server = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
        try:
            wait_for(f"{STORE}/system")
            yield
        finally:
            server.terminate()
            server.wait()
            log.close()


def wait_for(url: str) -> None:
    """Return when a server answers; raise TimeoutError where it does not within a minute."""
    for _ in range(240):
        try:
            urllib.request.urlopen(url).close()  # noqa: S310 - our own
        except urllib.error.URLError:
            time.sleep(0.25)
        else:
            return
    raise TimeoutError(url)


@contextmanager
def site(ohif: Path) -> Iterator[None]:
    """Serve OHIF, and DICOMweb under the same origin."""
    handler = partial(Site, directory=str(ohif))
    with ThreadingHTTPServer(("127.0.0.1", PORT), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


class Site(SimpleHTTPRequestHandler):
    """OHIF's files, its index for any other page, our settings, and what Orthanc answers."""

    def do_GET(self) -> None:
        """Answer one request."""
        path = self.path.partition("?")[0]
        if path.startswith(("/dicom-web", "/wado")):
            self.hand_on()
        elif path == "/app-config.js":
            self.answer(200, "text/javascript", CONFIG.encode())
        else:
            if not Path(self.translate_path(path)).is_file():
                self.path = "/index.html"
            super().do_GET()

    def hand_on(self) -> None:
        """Ask Orthanc."""
        accept = {"Accept": self.headers.get("Accept", "*/*")}
        request = urllib.request.Request(STORE + self.path, headers=accept)  # noqa: S310
        try:
            with urllib.request.urlopen(request) as said:  # noqa: S310 - Orthanc
                kind = said.headers.get("Content-Type", "")
                self.answer(said.status, kind, said.read())
        except urllib.error.HTTPError as error:
            self.answer(error.code, "text/plain", error.read())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        """Send a whole body."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Isolate the page, as OHIF's workers want it."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of every request."""


def pictures_of(
    objects: dict[str, Dataset], out: Path
) -> Iterator[tuple[str, Image.Image]]:
    """Yield kind and picture of the viewport for each object, as a double click opens it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - no dependency of ours

    log = (out / "log.txt").open("w")
    with sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM)
        )
        page = browser.new_page(viewport=WINDOW)
        page.set_default_timeout(180_000)  # a busy machine
        page.on("console", lambda said: log.write(f"{said.type}: {said.text[:300]}\n"))
        page.on("pageerror", lambda error: log.write(f"page: {str(error)[:300]}\n"))
        for kind, made in objects.items():
            log.write(f"== {kind}\n")
            study = f"/viewer?StudyInstanceUIDs={made.StudyInstanceUID}"
            page.goto(f"http://127.0.0.1:{PORT}{study}")
            page.wait_for_selector("canvas")
            page.wait_for_timeout(8_000)
            if page.get_by_text("Skip all").count():  # a tour of the viewer
                page.get_by_text("Skip all").click()
            page.get_by_text(made.SeriesDescription, exact=True).first.dblclick()
            page.wait_for_timeout(15_000)
            page.screenshot(path=out / f"{kind}.png")
            yield kind, Image.open(out / f"{kind}.png").convert("RGB").crop(VIEWPORT)
        browser.close()
    log.close()


def sheet(pictures: list[Image.Image], path: Path) -> None:
    """Put pictures side by side, two in a row."""
    first = pictures[0]
    height = round(WIDTH * first.height / first.width)
    rows = -(-len(pictures) // 2)
    whole = Image.new("RGB", (2 * WIDTH, rows * height))
    for place, picture in enumerate(pictures):
        row, column = divmod(place, 2)
        smaller = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
        whole.paste(smaller, (column * WIDTH, row * height))
    whole.save(path, quality=35, optimize=True, progressive=True)
    print(path)


if __name__ == "__main__":
    if INSIDE not in sys.argv:
        words = [*APART, sys.executable, *sys.argv, INSIDE]
        sys.exit(subprocess.run(words, check=False).returncode)
    given = [word for word in sys.argv[1:] if word != INSIDE]
    main(Path(given[0]), Path(given[1]), given[2:])
