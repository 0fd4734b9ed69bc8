"""A web server on loopback that answers as a test says, and notes what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # send so many bytes of the body, and drop the connection


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


class WebServer:
    """Answers with what stands in `pages`: a reply, or a function of the request."""

    def __init__(self) -> None:
        self.pages: dict[str, Reply | Callable[[Request], Reply]] = {}
        self.asked: list[Request] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def serve(self, path: str, body: bytes | str, **headers: str) -> None:
        """Serve a body with an ETag, which answers 304 when it is asked with it."""
        content = body.encode() if isinstance(body, str) else body
        tag = f'"{hash(content) & 0xFFFFFFFF:x}"'
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        def answer(request: Request) -> Reply:
            if request.headers.get("if-none-match") == tag:
                return Reply(b"", 304, {"ETag": tag})
            return Reply(content, 200, {"ETag": tag, **named})

        self.pages[path] = answer

    def json(self, path: str, answer: Callable[[Request], Any], **headers: str) -> None:
        """Serve what a function makes of a request, as JSON."""
        kind = {"Content-Type": "application/json", **headers}
        self.pages[path] = lambda request: Reply(json.dumps(answer(request)).encode(), 200, kind)

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self, whole: bool = True) -> None:
                at = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, at.path, dict(parse_qsl(at.query)), headers)
                server.asked.append(request)
                page = server.pages.get(at.path, Reply(b"not here", 404))
                reply = page(request) if callable(page) else page
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Transfer-Encoding" not in reply.headers and reply.status != 304:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if whole:
                    self.wfile.write(reply.body[: reply.cut])
                    self.close_connection = reply.cut is not None

            def do_HEAD(self) -> None:
                self.do_GET(whole=False)

            def log_message(self, *_: Any) -> None: ...

        return Handler


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()
