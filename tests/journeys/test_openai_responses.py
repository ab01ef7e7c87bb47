"""`/v1/responses` as OpenAI's SDKs use it: stored on the run log, read again, or passed on."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY
from tests.journeys.v1 import exchange_with, frames, post, post_json

PATH = "/v1/responses"


def request(script: Script | None = None, **fields: Any) -> dict[str, Any]:
    text = f"needle-{uuid4().hex} {directive(script or Script(text='Hello there'))}"
    return {"model": "openai/fake", "input": text, **fields}


def text_of(response: dict[str, Any]) -> str:
    return "".join(
        part["text"]
        for item in response["output"]
        if item["type"] == "message"
        for part in item["content"]
    )


async def read_stream(scenario: Scenario, path: str) -> tuple[int, list[tuple[str, Any]]]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with await raw_http.request(scenario.server.port, "GET", path, headers) as answer:
        return answer.status, frames(await answer.body())


async def test_a_response_is_stored(scenario: Scenario) -> None:
    status, made = await post_json(scenario, PATH, request(metadata={"kept": "yes"}))
    assert status == 200, made
    assert (made["status"], text_of(made), made["store"]) == ("completed", "Hello there", True)
    assert made["usage"]["total_tokens"] > 0
    assert made["metadata"] == {"kept": "yes"}
    status, read = await scenario.call("GET", f"{PATH}/{made['id']}")
    assert (status, read) == (200, made)
    status, items = await scenario.call("GET", f"{PATH}/{made['id']}/input_items")
    assert (status, [item["role"] for item in items["data"]]) == (200, ["user"])
    status, gone = await scenario.call("DELETE", f"{PATH}/{made['id']}")
    assert (status, gone["deleted"]) == (200, True)
    status, told = await scenario.call("GET", f"{PATH}/{made['id']}")
    assert (status, told["error"]["type"]) == (404, "invalid_request_error")


async def test_a_stream_and_its_rest(scenario: Scenario) -> None:
    status, _, answered = await post(scenario, PATH, request(stream=True))
    told = frames(answered)
    assert (status, told[0][0], told[-1][0]) == (200, "response.created", "response.completed")
    assert [event["sequence_number"] for _, event in told] == list(range(len(told)))
    name = told[-1][1]["response"]["id"]
    for after in (-1, 0, len(told) // 2):
        status, rest = await read_stream(
            scenario, f"{PATH}/{name}?stream=true&starting_after={after}"
        )
        assert (status, rest) == (200, told[after + 1 :])


async def test_a_body_in_answer_to_a_streamed_request_is_streamed(scenario: Scenario) -> None:
    """Some servers cannot stream, and answer with a whole response."""
    part = {"type": "output_text", "text": "Hello there", "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "fake",
        "status": "completed",
        "output": [{**item, "content": [part]}],
        "usage": {"input_tokens": 7, "output_tokens": 8, "total_tokens": 15},
    }
    script = Script(faults=(ReplacedResponse(body=json.dumps(response)),))
    body = request(script, stream=True, store=False)
    status, headers, answered = await post(scenario, PATH, body)
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    told = frames(answered)
    assert (told[0][0], told[-1][0]) == ("response.created", "response.completed")
    ended = told[-1][1]["response"]
    assert (text_of(ended), ended["usage"]["total_tokens"]) == ("Hello there", 15)


async def test_a_previous_response_is_continued(scenario: Scenario) -> None:
    _, first = await post_json(scenario, PATH, request())
    body = request(previous_response_id=first["id"])
    status, second = await post_json(scenario, PATH, body)
    assert (status, second["previous_response_id"]) == (200, first["id"])
    sent = json.loads(exchange_with(scenario, body["input"].split()[0]).body)
    assert len(sent.get("input") or sent["messages"]) == 3
    body = request(previous_response_id=f"resp_{uuid4().hex}")
    status, told = await post_json(scenario, PATH, body)
    assert (status, told["error"]["code"]) == (400, "previous_response_not_found")


async def test_in_the_background_and_cancelled(scenario: Scenario) -> None:
    script = Script(words=500, between_tokens_s=0.05)
    status, made = await post_json(scenario, PATH, request(script, background=True))
    assert status == 200
    assert made["status"] in ("queued", "in_progress")
    status, _ = await scenario.call("POST", f"{PATH}/{made['id']}/cancel")
    assert status == 200

    async def cancelled() -> bool:
        _, read = await scenario.call("GET", f"{PATH}/{made['id']}")
        return read["status"] == "cancelled"

    await eventually(cancelled)


async def test_what_a_cancelled_response_said_is_incomplete(scenario: Scenario) -> None:
    script = Script(words=500, between_tokens_s=0.05)
    _, made = await post_json(scenario, PATH, request(script, background=True))

    async def speaks() -> bool:
        query = "SELECT count(*) AS events FROM run_events WHERE run_id = $1"
        (row,) = await scenario.fetch(query, made["id"].removeprefix("resp_"))
        return row["events"] > 2

    await eventually(speaks)
    status, told = await scenario.call("POST", f"{PATH}/{made['id']}/cancel")
    assert (status, told["status"]) == (200, "cancelled")
    (item,) = told["output"]
    assert (item["type"], item["status"]) == ("message", "incomplete")
    conversation = told["conversation"]["id"]
    _, items = await scenario.call("GET", f"/v1/conversations/{conversation}/items")
    assert [each["status"] for each in items["data"]] == ["incomplete", "completed"]


@pytest.mark.parametrize("model", ["openai/fake", "anthropic/fake", "offline/assistant"])
@pytest.mark.parametrize("streamed", [True, False])
async def test_without_a_trace(scenario: Scenario, model: str, streamed: bool) -> None:
    body = request(model=model, store=False, stream=streamed)
    status, headers, answered = await post(scenario, PATH, body)
    assert status == 200, answered
    assert headers["x-cartrita-provider"] == model.partition("/")[0]
    if streamed:
        assert frames(answered)[-1][0] == "response.completed"
    else:
        assert json.loads(answered)["status"] == "completed"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"store": False, "previous_response_id": "resp_1"}, "previous_response_id"),
        ({"store": False, "conversation": "conv_1"}, "conversation"),
        ({"input": [{"type": "robot"}]}, "input[0]"),
    ],
)
async def test_bad_input(scenario: Scenario, change: dict[str, Any], param: str) -> None:
    status, told = await post_json(scenario, PATH, {**request(), **change})
    assert (status, told["error"]["type"]) == (400, "invalid_request_error")
    assert told["error"]["param"].startswith(param)


async def test_an_agent_answers(scenario: Scenario) -> None:
    status, made = await post_json(scenario, PATH, request(model="cartrita"))
    assert (status, made["model"], text_of(made)) == (200, "cartrita", "Hello there")


async def conversation_of(scenario: Scenario, response: dict[str, Any]) -> int:
    """How many items the conversation of a response has."""
    name = response["conversation"]["id"]
    _, items = await scenario.call("GET", f"/v1/conversations/{name}/items")
    return len(items["data"])


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_stored_response_is_followed_without_a_trace(
    scenario: Scenario, streamed: bool
) -> None:
    _, first = await post_json(scenario, PATH, request())
    before = await conversation_of(scenario, first)
    body = request(previous_response_id=first["id"], store=False, stream=streamed)
    status, _, answered = await post(scenario, PATH, body)
    assert status == 200, answered
    made = frames(answered)[-1][1]["response"] if streamed else json.loads(answered)
    assert (made["previous_response_id"], made["store"]) == (first["id"], False)
    sent = json.loads(exchange_with(scenario, body["input"].split()[0]).body)
    assert [each["role"] for each in sent["messages"]] == ["user", "assistant", "user"]
    assert await conversation_of(scenario, first) == before
    assert (await scenario.call("GET", f"{PATH}/{made['id']}"))[0] == 404


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("kind", [{"type": "item_reference"}, {}])
async def test_items_are_referred_to(scenario: Scenario, store: bool, kind: dict[str, str]) -> None:
    _, first = await post_json(scenario, PATH, request())
    _, listed = await scenario.call("GET", f"{PATH}/{first['id']}/input_items")
    references = [{**kind, "id": listed["first_id"]}, {**kind, "id": first["output"][0]["id"]}]
    asked = request()["input"]
    body = request(input=[*references, {"role": "user", "content": asked}], store=store)
    status, made = await post_json(scenario, PATH, body)
    assert status == 200, made
    sent = json.loads(exchange_with(scenario, asked.split()[0]).body)
    told = [(each["role"], each["content"]) for each in sent["messages"]]
    assert [role for role, _ in told] == ["user", "assistant", "user"]
    assert "Hello there" in str(told[1][1])


@pytest.mark.parametrize("store", [True, False])
async def test_references_that_lead_nowhere(scenario: Scenario, store: bool) -> None:
    for item_id in (f"msg_{uuid4().hex}0000", "msg_1", "what"):
        body = request(input=[{"type": "item_reference", "id": item_id}], store=store)
        status, told = await post_json(scenario, PATH, body)
        assert (status, told["error"]["code"]) == (404, "item_not_found")
    for name in (f"resp_{uuid4().hex}", "resp_x"):
        body = request(previous_response_id=name, store=store)
        status, told = await post_json(scenario, PATH, body)
        assert (status, told["error"]["code"]) == (400, "previous_response_not_found")
        assert told["error"]["param"] == "previous_response_id"
    body = request(conversation=f"unknown-{uuid4().hex}")
    status, told = await post_json(scenario, PATH, body)
    assert (status, told["error"]["code"]) == (404, "conversation_not_found")


@pytest.mark.parametrize("store", [True, False])
async def test_references_beyond_what_is_looked_up(scenario: Scenario, store: bool) -> None:
    references = [
        {"type": "item_reference", "id": f"msg_{number:032x}0000"} for number in range(10_001)
    ]
    status, told = await post_json(scenario, PATH, request(input=references, store=store))
    assert (status, told["error"]["param"]) == (400, "input"), told
    assert told["error"]["code"] == "array_above_max_length"
    twice = [*references[:1], {"role": "user", "content": "Hi"}, *references[:1]]
    status, told = await post_json(scenario, PATH, request(input=twice, store=store))
    assert (status, told["error"]["param"], told["error"]["code"]) == (400, "input", None)
    assert told["error"]["message"].startswith(
        f"Duplicate item found with id {references[0]['id']}"
    )


async def test_a_desktop_of_the_callers_own_is_used_by_stored_responses(scenario: Scenario) -> None:
    looks = ToolCall(name="computer_call", arguments={"actions": [{"type": "screenshot"}]})
    tools = [{"type": "computer"}]
    asked = request(Script(tool_calls=(looks,)), tools=tools)
    status, made = await post_json(scenario, PATH, asked)
    assert status == 200, made
    [call] = made["output"]
    assert (call["type"], call["actions"]) == ("computer_call", [{"type": "screenshot"}])
    screen = {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    output = {"type": "computer_call_output", "call_id": call["call_id"], "output": screen}
    then = {"model": "openai/fake", "previous_response_id": made["id"], "tools": tools}
    status, told = await post_json(scenario, PATH, {**then, "input": [output]})
    assert status == 200, told
    needle = asked["input"].partition(" ")[0]
    *_, second = [each for each in scenario.provider.requests() if needle in each.body]
    assert json.loads(second.body)["input"][-2:] == [call, output]


async def test_a_desktop_of_the_callers_own_is_none_of_other_vendors(scenario: Scenario) -> None:
    body = {**request(), "model": "anthropic/fake", "tools": [{"type": "computer"}]}
    body["max_output_tokens"] = 100
    status, told = await post_json(scenario, PATH, body)
    assert status == 200, told
    assert [one["field"] for one in told["cartrita"]["receipts"]] == ["tools"]
    for store, param in ((True, "tools"), (False, "tools[0].type")):
        strict = {**body, "store": store}
        status, told = await post_json(scenario, PATH, strict, X_Cartrita_Strict="true")
        assert (status, told["error"]["param"]) == (400, param), told
        assert "tool computer is known to its vendor only" in told["error"]["message"]


async def test_answers_of_other_surfaces_are_no_responses(scenario: Scenario) -> None:
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": "x"}], "store": True}
    _, completion = await post_json(scenario, "/v1/chat/completions", body)
    name = completion["id"].replace("chatcmpl-", "resp_")
    for method, path in (
        ("GET", f"{PATH}/{name}"),
        ("DELETE", f"{PATH}/{name}"),
        ("POST", f"{PATH}/{name}/cancel"),
        ("GET", f"{PATH}/{name}/input_items"),
    ):
        status, told = await scenario.call(method, path)
        assert (status, told["error"]["type"]) == (404, "invalid_request_error")
    status, told = await post_json(scenario, PATH, request(previous_response_id=name))
    assert (status, told["error"]["code"]) == (400, "previous_response_not_found")
    conversation = completion["conversation_id"]
    assert (await scenario.call("GET", f"/v1/conversations/{conversation}"))[0] == 200


async def test_pages_of_input_items(scenario: Scenario) -> None:
    said = [{"role": "user", "content": f"{n}"} for n in range(3)]
    body = request(input=[*said, {"role": "user", "content": request()["input"]}])
    _, made = await post_json(scenario, PATH, body)
    place = f"{PATH}/{made['id']}/input_items"
    _, all_of_them = await scenario.call("GET", f"{place}?order=asc&include[]=x&include=y")
    names = [item["id"] for item in all_of_them["data"]]
    assert len(names) == len(set(names)) == 4
    _, newest = await scenario.call("GET", f"{place}?limit=2")
    assert [item["id"] for item in newest["data"]] == names[:1:-1]
    assert newest["has_more"] is True
    _, rest = await scenario.call("GET", f"{place}?limit=2&after={newest['last_id']}")
    assert ([item["id"] for item in rest["data"]], rest["has_more"]) == (names[1::-1], False)
    status, told = await scenario.call("GET", f"{place}?after=msg_1")
    assert (status, told["error"]["param"]) == (400, "after")
