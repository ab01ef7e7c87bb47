"""A server on a port of this machine that speaks the protocol badly, one misdeed for each path."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

PLAIN = {"type": "object", "properties": {}}


class HostileServer:
    """The running server: the address of each misdeed, and the paths that were asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.failing = False
        """Whether every request fails now."""
        self.released = threading.Event()
        """Set when what never answers may go."""

    def url(self, way: str) -> str:
        return f"http://127.0.0.1:{self.port}/{way}"


@contextmanager
def hostile_server() -> Generator[HostileServer]:
    """Run it for the length of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.hostile
    finally:
        server.hostile.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_activate(self) -> None:
        super().server_activate()
        self.hostile = HostileServer(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is given
        """Nothing is logged."""

    def do_GET(self) -> None:
        self._hostile.paths.append(self.path)
        self._send(405, b"")

    def do_POST(self) -> None:
        hostile = self._hostile
        hostile.paths.append(self.path)
        hostile.headers.append({name.lower(): value for name, value in self.headers.items()})
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with suppress(OSError):
            self._answer(self.path[1:], message)

    def _answer(self, way: str, message: dict[str, Any]) -> None:
        number, method = message.get("id"), message["method"]
        if way == "redirects":
            self._send(307, b"", Location="http://169.254.169.254/latest/meta-data")
        elif way == "refuses":
            self._send(401, b"")
        elif way == "fails" or self._hostile.failing:
            self._send(500, b"Traceback")
        elif number is None:
            self._send(202, b"")
        elif method == "initialize":
            agreed = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}
            self._result(number, {**agreed, "serverInfo": {"name": "h", "version": "1"}})
        elif method == "tools/list":
            self._result(number, {"tools": [{"name": "plain", "inputSchema": PLAIN}]})
        elif method == "tools/call":
            self._called(way, number, message["params"])
        else:
            error = {"code": -32601, "message": "no such method"}
            self._send(200, self._json(id=number, error=error))

    def _called(self, way: str, number: Any, params: dict[str, Any]) -> None:
        match way:
            case "large":
                text = {"type": "text", "text": "x" * (10 << 20)}
                self._result(number, {"content": [text]})
            case "inflates":
                self._send(200, b"\x1f\x8b" + b"\0" * 100, Content_Encoding="gzip")
            case "cut":
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"{")
                self.close_connection = True
            case "endless":
                self._endless(params["_meta"]["progressToken"])
            case "moves":
                self._send(307, b"", Location="http://169.254.169.254/latest/meta-data")
            case _:
                self._hostile.released.wait(60)

    def _endless(self, token: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        progress = {"progressToken": token, "progress": 1, "message": "y" * 1000}
        event = self._json(method="notifications/progress", params=progress)
        while not self._hostile.released.is_set():
            self.wfile.write(b"data: " + event + b"\n\n")

    def _result(self, number: Any, result: dict[str, Any]) -> None:
        self._send(200, self._json(id=number, result=result))

    def _json(self, **message: Any) -> bytes:
        return json.dumps({"jsonrpc": "2.0", **message}).encode()

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    @property
    def _hostile(self) -> HostileServer:
        return cast("_Server", self.server).hostile
