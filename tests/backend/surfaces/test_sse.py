"""An event stream: at once, joined, never queued, over when its reader leaves."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs
from tests.backend.surfaces.serving import WATCHDOG_S, connected, serving, until

from cartrita.domain.errors import Unavailable
from cartrita.kit.sse import Frame, Parser
from cartrita.surfaces.middleware import RequestContext
from cartrita.surfaces.sse import EventStream, reconnect_later

END = "end"
Items = Callable[[], AsyncIterator[str]]


class Tail:
    """A tail of texts, which says when it was closed."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self.closed = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[AsyncIterator[str]]:
        try:
            yield self._items()
        finally:
            self.closed.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        answer = EventStream(
            self.open(),
            cursor="run_1.4",
            render=lambda text: f"data: {text}\n\n".encode(),
            is_last=lambda text: text == END,
        )
        await answer(scope, receive, send)


async def ended() -> AsyncIterator[str]:
    for text in ("a", "b", END):
        yield text


async def read(items: Items) -> tuple[dict[str, str], list[bytes]]:
    async with serving(RequestContext(Tail(items))) as port, connected(port) as client:
        client.request("GET", "/")
        status, headers = await client.head()
        assert status == 200
        chunks: list[bytes] = []
        while chunk := await client.chunk():
            chunks.append(chunk)
        return headers, chunks


def frames(chunks: list[bytes]) -> list[Frame]:
    parser = Parser()
    return [frame for chunk in chunks for frame in parser.feed(chunk)]


async def test_what_is_there_goes_out_in_one_piece() -> None:
    headers, chunks = await read(ended)
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-cache, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert "content-length" not in headers
    assert [frame.data for frame in frames(chunks)] == ["a", "b", END]
    assert len(chunks) <= 2  # the cursor may go out ahead; the frames do not go one by one


@pytest.mark.parametrize(("whole", "cut"), [(False, "client_disconnected"), (True, None)])
async def test_the_log_tells_that_a_reader_left(whole: bool, cut: str | None) -> None:
    async def items() -> AsyncIterator[str]:
        yield "a"
        if whole:
            yield END
        else:
            await asyncio.Event().wait()

    answered = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await RequestContext(Tail(items))(scope, receive, send)
        if scope["type"] == "http":
            answered.set()

    with capture_logs() as lines:
        async with serving(app) as port:
            async with connected(port) as client:
                client.request("GET", "/")
                await client.head()
                received = b""
                while (b"data: end" if whole else b"data: a") not in received:
                    received += await client.chunk()
            await until(answered)
    (line,) = [line for line in lines if line["event"] == "request_answered"]
    assert (line["status"], line.get("cut")) == (200, cut)


async def test_the_cursor_comes_before_anything_happens() -> None:
    never = asyncio.Event()

    async def silent() -> AsyncIterator[str]:
        await never.wait()
        yield END

    async with serving(RequestContext(Tail(silent))) as port, connected(port) as client:
        client.request("GET", "/")
        await client.head()
        parser = Parser()
        assert parser.feed(await client.chunk()) == []  # no event yet, but an id for Last-Event-ID
        assert parser.last_event_id == "run_1.4"
        never.set()


async def test_retry_is_spread() -> None:
    said = {reconnect_later().split(b"\n")[0] for _ in range(50)}
    assert len(said) > 10
    assert all(1000 <= int(line.removeprefix(b"retry: ")) <= 3000 for line in said)


async def broken_off() -> AsyncIterator[str]:
    yield "a"
    raise Unavailable("The database is away.")


async def broken() -> AsyncIterator[str]:
    yield "a"
    raise RuntimeError("secret words")


async def drained() -> AsyncIterator[str]:
    yield "a"


@pytest.mark.parametrize("items", [broken_off, broken, drained])
async def test_a_tail_without_an_end_asks_its_reader_to_come_back(items: Items) -> None:
    with capture_logs():
        _, chunks = await read(items)
    whole = b"".join(chunks)
    assert [frame.data for frame in frames([whole])] == ["a"]
    assert whole.count(b"retry: ") == 2
    assert whole.endswith(b": not now, come back\n\n")
    assert b"secret" not in whole


async def test_an_unexpected_error_is_logged_once() -> None:
    with capture_logs() as lines:
        await read(broken)
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["stream_failed"]


@pytest.mark.parametrize(
    ("items", "cut"), [(broken_off, "unavailable"), (broken, "internal"), (drained, None)]
)
async def test_the_log_tells_what_cut_a_stream(items: Items, cut: str | None) -> None:
    with capture_logs() as lines:
        await read(items)
    (line,) = [line for line in lines if line["event"] == "request_answered"]
    assert (line["status"], line.get("cut")) == (200, cut)


async def test_a_reader_who_leaves_ends_the_tail() -> None:
    never = asyncio.Event()

    async def live() -> AsyncIterator[str]:
        yield "a"
        await never.wait()

    tail = Tail(live)
    async with serving(RequestContext(tail)) as port:
        async with connected(port) as client:
            client.request("GET", "/")
            await client.head()
            await client.chunk()
            assert not tail.closed.is_set()
        await until(tail.closed)


async def test_a_stalled_reader_stops_the_tail_and_loses_nothing() -> None:
    taken = 0
    total = 30_000  # 30 MB, which no socket buffer holds
    text = "x" * 1_000

    async def much() -> AsyncIterator[str]:
        nonlocal taken
        for taken in range(total):  # noqa: B007
            yield text
        yield END

    async def stalled() -> None:
        """Wait until the tail makes no progress for 1,000 turns of the event loop.

        The server and both ends of the connection run in this loop: nothing else can move the tail.
        """
        idle_turns = 0
        while idle_turns < 1_000:
            before = taken
            await asyncio.sleep(0)
            idle_turns = idle_turns + 1 if taken == before else 0

    async with serving(RequestContext(Tail(much))) as port, connected(port) as client:
        client.request("GET", "/")
        await client.head()
        parser = Parser()
        read = len(parser.feed(await client.chunk()))
        async with asyncio.timeout(WATCHDOG_S):
            await stalled()
        assert taken < total - 1_000
        async with asyncio.timeout(WATCHDOG_S):
            while chunk := await client.chunk():
                read += len(parser.feed(chunk))
        assert read == total + 1
