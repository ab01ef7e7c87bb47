"""The team at work on a real server: tools, tasks side by side, and what surfaces show of it."""

import json
from collections import Counter
from typing import Any
from uuid import uuid4

from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.websockets import opened
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.v1 import begin, frames, post, post_json


def delegation(agent: str, *scripts: Script) -> ToolCall:
    """A call that gives a task, which the model of that agent meets with these scripts."""
    task = f"Do {uuid4().hex}. {directive(*scripts)}"
    return ToolCall(name="delegate", arguments={"agent": agent, "task": task})


def team_message() -> str:
    """A message for which two agents work at once, one of them with a tool."""
    calculator = ToolCall(name="calculator", arguments={"expression": "6*7"})
    calls = (
        delegation("analyst", Script(tool_calls=(calculator,)), Script(text="It is 42.")),
        delegation("writer", Script(text="Forty-two.")),
    )
    scripts = (Script(text="I ask.", tool_calls=calls), Script(text="The answer is 42."))
    return f"needle-{uuid4().hex} {directive(*scripts)}"


async def test_two_agents_work_for_an_answer(scenario: Scenario) -> None:
    status, answer = await scenario.call("POST", "/api/chat", {"message": team_message()})
    assert status == 200, answer
    assert answer["response"] == "I ask.\n\nThe answer is 42."
    assert answer["agent_type"] == "supervisor"
    metadata = answer["metadata"]
    assert metadata["agents_used"][0] == "supervisor"
    assert sorted(metadata["agents_used"]) == ["analyst", "supervisor", "writer"]
    assert metadata["iterations"] == 5
    calls = {use["agent"]: use["model_calls"] for use in metadata["agents"]}
    assert calls == {"supervisor": 2, "analyst": 2, "writer": 1}
    tokens = sum(use["token_usage"]["total_tokens"] for use in metadata["agents"])
    assert tokens == answer["token_usage"]["total_tokens"] > 0
    kinds = [part["type"] for part in answer["message"]["parts"]]
    assert kinds == ["text", "tool_call", "tool_call", "tool_result", "tool_result", "text"]


async def test_the_ledger_tells_which_agent_a_call_was_made_for(scenario: Scenario) -> None:
    _, answer = await scenario.call("POST", "/api/chat", {"message": team_message()})
    run = answer["run_id"].removeprefix("run_")

    async def all_five() -> list[Any] | None:
        found = await scenario.fetch(
            "SELECT agent, run_id, conversation_id FROM usage_ledger WHERE run_id = $1::text::uuid",
            run,
        )
        return found if len(found) == 5 else None

    rows = await eventually(all_five)
    assert Counter(row["agent"] for row in rows) == {"supervisor": 2, "analyst": 2, "writer": 1}
    (conversation,) = {row["conversation_id"].hex for row in rows}
    assert answer["conversation_id"].endswith(conversation)


async def test_the_stream_tells_what_the_team_does(scenario: Scenario) -> None:
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", message=team_message())
        heard = await socket.until_end()
    told = [frame for frame in heard if frame["event"] != "queued"]  # where the server is busy
    events = [frame["event"] for frame in told]
    assert events[0] == "stream_start"
    assert events[-1] == "done"
    assert [frame["seq"] for frame in told] == list(range(1, len(told) + 1))
    data: dict[str, list[Any]] = {}
    for frame in told:
        data.setdefault(frame["event"], []).append(frame["data"])
    assert {one["agent_type"] for one in data["agent_task_start"]} == {"analyst", "writer"}
    results = {one["agent_type"]: one["result"] for one in data["agent_task_complete"]}
    assert results == {"analyst": "It is 42.", "writer": "Forty-two."}
    assert all(one["success"] for one in data["agent_task_complete"])
    of_task = [one for one in data["function_call"] if "task_id" in one]
    assert [one["function_name"] for one in of_task] == ["calculator"]
    assert len(data["function_call"]) == len(data["tool_result"]) == 3
    assert len(data["metrics"]) == 5


