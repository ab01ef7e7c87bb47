"""On a server whose only model sees nothing, no surface begins a run of the agent of desktops."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server
from tests.journeys.v1 import frames, post, post_json
from websockets.asyncio.client import connect

pytestmark = pytest.mark.slow

CANNOT = "offline/assistant cannot use a desktop, for which a model needs tools and vision"
ASKED = {"message": "Open the editor.", "agent_override": "computer_use"}
AS_MODEL = {
    "model": "cartrita-computer_use",
    "messages": [{"role": "user", "content": "Open the editor."}],
}


@pytest.fixture(scope="module")
def blind_server() -> Iterator[Server]:
    settings = {
        "CARTRITA_DESKTOP_ENABLED": "1",
        "OPENAI_BASE_URL": "",
        "OPENAI_API_KEY": "",
        "CARTRITA_DEFAULT_MODEL": "",
    }
    with Server(provider_url="", settings=settings) as server:
        yield server


@pytest.fixture
async def blind(blind_server: Server, provider: FakeProvider) -> AsyncIterator[Scenario]:
    """A scenario after which nothing may have been begun."""
    scenario = Scenario(blind_server, provider)
    yield scenario
    for table in ("runs", "conversations", "desktop_sessions"):
        assert await scenario.fetch(f"SELECT id FROM {table}") == []


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream", "/api/computer-use/execute"])
async def test_the_native_routes_refuse(blind: Scenario, path: str) -> None:
    status, told = await blind.call("POST", path, {**ASKED, "task": "Open the editor."})
    assert (status, told["code"], list(told["errors"])) == (422, "validation_error", ["model"])
    assert CANNOT in told["error"]


async def test_an_event_source_is_refused(blind: Scenario) -> None:
    query = "message=Open%20the%20editor.&agent_override=computer_use"
    status, told = await blind.call("GET", f"/api/chat/stream?{query}")
    assert (status, told["code"], list(told["errors"])) == (422, "validation_error", ["model"])


async def test_a_socket_is_told(blind: Scenario) -> None:
    url = f"ws://{HOST}:{blind.server.port}/ws/chat"
    async with connect(url, additional_headers={"X-API-Key": KEY}) as socket:
        await socket.send(json.dumps({"type": "chat", **ASKED}))
        told = json.loads(await socket.recv())
    assert told["code"] == "validation_error"
    assert CANNOT in told["error"]


async def test_what_is_said_is_not_begun_either(blind: Scenario) -> None:
    talk = {"messages": [{"role": "user", "content": "Hello"}]}
    status, told = await blind.call("POST", "/api/conversations", talk)
    assert status == 201, told
    path = f"/api/conversations/{told['id']}/messages"
    status, refused = await blind.call("POST", path, ASKED)
    assert (status, refused["code"]) == (422, "validation_error")
    assert (await blind.call("DELETE", f"/api/conversations/{told['id']}"))[0] == 204


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "more"),
    [("/v1/chat/completions", {}), ("/v1/responses", {"input": "Open the editor."})],
)
async def test_it_answers_as_no_model_of_openai(
    blind: Scenario, path: str, more: dict[str, Any], *, stream: bool
) -> None:
    status, told = await post_json(blind, path, {**AS_MODEL, **more, "stream": stream})
    assert (status, told["error"]["type"]) == (400, "invalid_request_error"), told
    assert told["error"]["param"] == "model"
    assert CANNOT in told["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_it_answers_as_no_model_of_anthropic(blind: Scenario, *, stream: bool) -> None:
    body = {**AS_MODEL, "max_tokens": 100, "stream": stream}
    status, told = await post_json(blind, "/v1/messages", body, anthropic_version="2023-06-01")
    assert (status, told["error"]["type"]) == (400, "invalid_request_error"), told
    assert CANNOT in told["error"]["message"]


@pytest.mark.parametrize("accept", ["application/json", "application/json, text/event-stream"])
async def test_a_tool_of_mcp_is_not_begun(blind: Scenario, accept: str) -> None:
    params = {"name": "computer_use", "arguments": {"message": "Open the editor."}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    status, headers, raw = await post(blind, "/mcp", call, accept=accept)
    told = frames(raw)[-1][1] if "event-stream" in headers["content-type"] else json.loads(raw)
    assert status == 200
    assert CANNOT in json.dumps(told)
    assert "error" in told or told["result"]["isError"] is True


@pytest.mark.parametrize("method", ["SendMessage", "SendStreamingMessage"])
async def test_a_task_of_a2a_is_not_begun(blind: Scenario, method: str) -> None:
    said = {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "Open the editor."}]}
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"message": said}}
    status, told = await post_json(blind, "/a2a/computer_use", call)
    assert status == 200
    assert CANNOT in told["error"]["message"]
