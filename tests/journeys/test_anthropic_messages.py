"""`/v1/messages` as Anthropic's SDKs use it: relayed, translated, refused, cut, stored, counted."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fake_provider.timing_faults import CutOff
from tests.harness.scenario import Scenario, eventually, until
from tests.journeys.v1 import begin, exchange_with, frames, post, post_json

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.domain.token_estimates import RULE_ERROR, text_tokens

PATH = "/v1/messages"
TOOL = {"name": "f", "input_schema": {"type": "object"}}


def request(*scripts: Script, **fields: Any) -> dict[str, Any]:
    text = f"needle-{uuid4().hex} {directive(*(scripts or (Script(text='Hello there'),)))}"
    return {
        "model": "anthropic/fake",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
        **fields,
    }


def word_of(body: dict[str, Any]) -> str:
    return body["messages"][0]["content"].split()[0]


async def test_a_whole_message_is_relayed(scenario: Scenario) -> None:
    body = request(top_k=7, temperature=0.50)
    status, headers, answered = await post(
        scenario, PATH, body, anthropic_version="2023-06-01", anthropic_beta="thing-2026"
    )
    message = json.loads(answered)
    assert status == 200, message
    assert message["content"] == [{"type": "text", "text": "Hello there"}]
    assert headers["x-cartrita-provider"] == "anthropic"
    assert headers["request-id"] == headers["x-request-id"] != headers["x-upstream-request-id"]
    upstream = exchange_with(scenario, word_of(body))
    assert upstream.body == json.dumps(body).replace('"anthropic/fake"', '"fake"')
    assert upstream.header("anthropic-beta") == "thing-2026"
    assert upstream.header("x-api-key") == scenario.provider.key


@pytest.mark.parametrize("model", ["anthropic/fake", "openai/fake", "offline/assistant"])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_message_of_any_provider(scenario: Scenario, model: str, streamed: bool) -> None:
    status, headers, answered = await post(
        scenario, PATH, request(model=model, stream=streamed), anthropic_version="2023-06-01"
    )
    assert status == 200, answered
    if not streamed:
        message = json.loads(answered)
        assert (message["type"], message["stop_reason"]) == ("message", "end_turn")
        assert message["usage"]["input_tokens"] > 0
        return
    assert headers["content-type"].startswith("text/event-stream")
    names = [name for name, _ in frames(answered) if name != "ping"]
    assert names[:2] == ["message_start", "content_block_start"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]


async def test_a_body_in_answer_to_a_streamed_request_is_streamed(scenario: Scenario) -> None:
    """Some servers cannot stream, and answer with a whole message."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "fake",
        "content": [{"type": "text", "text": "Hello there"}],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 8},
    }
    script = Script(faults=(ReplacedResponse(body=json.dumps(message)),))
    status, headers, answered = await post(scenario, PATH, request(script, stream=True))
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    events = [(name, told) for name, told in frames(answered) if name != "ping"]
    assert events[0][0] == "message_start"
    assert events[-1][0] == "message_stop"
    texts = [told["delta"]["text"] for name, told in events if name == "content_block_delta"]
    assert "".join(texts) == "Hello there"
    (end,) = [told for name, told in events if name == "message_delta"]
    assert end["delta"]["stop_reason"] == "max_tokens"
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (7, 8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"container": "container_1"}, "container"),
        ({"conversation_id": 7}, "conversation_id"),
    ],
)
async def test_bad_input(scenario: Scenario, change: dict[str, Any], words: str) -> None:
    body = {**request(model="offline/assistant"), **change}
    status, told = await post_json(scenario, PATH, body)
    assert (status, told["type"], told["error"]["type"]) == (400, "error", "invalid_request_error")
    assert words in told["error"]["message"]
    assert told["request_id"].startswith("req_")