async def test_a_client_of_a_model_sees_the_answer_alone(scenario: Scenario) -> None:
    body: dict[str, Any] = {
        "model": "cortex-flow",
        "messages": [{"role": "user", "content": team_message()}],
    }
    status, completion = await post_json(scenario, "/v1/chat/completions", body)
    assert status == 200, completion
    (choice,) = completion["choices"]
    assert choice["message"]["content"] == "I ask.\n\nThe answer is 42."
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "stop"
    assert sorted(completion["metadata"]["agents_used"]) == ["analyst", "supervisor", "writer"]
    assert completion["metadata"]["iterations"] == 5
    body["messages"][0]["content"] = team_message()
    status, _, answered = await post(scenario, "/v1/chat/completions", {**body, "stream": True})
    assert status == 200
    assert b"tool_calls" not in answered
    assert frames(answered)[-1][1] == "[DONE]"


async def test_the_tools_of_a_client_pause_a_run_that_uses_its_own(scenario: Scenario) -> None:
    look = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    calls = (
        ToolCall(name="calculator", arguments={"expression": "6*7"}),
        ToolCall(name="look", arguments={"at": "it"}),
    )
    script = directive(Script(tool_calls=calls), Script(text="I looked: 42."))
    name = f"user_{uuid4().hex}"
    asked = {"role": "user", "content": f"needle-{uuid4().hex} {script}"}
    body = {"model": "cartrita", "tools": [look], "conversation_id": name, "messages": [asked]}
    status, completion = await post_json(scenario, "/v1/chat/completions", body)
    assert status == 200, completion
    (choice,) = completion["choices"]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "look"
    result = {"role": "tool", "tool_call_id": call["id"], "content": "seen"}
    body["messages"] = [asked, choice["message"], result]
    status, completion = await post_json(scenario, "/v1/chat/completions", body)
    assert status == 200, completion
    assert completion["choices"][0]["message"]["content"] == "I looked: 42."
    status, page = await scenario.call("GET", f"/api/conversations/{name}/messages")
    assert [item["role"] for item in page["items"]] == ["user", "assistant", "tool", "assistant"]


async def test_a_model_that_is_named_answers_alone(scenario: Scenario) -> None:
    word = f"needle-{uuid4().hex}"
    await scenario.chat(message=f"{word} {directive(Script(text='Hi'))}")
    exchanges = scenario.provider.requests()
    (sent,) = [json.loads(one.body) for one in exchanges if word in one.body]
    assert "tools" not in sent
    word = f"needle-{uuid4().hex}"
    await scenario.call("POST", "/api/chat", {"message": f"{word} {directive(Script(text='Hi'))}"})
    exchanges = scenario.provider.requests()
    (sent,) = [json.loads(one.body) for one in exchanges if word in one.body]
    assert {one["function"]["name"] for one in sent["tools"]} == {
        "calculator",
        "search_files",
        "read_file",
        "search_conversations",
        "delegate",
    }


async def test_limits_of_a_request_end_the_work_early(scenario: Scenario) -> None:
    calculator = ToolCall(name="calculator", arguments={"expression": "1"})
    scripts = (Script(tool_calls=(calculator,), insist=True), Script(text="That is all."))
    body = {
        "message": f"needle-{uuid4().hex} {directive(*scripts)}",
        "limits": {"steps": 1},
        "tools": ["calculator"],
    }
    status, answer = await scenario.call("POST", "/api/chat", body)
    assert status == 200, answer
    assert answer["metadata"]["limit_reached"] == "steps"
    assert answer["metadata"]["iterations"] == 2


async def test_names_of_tools_and_agents_that_there_are_not(scenario: Scenario) -> None:
    status, refused = await scenario.call("POST", "/api/chat", {"message": "x", "tools": ["no"]})
    assert status == 422
    known = "there are: calculator, search_files, read_file, search_conversations, "
    assert known in refused["errors"]["tools"][0]
    status, refused = await scenario.call(
        "POST", "/api/chat", {"message": "x", "agent_override": "nobody"}
    )
    assert (status, refused["code"]) == (404, "agent_not_found")
    body = {"message": f"x {directive(Script(text='Hi'))}", "agent_override": "research"}
    status, answer = await scenario.call("POST", "/api/chat", body)
    assert (status, answer["agent_type"]) == (200, "researcher")


