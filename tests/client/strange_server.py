"""A server that gives strange answers in turn, and the last one again and again."""

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_WATCHDOG_S = 60.0
_PIECE_S = 0.02


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `cut` breaks the connection instead, `silent` says nothing until the end.

    `endless` goes on and on with its body.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    media_type: str = "application/json"
    cut: bool = False
    silent: bool = False
    endless: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, with lower-case names of headers."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class StrangeServer:
    """Where it is, what it was asked, and what it answers next."""

    base: str
    replies: list[Reply]
    asked: list[Asked] = field(default_factory=list[Asked])
    over: threading.Event = field(default_factory=threading.Event)

    def next_reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class _Handler(BaseHTTPRequestHandler):
    strange: StrangeServer
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.strange.asked.append(Asked(self.command, self.path, headers))
        reply = self.strange.next_reply()
        self.close_connection = True
        if reply.silent:
            self.strange.over.wait(_WATCHDOG_S)
        if reply.cut or reply.silent:
            return
        told = {"Content-Type": reply.media_type}
        if not reply.endless:
            told["Content-Length"] = str(len(reply.body))
        self.send_response_only(reply.status)
        for name, value in {**told, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        with suppress(OSError):  # the client has left
            while reply.endless and not self.strange.over.wait(_PIECE_S):
                self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def strange_server(*replies: Reply) -> Generator[StrangeServer]:
    """One that gives these answers."""
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    handler = type("Handler", (_Handler,), {f"do_{each}": _Handler.answer for each in methods})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        made = StrangeServer(f"http://127.0.0.1:{listening.server_port}", list(replies))
        handler.strange = made
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield made
        finally:
            made.over.set()
            listening.shutdown()
            thread.join(_WATCHDOG_S)
