"""An agent runs a program once a person has approved of it, where the operator allows it."""

from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually


def question(code: str) -> dict[str, Any]:
    """A request of which the coder runs this program."""
    called = ToolCall(name="run_code", arguments={"code": code})
    scripts = (Script(tool_calls=(called,), insist=True), Script(text="That was it."))
    return {
        "message": f"needle-{uuid4().hex} {directive(*scripts)}",
        "agent_override": "coder",
    }


async def result(scenario: Scenario, told: dict[str, Any]) -> str:
    """What the program's call returned, when the run has ended."""

    async def look() -> dict[str, Any] | None:
        _, found = await scenario.call("GET", f"/api/runs/{told['run_id']}")
        return found if found["status"] in ("completed", "failed") else None

    assert (await eventually(look))["status"] == "completed"
    path = f"/api/conversations/{told['conversation_id']}/messages"
    _, page = await scenario.call("GET", path)
    (part,) = [p for p in page["items"][-1]["parts"] if p["type"] == "tool_result"]
    return part["content"][0]["text"]


async def test_a_program_runs_after_its_approval(serve: Any) -> None:
    scenario: Scenario = serve(settings={"CARTRITA_CODE_ENABLED": "true"})
    _, ready = await scenario.call("GET", "/ready")
    if ready["sandbox"] != "full":
        pytest.skip(ready["sandbox"])
    data = scenario.server.root
    code = (
        "import os, socket\n"
        "print(sum(range(10)))\n"
        f"print(os.path.exists({str(data)!r}), sorted(os.environ))\n"
        "socket.socket()"
    )
    status, told = await scenario.call("POST", "/api/chat", question(code))
    assert status == 202, told
    approval = told["approval"]
    assert approval["tool_name"] == "run_code"
    assert approval["arguments"] == {"code": code}
    path = f"/api/runs/{told['run_id']}/approvals/{approval['approval_id']}"
    decision = {"decision": "approve", "arguments_hash": approval["arguments_hash"]}
    status, run = await scenario.call("POST", path, decision)
    assert status == 200, run
    text = await result(scenario, told)
    assert text.startswith("45\nFalse [")
    assert "PermissionError" in text
    assert "KEY" not in text
    assert text.endswith("[The program ended with status 1.]")


async def test_without_the_setting_there_is_no_such_tool(scenario: Scenario) -> None:
    _, ready = await scenario.call("GET", "/ready")
    assert "sandbox" not in ready
    status, told = await scenario.call("POST", "/api/chat", question("print(1)"))
    assert status == 200, told
    assert "There is no tool run_code" in await result(scenario, told)
