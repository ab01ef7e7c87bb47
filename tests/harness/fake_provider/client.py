"""A client that reports what it saw, bytes and ending, and hides no fault: for tests of fakes."""

import http.client
import socket
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive

from cartrita.kit import sse

WATCHDOG_S = 30
_CHAT = "/v1/chat/completions"


class Reply(msgspec.Struct, frozen=True):
    """An answer as it came: `status` 0 where none came, `body` without HTTP's chunk framing.

    `end` says how it ended: as HTTP promises, by FIN before that, or by RST.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    end: Literal["complete", "fin", "rst"]

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    def frames(self) -> list[sse.Frame]:
        return sse.Parser(max_line=1 << 30).feed(self.body)

    def events(self) -> list[dict[str, Any]]:
        """The events of a stream whose events name themselves."""
        frames = self.frames()
        events: list[dict[str, Any]] = [msgspec.json.decode(frame.data) for frame in frames]
        assert [frame.event for frame in frames] == [event["type"] for event in events]
        return events

    def chunks(self) -> list[dict[str, Any]]:
        """The chunks of a stream that is in order, which ends with [DONE]."""
        *chunks, done = [frame.data for frame in self.frames()]
        assert done == "[DONE]"
        return [msgspec.json.decode(chunk) for chunk in chunks]


def body(prompt: str = "hi", *scripts: Script, **fields: object) -> dict[str, object]:
    """A valid request whose prompt carries the scripts; `fields` are added or take their place."""
    message = {"role": "user", "content": prompt + directive(*scripts)}
    return {"model": "fake", "messages": [message]} | fields


def ask(
    fake: FakeProvider,
    request: dict[str, object] | bytes,
    *,
    method: str = "POST",
    path: str = _CHAT,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Send one request on a connection of its own and read the answer to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=WATCHDOG_S)
    sent = {"authorization": f"Bearer {fake.key}", "content-type": "application/json"}
    payload = request if isinstance(request, bytes) else msgspec.json.encode(request)
    try:
        connection.request(method, path, payload, sent if headers is None else headers)
        return _read(connection)
    finally:
        connection.close()


def message_body(prompt: str = "hi", *scripts: Script, **fields: object) -> dict[str, object]:
    """A valid request for a message of Anthropic's; otherwise like `body`."""
    return body(prompt, *scripts, max_tokens=4096) | fields


def ask_message(
    fake: FakeProvider, request: dict[str, object] | bytes, path: str = "/v1/messages"
) -> Reply:
    """Send one request as Anthropic's clients do."""
    headers = {
        "x-api-key": fake.key,
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
    }
    return ask(fake, request, path=path, headers=headers)


def _read(connection: http.client.HTTPConnection) -> Reply:
    status, headers, received = 0, dict[str, str](), b""
    end: Literal["complete", "fin", "rst"] = "complete"
    try:
        response = connection.getresponse()
        status = response.status
        headers = {name.lower(): text for name, text in response.getheaders()}
        while piece := response.read1(65536):
            received += piece
        # http.client says nothing where a Content-Length is not reached.
        end = "fin" if response.length else "complete"
    except (http.client.IncompleteRead, http.client.RemoteDisconnected):
        end = "fin"
    except ConnectionResetError:
        end = "rst"
    return Reply(status, headers, received, end)


def send(fake: FakeProvider, request: dict[str, object]) -> socket.socket:
    """Send a request and leave it to the caller what to read, and when to leave."""
    payload = msgspec.json.encode(request)
    head = (
        f"POST {_CHAT} HTTP/1.1\r\nHost: fake\r\nAuthorization: Bearer {fake.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", fake.port), timeout=WATCHDOG_S)
    connection.sendall(head.encode() + payload)
    return connection


def read_until(connection: socket.socket, mark: bytes, times: int = 1) -> bytes:
    """Read until `mark` has come so many times; AssertionError where the stream ends before."""
    received = b""
    while received.count(mark) < times:
        piece = connection.recv(65536)
        assert piece, f"ended before {mark!r}: {received!r}"
        received += piece
    return received


def eventually(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds; AssertionError when the watchdog has had enough."""
    deadline = time.monotonic() + WATCHDOG_S
    while not condition():
        assert time.monotonic() < deadline, "what should have come did not come"
        time.sleep(0.01)
