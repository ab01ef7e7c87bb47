"""A browser client that was written against the original backend: its requests and its parsers."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from tests.harness import raw_http
from tests.harness.clients import call
from tests.harness.documents import form
from tests.harness.scenario import Scenario
from tests.harness.server import KEY

BOTH = {"X-API-Key": KEY, "Authorization": f"Bearer {KEY}", "X-Client-Version": "Old/2.0.0"}
"""The headers of each of its requests."""
DONE = "[DONE]"


class OldClient:
    """Its requests, below a base URL; each answers the status and the JSON."""

    def __init__(self, scenario: Scenario, base: str = "/api") -> None:
        self.port = scenario.server.port
        self.base = base

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await call(self.port, method, self.base + path, {**BOTH, **named}, body)

    async def data(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What a request that succeeds has to say; the superset says it twice."""
        status, told = await self.ask(method, path, body)
        assert status < 300, told
        assert told["success"] is True
        if isinstance(told["data"], dict):
            assert told["data"].items() <= told.items()
        return told["data"]

    async def upload(
        self, path: str, *files: tuple[str, str, bytes], **fields: str
    ) -> tuple[int, dict[str, Any]]:
        kind, body = form(*files, fields=fields)
        sent = {**BOTH, "Content-Type": kind}
        answer = await raw_http.request(self.port, "POST", self.base + path, sent, body)
        async with answer:
            return answer.status, json.loads(await answer.body())

    async def stream(self, **query: str) -> str:
        """The whole stream of an EventSource, which has its key in the query."""
        return "".join([piece async for piece in self.pieces(**query)])

    async def pieces(self, **query: str) -> AsyncIterator[str]:
        """What arrives of such a stream, as it arrives."""
        target = f"{self.base.replace('/api', '')}/api/chat/stream?{urlencode(query)}"
        accept = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        async with await raw_http.request(self.port, "GET", target, accept) as answer:
            assert answer.status == 200, await answer.body()
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for piece in answer.chunks():
                yield piece.decode()


def payloads(stream: str) -> Iterator[str]:
    """What `onmessage` is called with: the data of each event (WHATWG HTML, 9.2.6)."""
    for event in stream.split("\n\n"):
        fields = [line.partition(":") for line in event.split("\n") if not line.startswith(":")]
        data = [value.removeprefix(" ") for name, _, value in fields if name == "data"]
        if data:
            yield "\n".join(data)


def frames(stream: str) -> list[dict[str, Any]]:
    """The JSON of each event."""
    return [json.loads(payload) for payload in payloads(stream) if payload != DONE]


class Ended(msgspec.Struct, frozen=True):
    """What a parser made of a stream: the text, and the error or what came with the end."""

    text: str
    error: str | None = None
    response: Mapping[str, Any] | None = None


def by_events(stream: str) -> Ended:
    """The parser that reads `event` and `data`, and closes at `done`."""
    text = ""
    for payload in payloads(stream):
        try:
            frame = json.loads(payload)
        except ValueError:
            continue
        if "event" not in frame or "data" not in frame:
            continue
        data = frame["data"]
        if frame["event"] == "token":
            text += data["delta"]
        elif frame["event"] == "error":
            return Ended(text, error=data["error"])
        elif frame["event"] == "done":
            assert data["final_response"] == text
            return Ended(text, response=data)
    raise AssertionError("the stream told no end")


def by_contents(stream: str) -> Ended:
    """The parser that adds up `content`, and takes any frame without it for the final answer."""
    text = ""
    for line in stream.split("\n"):
        if not line.startswith("data: "):
            continue
        payload = line.removeprefix("data: ").strip()
        if payload == DONE:
            return Ended(text, response={})
        frame = json.loads(payload)
        if frame.get("type") == "content" or frame.get("content"):
            text += frame["content"]
        elif frame.get("error"):
            return Ended(text, error=frame["error"])
        else:
            raise AssertionError(f"taken for the final answer: {frame}")
    raise AssertionError("the stream told no end")
