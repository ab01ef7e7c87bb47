"""A button that a run holds down on its desktop is let go by who ends the run."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import ToolCall
from tests.harness.scenario import Scenario
from tests.harness.server import Server
from tests.journeys.desktops import LOOK, computer, decide, execute, settled, task

from cartrita.adapters.desktop.running import RunningDesktop

pytestmark = pytest.mark.slow

_STEPS = (
    (computer(LOOK),),
    (computer({"type": "move", "at": {"x": 10, "y": 10}}, {"type": "press"}),),
    (ToolCall(name="ask_for_hand_over", arguments={"reason": "Please sign in."}),),
)


@pytest.fixture(scope="module")
def desk_server(provider: FakeProvider) -> Iterator[Server]:
    """Nobody looks after its desktops for so long that who ends a run has to let go."""
    settings = {"CARTRITA_DESKTOP_ENABLED": "1", "CARTRITA_DESKTOP_SWEEP_S": "600"}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


async def end_by_cancelling(desk: Scenario, told: dict[str, Any], _: str) -> None:
    status, _view = await desk.call("POST", f"/api/runs/{told['run_id']}/cancel")
    assert status == 200


async def end_by_its_key(desk: Scenario, told: dict[str, Any], key: str) -> None:
    status, _view = await desk.call("POST", f"/api/admin/keys/{key}/revoke")
    assert status == 200
    status, _view = await decide(desk, told)
    assert status == 200


@pytest.mark.parametrize("end", [end_by_cancelling, end_by_its_key])
async def test_what_a_run_holds_that_waited_is_let_go_when_it_has_ended(
    desk: Scenario, end: Any
) -> None:
    operations = ["chat", "desktop", "desktop:never"]
    made = {"name": "for desktops", "scopes": {"operations": operations}}
    _, key = await desk.call("POST", "/api/keys", made)
    body = {"task": task(*_STEPS), "model": "openai/fake", "approval": "never"}
    path = "/api/computer-use/execute"
    status, told = await desk.call("POST", path, body, X_API_Key=key["key"])
    assert status == 202, told
    name = told["session_id"].split("_")[1]
    desktop = RunningDesktop(desk.server.data_dir / "desktops" / name)
    assert await desktop.held_by() == UUID(told["run_id"].split("_")[1])
    await end(desk, told, key["id"])
    assert (await settled(desk, told["run_id"]))["status"] in ("cancelled", "failed")
    assert await desktop.held_by() is None
    status, again = await execute(desk, task((computer(LOOK),)), session_id=told["session_id"])
    assert status == 200, again
