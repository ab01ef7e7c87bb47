"""People decide on what tools do: by REST, over a WebSocket, from a stream, and not at all."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.websockets import opened
from tests.journeys.v1 import post_json

CALLED = ToolCall(name="calculator", arguments={"expression": "6*7"})


def question(*calls: ToolCall) -> str:
    """A message whose answer takes a tool."""
    scripts = (Script(tool_calls=calls or (CALLED,)), Script(text="That was it."))
    return f"needle-{uuid4().hex} {directive(*scripts)}"


async def waiting(scenario: Scenario, **fields: Any) -> dict[str, Any]:
    """A run that waits, as POST /api/chat answers it."""
    body = {"message": question(), "approval": "always", **fields}
    status, told = await scenario.call("POST", "/api/chat", body)
    assert status == 202, told
    assert told["status"] == "waiting"
    return told


async def decide(scenario: Scenario, told: dict[str, Any], **fields: Any) -> tuple[int, Any]:
    approval = told["approval"]
    body = {"decision": "approve", "arguments_hash": approval["arguments_hash"], **fields}
    path = f"/api/runs/{told['run_id']}/approvals/{approval['approval_id']}"
    return await scenario.call("POST", path, body)


async def ended(scenario: Scenario, run: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        _, found = await scenario.call("GET", f"/api/runs/{run}")
        return found if found["status"] in ("completed", "cancelled", "failed") else None

    return await eventually(look)


async def results(scenario: Scenario, told: dict[str, Any]) -> list[Any]:
    """What tools returned in the answer of a run."""
    path = f"/api/conversations/{told['conversation_id']}/messages"
    _, page = await scenario.call("GET", path)
    parts = page["items"][-1]["parts"]
    return [part["content"][0]["text"] for part in parts if part["type"] == "tool_result"]


async def test_a_decision_lets_the_answer_go_on(scenario: Scenario) -> None:
    told = await waiting(scenario)
    approval = told["approval"]
    assert approval["tool_name"] == "calculator"
    assert approval["arguments"] == {"expression": "6*7"}
    assert told["approvals"] == [approval]
    status, run = await decide(scenario, told)
    assert (status, run["status"]) == (200, "queued")
    assert (await ended(scenario, told["run_id"]))["status"] == "completed"
    assert await results(scenario, told) == ["6*7 = 42"]
    status, again = await decide(scenario, told)
    assert (status, again["status"]) == (200, "completed"), (
        "the same decision again changes nothing"
    )
    status, refused = await decide(scenario, told, decision="deny")
    assert (status, refused["code"]) == (409, "approval_decided")


async def test_other_arguments_are_not_approved(scenario: Scenario) -> None:
    told = await waiting(scenario)
    status, refused = await decide(scenario, told, arguments_hash="0" * 64)
    assert (status, refused["code"]) == (409, "arguments_changed")
    _, run = await scenario.call("GET", f"/api/runs/{told['run_id']}")
    assert run["status"] == "waiting"
    assert (await scenario.call("POST", f"/api/runs/{told['run_id']}/cancel"))[0] == 200
    assert (await ended(scenario, told["run_id"]))["status"] == "cancelled"
    status, refused = await decide(scenario, told)
    assert (status, refused["code"]) == (409, "approval_expired")


async def test_a_denial_is_told_to_the_model(scenario: Scenario) -> None:
    told = await waiting(scenario)
    await decide(scenario, told, decision="deny")
    assert (await ended(scenario, told["run_id"]))["status"] == "completed"
    (result,) = await results(scenario, told)
    assert "did not allow" in result


async def test_a_conversation_waits_with_its_run(scenario: Scenario) -> None:
    told = await waiting(scenario)
    later = {"message": f"x {directive(Script(text='Later'))}", "busy": "reject"}
    path = f"/api/conversations/{told['conversation_id']}/messages"
    status, refused = await scenario.call("POST", path, later)
    assert (status, refused["code"]) == (409, "conversation_busy")
    await decide(scenario, told)
    await ended(scenario, told["run_id"])
    status, _ = await scenario.call("POST", path, {**later, "busy": "enqueue"})
    assert status == 200


async def test_a_stream_goes_on_after_the_decision(scenario: Scenario) -> None:
    """One reader sees the question, the decision of a socket, and the end, without a gap."""
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message=question(), approval="always")
        asked = await socket.until(lambda frame: frame.get("event") == "approval_required")
        data = asked[-1]["data"]
        await socket.send(
            type="approve",
            run_id=asked[-1]["run_id"],
            approval_id=data["approval_id"],
            decision="approve",
            arguments_hash=data["arguments_hash"],
        )
        rest = await socket.until_end()
    numbers = [frame["seq"] for frame in (*asked, *rest)]
    hidden = asked[-1]["seq"] + 1
    assert numbers == [n for n in range(1, numbers[-1] + 1) if n != hidden], "one is for no reader"
    kinds = [frame["event"] for frame in rest]
    assert kinds == ["tool_result", *["token"] * kinds.count("token"), "metrics", "done"]


async def test_several_calls_wait_for_their_decisions(scenario: Scenario) -> None:
    other = ToolCall(name="calculator", arguments={"expression": "1+1"})
    told = await waiting(scenario, message=question(CALLED, other))
    first, second = told["approvals"]
    _, run = await scenario.call("GET", f"/api/runs/{told['run_id']}")
    assert run["approvals"] == [first, second]
    status, run = await decide(scenario, {**told, "approval": second}, decision="deny")
    assert (status, run["status"], run["approvals"]) == (200, "waiting", [first])
    await decide(scenario, {**told, "approval": first})
    await ended(scenario, told["run_id"])
    one, another = sorted(await results(scenario, told))
    assert one == "6*7 = 42"
    assert "did not allow" in another


async def test_a_second_request_with_its_key_gets_the_answer(scenario: Scenario) -> None:
    body = {"message": question(), "approval": "always"}
    key = {"Idempotency_Key": uuid4().hex}
    status, told = await scenario.call("POST", "/api/chat", body, **key)
    assert status == 202
    await decide(scenario, told)
    await ended(scenario, told["run_id"])
    status, answer = await scenario.call("POST", "/api/chat", body, **key)
    assert (status, answer["run_id"]) == (200, told["run_id"])
    assert answer["response"] == "That was it."


@pytest.mark.parametrize("twice", ["approve", "deny"])
async def test_two_people_decide_at_once(scenario: Scenario, twice: str) -> None:
    told = await waiting(scenario)
    both = await asyncio.gather(decide(scenario, told), decide(scenario, told, decision=twice))
    statuses = sorted(status for status, _ in both)
    assert statuses == ([200, 200] if twice == "approve" else [200, 409])
    await ended(scenario, told["run_id"])
    assert len(await results(scenario, told)) == 1


async def test_where_nobody_can_decide_nothing_waits(scenario: Scenario) -> None:
    body = {"model": "cartrita", "messages": [{"role": "user", "content": question()}]}
    status, completion = await post_json(scenario, "/v1/chat/completions", body)
    assert status == 200, completion
    assert completion["choices"][0]["message"]["content"] == "That was it."
