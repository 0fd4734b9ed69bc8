"""A proxy in front of storage that speaks S3, which fails as storage and networks do.

It runs in a process of its own: Delta holds Python's lock while it waits for storage, and would
keep a proxy in the same process from answering.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import random
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from s3 import free_port, wait_for

PASS, BUSY, DROP, LOSE = "pass", "503", "drop", "lose"
_CONTROL = "/-/fault"


@dataclass
class Fault:
    """What becomes of requests: `fate` is to be answered 503, or to be dropped; or the server does
    what was asked, and its answer is lost. What is not hit passes.

    Attributes
    ----------
    method, part : str
        Only of requests with this method, and with this in their path.
    creations : bool
        Only of those that make a file that must not be there yet.
    share : float
        Of how many of them, by chance.
    once : bool
        Only of the first for each folder.
    """

    fate: str = PASS
    method: str = ""
    part: str = ""
    creations: bool = False
    share: float = 1.0
    once: bool = False
    hit: dict[str, int] = field(default_factory=dict)

    def hits(self, method: str, path: str, headers: dict[str, str], chance: random.Random) -> bool:
        folder = path.split("/")[-2]
        if not method.startswith(self.method) or self.part not in path:
            return False
        if self.creations and "if-none-match" not in headers:
            return False
        if (self.once and folder in self.hit) or chance.random() >= self.share:
            return False
        self.hit[folder] = self.hit.get(folder, 0) + 1
        return True


@dataclass(frozen=True)
class Proxy:
    """The near side of the proxy."""

    url: str

    def fail(self, fate: str, **how: Any) -> None:
        """Have requests fail from now on (see `Fault`)."""
        body = json.dumps(asdict(Fault(fate, **how))).encode()
        urllib.request.urlopen(f"{self.url}{_CONTROL}", body).read()

    def heal(self) -> dict[str, int]:
        """Let all requests pass again; return how many were hit, by the folder of the file."""
        hit = json.load(urllib.request.urlopen(f"{self.url}{_CONTROL}"))["hit"]
        self.fail(PASS)
        return dict(hit)


def _serve(port: int, upstream: str) -> None:
    fault, chance, lock = Fault(), random.Random(7), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            nonlocal fault
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            with lock:
                if self.path == _CONTROL:
                    fault = Fault(**json.loads(body)) if body else fault
                    return self.answer(200, {}, json.dumps(asdict(fault)).encode())
                fate = fault.fate if fault.hits(self.command, self.path, headers, chance) else PASS
            if fate == DROP:
                return self.hang_up()
            if fate == BUSY:
                return self.answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
            answer = self.forward(headers, body)
            return self.hang_up() if fate == LOSE else self.answer(*answer)

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

        def forward(self, headers: dict[str, str], body: bytes) -> tuple[int, dict, bytes]:
            asked = http.client.HTTPConnection(upstream, timeout=60)
            asked.request(self.command, self.path, body, headers)
            got = asked.getresponse()
            answer = got.status, dict(got.getheaders()), got.read()
            asked.close()
            return answer

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            length = headers.get("Content-Length", str(len(body)))
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


@contextmanager
def proxied(endpoint: str) -> Iterator[Proxy]:
    """Give a proxy of an S3 server, through which all passes at first."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(port, urlsplit(endpoint).netloc), daemon=True
    )
    process.start()
    try:
        wait_for(port)
        yield Proxy(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.join(5)
