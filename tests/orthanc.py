"""A real PACS (Orthanc) for a test, in a network of its own, where nobody else is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ORTHANC = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
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
APART = ("unshare", "--net", "--map-root-user")


def said_beside_orthanc(folder, steps, settings=None):
    """Run a script beside an Orthanc; return the JSON of its last line, and what it logged."""
    if ORTHANC is None or not PLUGIN.exists():
        pytest.skip("no Orthanc: apt-get install orthanc orthanc-dicomweb")
    skip_without_namespace()
    (folder / "settings.json").write_text(json.dumps({**SETTINGS, **(settings or {})}))
    (folder / "run.sh").write_text(SCRIPT)
    tests = Path(__file__).parent
    path = os.pathsep.join(map(str, (tests.parent, tests)))
    done = subprocess.run(
        [*APART, "bash", "run.sh", ORTHANC, sys.executable, steps],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, (
        done.stderr[-3000:] + (folder / "orthanc.log").read_text()[-2000:]
    )
    return {**json.loads(done.stdout.splitlines()[-1]), "log": done.stderr}


def skip_without_namespace():
    """Skip a test that needs a network where nobody else is."""
    if (
        shutil.which("unshare") is None
        or subprocess.run([*APART, "true"], check=False).returncode
    ):
        pytest.skip("no network namespace: unshare is not there, or not allowed")
