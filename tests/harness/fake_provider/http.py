"""As much HTTP/1.1 as the fake needs: requests in, answers out, one byte at a time if wanted."""

import asyncio
import http
import socket
import struct
from collections.abc import Callable

import msgspec
from tests.harness.fake_provider.steps import Head

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024


class BadRequest(Exception):
    """The bytes are no HTTP/1.1 request, or too many."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Reader(asyncio.StreamReader):
    """A reader that says at once, by a callback, that the client has left.

    A client that merely stops sending counts as one that left: no HTTP client does that.
    """

    gone = False
    on_gone: Callable[[], object] | None = None

    def feed_eof(self) -> None:
        super().feed_eof()
        self._leave()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self._leave()

    def _leave(self) -> None:
        self.gone = True
        if self.on_gone is not None:
            self.on_gone()


class Request(msgspec.Struct, frozen=True):
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str, default: str = "") -> str:
        return next((text for key, text in self.headers if key.lower() == name), default)

    @property
    def keep_alive(self) -> bool:
        return self.header("connection").lower() != "close"


async def read_request(reader: Reader, writer: asyncio.StreamWriter) -> Request | None:
    """Return the next request, None where the client has no more; raises BadRequest."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest("The head of the request is too large.", 431) from error
    method, path, headers = _parse_head(head)
    request = Request(method, path, headers, b"")
    if request.header("expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return msgspec.structs.replace(request, body=await _read_body(reader, request))


def _parse_head(head: bytes) -> tuple[str, str, list[tuple[str, str]]]:
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = line.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise BadRequest(f"Not an HTTP/1.1 request line: {line!r}.")
    headers: list[tuple[str, str]] = []
    for field in fields:
        name, colon, text = field.partition(":")
        if not colon or name != name.strip():
            raise BadRequest(f"Not a header: {field!r}.")
        headers.append((name, text.strip()))
    return words[0], words[1], headers


async def _read_body(reader: Reader, request: Request) -> bytes:
    if request.header("transfer-encoding").lower() == "chunked":
        return await _read_chunks(reader)
    length = request.header("content-length", "0")
    if not length.isdigit():
        raise BadRequest(f"Not a Content-Length: {length!r}.")
    if int(length) > MAX_BODY:
        raise BadRequest("The body of the request is too large.", 413)
    return await reader.readexactly(int(length))


async def _read_chunks(reader: Reader) -> bytes:
    body = b""
    while True:
        size = _chunk_size(await reader.readuntil(b"\r\n"))
        if len(body) + size > MAX_BODY:
            raise BadRequest("The body of the request is too large.", 413)
        body += (await reader.readexactly(size + 2))[:-2]
        if size == 0:
            return body


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError as error:
        raise BadRequest(f"Not the size of a chunk: {line!r}.") from error


class Outlet:
    """Writes one answer: head, pieces of body as they come, the end, or a cut in the middle."""

    def __init__(self, writer: asyncio.StreamWriter, *, keep_alive: bool) -> None:
        self._writer = writer
        self._until_close = False
        self._chunked = False
        self.keep_alive = keep_alive
        self.request_id: tuple[str, str] = ("x-request-id", "req_control")

    def frame_by_close(self) -> None:
        """Let nothing but the end of the connection end the body."""
        self._until_close = True
        self.keep_alive = False

    def head(self, head: Head) -> None:
        reason = http.HTTPStatus(head.status).phrase if head.status in _STATUSES else "Unknown"
        headers = [*head.headers, self.request_id, *self._framing(head)]
        headers.append(("connection", "keep-alive" if self.keep_alive else "close"))
        lines = [f"HTTP/1.1 {head.status} {reason}", *(f"{name}: {text}" for name, text in headers)]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def _framing(self, head: Head) -> list[tuple[str, str]]:
        if self._until_close:
            return []
        self._chunked = head.length is None
        if self._chunked:
            return [("transfer-encoding", "chunked")]
        return [("content-length", str(head.length))]

    async def send(self, data: bytes) -> None:
        """Write, and wait until the kernel has taken it (the buffer above it has no room)."""
        if self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._writer.write(data)
        await self._writer.drain()

    async def end(self) -> None:
        if self._chunked:
            self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def cut(self, *, reset: bool) -> None:
        """Close now; `reset` makes the kernel send RST instead of FIN."""
        self.keep_alive = False
        await self._writer.drain()
        if reset:
            connection: socket.socket = self._writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()


_STATUSES = {int(status) for status in http.HTTPStatus}
