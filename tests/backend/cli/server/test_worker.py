"""A worker's server, when it ends before its time."""

import asyncio
import socket

import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from cartrita.cli.server import worker
from cartrita.cli.server.worker import WorkerServer


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def _connections_after_a_failure(listener: socket.socket) -> None:
    with socket.socket(fileno=listener.dup().detach()) as inherited:
        server = _Announced(uvicorn.Config(_answer, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve([inherited]))
        await server.begun.wait()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, listener.getsockname())
            for _ in range(10):  # enough for a server that still listens to take it
                await asyncio.sleep(0)
            taken, _ = listener.accept()  # as a sibling does; fails if there is none to take
            taken.close()


class _Announced(WorkerServer):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = asyncio.Event()

    async def main_loop(self) -> None:
        self.begun.set()
        await super().main_loop()


def test_one_that_fails_leaves_new_connections_to_its_siblings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_send", print)
    with socket.socket() as listener:
        listener.setblocking(False)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_connections_after_a_failure(listener))
