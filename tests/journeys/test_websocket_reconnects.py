"""A thousand WebSockets lose their connection at once, and come back with their cursors."""

import asyncio
from contextlib import suppress

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.harness.websockets import Frame, SocketClient, opened, text_of
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.slow

MANY = 1000
AT_ONCE = 50
LONG = Script(words=80, between_tokens_s=0.5)


class Reader:
    """One client that follows a run over several connections."""

    def __init__(self, scenario: Scenario, run: str) -> None:
        self._port = scenario.server.port
        self._run = run
        self.frames: list[Frame] = []
        self.connections = 0
        self.begun = asyncio.Event()
        self.socket: SocketClient | None = None

    async def follow(self) -> None:
        """Read to the end of the run."""
        while not self._ended:
            with suppress(ConnectionClosed):
                async with opened(self._port, ping_interval=None) as self.socket:
                    self.connections += 1
                    await self._read(self.socket)

    async def _read(self, socket: SocketClient) -> None:
        await self._resume(socket)
        while not self._ended:
            frame = await socket.next()
            if "event" in frame:
                self.frames.append(frame)
                self.begun.set()
            else:  # as a client should, when the server has too much to do
                assert frame["code"] == "server_busy"
                await asyncio.sleep(frame["retry_after"])
                await self._resume(socket)

    async def _resume(self, socket: SocketClient) -> None:
        after = self.frames[-1]["seq"] if self.frames else 0
        await socket.send(type="resume", run_id=self._run, after=after)

    @property
    def _ended(self) -> bool:
        return bool(self.frames) and self.frames[-1]["event"] in ("done", "error")


async def test_reconnects_at_once(serve: Serve) -> None:
    settings = {"CARTRITA_WEBSOCKET_PER_OWNER_MAX": str(2 * MANY)}
    scenario = serve(workers=2, lease_s=15.0, settings=settings)
    message = scenario.message(LONG)
    async with opened(scenario.server.port) as first:
        await first.send(type="chat", message=message, model="openai/fake")
        run = (await first.next())["run_id"]
    readers = [Reader(scenario, run) for _ in range(MANY)]
    async with asyncio.TaskGroup() as tasks:
        for begin in range(0, MANY, AT_ONCE):
            some = readers[begin : begin + AT_ONCE]
            for reader in some:
                tasks.create_task(reader.follow())
            await asyncio.gather(*(reader.begun.wait() for reader in some))
        for reader in readers:
            assert reader.socket is not None
            reader.socket.connection.transport.abort()
    for reader in readers:
        assert reader.frames[-1]["event"] == "done", reader.frames[-1]
        assert reader.connections == 2
        assert text_of(reader.frames) == scenario.answers[message]
        seqs = [frame["seq"] for frame in reader.frames]
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert scenario.server.unexpected_errors() == []
