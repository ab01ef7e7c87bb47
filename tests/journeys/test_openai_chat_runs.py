"""Chat completions that are stored: agents as models, conversations, the same key twice."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fake_provider.timing_faults import CutOff
from tests.harness.scenario import Scenario, eventually, until
from tests.journeys.v1 import begin, exchange_with, frames, post, post_json

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
PATH = "/v1/chat/completions"


def user(script: Script) -> dict[str, Any]:
    return {"role": "user", "content": f"needle-{uuid4().hex} {directive(script)}"}


def request(script: Script | None = None, **fields: Any) -> dict[str, Any]:
    return {"model": "cartrita", "messages": [user(script or Script(text="Hello"))], **fields}


@pytest.mark.parametrize("model", ["cartrita", "cartrita-assistant", "cortex-flow"])
async def test_an_agent_answers_as_a_model(scenario: Scenario, model: str) -> None:
    body = request(model=model)
    status, completion = await post_json(scenario, PATH, body)
    assert status == 200, completion
    assert completion["model"] == model
    assert completion["choices"][0]["message"]["content"] == "Hello"
    assert completion["conversation_id"].startswith("conv_")
    metadata = completion["metadata"]
    assert metadata["execution_time_seconds"] >= 0
    assert metadata["agents_used"] == ["supervisor"]
    assert metadata["iterations"] == 1
    sent = json.loads(exchange_with(scenario, body["messages"][0]["content"].split()[0]).body)
    assert sent["temperature"] == 0.7


async def test_a_stream_of_an_agent(scenario: Scenario) -> None:
    body = request(stream=True, stream_options={"include_usage": True})
    status, headers, answered = await post(scenario, PATH, body)
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    chunks = [chunk for _, chunk in frames(answered)]
    assert chunks[-1] == "[DONE]"
    assert len({chunk["conversation_id"] for chunk in chunks[:-1]}) == 1
    (end,) = [c for c in chunks[:-1] if c["choices"] and c["choices"][0]["finish_reason"]]
    assert end["metadata"]["agents_used"] == ["supervisor"]
    assert chunks[-2]["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("fields", [{"model": "openai/fake", "store": True}, {}], ids=str)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_metadata_of_a_stored_completion_is_kept(
    scenario: Scenario, fields: dict[str, Any], stream: bool
) -> None:
    given = {"order": "4711", "iterations": "mine"}
    body = request(metadata=given, stream=stream, **fields)
    status, _, answered = await post(scenario, PATH, body)
    assert status == 200, answered
    chunks = [chunk for _, chunk in frames(answered)][:-1] if stream else [json.loads(answered)]
    told = chunks[-1]["metadata"]
    assert (told["order"], told["iterations"]) == ("4711", 1)
    assert told["agents_used"]
    run_id = f"run_{chunks[-1]['id'].removeprefix('chatcmpl-')}"
    status, run = await scenario.call("GET", f"/api/runs/{run_id}")
    assert (status, run["metadata"]) == (200, given)
    conversation = chunks[-1]["conversation_id"]
    status, listed = await scenario.call("GET", f"/api/conversations/{conversation}/messages")
    assert [message["metadata"] for message in listed["items"]] == [given, {}]


@pytest.mark.parametrize("whole", [True, False])
async def test_both_habits_continue_a_conversation(scenario: Scenario, whole: bool) -> None:
    name = f"user_{uuid4().hex}"
    first = request(Script(text="Nice to meet you"), model="openai/fake", conversation_id=name)
    status, completion = await post_json(scenario, PATH, first)
    assert (status, completion["conversation_id"]) == (200, name)
    earlier = [*first["messages"], completion["choices"][0]["message"]] if whole else []
    asked = user(Script(text="Alice"))
    second = {"model": "openai/fake", "messages": [*earlier, asked], "conversation_id": name}
    status, completion = await post_json(scenario, PATH, second)
    assert (status, completion["choices"][0]["message"]["content"]) == (200, "Alice")
    sent = json.loads(exchange_with(scenario, asked["content"].split()[0]).body)
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
    status, page = await scenario.call("GET", f"/api/conversations/{name}/messages")
    assert len(page["items"]) == 4


async def test_one_key_is_one_run(scenario: Scenario) -> None:
    body = request(model="openai/fake")
    key = {"Idempotency_Key": uuid4().hex}
    answers = await asyncio.gather(
        *(post_json(scenario, PATH, body, **key) for _ in range(3)),
    )
    assert {status for status, _ in answers} == {200}
    assert len({completion["id"] for _, completion in answers}) == 1
    status, _, answered = await post(scenario, PATH, {**body, "stream": True}, **key)
    assert status == 200
    assert frames(answered)[0][1]["id"] == answers[0][1]["id"]
    status, told = await post_json(scenario, PATH, {**body, "temperature": 0}, **key)
    assert (status, told["error"]["code"]) == (409, "idempotency_mismatch")


async def test_a_run_goes_on_without_its_reader(scenario: Scenario) -> None:
    name = f"user_{uuid4().hex}"
    script = Script(text="one two three", between_tokens_s=0.2)
    body = request(script, stream=True, conversation_id=name)
    async with await begin(scenario, PATH, body) as answer:
        async for _ in answer.chunks():
            break
    word = body["messages"][0]["content"].split()[0]
    await until(lambda: exchange_with(scenario, word).outcome == "complete")


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_failed_run(scenario: Scenario, streamed: bool) -> None:
    call = ToolCall(name="f", arguments={"text": "one two three four five six"})
    script = Script(text="So", tool_calls=(call,), faults=(CutOff(after_tokens=4),))
    body = request(script, model="openai/fake", tools=[TOOL], store=True, stream=streamed)
    status, _, answered = await post(scenario, PATH, body)
    if streamed:
        assert status == 200
        told = [chunk for _, chunk in frames(answered)]
        assert "[DONE]" not in told
        error = told[-1]["error"]
    else:
        assert status == 502
        error = json.loads(answered)["error"]
    assert error["code"] == "upstream_cut"
    assert error["type"] == "server_error"


async def test_a_conversation_that_is_not_there(scenario: Scenario) -> None:
    body = request(conversation_id="conv_0193b0c3a5d87c1e9f4d2b6a8e0c4f17")
    status, told = await post_json(scenario, PATH, body)
    assert (status, told["error"]["code"]) == (404, "conversation_not_found")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (PATH, {"messages": [{"role": "user", "content": "x"}], "store": True}),
        ("/v1/responses", {"input": "x"}),
        (
            "/v1/messages",
            {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "store": True},
        ),
    ],
)
async def test_a_model_that_its_provider_does_not_know(
    scenario: Scenario, path: str, fields: dict[str, Any]
) -> None:
    """A run says so as a call does that is not stored."""
    status, told = await post_json(scenario, path, {"model": "openai/nothing", **fields})
    assert status == 404, told
    assert told["error"].get("code", told["error"]["type"]) in (
        "model_not_found",
        "not_found_error",
    )


async def test_the_ledger_tells_who_asked_and_where(scenario: Scenario) -> None:
    body = request(model="openai/fake", store=True)
    _, completion = await post_json(scenario, PATH, body)
    run = completion["id"].removeprefix("chatcmpl-")

    async def look() -> list[Any]:
        return await scenario.fetch(
            "SELECT surface, key_id FROM usage_ledger WHERE run_id = $1::text::uuid", run
        )

    (entry,) = await eventually(look)
    assert entry["surface"] == "openai_chat"
    assert entry["key_id"]
