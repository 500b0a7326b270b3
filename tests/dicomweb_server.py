"""Servers on the loopback that answer as they are told to, one for each answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

JSON = "application/dicom+json"


class Hand(BaseHTTPRequestHandler):
    """Answers as the server is told to: (status, phrase, type, body, more headers)."""

    server: "Server"

    def do_GET(self) -> None:
        """Answer."""
        self.answer(b"")

    def do_POST(self) -> None:
        """Take what is sent, in one piece or in chunks, and answer."""
        parts = []
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
        else:
            parts.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(b"".join(parts))

    def answer(self, sent: bytes) -> None:
        self.server.requests.append((self.path, sent))
        self.server.headers.append(dict(self.headers))
        status, phrase, kind, body, *more = self.server.answers(self.server.requests)
        self.send_response(status, phrase)
        for name, value in dict(*more).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Keeps (path, body) of all requests, and the headers of each."""

    def __init__(self, answers: Callable) -> None:
        super().__init__(("127.0.0.1", 0), Hand)
        self.answers, self.requests, self.headers = answers, [], []
        self.url = f"http://127.0.0.1:{self.server_port}/dicom-web"


@contextmanager
def server(answers: Callable) -> Iterator[Server]:
    with Server(answers) as made:
        Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def always(
    status: int,
    phrase: str,
    kind: str = JSON,
    body: bytes = b"[]",
    **headers: str,
) -> Callable:
    return lambda _: (status, phrase, kind, body, headers)
