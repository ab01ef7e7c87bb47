"""Tasks on desktops, as their callers give, watch and stop them."""

from typing import Any
from uuid import uuid4

from tests.harness import raw_http
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY

Action = dict[str, Any]
LOOK: Action = {"type": "screenshot"}
CLICK: Action = {"type": "click", "at": {"x": 640, "y": 400}}


def computer(*actions: Action, **more: Any) -> ToolCall:
    """A call of the tool, as a model without a form of its own writes it."""
    return ToolCall(name="computer", arguments={"actions": list(actions), **more})


def task(*steps: tuple[ToolCall, ...], says: str = "It is done.", fails: bool = False) -> str:
    """A task whose model makes these calls, step by step; then it says `says`, or fails."""
    scripts = [Script(tool_calls=calls, insist=True) for calls in steps]
    last = Script(faults=(ReplacedResponse(status=400),)) if fails else Script(text=says)
    return f"needle-{uuid4().hex} {directive(*scripts, last)}"


async def execute(scenario: Scenario, text: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """Give a task."""
    body = {"task": text, "model": "openai/fake", **fields}
    status, told = await scenario.call("POST", "/api/computer-use/execute", body)
    return status, told


async def decide(
    scenario: Scenario, told: dict[str, Any], decision: str = "approve", **fields: Any
) -> tuple[int, Any]:
    """Decide on the first call that a task waits for."""
    approval = told["approvals"][0]
    body = {"decision": decision, "arguments_hash": approval["arguments_hash"], **fields}
    path = f"/api/runs/{told['run_id']}/approvals/{approval['approval_id']}"
    return await scenario.call("POST", path, body)


async def run_of(scenario: Scenario, run_id: str) -> dict[str, Any]:
    _, found = await scenario.call("GET", f"/api/runs/{run_id}")
    return found


async def settled(scenario: Scenario, run_id: str, *statuses: str) -> dict[str, Any]:
    """A run once it has one of these statuses: those of ended ones, if none is told."""
    wanted = statuses or ("completed", "cancelled", "failed", "interrupted")

    async def look() -> dict[str, Any] | None:
        found = await run_of(scenario, run_id)
        return found if found["status"] in wanted else None

    return await eventually(look)


async def results(scenario: Scenario, told: dict[str, Any]) -> list[str]:
    """What the tool told the model in the answer of a task."""
    path = f"/api/conversations/{told['conversation_id']}/messages"
    _, page = await scenario.call("GET", path)
    parts = page["items"][-1]["parts"]
    return [part["content"][0]["text"] for part in parts if part["type"] == "tool_result"]


async def frames(scenario: Scenario, desktop: str) -> list[dict[str, Any]]:
    """The film of a desktop."""
    _, page = await scenario.call("GET", f"/api/desktops/{desktop}/frames")
    return page["items"]


async def octets(desk: Scenario, path: str) -> tuple[int, str, bytes]:
    """The status, the type and the body of what is at a path."""
    asked = raw_http.request(desk.server.port, "GET", path, {"X-API-Key": KEY})
    async with await asked as answer:
        return answer.status, answer.headers["content-type"], await answer.body()


async def screen(desk: Scenario, desktop: str) -> bytes:
    """How a desktop looks now."""
    status, _, picture = await octets(desk, f"/api/desktops/{desktop}/screenshot")
    assert status == 200, picture
    return picture
