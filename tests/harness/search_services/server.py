"""Stand-ins for Tavily, Brave, SearXNG and GitHub, on one socket, each below a path of its own.

They are strict: a request that the service would refuse is refused in its words. A test may have
the next requests answered with an error instead, as each service publishes it.
"""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec
from tests.harness.search_services import brave, github, searxng, tavily
from tests.harness.search_services.exchange import Asked, Reply

_SERVICES = {
    "tavily": tavily.answer,
    "brave": brave.answer,
    "searxng": searxng.answer,
    "github": github.answer,
}


class SearchServices:
    """The running stand-ins: their addresses, what they were asked, and what they shall answer."""

    def __init__(self, port: int) -> None:
        self.root_url = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self._next: defaultdict[str, deque[Reply]] = defaultdict(deque)

    def url(self, service: str) -> str:
        """The base URL of one service."""
        return f"{self.root_url}/{service}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a server that uses them, without keys."""
        return {f"{name.upper()}_BASE_URL": self.url(name) for name in _SERVICES}

    def answer_next(self, service: str, *replies: Reply) -> None:
        """Answer the next requests with these instead."""
        self._next[service].extend(replies)

    def reset(self) -> None:
        """Forget what was asked, and what shall be answered."""
        self.asked.clear()
        self._next.clear()

    def respond(self, service: str, asked: Asked) -> Reply:
        """What a service says to a request."""
        self.asked.append(asked)
        if self._next[service]:
            return self._next[service].popleft()
        return _SERVICES[service](asked)


@contextmanager
def search_services() -> Generator[SearchServices]:
    """Run the stand-ins for the length of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.services
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_activate(self) -> None:
        super().server_activate()
        self.services = SearchServices(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._answer(json.loads(body))
        except ValueError:
            self._send(Reply(400, {"detail": {"error": "The body is not JSON."}}))

    def _answer(self, body: Any) -> None:
        parts = urlsplit(self.path)
        service, _, path = parts.path.lstrip("/").partition("/")
        if service not in _SERVICES:
            self._send(Reply(404, {"message": "Not Found"}))
            return
        query = parse_qsl(parts.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(service, self.command, f"/{path}", dict(query), body, headers)
        self._send(cast("_Server", self.server).services.respond(service, asked))

    def _send(self, reply: Reply) -> None:
        is_page = isinstance(reply.body, str)
        body = reply.body.encode() if is_page else msgspec.json.encode(reply.body)
        self.send_response(reply.status)
        headers: Mapping[str, str] = {
            "Content-Type": "text/html" if is_page else "application/json",
            **reply.headers,
            "Content-Length": str(len(body)),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