async def test_nothing_waits_for_a_decision(scenario: Scenario) -> None:
    answer = await scenario.chat()
    path = f"/api/runs/{answer['run_id']}/approvals/appr_{uuid4().hex}"
    decision = {"decision": "approve", "arguments_hash": "x"}
    status, refused = await scenario.call("POST", path, decision)
    assert (status, refused["code"]) == (404, "approval_not_found")
    status, refused = await scenario.call("POST", path, {"decision": "maybe"})
    assert status == 422
    async with opened(scenario.server.port) as socket:
        await socket.send(type="approve", run_id=answer["run_id"], approval_id="appr_x", **decision)
        frame = await socket.next()
    assert frame["code"] == "approval_not_found"


async def test_the_other_surfaces_show_the_answer_alone_too(scenario: Scenario) -> None:
    body: dict[str, Any] = {"model": "cartrita", "input": team_message()}
    status, response = await post_json(scenario, "/v1/responses", body)
    assert status == 200, response
    assert [item["type"] for item in response["output"]] == ["message"]
    (content,) = response["output"][0]["content"]
    assert content["text"] == "I ask.\n\nThe answer is 42."
    asked = [{"role": "user", "content": team_message()}]
    body = {"model": "cartrita", "max_tokens": 99, "messages": asked}
    status, message = await post_json(scenario, "/v1/messages", body)
    assert status == 200, message
    assert [block["type"] for block in message["content"]] == ["text"]
    assert message["content"][0]["text"] == "I ask.\n\nThe answer is 42."
    assert message["stop_reason"] == "end_turn"
    assert sorted(message["metadata"]["agents_used"]) == ["analyst", "supervisor", "writer"]


async def test_an_agent_is_listed_with_what_it_did(scenario: Scenario) -> None:
    user = await new_user(scenario, await new_tenant(scenario))
    mine = {"Authorization": f"Bearer {(await new_key(scenario, user))['key']}", "X_API_Key": ""}
    _, before = await scenario.call("GET", "/api/agents/writer", None, **mine)
    assert (before["status"], before["usage_count"], before["last_used_at"]) == ("idle", 0, None)
    assert before["model"] == "openai/fake"
    body = {"agent_override": "writer", "message": f"x {directive(Script(text='Hi'))}"}
    assert (await scenario.call("POST", "/api/chat", body, **mine))[0] == 200
    slow = directive(Script(words=2000, between_tokens_s=0.05))
    body = {"agent_override": "coder", "message": f"y {slow}", "stream": True}
    async with await begin(scenario, "/api/chat", body, **mine) as answer:
        assert answer.status == 200

        async def busy() -> bool:
            _, coder = await scenario.call("GET", "/api/agents/coder", None, **mine)
            return coder["status"] == "busy"

        await eventually(busy)
    slow_task = delegation("analyst", Script(words=2000, between_tokens_s=0.05))
    body = {"message": f"z {directive(Script(tool_calls=(slow_task,)))}", "stream": True}
    async with await begin(scenario, "/api/chat", body, **mine) as answer:
        assert answer.status == 200

        async def analyst_is_busy() -> bool:
            _, analyst = await scenario.call("GET", "/api/agents/analyst", None, **mine)
            return analyst["status"] == "busy"

        await eventually(analyst_is_busy)
    _, team = await scenario.call("GET", "/api/agents", None, **mine)
    found = {agent["id"]: agent for agent in team["agents"]}
    assert {
        name: agent["usage_count"] for name, agent in found.items() if agent["usage_count"]
    } == {
        "supervisor": 1,
        "analyst": 1,
        "writer": 1,
        "coder": 1,
    }
    assert found["writer"]["status"] == "idle"
    assert found["writer"]["last_used_at"] is not None
