"""Who cancels a task waits for its end as a connection that is counted, and cut with its key."""

import asyncio
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from tests.backend.surfaces.stopped_runs import RUN

from cartrita.application.access.open_connections import KeyEnded, OpenConnections
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run, RunStatus
from cartrita.kit import ids
from cartrita.surfaces.a2a.methods import METHODS
from cartrita.surfaces.rpc.calls import MethodCall, call_method
from cartrita.surfaces.rpc.json_rpc import RpcCall

ANN = Principal("ann", "a")


class UnendingRuns:
    """One run that is cancelled, and does not end."""

    def __init__(self) -> None:
        self.awaited = asyncio.Event()
        self.cancelled = False

    async def get(self, _principal: Principal, _run_id: str) -> Run:
        return msgspec.structs.replace(RUN, status=RunStatus.RUNNING)

    async def cancel(self, _principal: Principal, _run_id: str) -> None:
        self.cancelled = True

    async def wait_for_end(self, _run_id: object) -> None:
        self.awaited.set()
        await asyncio.Event().wait()


class Services:
    """What the method uses of the services, for a key that may hold `most` connections."""

    def __init__(self, most: int) -> None:
        self.runs = UnendingRuns()
        self.connections = OpenConnections(most)


async def connected() -> Any:
    await asyncio.Event().wait()


@pytest.mark.parametrize("most", [1, 0], ids=["room", "no room"])
async def test_the_wait_is_counted_and_cut_with_its_key(most: int) -> None:
    """A key that holds as many as it may can cancel them."""
    services: Any = Services(most)
    connections: OpenConnections = services.connections
    request = Request({"type": "http"}, connected)
    rpc = RpcCall("CancelTask", {"id": ids.public("run", RUN.id)}, 1)
    waiting = asyncio.create_task(call_method(MethodCall(request, services, ANN, rpc), METHODS))
    await services.runs.awaited.wait()
    assert services.runs.cancelled
    assert connections.count(ANN) == 1
    assert connections.cut(lambda principal: principal.key_id == "a") == 1
    with pytest.raises(KeyEnded):
        await waiting
    assert connections.count(ANN) == 0
