"""Agents use the tools of a server that the operator has configured, and people approve of it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import psutil
import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.harness.tool_servers import official

_CONFIG = """
[mcp.garden]
command = ["{python}", "{program}"]
env = {{ NOTES = "{notes}" }}
read = ["add", "environment", "links"]
tools = ["add", "environment", "links", "notes.write"]

[mcp.away]
command = ["/nowhere/program"]

[agents.gardener]
description = "Grows moss."
instructions = "You grow moss."
tools = ["garden__*", "away__*", "calculator"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("garden")


@pytest.fixture(scope="module")
def garden_server(provider: FakeProvider, folder: Path) -> Iterator[Server]:
    """A server with a garden, and a server of tools that cannot be started."""
    config = folder / "cartrita.toml"
    program, notes = str(official.__file__), folder / "notes"
    config.write_text(_CONFIG.format(python=sys.executable, program=program, notes=notes))
    settings = {
        "CARTRITA_CONFIG": str(config),
        "CARTRITA_MCP_WAIT_S": "60",  # a machine that is busy starts the program late
        "TEST_ONLY_SECRET": "of the server",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
async def garden(garden_server: Server, provider: FakeProvider) -> Scenario:
    """The server, when its garden has answered."""
    scenario = Scenario(garden_server, provider)

    async def answers() -> bool:
        _, ready = await scenario.call("GET", "/ready")
        return ready["mcp"]["garden"]

    await eventually(answers)
    return scenario


def question(*calls: ToolCall, agent: str = "gardener") -> dict[str, Any]:
    scripts = (Script(tool_calls=calls, insist=True), Script(text="That was it."))
    return {"message": f"needle-{uuid4().hex} {directive(*scripts)}", "agent_override": agent}


async def answered(scenario: Scenario, told: dict[str, Any]) -> list[Any]:
    """What the calls returned, in their order, when the run has ended."""

    async def look() -> bool:
        _, run = await scenario.call("GET", f"/api/runs/{told['run_id']}")
        return run["status"] == "completed"

    await eventually(look)
    path = f"/api/conversations/{told['conversation_id']}/messages"
    _, page = await scenario.call("GET", path)
    parts = page["items"][-1]["parts"]
    results = {part["call_id"]: part for part in parts if part["type"] == "tool_result"}
    calls = [part["call_id"] for part in parts if part["type"] == "tool_call"]
    return [results[call_id]["content"][0]["text"] for call_id in calls]


async def test_what_only_reads_is_called_at_once(garden: Scenario) -> None:
    calls = (
        ToolCall(name="garden__add", arguments={"first": 1, "second": 2}),
        ToolCall(name="garden__environment", arguments={}),
        ToolCall(name="garden__links", arguments={}),
    )
    status, told = await garden.call("POST", "/api/chat", question(*calls))
    assert status == 200, told
    added, environment, links = await answered(garden, told)
    assert added == "3"
    assert set(environment.split("\n\n")) <= {"NOTES", "PATH", "LC_CTYPE"}
    assert links.endswith("Sources:\n[1] Moss https://moss.test/\n[2] Here")


async def test_what_acts_waits_for_a_person(garden: Scenario, folder: Path) -> None:
    call = ToolCall(name="garden__notes_write", arguments={"text": "water it"})
    status, told = await garden.call("POST", "/api/chat", question(call))
    assert status == 202, told
    approval = told["approval"]
    assert approval["tool_name"] == "garden__notes_write"
    assert approval["arguments"] == {"text": "water it"}
    assert not (folder / "notes").exists()
    path = f"/api/runs/{told['run_id']}/approvals/{approval['approval_id']}"
    decision = {"decision": "approve", "arguments_hash": approval["arguments_hash"]}
    assert (await garden.call("POST", path, decision))[0] == 200
    assert await answered(garden, told) == ["Wrote water it."]
    assert (folder / "notes").read_text() == "water it\n"


async def test_other_agents_have_none_of_its_tools(garden: Scenario) -> None:
    call = ToolCall(name="garden__add", arguments={"first": 1, "second": 2})
    status, told = await garden.call("POST", "/api/chat", question(call, agent="analyst"))
    assert status == 200, told
    (result,) = await answered(garden, told)
    assert result.startswith("There is no tool garden__add")


async def test_a_request_may_name_its_tools(garden: Scenario) -> None:
    body = {**question(), "tools": ["garden__add"]}
    assert (await garden.call("POST", "/api/chat", body))[0] == 200
    status, refused = await garden.call("POST", "/api/chat", {**body, "tools": ["garden__cut"]})
    assert status == 422
    assert "garden__notes_write" in refused["detail"]


async def test_a_key_may_be_kept_from_them(garden: Scenario) -> None:
    scopes = {"tools": ["calculator"]}
    status, key = await garden.call("POST", "/api/keys", {"name": "n", "scopes": scopes})
    assert status == 201, key
    call = ToolCall(name="garden__add", arguments={"first": 1, "second": 2})
    status, told = await garden.call("POST", "/api/chat", question(call), X_API_Key=key["key"])
    assert status == 200, told
    (result,) = await answered(garden, told)
    assert result.startswith("There is no tool garden__add")


async def test_ready_tells_which_servers_answer(garden: Scenario) -> None:
    status, ready = await garden.call("GET", "/ready")
    assert (status, ready["ready"], ready["mcp"]) == (200, True, {"garden": True, "away": False})


def running(garden: Scenario) -> list[psutil.Process]:
    """The programs that serve tools."""
    found = cast("list[psutil.Process]", [])
    for worker in garden.server.tree.workers or garden.server.tree.all:
        for child in psutil.Process(worker).children():
            if str(official.__file__) in child.cmdline():
                found.append(child)
    return found


async def test_a_program_has_no_socket_of_the_server(garden: Scenario) -> None:
    (program,) = running(garden)
    sockets = program.net_connections()
    assert [found for found in sockets if found.status == psutil.CONN_LISTEN] == []


async def test_a_program_that_was_killed_is_started_again(garden: Scenario) -> None:
    (before,) = running(garden)
    before.kill()

    async def back() -> bool:
        _, ready = await garden.call("GET", "/ready")
        return ready["mcp"]["garden"] and running(garden) not in ([], [before])

    await eventually(back)
