"""A task is done by one worker of a machine, and watched, decided on and stopped at another."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.one_worker import SETTINGS, OneWorker, workers_of
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, Server
from tests.harness.websockets import opened
from tests.journeys.desktops import (
    LOOK,
    computer,
    decide,
    execute,
    frames,
    results,
    settled,
    task,
)

pytestmark = pytest.mark.slow

_WAITS = [{"type": "wait", "seconds": 1}] * 60


class Pair(NamedTuple):
    """Two workers."""

    here: OneWorker
    there: OneWorker


@pytest.fixture(scope="module")
def two_workers(provider: FakeProvider) -> Iterator[Server]:
    settings = {
        "CARTRITA_DESKTOP_ENABLED": "1",
        "CARTRITA_DESKTOP_SESSIONS_PER_OWNER": "4",
        "CARTRITA_DESKTOP_SWEEP_S": "0.1",
        **SETTINGS,
    }
    with Server(provider_url=provider.base_url, workers=2, settings=settings) as server:
        yield server


@pytest.fixture
async def pair(two_workers: Server, provider: FakeProvider) -> AsyncIterator[Pair]:
    async with workers_of(two_workers, provider) as workers:
        yield Pair(*workers)
        _, page = await workers[0].call("GET", "/api/desktops")
        for each in page["items"]:
            await workers[0].call("DELETE", f"/api/desktops/{each['id']}")


async def ready(scenario: Scenario) -> str:
    """The desktop that runs, once its film has something."""

    async def look() -> str | None:
        _, page = await scenario.call("GET", "/api/desktops")
        live = [one["id"] for one in page["items"] if one["status"] == "ready"]
        return live[0] if live and await frames(scenario, live[0]) else None

    return await eventually(look)


async def control(scenario: Scenario, desktop: str, action: str) -> dict[str, Any]:
    status, view = await scenario.call(
        "POST", f"/api/desktops/{desktop}/control", {"action": action}
    )
    assert status == 200, view
    return view


async def test_it_is_watched_and_decided_on_at_the_other(pair: Pair) -> None:
    typed = {"type": "type", "secret": "PIN"}
    steps = (computer(LOOK),), (computer(LOOK, typed),)
    status, told = await execute(pair.here, task(*steps), secrets={"PIN": "canary-51"})
    assert (status, told["status"]) == (202, "waiting")
    desktop = told["session_id"]
    assert [frame["action"] for frame in await frames(pair.there, desktop)] == [LOOK]
    port, headers = pair.there.server.port, {"X-API-Key": KEY}
    socket = await pair.there.socket()
    async with opened(
        port, key=None, headers=headers, target=told["live_url"], sock=socket
    ) as viewer:
        assert await viewer.connection.recv() == b"RFB 003.008\n"
    assert (await decide(pair.there, told))[0] == 200
    assert (await settled(pair.there, told["run_id"]))["status"] == "completed"
    film = await frames(pair.here, desktop)
    assert [frame["action"] for frame in film] == [LOOK, LOOK, typed]
    assert [frame["error"] for frame in film] == [None] * 3, "whoever did it knew the secret"
    assert film == await frames(pair.there, desktop)


async def test_it_is_taken_over_at_the_other_and_handed_back(pair: Pair) -> None:
    steps = (computer(LOOK),), (computer(*_WAITS),), (computer(LOOK),)
    working = asyncio.ensure_future(execute(pair.here, task(*steps), approval="never"))
    desktop = await ready(pair.there)
    assert (await control(pair.there, desktop, "take"))["control"]["mine"]

    async def refused() -> bool:
        errors = [frame["error"] or "" for frame in await frames(pair.there, desktop)]
        return any(error.startswith("A person is using") for error in errors)

    await eventually(refused)
    await control(pair.there, desktop, "release")
    status, told = await working
    assert status == 200, told
    assert "has handed it back" in (await results(pair.here, told))[1]


async def test_it_is_stopped_and_ended_at_the_other(pair: Pair) -> None:
    working = asyncio.ensure_future(execute(pair.here, task((computer(LOOK, *_WAITS),))))
    desktop = await ready(pair.there)
    status, view = await pair.there.call("POST", f"/api/desktops/{desktop}/stop")
    assert (status, view["status"]) == (200, "ready")
    status, told = await working
    assert (status, told["code"]) == (409, "cancelled")
    assert (await pair.there.call("DELETE", f"/api/desktops/{desktop}"))[0] == 204
    status, told = await execute(pair.here, task((computer(LOOK),)), session_id=desktop)
    assert (status, told["code"]) == (409, "desktop_gone")
