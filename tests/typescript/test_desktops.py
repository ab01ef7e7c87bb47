"""All that people do on desktops goes through all clients, on a real one: one server for all."""

import io
from collections.abc import Awaitable, Callable
from typing import Any
from zipfile import ZipFile

import pytest
from tests.client.answers import OPERATIONS, assert_is_answer, finished, finished_later
from tests.client.sample_calls import WITHOUT_DESKTOPS
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.journeys.desktops import CLICK, LOOK, computer, task
from tests.typescript.answers import is_of, wrong_in
from tests.typescript.package import Programs

from cartrita_client import AsyncCartritaApiClient, CartritaApiClient

pytestmark = pytest.mark.slow

Call = Callable[..., Awaitable[Any]]
DESKTOP_OPERATIONS = {*WITHOUT_DESKTOPS, "list_desktops"}
FILM = [
    "person take_over",
    "person hand_back",
    "agent screenshot",
    "agent screenshot",
    "agent screenshot",
]
"""Of a task that looks, of the same as a stream, and of one that looks and waits with its click."""
MODEL = "openai/fake"


def looks() -> str:
    return task((computer(LOOK),))


def clicks() -> str:
    return task((computer(LOOK),), (computer(CLICK),))


async def test_the_blocking_client(desk: Scenario) -> None:
    with CartritaApiClient(desk.server.base, KEY) as client:

        async def call(name: str, *path: str, **named: Any) -> Any:
            return finished(getattr(client, name)(*path, **named))

        await all_that_people_do(call)
        listed = [each.id for each in client.iter_desktops(limit=1)]
        assert len(listed) == len(set(listed)) >= 1


async def test_the_asynchronous_client(desk: Scenario) -> None:
    async with AsyncCartritaApiClient(desk.server.base, KEY) as client:

        async def call(name: str, *path: str, **named: Any) -> Any:
            return await finished_later(getattr(client, name)(*path, **named))

        await all_that_people_do(call)
        listed = [each.id async for each in client.iter_desktops(limit=1)]
        assert len(listed) == len(set(listed)) >= 1


async def all_that_people_do(ask: Call) -> None:
    """Each operation of desktops, with the answers that the contract promises."""
    called: set[str] = set()

    async def call(name: str, *path: str, **named: Any) -> Any:
        found = await ask(name, *path, **named)
        called.add(name)
        assert_is_answer(OPERATIONS[name], found)
        return found

    desktop = await call("create_desktop")
    given = {"session_id": desktop.id, "model": MODEL}
    assert (await call("get_desktop", desktop.id)).live_url == desktop.live_url
    assert (await call("list_desktops", limit=1)).items[0].id == desktop.id
    assert (await call("get_screenshot", desktop.id)).startswith(b"\x89PNG")
    taken = await call("control_desktop", desktop.id, action="take", note="mine")
    assert taken.control.mine
    assert (await call("control_desktop", desktop.id, action="release")).control is None
    done = await call("execute_computer_task", task=looks(), secrets={"PIN": "1"}, **given)
    assert (done.status, done.session_id) == ("completed", desktop.id)
    assert [step.action for step in done.steps] == ["screenshot"]
    streamed = await ask("execute_computer_task_stream", task=looks(), **given)
    assert streamed.final_response == "It is done."
    waits = await call("execute_computer_task", task=clicks(), **given)
    assert (waits.status, len(waits.approvals)) == ("waiting", 1)
    assert (await call("stop_desktop", desktop.id)).status == "ready"
    frames = (await call("list_frames", desktop.id, after=0)).items
    assert [f"{frame.actor} {frame.action['type']}" for frame in frames] == FILM
    with ZipFile(io.BytesIO(await call("get_film", desktop.id))) as film:
        assert "film.jsonl" in film.namelist()
    await call("end_desktop", desktop.id)
    assert (await call("get_desktop", desktop.id)).status == "stopped"
    assert called == DESKTOP_OPERATIONS


async def test_the_typescript_client(desk: Scenario, programs: Programs) -> None:
    tasks = {"looks": looks(), "streams": looks(), "clicks": clicks()}
    *calls, told = programs.run("desktops", base=desk.server.base, key=KEY, **tasks)
    assert told == {
        "same": True,
        "listed": True,
        "screen": [*b"PNG"],
        "taken": True,
        "released": None,
        "done": ["completed", True, ["screenshot"]],
        "last": "done",
        "waits": ["waiting", 1],
        "stopped": "ready",
        "film": [*b"PK"],
        "frames": FILM,
        "ended": ["stopped", None],
    }
    operations = [OPERATIONS[name] for name in sorted(DESKTOP_OPERATIONS)]
    for operation in operations:
        mine = [each for each in calls if is_of(operation, each)]
        assert mine, operation.id
        assert [wrong_in(operation, each) for each in mine] == [[]] * len(mine)
