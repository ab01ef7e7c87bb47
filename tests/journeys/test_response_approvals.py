"""A response stops where a person must decide, is answered by any way, and then goes on."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.journeys.v1 import MAPPED, frames, post, post_json

CONFIGURATION = """
[agents.careful]
instructions = "You ask before you calculate."
tools = ["calculator"]
approval = "always"
"""
CALLED = ToolCall(name="calculator", arguments={"expression": "6*7"})
OTHER = ToolCall(name="calculator", arguments={"expression": "1+1"})
RESPONSES = "/v1/responses"


@pytest.fixture(scope="module")
def server(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an agent whose calls all need an approval."""
    configuration = tmp_path_factory.mktemp("approvals") / "cartrita.toml"
    configuration.write_text(CONFIGURATION)
    settings = {"CARTRITA_CONFIG": str(configuration)}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
def careful(server: Server, provider: FakeProvider) -> Scenario:
    return Scenario(server, provider)


def question(*scripts: Script) -> dict[str, Any]:
    """A request of which the agent asks before it answers."""
    asked = scripts or (Script(text="I ask.", tool_calls=(CALLED,)), Script(text="It is 42."))
    return {"model": "cartrita-careful", "input": f"needle-{uuid4().hex} {directive(*asked)}"}


def answer(request: dict[str, Any], *, approve: bool = True, **changes: Any) -> dict[str, Any]:
    """The item that answers a request."""
    return {
        "type": "mcp_approval_response",
        "approval_request_id": request["id"],
        "approve": approve,
        **changes,
    }


def requests_in(response: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in response["output"] if item["type"] == "mcp_approval_request"]


def text_of(response: dict[str, Any]) -> str:
    items = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part["text"] for item in items for part in item["content"])


async def asked(scenario: Scenario, **fields: Any) -> dict[str, Any]:
    status, response = await post_json(scenario, RESPONSES, {**question(), **fields})
    assert status == 200, response
    assert response["status"] == "requires_action"
    return response


async def follow(scenario: Scenario, response: dict[str, Any], *items: Any, **fields: Any) -> Any:
    body = {"model": "cartrita-careful", "previous_response_id": response["id"], "input": [*items]}
    return await post_json(scenario, RESPONSES, {**body, **fields})


async def test_a_response_goes_on_once_it_is_approved(careful: Scenario) -> None:
    response = await asked(careful)
    (request,) = requests_in(response)
    assert (request["server_label"], request["name"]) == ("cartrita", "calculator")
    assert request["arguments"] == '{"expression":"6*7"}'
    assert text_of(response) == "I ask."
    assert response["usage"]["total_tokens"] > 0
    assert response["completed_at"] is None
    status, waiting = await careful.call("GET", f"{RESPONSES}/{response['id']}")
    assert (status, waiting["status"]) == (200, "requires_action")
    assert requests_in(waiting) == [request]

    status, rest = await follow(careful, response, answer(request))
    assert (status, rest["status"], rest["id"]) == (200, "completed", response["id"])
    assert not requests_in(rest)
    assert text_of(rest) == "It is 42."
    _, whole = await careful.call("GET", f"{RESPONSES}/{response['id']}")
    assert text_of(whole) == "I ask.\n\nIt is 42."
    parts = [whole["usage"]["total_tokens"], response["usage"], rest["usage"]]
    assert parts[0] == parts[1]["total_tokens"] + parts[2]["total_tokens"]

    _, items = await careful.call("GET", f"/v1/conversations/{rest['conversation']['id']}/items")
    assert [item["type"] for item in items["data"]] == ["message", "message"]
    later = {"role": "user", "content": f"And? {directive(Script(text='Done.'))}"}
    status, last = await follow(careful, rest, later)
    assert (status, text_of(last)) == (200, "Done."), last


async def test_a_client_that_sends_the_whole_history(careful: Scenario) -> None:
    body = question()
    first = await asked(careful, input=body["input"])
    said = {"role": "user", "content": body["input"]}
    (request,) = requests_in(first)
    history = [said, *first["output"], answer(request)]
    status, rest = await post_json(careful, RESPONSES, {**body, "input": history})
    assert (status, text_of(rest).strip()) == (200, "It is 42."), rest
    later = {"role": "user", "content": f"And? {directive(Script(text='Done.'))}"}
    history += [*rest["output"], later]
    status, last = await post_json(careful, RESPONSES, {**body, "input": history})
    assert (status, text_of(last)) == (200, "Done."), last


async def test_other_arguments_are_refused(careful: Scenario) -> None:
    response = await asked(careful)
    (request,) = requests_in(response)
    changed = {**request, "arguments": '{"expression":"6*8"}'}
    status, refused = await follow(careful, response, changed, answer(request))
    assert (status, refused["error"]["code"]) == (409, "arguments_changed")
    hashed = {**request, "id": request["id"][:-1] + ("0" if request["id"][-1] != "0" else "1")}
    status, refused = await follow(careful, response, answer(hashed))
    assert (status, refused["error"]["code"]) == (409, "arguments_changed")
    other = await asked(careful)
    status, refused = await follow(careful, other, answer(request))
    assert (status, refused["error"]["param"]) == (400, "previous_response_id")
    status, refused = await follow(careful, response, answer(request), answer(*requests_in(other)))
    assert (status, refused["error"]["param"]) == (400, "input[1].approval_request_id")
    status, waiting = await careful.call("GET", f"{RESPONSES}/{response['id']}")
    assert waiting["status"] == "requires_action"
    status, rest = await follow(careful, response, request, answer(request))
    assert (status, rest["status"]) == (200, "completed")
    status, again = await follow(careful, response, answer(request))
    assert (status, text_of(again)) == (200, text_of(rest)), "the same answer again is none"
    status, refused = await follow(careful, response, answer(request, approve=False))
    assert (status, refused["error"]["code"]) == (409, "approval_decided")


