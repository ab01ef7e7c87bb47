"""Agents asked over A2A on a real server: cards, tasks whole and streamed, cancelled, refused."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.harness import raw_http
from tests.harness.fake_provider.faults import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually
from tests.journeys.test_agents import team_message
from tests.journeys.v1 import begin, frames, post, post_json

CARD = "/.well-known/agent-card.json"


def message(text: str, **fields: Any) -> dict[str, Any]:
    """The parameters that send a text."""
    told = {"messageId": uuid4().hex, "role": "ROLE_USER", "parts": [{"text": text}], **fields}
    return {"message": told}


def scripted(*scripts: Script) -> str:
    return f"needle-{uuid4().hex} {directive(*scripts)}"


def rpc(method: str, params: Any, call_id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}


async def called(
    scenario: Scenario, method: str, params: Any, path: str = "/a2a", **headers: str
) -> Any:
    """The result of a call."""
    status, answer = await post_json(scenario, path, rpc(method, params), **headers)
    assert status == 200, answer
    assert answer["id"] == 1
    return answer["result"]


async def refused(scenario: Scenario, method: str, params: Any, **headers: str) -> dict[str, Any]:
    """The error of a call."""
    status, answer = await post_json(scenario, "/a2a", rpc(method, params), **headers)
    assert status == 200, answer
    return answer["error"]


async def streamed(
    scenario: Scenario, method: str, params: Any, path: str = "/a2a"
) -> list[dict[str, Any]]:
    """The results in the stream of a call."""
    status, headers, answered = await post(scenario, path, rpc(method, params, "s"))
    assert status == 200, answered
    assert headers["content-type"].startswith("text/event-stream")
    told = [data for _, data in frames(answered)]
    assert {each["id"] for each in told} == {"s"}
    return [each["result"] for each in told]


async def test_anybody_reads_cards_which_tell_no_model_and_no_instructions(
    scenario: Scenario,
) -> None:
    _, listed = await scenario.call("GET", "/api/agents")
    for path in (CARD, f"/a2a/research{CARD}"):
        async with await raw_http.request(scenario.server.port, "GET", path) as answer:
            assert answer.status == 200
            raw = await answer.body()
        card = json.loads(raw)
        (interface,) = card["supportedInterfaces"]
        assert (interface["protocolBinding"], interface["protocolVersion"]) == ("JSONRPC", "1.0")
        assert b"fake" not in raw
        assert b"nstructions" not in raw
        assert card["capabilities"]["streaming"] is True
        assert set(card["securitySchemes"]) == {"bearer", "apiKey"}
        skills = [skill["id"] for skill in card["skills"]]
        if path == CARD:
            assert interface["url"] == f"{scenario.server.base}/a2a"
            assert skills == [agent["id"] for agent in listed["agents"]]
        else:
            assert interface["url"] == f"{scenario.server.base}/a2a/researcher"
            assert (card["name"], skills) == ("Researcher", ["researcher"])
    status, missing = await scenario.call("GET", f"/a2a/nobody{CARD}")
    assert (status, missing["code"]) == (404, "agent_not_found")
    status, missing = await scenario.call("GET", f"/a2a/model{CARD}")
    assert (status, missing["code"]) == (404, "agent_not_found")


async def test_a_task_is_a_run(scenario: Scenario) -> None:
    result = await called(scenario, "SendMessage", message(team_message()))
    task = result["task"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    (artifact,) = task["artifacts"]
    assert artifact["parts"][0]["text"] == "I ask.\n\nThe answer is 42."
    assert task["history"][0]["role"] == "ROLE_USER"
    _, run = await scenario.call("GET", f"/api/runs/{task['id']}")
    assert (run["status"], run["conversation_id"]) == ("completed", task["contextId"])
    assert await called(scenario, "GetTask", {"id": task["id"]}) == task
    short = await called(scenario, "GetTask", {"id": task["id"], "historyLength": 0})
    assert "history" not in short


async def test_a_context_goes_on_and_a_message_is_one(scenario: Scenario) -> None:
    first = await called(scenario, "SendMessage", message(scripted(Script(text="One."))))
    context = first["task"]["contextId"]
    params = message(scripted(Script(text="Two.")), contextId=context)
    second = await called(scenario, "SendMessage", params, path="/a2a/writing")
    assert second["task"]["contextId"] == context
    assert second["task"]["metadata"] == {"agent": "writer"}
    again = await called(scenario, "SendMessage", params, path="/a2a/writing")
    assert again == second
    error = await refused(scenario, "SendMessage", params)
    assert (error["code"], "writer" in error["message"]) == (-32602, True)
    params["message"]["parts"] = [{"text": "Something else"}]
    error = await refused(scenario, "SendMessage", params)
    assert error["code"] == -32602
    _, page = await scenario.call("GET", f"/api/conversations/{context}/messages")
    assert len(page["items"]) == 4


async def test_a_stream_tells_the_task_then_the_answer_then_its_end(scenario: Scenario) -> None:
    told = await streamed(scenario, "SendStreamingMessage", message(team_message()))
    task = told[0]["task"]
    texts, states, notes = "", [], []
    for result in told[1:]:
        (kind,) = result
        update = result[kind]
        assert (update["taskId"], update["contextId"]) == (task["id"], task["contextId"])
        if kind == "artifactUpdate":
            assert update.get("append", False) == bool(texts)
            texts += update["artifact"]["parts"][0]["text"]
        else:
            states.append(update["status"]["state"])
            notes += [p["text"] for p in update["status"].get("message", {}).get("parts", ())]
    assert texts == "I ask.\n\nThe answer is 42."
    assert set(states[:-1]) == {"TASK_STATE_WORKING"}
    assert states[-1] == "TASK_STATE_COMPLETED"
    assert sum(note.startswith(("analyst: ", "writer: ")) for note in notes) == 2
    used = told[-1]["statusUpdate"]["metadata"]["agentsUsed"]
    assert sorted(used) == ["analyst", "supervisor", "writer"]


async def test_a_task_is_followed_and_cancelled_and_then_neither(scenario: Scenario) -> None:
    params = message(scripted(Script(words=2000, between_tokens_s=0.05)))
    params["configuration"] = {"returnImmediately": True}
    begun = (await called(scenario, "SendMessage", params))["task"]
    assert begun["status"]["state"] in ("TASK_STATE_SUBMITTED", "TASK_STATE_WORKING")

    async def writes() -> bool:
        task = await called(scenario, "GetTask", {"id": begun["id"]})
        return task["status"]["state"] == "TASK_STATE_WORKING"

    await eventually(writes)
    following = rpc("SubscribeToTask", {"id": begun["id"]})
    async with await begin(scenario, "/a2a", following) as stream:
        ended = await called(scenario, "CancelTask", {"id": begun["id"]})
        told = [data["result"] for _, data in frames(await stream.body())]
    assert ended["status"]["state"] == "TASK_STATE_CANCELED"
    assert told[0]["task"]["id"] == begun["id"]
    assert told[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_CANCELED"
    error = await refused(scenario, "CancelTask", {"id": begun["id"]})
    assert error["code"] == -32002
    error = await refused(scenario, "SubscribeToTask", {"id": begun["id"]})
    assert (error["code"], error["data"][0]["reason"]) == (-32004, "UNSUPPORTED_OPERATION")


async def test_tasks_are_looked_at_and_cancelled_by_who_has_no_room_for_more(
    serve: Serve,
) -> None:
    scenario = serve(settings={"CARTRITA_LIMITS_STREAMS_MAX": "1"})
    slow = message(scripted(Script(words=2000, between_tokens_s=0.05)))
    async with await begin(scenario, "/a2a", rpc("SendStreamingMessage", slow)) as stream:
        first, pieces = b"", stream.chunks()
        while not frames(first):
            first += await anext(pieces)
        task = frames(first)[0][1]["result"]["task"]["id"]
        for path, method, params in (
            ("/a2a", "SendMessage", message("More")),
            ("/a2a", "SubscribeToTask", {"id": task}),
            ("/mcp", "tools/call", {"name": "writer", "arguments": {"message": "More"}}),
        ):
            status, refused = await post_json(scenario, path, rpc(method, params))
            assert (status, refused["code"]) == (429, "too_many_streams"), method
        assert (await called(scenario, "GetTask", {"id": task}))["id"] == task
        assert await called(scenario, "ping", {}, "/mcp") == {}
        ended = await called(scenario, "CancelTask", {"id": task})
        assert ended["status"]["state"] == "TASK_STATE_CANCELED"


async def test_a_stream_ends_where_a_person_must_decide_and_goes_on_after(
    serve: Serve, tmp_path: Path
) -> None:
    configuration = tmp_path / "cartrita.toml"
    configuration.write_text('[agents.analyst]\napproval = "always"\n')
    scenario = serve(settings={"CARTRITA_CONFIG": str(configuration)})
    calculator = ToolCall(name="calculator", arguments={"expression": "6*7"})
    scripts = (Script(tool_calls=(calculator,)), Script(text="It is 42."))
    params = message(scripted(*scripts))
    told = await streamed(scenario, "SendStreamingMessage", params, path="/a2a/analyst")
    task = told[0]["task"]["id"]
    status = told[-1]["statusUpdate"]["status"]
    assert status["state"] == "TASK_STATE_INPUT_REQUIRED", told
    (asked,) = status["message"]["parts"][1]["data"]["approvals"]
    assert (asked["tool"], asked["arguments"]) == ("calculator", {"expression": "6*7"})
    waiting = (await called(scenario, "GetTask", {"id": task}))["status"]
    assert waiting["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert waiting["message"]["parts"][1]["data"]["approvals"] == [asked]
    decision = {"decision": "approve", "arguments_hash": asked["argumentsHash"]}
    assert (await scenario.call("POST", asked["decideAt"], decision))[0] == 200
    answer = await called(scenario, "SendMessage", params, path="/a2a/analyst")
    assert answer["task"]["id"] == task
    assert answer["task"]["status"]["state"] == "TASK_STATE_COMPLETED"
    again = await streamed(scenario, "SendStreamingMessage", params, path="/a2a/analyst")
    assert again[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"


async def test_what_is_refused(scenario: Scenario) -> None:
    task = (await called(scenario, "SendMessage", message(scripted(Script(text="Hi")))))["task"]
    cases: list[tuple[str, Any, int]] = [
        ("message/send", {}, -32601),
        ("SendMessage", {}, -32602),
        ("SendMessage", message("Hi", role="ROLE_AGENT"), -32602),
        ("SendMessage", message("Hi", contextId="conv_nothing"), -32602),
        ("SendMessage", message("Hi", taskId=task["id"]), -32004),
        ("SendMessage", message("Hi", taskId="run_x"), -32001),
        ("SendMessage", message("Hi", parts=[{"url": "https://example.com/x"}]), -32005),
        ("GetTask", {"id": f"run_{uuid4().hex}"}, -32001),
        ("CancelTask", {"id": "x"}, -32001),
        ("ListTasks", {}, -32004),
        ("GetExtendedAgentCard", {}, -32007),
        ("CreateTaskPushNotificationConfig", {}, -32003),
    ]
    for method, params, code in cases:
        error = await refused(scenario, method, params)
        assert error["code"] == code, (method, params, error)
    error = await refused(scenario, "GetTask", {"id": task["id"]}, a2a_version="0.3")
    assert error["code"] == -32009
    status, answer = await post_json(scenario, "/a2a", b"{")
    assert (status, answer["error"]["code"], answer["id"]) == (200, -32700, None)
    note = {"jsonrpc": "2.0", "method": "GetTask", "params": {"id": task["id"]}}
    status, answer = await post_json(scenario, "/a2a", note)
    assert (status, answer["error"]["code"]) == (200, -32600)


async def test_who_has_no_key_is_told_by_the_status(scenario: Scenario) -> None:
    sent = json.dumps(rpc("GetTask", {"id": "x"})).encode()
    headers = {"Content-Type": "application/json"}
    for path in ("/a2a", "/a2a/coder"):
        answer = await raw_http.request(scenario.server.port, "POST", path, headers, sent)
        async with answer:
            assert answer.status == 401
            assert json.loads(await answer.body())["code"] == "unauthenticated"


async def test_a_task_that_fails_says_why(scenario: Scenario) -> None:
    result = await called(
        scenario, "SendMessage", message(scripted(Script(faults=(ReplacedResponse(status=400),))))
    )
    status = result["task"]["status"]
    assert status["state"] == "TASK_STATE_FAILED"
    assert status["message"]["parts"][0]["text"]
