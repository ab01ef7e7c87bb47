"""Answers reach clients as they come; what fails is told; who leaves ends the call."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send
from tests.backend.surfaces.serving import Client, connected, serving, until

from cartrita.domain.deltas import Accepted, Delta, Finished, FinishReason, TextDelta
from cartrita.domain.errors import CartritaError, UpstreamCut, UpstreamOverloaded
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage
from cartrita.gateway.answers import Answer
from cartrita.kit.long_work import LARGE
from cartrita.surfaces.error_formats import send_error
from cartrita.surfaces.middleware import ErrorBoundary, RequestContext
from cartrita.surfaces.v1.call_answers import HEARTBEAT, send_stream, send_whole

LOST = Receipt("seed", "openai_chat", "anthropic_messages", "dropped", "It has none.")
CUT = UpstreamCut("p ended its answer.", provider="p")
DONE = Finished(FinishReason.STOP, Usage(1, 2))


class FakeAnswer:
    """Yields items; an event among them is waited for, an error is raised."""

    provider = "p"
    model = "m"
    answered_as = None
    failovers = ()
    relayed = False
    monitor = None
    usage = None
    cache: str | None = None

    def __init__(self, *items: Any, receipts: tuple[Receipt, ...] = ()) -> None:
        self._items = items
        self.receipts = receipts
        self.headers = {"x-ratelimit-remaining": "7", "x-request-id": "theirs"}
        self.closed = asyncio.Event()
        self.wait_to_open: asyncio.Event | None = None
        self.fails: Exception | None = None

    @property
    def items(self) -> AsyncIterator[bytes | Delta]:
        return self._read()

    async def _read(self) -> AsyncIterator[bytes | Delta]:
        for item in self._items:
            if isinstance(item, asyncio.Event):
                await item.wait()
            elif isinstance(item, Exception):
                raise item
            else:
                yield item

    @asynccontextmanager
    async def opening(self) -> AsyncGenerator[Answer]:
        try:
            if self.wait_to_open is not None:
                await self.wait_to_open.wait()
            if self.fails is not None:
                raise self.fails
            yield self
        finally:
            self.closed.set()


class Form:
    """Writes texts as they are, errors as their codes."""

    message_id = "form_1"

    def renderer(self, monitor: RelayMonitor | None) -> "Form":
        return self

    def accepted(self, delta: Accepted) -> None: ...

    def feed(self, delta: Delta) -> bytes:
        return f"data: {delta.text}\n\n".encode() if isinstance(delta, TextDelta) else b""

    def error(self, error: CartritaError) -> bytes:
        return f"data: error {error.code}\n\n".encode()

    def whole(self, deltas: Sequence[Delta]) -> bytes:
        return "".join(each.text for each in deltas if isinstance(each, TextDelta)).encode()


class App:
    """Answers every request with one answer, as a stream or whole."""

    def __init__(self, answer: FakeAnswer, *, streamed: bool, heartbeat_s: float = 60.0) -> None:
        self._answer = answer
        self._streamed = streamed
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if self._streamed:
            await send_stream(
                self._answer.opening(), Form(), receive, send, heartbeat_s=self._heartbeat_s
            )
        else:
            await send_whole(self._answer.opening(), Form(), receive, send)


@asynccontextmanager
async def asked(
    answer: FakeAnswer, *, streamed: bool = True, heartbeat_s: float = 60.0
) -> AsyncGenerator[Client]:
    inner = App(answer, streamed=streamed, heartbeat_s=heartbeat_s)
    app = FastAPI(
        middleware=[
            Middleware(RequestContext),
            Middleware(ErrorBoundary, respond=send_error),
        ]
    )
    app.mount("/v1", inner)
    async with serving(app) as port, connected(port) as client:
        client.request("POST", "/v1/answers", b"{}")
        yield client


async def test_bytes_and_deltas_are_sent_as_they_come() -> None:
    gate = asyncio.Event()
    answer = FakeAnswer(b"data: one\n\n", gate, TextDelta("two"), DONE, receipts=(LOST,))
    async with asked(answer) as client:
        status, headers = await client.head()
        assert await client.chunk() == b"data: one\n\n"
        gate.set()
        assert await client.chunk() == b"data: two\n\n"
        assert await client.chunk() == b""
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["x-cartrita-provider"] == "p"
    assert headers["x-ratelimit-remaining"] == "7"
    assert headers["x-upstream-request-id"] == "theirs"
    assert json.loads(headers["x-cartrita-receipts"])[0]["field"] == "seed"
    assert "x-cartrita-cache" not in headers


async def test_a_whole_answer() -> None:
    answer = FakeAnswer(TextDelta("one "), TextDelta("two"), DONE)
    answer.cache = "miss"
    async with asked(answer, streamed=False) as client:
        status, headers, body = await client.body()
    assert (status, body) == (200, b"one two")
    assert headers["content-type"] == "application/json"
    assert headers["x-cartrita-cache"] == "miss"
    async with asked(FakeAnswer(b'{"a":1}'), streamed=False) as client:
        assert (await client.body())[2] == b'{"a":1}'


@pytest.mark.parametrize("length", [10, LARGE])
async def test_a_large_whole_answer_is_written_beside_the_loop(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def whole(form: Form, deltas: Sequence[Delta]) -> bytes:
        threads.append(threading.get_ident())
        return b"{}"

    monkeypatch.setattr(Form, "whole", whole)
    async with asked(FakeAnswer(TextDelta("x" * length), DONE), streamed=False) as client:
        assert (await client.body())[2] == b"{}"
    assert (threads != [threading.get_ident()]) is (length == LARGE)


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_error_before_the_answer_is_a_response(streamed: bool) -> None:
    answer = FakeAnswer()
    answer.fails = UpstreamOverloaded("p is overloaded.", provider="p")
    async with asked(answer, streamed=streamed) as client:
        status, _, body = await client.body()
    assert status == 502
    assert json.loads(body)["error"]["code"] == "upstream_overloaded"


async def test_a_cut_of_a_whole_answer_is_an_error() -> None:
    async with asked(FakeAnswer(TextDelta("half"), CUT), streamed=False) as client:
        status, _, body = await client.body()
    assert (status, json.loads(body)["error"]["code"]) == (502, "upstream_cut")


@pytest.mark.parametrize(
    ("problem", "code"), [(CUT, "upstream_cut"), (RuntimeError("sk-secret"), "internal")]
)
async def test_an_error_after_visible_text_is_an_event(problem: Exception, code: str) -> None:
    async with asked(FakeAnswer(b"data: half\n\n", problem)) as client:
        status, _, body = await client.body()
    assert (status, body) == (200, f"data: half\n\ndata: error {code}\n\n".encode())


async def test_heartbeats_fill_pauses_before_and_after_the_beginning() -> None:
    gate = asyncio.Event()
    answer = FakeAnswer(b"data: one\n\n", gate, b"data: two\n\n")
    answer.wait_to_open = asyncio.Event()
    async with asked(answer, heartbeat_s=0.05) as client:
        assert (await client.head())[0] == 200
        assert await client.chunk() == HEARTBEAT
        answer.wait_to_open.set()
        while (piece := await client.chunk()) == HEARTBEAT:
            pass
        assert piece == b"data: one\n\n"
        assert await client.chunk() == HEARTBEAT
        gate.set()
        while (piece := await client.chunk()) == HEARTBEAT:
            pass
        assert piece == b"data: two\n\n"


async def test_an_error_after_a_heartbeat_is_an_event() -> None:
    answer = FakeAnswer()
    answer.wait_to_open = asyncio.Event()
    answer.fails = CUT
    async with asked(answer, heartbeat_s=0.05) as client:
        await client.head()
        assert await client.chunk() == HEARTBEAT
        answer.wait_to_open.set()
        while (piece := await client.chunk()) == HEARTBEAT:
            pass
        assert piece == b"data: error upstream_cut\n\n"


@pytest.mark.parametrize("streamed", [True, False])
async def test_who_leaves_ends_the_call(streamed: bool) -> None:
    answer = FakeAnswer(b"data: one\n\n", asyncio.Event())
    async with asked(answer, streamed=streamed) as client:
        if streamed:
            await client.head()
        client.writer.transport.abort()
        await until(answer.closed)
