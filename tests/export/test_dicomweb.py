"""A real PACS (Orthanc), started for the tests in a network of its own, where nobody else is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import saliency as sal
from saliency.export.dicomweb import TOKEN, Archive

ORTHANC = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
STEPS = Path(__file__).with_name("archive_steps.py")
SETTINGS = {
    "StorageDirectory": "db",
    "IndexDirectory": "db",
    "HttpPort": 18042,
    "RemoteAccessAllowed": False,
    "AuthenticationEnabled": False,
    "DicomServerEnabled": False,
    "OverwriteInstances": True,
    "Plugins": [str(PLUGIN)],
    "DicomWeb": {
        "Enable": True,
        "Root": "/dicom-web/",
        "EnableWado": True,
        "WadoRoot": "/wado",
        "Host": "127.0.0.1:18042",
        "Ssl": False,
    },
}
#: Orthanc listens on all interfaces: in this network there is a loopback and nothing else.
SCRIPT = """
ip link set lo up; mkdir db
"$1" settings.json > orthanc.log 2>&1 & server=$!
for i in $(seq 120); do
  (echo > /dev/tcp/127.0.0.1/18042) 2>/dev/null && break
  sleep .25
done
"$2" "$3"; code=$?
kill $server; wait $server; exit $code
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the steps found, and all that they logged."""
    if ORTHANC is None or not PLUGIN.exists():
        pytest.skip("no Orthanc: apt-get install orthanc orthanc-dicomweb")
    apart = ["unshare", "--net", "--map-root-user"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*apart, "true"], check=False).returncode
    ):
        pytest.skip("no network namespace: unshare is not there, or not allowed")
    folder = tmp_path_factory.mktemp("orthanc")
    (folder / "settings.json").write_text(json.dumps(SETTINGS))
    (folder / "run.sh").write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [*apart, "bash", "run.sh", ORTHANC, sys.executable, STEPS],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (
        done.stderr[-3000:] + (folder / "orthanc.log").read_text()[-2000:]
    )
    return {**json.loads(done.stdout.splitlines()[-1]), "log": done.stderr}


def test_what_is_stored_is_found_and_comes_back(said):
    """Source and objects, pixels bit for bit."""
    assert said["first"] == []
    assert said["found"][3] == "CT"
    assert said["stored"] == []
    assert said["equal"] == [True] * 4
    assert said["modalities"] == ["CT", "OT", "OT", "SEG", "SR"]


def test_a_refusal_is_told_per_instance(said):
    """The second of two datasets has no study."""
    assert said["refused"] == [[1, "1.2.3"]]


def test_what_is_not_there_is_one_sentence_without_a_url(said):
    """The URL may name a patient."""
    assert "404" in said["absent"]
    assert "127.0.0.1" not in said["absent"]


def test_the_example_stores_results(said):
    """Two objects of the one image, beside the five instances that were there; none of results."""
    assert said["example"].startswith(f"{said['found'][2]}: ")
    assert said["after"] == 7


def test_the_token_is_in_no_log(said):
    """Not even at the level of debugging."""
    assert "dicomweb_client" in said["log"] or "urllib3" in said["log"]
    assert "SECRETTOKEN" not in said["log"]


@pytest.mark.parametrize(
    ("url", "options", "match"),
    [
        ("host/dicom-web", {}, "URL of a DICOMweb service"),
        ("https://host/dicom-web/studies/1.2", {}, "URL of a DICOMweb service"),
        ("https://host/dicom-web", {"token": "a", "user": "b"}, "got both"),
    ],
)
def test_what_opens_no_door_is_refused(url, options, match):
    with pytest.raises(sal.InputError, match=match):
        Archive(url, **options)


def test_a_server_that_is_not_there_is_one_sentence(monkeypatch):
    """Neither URL nor token in it, nor in the repr."""
    monkeypatch.setenv(TOKEN, "SECRETTOKEN")
    archive = Archive("http://127.0.0.1:1/dicom-web", attempts=1)
    with pytest.raises(
        sal.DicomError, match=r"^Expected a DICOMweb server to search, got \w+\.$"
    ):
        archive.search()
    assert "SECRETTOKEN" not in repr(vars(archive))