async def test_a_stranger_and_a_model_that_is_not_there(scenario: Scenario) -> None:
    status, told = await post_json(scenario, PATH, request(), Authorization="Bearer ck_wrong")
    assert (status, told["error"]["type"]) == (401, "authentication_error")
    status, told = await post_json(scenario, PATH, request(model="nothing-like-it"))
    assert (status, told["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize("after", [2, 4])
async def test_a_cut_stream_ends_with_an_error(scenario: Scenario, after: int) -> None:
    call = ToolCall(name="f", arguments={"text": "one two three four five six"})
    script = Script(text="So", tool_calls=(call,), faults=(CutOff(after_tokens=after),))
    status, _, answered = await post(scenario, PATH, request(script, stream=True, tools=[TOOL]))
    assert status == 200
    told = frames(answered)
    assert "message_stop" not in [name for name, _ in told]
    name, error = told[-1]
    assert (name, error["type"], error["error"]["type"]) == ("error", "error", "api_error")


async def test_who_leaves_closes_the_upstream(scenario: Scenario) -> None:
    body = request(Script(words=500, between_tokens_s=0.05), stream=True)
    async with await begin(scenario, PATH, body) as answer:
        async for _ in answer.chunks():
            break
    await until(lambda: exchange_with(scenario, word_of(body)).outcome == "disconnected", 5)


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_agent_answers_as_a_model(scenario: Scenario, streamed: bool) -> None:
    status, _, answered = await post(scenario, PATH, request(model="cartrita", stream=streamed))
    assert status == 200
    message = frames(answered)[0][1]["message"] if streamed else json.loads(answered)
    assert message["model"] == "cartrita"
    assert message["conversation_id"].startswith("conv_")
    if not streamed:
        assert message["metadata"]["agents_used"] == ["supervisor"]


@pytest.mark.parametrize(
    ("model", "kind"), [("anthropic/fake", "exact"), ("openai/fake", "estimated;bound=")]
)
async def test_tokens_are_counted(scenario: Scenario, model: str, kind: str) -> None:
    body = request(model=model)
    del body["max_tokens"]
    status, headers, answered = await post(scenario, f"{PATH}/count_tokens", body)
    assert status == 200, answered
    assert json.loads(answered)["input_tokens"] > 0
    assert headers["x-cartrita-token-count"].startswith(kind)


async def test_a_count_is_not_in_the_ledger(scenario: Scenario) -> None:
    body = request(model="anthropic/fake")
    await post(scenario, f"{PATH}/count_tokens", {**body})
    await post(scenario, PATH, body)

    async def surfaces() -> set[str]:
        _, usage = await scenario.call("GET", "/api/usage?group_by=surface")
        return {item["name"] for item in usage["items"]}

    async def recorded() -> bool:
        return "anthropic_messages" in await surfaces()

    await eventually(recorded)
    assert "anthropic_count_tokens" not in await surfaces()


@pytest.mark.parametrize("run", [True, False])
async def test_the_servers_own_fields_are_not_sent_on(scenario: Scenario, run: bool) -> None:
    name = f"own-{uuid4().hex}" if run else None
    body = request(conversation_id=name, background=run, store=run)
    status, answered = await post_json(scenario, PATH, body)
    assert status == 200, answered
    sent = json.loads(exchange_with(scenario, word_of(body)).body)
    assert not {"conversation_id", "background", "store"} & set(sent)


async def test_the_instructions_of_an_agent_are_counted(scenario: Scenario) -> None:
    text = f"needle-{uuid4().hex} {directive(Script(text='Hello'))}"
    body = {"messages": [{"role": "user", "content": text}], "system": "Be brief."}
    counts: dict[str, int] = {}
    for model in ("openai/fake", "cartrita"):
        asked = {"model": model, **body}
        status, headers, answered = await post(scenario, f"{PATH}/count_tokens", asked)
        assert (status, headers["x-cartrita-token-count"][:15]) == (200, "estimated;bound")
        counts[model] = json.loads(answered)["input_tokens"]
    own = AgentRegistry(built_in_agents()).find(None).instructions
    expected = counts["openai/fake"] + text_tokens(own)
    assert abs(counts["cartrita"] - expected) <= RULE_ERROR * expected
    stream = {"model": "cartrita", "max_tokens": 99, "stream": True, **body}
    status, _, answered = await post(scenario, PATH, stream)
    started = next(data for name, data in frames(answered) if name == "message_start")
    told = started["message"]["usage"]["input_tokens"]
    assert abs(told - expected) <= RULE_ERROR * expected  # a tokenizer may have been loaded since
