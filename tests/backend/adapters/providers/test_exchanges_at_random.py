"""Many exchanges at once, left at each of their awaits: none gets what another asked for."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count
from random import Random
from typing import Any

import pytest
from tests.backend.adapters.http.servers import answer, serving

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.http.transport import Deadlines, HttpRequest, HttpResponse
from cartrita.adapters.providers.opened_exchanges import OpenedExchange
from cartrita.domain.errors import UpstreamError, UpstreamRejected, UpstreamUnreachable
from cartrita.kit.secret import Secret

KINDS = ["whole", "pieces", "large", "failing", "close", "cut", "mute"]
WEIGHTS = [6, 6, 1, 2, 2, 2, 2]
LIMITS = Deadlines(connect=20, headers=20, idle=20, total=60)


class Server:
    """Answers each request with its own name; its path tells how: /name/how-first/how-next."""

    def __init__(self) -> None:
        self.origin = ""
        self.connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self.answered(reader, writer):
                pass
        finally:
            self.connections -= 1

    async def answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection remains."""
        head = await reader.readuntil(b"\r\n\r\n")
        name, first, then = head.split()[1].decode().split("/")[-3:]
        if head.startswith(b"POST"):
            body = await reader.readexactly(int(head.split(b"Content-Length: ")[1].split()[0]))
            assert body == name.encode() * 9
        if first == "refused" and b"Bearer 1\r\n" in head:
            writer.write(answer(name.encode(), b"X-Name: " + name.encode(), status=b"401 No"))
            return True
        return await self.say(writer, name.encode(), then if first == "refused" else first)

    async def say(self, writer: asyncio.StreamWriter, name: bytes, how: str) -> bool:
        named = b"X-Name: " + name
        match how:
            case "whole" | "large":
                writer.write(answer(name * (100_000 if how == "large" else 3), named))
            case "failing":
                writer.write(answer(name, named, status=b"500 No"))
            case "pieces":
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%b\r\n\r\n" % named)
                for _ in range(3):
                    await asyncio.sleep(0)
                    writer.write(b"%x\r\n%b\r\n" % (len(name), name))
                writer.write(b"0\r\n\r\n")
            case "close":
                writer.write(answer(name * 3, named, b"Connection: close"))
            case "cut":
                writer.write(answer(name * 3, named)[:-3])
            case _:
                pass
        await writer.drain()
        return how not in ("close", "cut", "mute")


class Tokens:
    """A credential with one other token; `failing` where that cannot be fetched."""

    secrets: tuple[Secret, ...] = ()

    def __init__(self, *, failing: bool) -> None:
        self._failing = failing
        self._given = 0

    async def headers(self) -> dict[str, Secret]:
        self._given += 1
        await asyncio.sleep(0)
        if self._failing and self._given > 1:
            raise UpstreamUnreachable("The token endpoint is gone.", provider="fake")
        return {"Authorization": Secret(f"Bearer {self._given}")}

    def discard(self, refused: Mapping[str, str | Secret]) -> bool:
        return self._given == 1

    def accepted(self, sent: Mapping[str, str | Secret]) -> None: ...


class Interrupted(Coroutine[Any, Any, None]):
    """A coroutine whose task is cancelled at one of its awaits.

    It is while it waits there, or, if `late`, in the moment in which it would have gone on.
    """

    def __init__(self, steps: Coroutine[Any, Any, None], at: int | None, *, late: bool) -> None:
        self._steps = steps
        self._at = at
        self._late = late
        self._step = 0

    @property
    def reached(self) -> bool:
        return self._at is not None and self._at < self._step

    def send(self, value: object) -> Any:
        return self._waiting(self._steps.send(value))

    def throw(self, *error: Any) -> Any:
        return self._waiting(self._steps.throw(*error))

    def close(self) -> None:
        self._steps.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._steps.__await__()

    def _waiting(self, waited: "asyncio.Future[Any] | None") -> object:
        if self._step == self._at:
            task = asyncio.current_task()
            assert task is not None
            if self._late and waited is not None:
                waited.add_done_callback(lambda _: task.cancel())
            else:
                task.cancel()
        self._step += 1
        return waited


