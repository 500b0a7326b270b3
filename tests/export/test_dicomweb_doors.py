"""Passwords, certificates and busy servers: a real Orthanc, and a server of TLS before it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from orthanc import said_beside_orthanc

STEPS = Path(__file__).with_name("door_steps.py")
MADE = "openssl req -x509 -newkey rsa:2048 -nodes -days 2"
LOCKED = {
    "AuthenticationEnabled": True,
    "RegisteredUsers": {"reader": "SECRETPASSWORD"},
}


def make_certificate(folder, name):
    """Write a certificate that signs itself, for localhost, with its key."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*MADE.split(), *subject, "-keyout", f"{name}.key", "-out", f"{name}.crt"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    parts = [(folder / f"{name}.{part}").read_text() for part in ("key", "crt")]
    (folder / f"{name}.pem").write_text("".join(parts))


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each way in brought."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl, which makes certificates")
    folder = tmp_path_factory.mktemp("locked")
    for name in ("server", "client"):
        make_certificate(folder, name)
    return said_beside_orthanc(folder, STEPS, LOCKED)


@pytest.mark.parametrize("way", ["both", "environment"])
def test_certificate_and_password_open_the_door(said, way):
    """As arguments, and from the environment."""
    assert said[way] == 0  # instances: the archive is empty


@pytest.mark.parametrize("way", ["no user", "wrong"])
def test_a_wrong_user_is_told_from_a_wrong_file(said, way):
    assert "401" in said[way]


@pytest.mark.parametrize("way", ["no certificate", "unknown server"])
def test_without_the_certificate_nobody_answers(said, way):
    assert said[way].startswith("Expected a DICOMweb server to search, got ")


def test_a_busy_server_is_asked_again(said):
    """Two answers of 503, then what Orthanc says; and an end to it."""
    assert said["busy twice"] == 0
    assert said["busy twice: asked"] == 3
    assert "503" in said["busy for ever"]


def test_no_secret_is_logged(said):
    """Not even at the level of debugging, where urllib3 and dicomweb-client say most."""
    assert "dicom-web" in said["log"]
    assert "PASSWORD" not in said["log"]