async def test_a_denial_is_told_to_the_model(careful: Scenario) -> None:
    response = await asked(careful)
    status, rest = await follow(careful, response, answer(*requests_in(response), approve=False))
    assert (status, rest["status"]) == (200, "completed")
    (sent,) = [
        exchange.body
        for exchange in careful.provider.requests()
        if "did not allow" in exchange.body
    ][-1:]
    assert "6*7 = 42" not in sent


async def test_several_calls_are_decided_one_by_one(careful: Scenario) -> None:
    scripts = (Script(tool_calls=(CALLED, OTHER)), Script(text="Both."))
    response = await asked(careful, input=question(*scripts)["input"])
    first, second = requests_in(response)
    status, still = await follow(careful, response, answer(second))
    assert (status, still["status"]) == (200, "requires_action")
    assert requests_in(still) == [first]
    status, rest = await follow(careful, still, answer(first))
    assert (status, text_of(rest).strip()) == (200, "Both."), rest


async def test_another_surface_decides(careful: Scenario) -> None:
    response = await asked(careful)
    run = response["id"].replace("resp_", "run_")
    (row,) = await careful.fetch(
        "SELECT id, arguments_hash FROM approvals WHERE run_id = $1::text::uuid", run[4:]
    )
    path = f"/api/runs/{run}/approvals/appr_{row['id'].hex}"
    decision = {"decision": "approve", "arguments_hash": row["arguments_hash"]}
    status, _ = await careful.call("POST", path, decision)
    assert status == 200

    async def ended() -> dict[str, Any] | None:
        _, found = await careful.call("GET", f"{RESPONSES}/{response['id']}")
        return found if found["status"] == "completed" else None

    assert text_of(await eventually(ended)) == "I ask.\n\nIt is 42."


async def test_a_cancelled_response_waits_for_nobody(careful: Scenario) -> None:
    response = await asked(careful)
    path = f"{RESPONSES}/{response['id']}"
    status, cancelled = await careful.call("POST", f"{path}/cancel", {})
    assert (status, cancelled["status"]) == (200, "cancelled")
    assert [item["type"] for item in cancelled["output"]] == ["message"]
    status, refused = await follow(careful, response, answer(*requests_in(response)))
    assert (status, refused["error"]["code"]) == (409, "approval_expired")


async def test_in_the_background_it_is_polled(careful: Scenario) -> None:
    body = {**question(), "background": True}
    status, response = await post_json(careful, RESPONSES, body)
    assert status == 200

    async def state(wanted: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            _, found = await careful.call("GET", f"{RESPONSES}/{response['id']}")
            return found if found["status"] == wanted else None

        return await eventually(look)

    waiting = await state("requires_action")
    status, going = await follow(careful, response, answer(*requests_in(waiting)), background=True)
    assert (status, going["id"]) == (200, response["id"])
    assert going["status"] in ("queued", "in_progress")
    assert text_of(await state("completed")) == "I ask.\n\nIt is 42."


async def test_a_stream_stops_and_goes_on(careful: Scenario) -> None:
    status, _, sent = await post(careful, RESPONSES, {**question(), "stream": True})
    assert status == 200
    first = [data for _, data in frames(sent)]
    last = first[-1]
    assert (last["type"], last["response"]["status"]) == ("response.completed", "requires_action")
    (request,) = requests_in(last["response"])
    kinds = [data["type"] for data in first]
    assert kinds[-3:-1] == ["response.output_item.added", "response.output_item.done"]

    body = {
        "model": "cartrita-careful",
        "previous_response_id": last["response"]["id"],
        "input": [answer(request)],
        "stream": True,
    }
    status, _, sent = await post(careful, RESPONSES, body)
    rest = [data for _, data in frames(sent)]
    assert (rest[0]["type"], rest[0]["sequence_number"]) == ("response.created", 0)
    assert (rest[-1]["type"], rest[-1]["response"]["status"]) == ("response.completed", "completed")
    assert text_of(rest[-1]["response"]) == "It is 42."

    whole = await streamed_again(careful, last["response"]["id"], -1)
    assert [data["sequence_number"] for data in whole] == list(range(len(whole)))
    assert whole[: len(first) - 1] == first[:-1], "the same events, whenever it is read"
    assert whole[len(first) - 1]["type"] == "response.in_progress"
    assert text_of(whole[-1]["response"]) == "I ask.\n\nIt is 42."
    after = await streamed_again(careful, last["response"]["id"], last["sequence_number"])
    assert after == whole[len(first) :]


async def streamed_again(scenario: Scenario, response: str, after: int) -> list[Any]:
    path = f"{RESPONSES}/{response}?stream=true&starting_after={after}"
    async with await raw_http.request(scenario.server.port, "GET", path, MAPPED, b"") as read:
        return [data for _, data in frames(await read.body())]
