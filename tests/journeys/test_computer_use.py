"""An agent does tasks on a real desktop; a person approves, denies, takes over and stops."""

from collections.abc import Iterator

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server
from tests.journeys.desktops import (
    CLICK,
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


@pytest.fixture(scope="module")
def desk_server(provider: FakeProvider) -> Iterator[Server]:
    settings = {"CARTRITA_DESKTOP_ENABLED": "1", "CARTRITA_DESKTOP_SESSIONS_PER_OWNER": "4"}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
def desk(desk_server: Server, provider: FakeProvider) -> Scenario:
    return Scenario(desk_server, provider)


async def test_a_task_looks_and_asks_before_it_clicks(desk: Scenario) -> None:
    status, told = await execute(desk, task((computer(LOOK),), (computer(CLICK),)))
    assert status == 202, told
    assert told["status"] == "waiting"
    [approval] = told["approvals"]
    assert approval["tool_name"] == "computer"
    assert approval["arguments"] == {"actions": [CLICK]}
    assert approval["markers"] == [
        {"index": 1, "action": "click", "points": [{"x": 640, "y": 400}]}
    ]
    answered = raw_http.request(
        desk.server.port, "GET", approval["screenshot_url"], {"X-API-Key": KEY}
    )
    async with await answered as picture:
        assert picture.status == 200
        assert picture.headers["content-type"] == "image/png"
        assert (await picture.body()).startswith(b"\x89PNG")
    assert [frame["action"] for frame in await frames(desk, told["session_id"])] == [LOOK]
    assert (await decide(desk, told))[0] == 200
    assert (await settled(desk, told["run_id"]))["status"] == "completed"
    film = await frames(desk, told["session_id"])
    assert [frame["action"] for frame in film] == [LOOK, CLICK]
    assert film[1]["approved_by"] is not None
    assert film[1]["marker"]["points"] == [{"x": 640, "y": 400}]
    assert len(await results(desk, told)) == 2
