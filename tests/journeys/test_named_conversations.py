"""The name that a caller chose for a conversation is told wherever the conversation is."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario
from tests.journeys.v1 import exchange_with, frames, post, post_json

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"


def needle() -> str:
    return f"needle-{uuid4().hex}"


def said(text: str = "") -> str:
    return f"{text or needle()} {directive(Script(text='Hello'))}"


def named() -> str:
    return f"named-{uuid4().hex}"


async def chat_in(scenario: Scenario, name: str, text: str = "") -> dict[str, Any]:
    messages = [{"role": "user", "content": said(text)}]
    body = {"model": "openai/fake", "messages": messages, "conversation_id": name}
    status, completion = await post_json(scenario, CHAT, body)
    assert status == 200, completion
    return completion


async def test_the_name_is_told_everywhere(scenario: Scenario) -> None:
    name = named()
    completion = await chat_in(scenario, name)
    run_id = f"run_{completion['id'].removeprefix('chatcmpl-')}"
    status, run = await scenario.call("GET", f"/api/runs/{run_id}")
    assert (status, run["conversation_id"]) == (200, name)
    status, conversation = await scenario.call("GET", f"/v1/conversations/{name}")
    assert (status, conversation["id"]) == (200, name)
    body = {"metadata": {"topic": "tea"}}
    status, conversation = await scenario.call("POST", f"/v1/conversations/{name}", body)
    assert (status, conversation["id"]) == (200, name)
    answer = await scenario.chat(conversation_id=name)
    assert (answer["conversation_id"], answer["message"]["conversation_id"]) == (name, name)
    status, listed = await scenario.call("GET", f"/api/conversations/{name}/messages")
    assert {message["conversation_id"] for message in listed["items"]} == {name}
    one = listed["items"][0]["id"]
    status, message = await scenario.call("GET", f"/api/conversations/{name}/messages/{one}")
    assert (status, message["conversation_id"]) == (200, name)
    status, cancelled = await scenario.call("POST", f"/api/runs/{answer['run_id']}/cancel")
    assert (status, cancelled["conversation_id"]) == (200, name)


async def test_a_search_leads_to_the_named_conversation(scenario: Scenario) -> None:
    name, word = named(), f"word{uuid4().hex}"
    await chat_in(scenario, name, word)
    status, found = await scenario.call("GET", f"/api/search?q={word}&types=messages")
    assert status == 200, found
    (address,) = {hit["url"].rpartition("/messages/")[0] for hit in found["results"]}
    assert address == f"/api/conversations/{name}"


@pytest.mark.parametrize("fields", [{}, {"store": False}, {"stream": True}], ids=str)
async def test_a_response_in_a_conversation_that_is_made(
    scenario: Scenario, fields: dict[str, Any]
) -> None:
    name, text = named(), needle()
    body = {"model": "openai/fake", "input": said(text), "conversation_id": name, **fields}
    status, _, answered = await post(scenario, RESPONSES, body)
    assert status == 200, answered
    response = frames(answered)[-1][1]["response"] if "stream" in fields else json.loads(answered)
    assert response["conversation"] == {"id": name}
    assert "conversation_id" not in json.loads(exchange_with(scenario, text).body)
    status, read = await scenario.call("GET", f"{RESPONSES}/{response['id']}")
    assert (status, read["conversation"]) == (200, {"id": name})

    following = needle()
    again = {"model": "openai/fake", "input": said(following), "conversation": name}
    status, second = await post_json(scenario, RESPONSES, {**again, "conversation_id": name})
    assert (status, second["conversation"]) == (200, {"id": name})
    assert text in exchange_with(scenario, following).body
    status, third = await post_json(scenario, RESPONSES, {**again, "conversation": {"id": name}})
    assert (status, third["conversation"]) == (200, {"id": name})
    follow = {**again, "conversation": None, "previous_response_id": third["id"]}
    status, fourth = await post_json(scenario, RESPONSES, follow)
    assert (status, fourth["conversation"]) == (200, {"id": name})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"conversation": "one", "conversation_id": "other"}, (400, "conversation_id")),
        ({"conversation": {"id": "one"}, "conversation_id": "other"}, (400, "conversation_id")),
        (
            {"conversation_id": "x", "previous_response_id": "resp_x"},
            (400, "previous_response_id"),
        ),
        ({"conversation_id": 7}, (422, "conversation_id")),
        ({"conversation_id": ""}, (422, "conversation_id")),
        ({"conversation_id": "a/b"}, (422, "conversation_id")),
        ({"conversation_id": f"conv_{0:032x}"}, (404, None)),
        ({"conversation": "nobody-made-this"}, (404, None)),
    ],
    ids=str,
)
async def test_names_that_a_response_cannot_have(
    scenario: Scenario, fields: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    body = {"model": "openai/fake", "input": said(), **fields}
    status, told = await post_json(scenario, RESPONSES, body)
    assert (status, told["error"]["param"]) == expected, told


async def test_one_key_in_two_conversations_is_no_repetition(scenario: Scenario) -> None:
    body = {"model": "openai/fake", "input": said()}
    key = needle()
    first, second = named(), named()
    status, _ = await post_json(
        scenario, RESPONSES, {**body, "conversation_id": first}, Idempotency_Key=key
    )
    assert status == 200
    status, told = await post_json(
        scenario, RESPONSES, {**body, "conversation_id": second}, Idempotency_Key=key
    )
    assert (status, told["error"]["code"]) == (409, "idempotency_mismatch")
