"""Agents called as tools over MCP on a real server, as its raw messages show them."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.harness import raw_http
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.journeys.test_agents import team_message
from tests.journeys.v1 import MAPPED, frames, post, post_json

BOTH = "application/json, text/event-stream"
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


def rpc(method: str, params: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}


def asking(agent: str, text: str, **fields: Any) -> dict[str, Any]:
    """A call of an agent."""
    return rpc("tools/call", {"name": agent, "arguments": {"message": text}, **fields})


def scripted(*scripts: Script) -> str:
    return f"needle-{uuid4().hex} {directive(*scripts)}"


async def called(scenario: Scenario, body: dict[str, Any], **headers: str) -> Any:
    status, answer = await post_json(scenario, "/mcp", body, **headers)
    assert status == 200, answer
    return answer["result"]


async def test_a_handshake_and_the_tools(scenario: Scenario) -> None:
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x"}}
    told = await called(scenario, rpc("initialize", client))
    assert told["protocolVersion"] == "2025-06-18"
    assert told["serverInfo"]["name"] == "cartrita"
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    status, _, answered = await post(scenario, "/mcp", note)
    assert (status, answered) == (202, b"")
    assert await called(scenario, rpc("ping")) == {}
    tools = (await called(scenario, rpc("tools/list")))["tools"]
    _, listed = await scenario.call("GET", "/api/agents")
    assert [tool["name"] for tool in tools] == [agent["id"] for agent in listed["agents"]]
    assert all(tool["inputSchema"]["required"] == ["message"] for tool in tools)


async def test_an_agent_answers_as_a_whole(scenario: Scenario) -> None:
    result = await called(scenario, asking("supervisor", team_message()))
    assert result["content"] == [{"type": "text", "text": "I ask.\n\nThe answer is 42."}]
    assert result["isError"] is False
    told = result["structuredContent"]
    assert told["status"] == "completed"
    assert sorted(told["agents_used"]) == ["analyst", "supervisor", "writer"]
    body = asking("writer", scripted(Script(text="More.")))
    body["params"]["arguments"]["conversation_id"] = told["conversation_id"]
    more = await called(scenario, body)
    assert more["structuredContent"]["conversation_id"] == told["conversation_id"]
    assert more["structuredContent"]["agents_used"] == ["writer"]


async def test_an_agent_answers_as_a_stream_with_its_progress(scenario: Scenario) -> None:
    body = asking("supervisor", team_message(), _meta={"progressToken": "p"})
    status, headers, answered = await post(scenario, "/mcp", body, accept=BOTH)
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    told = [data for _, data in frames(answered)]
    assert told[-1]["result"]["content"][0]["text"] == "I ask.\n\nThe answer is 42."
    notes = [each["params"] for each in told[:-1]]
    assert {each["progressToken"] for each in notes} == {"p"}
    numbers = [each["progress"] for each in notes]
    assert numbers == sorted(set(numbers))
    assert any(each["message"].startswith("analyst: ") for each in notes)
    status, _, answered = await post(
        scenario, "/mcp", asking("writer", scripted(Script(text="Quiet."))), accept=BOTH
    )
    (only,) = [data for _, data in frames(answered)]
    assert only["result"]["content"][0]["text"] == "Quiet."


async def test_an_agent_that_waits_for_a_person_says_so(serve: Serve, tmp_path: Path) -> None:
    configuration = tmp_path / "cartrita.toml"
    configuration.write_text('[agents.analyst]\napproval = "always"\n')
    scenario = serve(settings={"CARTRITA_CONFIG": str(configuration)})
    calculator = ToolCall(name="calculator", arguments={"expression": "6*7"})
    text = scripted(Script(tool_calls=(calculator,)), Script(text="It is 42."))
    _, _, answered = await post(scenario, "/mcp", asking("analyst", text), accept=BOTH)
    result = frames(answered)[-1][1]["result"]
    assert result["structuredContent"]["status"] == "waiting"
    assert "calculator of analyst" in result["content"][0]["text"]
    result = await called(scenario, asking("analyst", f"again {text}"))
    assert result["structuredContent"]["status"] == "waiting"


async def test_a_client_without_a_handshake(scenario: Scenario) -> None:
    meta = {VERSION: "2026-07-28", CAPABILITIES: {}}
    headers = {"mcp_protocol_version": "2026-07-28", "mcp_method": "server/discover"}
    told = await called(scenario, rpc("server/discover", {"_meta": meta}), **headers)
    assert told["supportedVersions"][0] == "2026-07-28"
    assert told["resultType"] == "complete"
    headers["mcp_method"] = "tools/list"
    status, answer = await post_json(
        scenario, "/mcp", rpc("prompts/list", {"_meta": meta}), **headers
    )
    assert (status, answer["error"]["code"]) == (400, -32020)
    headers["mcp_method"] = "prompts/list"
    status, answer = await post_json(
        scenario, "/mcp", rpc("prompts/list", {"_meta": meta}), **headers
    )
    assert (status, answer["error"]["code"]) == (404, -32601)
    status, answer = await post_json(
        scenario, "/mcp", rpc("ping"), mcp_protocol_version="2031-01-01"
    )
    assert (status, answer["error"]["code"]) == (400, -32022)


async def test_what_is_wrong_is_told_to_the_model_or_to_the_program(scenario: Scenario) -> None:
    for arguments in ({}, {"message": " "}, {"message": "x", "more": 1}, {"message": 3}):
        body = rpc("tools/call", {"name": "writer", "arguments": arguments})
        result = await called(scenario, body)
        assert result["isError"] is True
        assert "rguments" in result["content"][0]["text"]
    body = asking("writer", "x")
    body["params"]["arguments"]["conversation_id"] = "conv_nothing"
    result = await called(scenario, body)
    assert result["structuredContent"]["code"] == "conversation_not_found"
    for params in ({"name": "nobody"}, {"name": 3}, {}):
        status, answer = await post_json(scenario, "/mcp", rpc("tools/call", params))
        assert (status, answer["error"]["code"]) == (200, -32602)
    status, answer = await post_json(scenario, "/mcp", b"[]")
    assert (status, answer["error"]["code"]) == (200, -32600)


async def test_pages_of_other_origins_and_callers_without_a_key(scenario: Scenario) -> None:
    sent = json.dumps(rpc("tools/list")).encode()
    port = scenario.server.port
    own = f"http://127.0.0.1:{port}"
    for origin, expected in (("https://evil.example", 403), ("null", 403), (own, 200)):
        answer = await raw_http.request(port, "POST", "/mcp", {**MAPPED, "Origin": origin}, sent)
        async with answer:
            assert answer.status == expected, origin
    kind = {"Content-Type": "application/json"}
    async with await raw_http.request(port, "POST", "/mcp", kind, sent) as answer:
        assert answer.status == 401
    for method in ("GET", "DELETE"):
        async with await raw_http.request(port, method, "/mcp", MAPPED) as answer:
            assert answer.status == 405
