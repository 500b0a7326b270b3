"""Run by test_dicomweb_doors.py beside an Orthanc that wants a password.

In front of it stands a server of TLS that wants a certificate, and can be busy.
"""

import json
import logging
import os
import ssl
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import saliency as sal
from saliency.export.dicomweb import CERTIFICATE, PASSWORD, USER, Archive

ORTHANC = "http://127.0.0.1:18042"
BOTH = {"user": "reader", "password": "SECRETPASSWORD"}


class Front(ThreadingHTTPServer):
    """Hands requests on, after it was busy so many times."""

    busy = 0
    asked = 0

    def handle_error(self, *_: object) -> None:
        """A client that leaves at the door is what is tested."""


class Hand(BaseHTTPRequestHandler):
    """Hands a request to Orthanc, and its answer back."""

    def do_GET(self) -> None:
        """Be busy, or ask Orthanc."""
        self.server.asked += 1
        if self.server.asked <= self.server.busy:
            self.send_error(503)
            return
        plain = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("host", "accept-encoding")
        }
        request = urllib.request.Request(  # noqa: S310 - http alone
            ORTHANC + self.path, headers=plain
        )
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 - http alone
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, b""
        self.send_response(status)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def front(busy: int = 0) -> Iterator[Front]:
    """Start the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.pem")
    context.load_verify_locations("client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with Front(("127.0.0.1", 0), Hand) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.busy = busy
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def main() -> None:
    """Try every way in; print what the server let through."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    ways = {"certificate": "client.pem", "authority": "server.pem"}
    with front() as server:
        said = {
            "both": tried(server, **ways, **BOTH),
            "no user": tried(server, **ways),
            "wrong": tried(server, **ways, user="reader", password="WRONGPASSWORD"),  # noqa: S106
            "no certificate": tried(server, authority="server.pem", **BOTH),
            "unknown server": tried(server, certificate="client.pem", **BOTH),
        }
        os.environ |= {
            USER: "reader",
            PASSWORD: BOTH["password"],
            CERTIFICATE: "client.pem",
        }
        said["environment"] = tried(server, authority="server.pem")
    for name, attempts in (("busy twice", 3), ("busy for ever", 2)):
        with front(busy=2) as server:
            said[name] = tried(server, attempts=attempts, **ways)
            said[f"{name}: asked"] = server.asked
    sys.stdout.write(json.dumps(said))


def tried(server: Front, attempts: int = 1, **ways: str) -> object:
    """Return how many instances a search finds, or what went wrong."""
    url = f"https://localhost:{server.server_port}/dicom-web"
    try:
        return len(Archive(url, attempts=attempts, **ways).search())
    except sal.DicomError as error:
        return str(error)


if __name__ == "__main__":
    main()