class Caller:
    """Makes requests, and sees to it that each gets its own answer."""

    def __init__(self, http: HttpClient, server: Server) -> None:
        self._http = http
        self._server = server
        self._names = count(1000)
        self.finished = 0

    async def ask(
        self, first: str, then: str = "whole", *, posted: bool, failing: bool, pieces: int | None
    ) -> None:
        """Read the answer, or so many pieces of it."""
        name = str(next(self._names))
        request = HttpRequest(
            provider="fake",
            method="POST" if posted else "GET",
            url=f"{self._server.origin}/{name}/{first}/{then}",
            headers={},
            body=name.encode() * 9 if posted else b"",
            deadlines=LIMITS,
        )
        received = b""

        def check(response: HttpResponse, _: tuple[Secret, ...]) -> Awaitable[UpstreamError] | None:
            assert response.headers["x-name"] == name
            return None if response.status == 200 else tell(response)

        async def tell(response: HttpResponse) -> UpstreamError:
            assert name.encode().startswith(await response.read())
            return UpstreamRejected("It said no.", provider="fake")

        with suppress(UpstreamError):
            async with OpenedExchange(
                self._http, Tokens(failing=failing), request, check
            ) as response:
                while pieces is None or pieces > 0:
                    piece = await response.read()
                    received += piece
                    assert (name.encode() * (len(received) // 4 + 1)).startswith(received)
                    if not piece:
                        self.finished += 1
                        break
                    pieces = None if pieces is None else pieces - 1

    async def nothing_is_lost(self) -> None:
        """Each connection that is open waits for its next request, once."""
        pool = self._http._pool
        assert pool is not None
        idle = [one for many in pool._idle.values() for one in many]
        assert len(set(map(id, idle))) == len(idle)
        assert not any(one.busy for one in idle)
        for _ in range(10_000):  # until the server knows of those that were closed
            if self._server.connections == sum(one.usable for one in idle):
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{self._server.connections} connections, {len(idle)} are idle")


@asynccontextmanager
async def calling() -> AsyncGenerator[Caller]:
    server = Server()
    async with serving(server.handle) as url, HttpClient() as http:
        server.origin = url
        yield Caller(http, server)


async def run(interrupted: Interrupted) -> None:
    task = asyncio.create_task(interrupted)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.parametrize("kept", [False, True])
async def test_it_may_be_left_at_each_await(*, late: bool, failing: bool, kept: bool) -> None:
    interrupted = None
    for at in count():
        if interrupted is not None and not interrupted.reached:
            assert at > 3
            return
        async with calling() as caller:
            if kept:
                await caller.ask("whole", posted=True, failing=False, pieces=None)
            asking = caller.ask("refused", "pieces", posted=True, failing=failing, pieces=None)
            await run(interrupted := Interrupted(asking, at, late=late))
            await caller.nothing_is_lost()
            await caller.ask("whole", posted=True, failing=False, pieces=None)


@pytest.mark.parametrize("seed", range(8))
async def test_many_at_once(seed: int) -> None:
    random = Random(seed)

    async def several(caller: Caller) -> None:
        for _ in range(20):
            first, then = random.choices([*KINDS, "refused"], [*WEIGHTS, 8], k=2)
            asking = caller.ask(
                first,
                "whole" if then == "refused" else then,
                posted=random.random() < 0.5,
                failing=random.random() < 0.3,
                pieces=random.choice([None, None, 0, 1, 2]),
            )
            at = random.choice([None, random.randrange(12)])
            await run(Interrupted(asking, at, late=random.random() < 0.5))

    async with calling() as caller:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            for _ in range(10):
                tasks.create_task(several(caller))
        await caller.nothing_is_lost()
        assert caller.finished > 20
