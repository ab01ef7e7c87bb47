"""`/v1/chat/completions` as OpenAI's SDKs use it: relayed, translated, refused, cut, abandoned."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fake_provider.timing_faults import CutOff
from tests.harness.scenario import Scenario, until
from tests.journeys.v1 import begin, exchange_with, frames, post, post_json

PATH = "/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
PREDICTION = {"type": "content", "content": "Hello"}


def request(*scripts: Script, **fields: Any) -> dict[str, Any]:
    word = f"needle-{uuid4().hex}"
    text = f"{word} {directive(*(scripts or (Script(text='Hello there'),)))}"
    return {
        "model": "openai/fake",
        "messages": [{"role": "user", "content": text}],
        **fields,
    }


def word_of(body: dict[str, Any]) -> str:
    return body["messages"][0]["content"].split()[0]


async def test_a_whole_answer_is_relayed(scenario: Scenario) -> None:
    body = request(service_tier="flex", prediction=PREDICTION, seed=7, temperature=1.50)
    status, headers, answered = await post(
        scenario, PATH, body, OpenAI_Beta="thing=v1", X_Client_Request_Id="abc"
    )
    completion = json.loads(answered)
    assert status == 200
    assert completion["choices"][0]["message"]["content"] == "Hello there"
    assert "conversation_id" not in completion
    assert headers["x-cartrita-provider"] == "openai"
    assert headers["x-request-id"].startswith("req_")
    upstream = exchange_with(scenario, word_of(body))
    assert json.loads(upstream.body) == {**body, "model": "fake"}
    assert upstream.body == json.dumps(body).replace('"openai/fake"', '"fake"')
    assert upstream.header("openai-beta") == "thing=v1"
    assert upstream.header("x-client-request-id") == "abc"
    assert upstream.header("authorization") == f"Bearer {scenario.provider.key}"


def streaming(*choices: dict[str, Any]) -> Script:
    """A provider whose stream has these choices, one a chunk, and ends without a mark."""
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
    frames = (f"data: {json.dumps({**chunk, 'choices': [each]})}\n\n" for each in choices)
    headers = {"content-type": "text/event-stream"}
    return Script(faults=(ReplacedResponse(headers=headers, body="".join(frames)),))


async def asked_for(scenario: Scenario, body: dict[str, Any]) -> tuple[list[Any], int]:
    """The data of the events of the answer, and how often its provider was called."""
    status, _, answered = await post(scenario, PATH, body)
    assert status == 200, answered
    calls = sum(word_of(body) in each.body for each in scenario.provider.requests())
    return [data for _, data in frames(answered)], calls


async def test_half_of_two_answers_is_no_complete_stream(scenario: Scenario) -> None:
    first = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    half = {"index": 1, "delta": {"content": "H"}, "finish_reason": None}
    told, calls = await asked_for(scenario, request(streaming(first, half), n=2, stream=True))
    assert [told[at]["choices"][0]["delta"]["content"] for at in (0, 1)] == ["Hi", "H"]
    assert told[-1]["error"]["code"] == "upstream_cut"
    assert calls == 1
    second = {"index": 1, "delta": {"content": "Ho"}, "finish_reason": "stop"}
    told, _ = await asked_for(scenario, request(streaming(first, second), n=2, stream=True))
    assert told[-1] == "[DONE]"


async def test_a_server_that_gives_one_of_two_answers_gives_all_it_has(scenario: Scenario) -> None:
    """Many know no `n`; theirs ends without a mark here, but it ends."""
    only = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    told, calls = await asked_for(scenario, request(streaming(only), n=2, stream=True))
    assert told[-1] == "[DONE]"
    assert calls == 1


@pytest.mark.parametrize(
    "delta",
    [{"audio": {"id": "audio_1", "data": "AAAA"}}, {"function_call": {"arguments": "{"}}],
    ids=["audio", "function_call"],
)
async def test_what_is_no_text_has_been_seen_too(scenario: Scenario, delta: dict[str, Any]) -> None:
    begun = {"index": 0, "delta": delta, "finish_reason": None}
    told, calls = await asked_for(scenario, request(streaming(begun), stream=True))
    assert told[0]["choices"] == [begun]
    assert told[-1]["error"]["code"] == "upstream_cut"
    assert calls == 1


@pytest.mark.parametrize("include_usage", [True, False])
async def test_a_stream_is_relayed(scenario: Scenario, include_usage: bool) -> None:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if include_usage else {}
    body = request(stream=True, **options)
    status, headers, answered = await post(scenario, PATH, body)
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["x-accel-buffering"] == "no"
    assert headers["cache-control"] == "no-cache, no-transform"
    chunks = frames(answered)
    assert chunks[-1][1] == "[DONE]"
    text = "".join(
        choice["delta"].get("content") or ""
        for _, chunk in chunks[:-1]
        for choice in chunk["choices"]
    )
    assert text == "Hello there"
    told = [chunk for _, chunk in chunks[:-1] if chunk.get("usage")]
    assert len(told) == (1 if include_usage else 0)
    sent = json.loads(exchange_with(scenario, word_of(body)).body)
    assert sent["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("include_usage", [True, False])
async def test_a_body_in_answer_to_a_streamed_request_is_streamed(
    scenario: Scenario, include_usage: bool
) -> None:
    """Some local servers cannot stream, and answer with a whole completion."""
    message = {"role": "assistant", "content": "Hello there"}
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [{"index": 0, "message": message, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15},
    }
    script = Script(faults=(ReplacedResponse(body=json.dumps(completion)),))
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if include_usage else {}
    status, headers, answered = await post(scenario, PATH, request(script, stream=True, **options))
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    *told, last = [chunk for _, chunk in frames(answered)]
    assert last == "[DONE]"
    assert {chunk["object"] for chunk in told} == {"chat.completion.chunk"}
    choices = [choice for chunk in told for choice in chunk["choices"]]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == "Hello there"
    assert choices[-1]["finish_reason"] == "length"
    usages = [chunk["usage"]["total_tokens"] for chunk in told if chunk.get("usage")]
    assert usages == ([15] if include_usage else [])


@pytest.mark.parametrize("streamed", [True, False])
async def test_another_dialect_is_translated(scenario: Scenario, streamed: bool) -> None:
    body = request(model="offline/assistant", stream=streamed, seed=3)
    status, headers, answered = await post(scenario, PATH, body)
    assert status == 200
    assert headers["x-cartrita-provider"] == "offline"
    if streamed:
        chunks = frames(answered)
        assert chunks[-1][1] == "[DONE]"
        assert {chunk["model"] for _, chunk in chunks[:-1]} == {"offline/assistant"}
        assert chunks[-2][1]["choices"][0]["finish_reason"] == "stop"
    else:
        completion = json.loads(answered)
        assert completion["object"] == "chat.completion"
        assert completion["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("streamed", [True, False])
async def test_several_choices_of_a_model_that_gives_one(
    scenario: Scenario, streamed: bool
) -> None:
    body = request(model="offline/assistant", n=3, stream=streamed)
    if streamed:
        body["stream_options"] = {"include_usage": True}
    status, _, answered = await post(scenario, PATH, body)
    assert status == 200
    if streamed:
        chunks = [chunk for _, chunk in frames(answered)]
        assert chunks[-1] == "[DONE]"
        ends = [c for chunk in chunks[:-1] for c in chunk["choices"] if c["finish_reason"]]
        assert sorted(choice["index"] for choice in ends) == [0, 1, 2]
        assert chunks[-2]["usage"]["total_tokens"] > 0
    else:
        assert [c["index"] for c in json.loads(answered)["choices"]] == [0, 1, 2]


async def test_a_relayed_request_may_ask_for_many_choices(scenario: Scenario) -> None:
    body = request(n=128)
    status, _, answered = await post(scenario, PATH, body)
    assert status == 200, answered
    assert json.loads(exchange_with(scenario, body["messages"][0]["content"].split()[0]).body)["n"]


@pytest.mark.parametrize(
    ("change", "status", "param", "code"),
    [
        ({"model": None}, 400, "model", None),
        ({"model": 7}, 400, "model", None),
        ({"stream": "yes"}, 400, "stream", "invalid_type"),
        ({"n": 0}, 400, "n", "integer_below_min_value"),
        ({"n": "two"}, 400, "n", "invalid_type"),
        (
            {"model": "openai/fake", "conversation_id": 7},
            422,
            "conversation_id",
            "validation_error",
        ),
        ({"background": "yes"}, 422, "background", "validation_error"),
        ({"model": "cartrita", "messages": []}, 422, "messages", "validation_error"),
        ({"model": "cartrita", "n": 2}, 400, "n", "unsupported_value"),
        ({"model": "offline/assistant", "n": 9}, 400, "n", "integer_above_max_value"),
        ({"model": "anthropic/fake", "n": 128}, 400, "n", "integer_above_max_value"),
        ({"model": "cartrita-nobody"}, 404, None, "model_not_found"),
        ({"model": "nothing-like-it"}, 404, None, "model_not_found"),
        (
            {"messages": [{"role": "robot", "content": "x"}]},
            400,
            "messages[0].role",
            "invalid_value",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}
                ]
            },
            400,
            "messages[0].content[0].file.file_id",
            None,
        ),
    ],
)
async def test_bad_input(
    scenario: Scenario, change: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    body = {**request(model="offline/assistant"), **change}
    answered, told = await post_json(scenario, PATH, body)
    assert (answered, told["error"]["param"], told["error"]["code"]) == (status, param, code), told
    wanted = "validation_error" if status == 422 else "invalid_request_error"
    assert told["error"]["type"] == wanted
    assert told["error"]["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"model":"a","model":"b","messages":[]}', b'{"a":"\xff"}']
)
async def test_bodies_that_are_no_request(scenario: Scenario, body: bytes) -> None:
    status, told = await post_json(scenario, PATH, body)
    assert (status, told["error"]["type"]) == (400, "invalid_request_error")


async def test_strict_refuses_what_is_lost(scenario: Scenario) -> None:
    body = request(model="offline/assistant", x_unknown=1)
    status, headers, _ = await post(scenario, PATH, body)
    assert status == 200
    if "x-cartrita-receipts" in headers:
        status, told = await post_json(scenario, PATH, body, X_Cartrita_Strict="true")
        assert (status, told["error"]["code"]) == (400, "not_translatable")


async def test_an_upstream_error_keeps_its_words(scenario: Scenario) -> None:
    status, told = await post_json(scenario, PATH, {**request(), "temperature": 9})
    assert (status, told["error"]["type"]) == (400, "invalid_request_error")
    assert told["error"]["param"] == "temperature"


@pytest.mark.parametrize("after", [2, 4, 6])
async def test_a_cut_stream_does_not_end_as_if_complete(scenario: Scenario, after: int) -> None:
    """Half a call of a tool cannot be continued."""
    call = ToolCall(name="f", arguments={"text": "one two three four five six"})
    script = Script(text="So", tool_calls=(call,), faults=(CutOff(after_tokens=after),))
    body = request(script, stream=True, tools=[TOOL])
    status, _, answered = await post(scenario, PATH, body)
    assert status == 200
    told = [chunk for _, chunk in frames(answered)]
    assert "[DONE]" not in told
    assert told[-1]["error"]["code"] == "upstream_cut"


@pytest.mark.parametrize("after", [1, 3, 6])
async def test_a_cut_in_plain_text_is_continued(scenario: Scenario, after: int) -> None:
    text = "one two three four five six seven eight"
    script = Script(text=text, faults=(CutOff(after_tokens=after),))
    body = request(script, Script(text=text), stream=True)
    status, _, answered = await post(scenario, PATH, body)
    told = [chunk for _, chunk in frames(answered)]
    assert (status, told[-1]) == (200, "[DONE]")
    assert len({chunk["id"] for chunk in told[:-1]}) == 1
    (end,) = [c for c in told[:-1] if c["choices"] and c["choices"][0]["finish_reason"]]
    assert end["metadata"]["failovers"][0]["continued"] is True


async def test_who_leaves_closes_the_upstream(scenario: Scenario) -> None:
    body = request(Script(words=500, between_tokens_s=0.05), stream=True)
    async with await begin(scenario, PATH, body) as answer:
        async for _ in answer.chunks():
            break
    word = word_of(body)
    async with asyncio.timeout(5):
        await until(lambda: exchange_with(scenario, word).outcome == "disconnected")


async def test_who_leaves_before_the_whole_answer_closes_the_upstream(scenario: Scenario) -> None:
    body = request(Script(text="late", before_headers_s=30))
    word = word_of(body)
    asking = asyncio.ensure_future(post(scenario, PATH, body))
    await until(lambda: any(word in each.body for each in scenario.provider.requests()))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    async with asyncio.timeout(5):
        await until(lambda: exchange_with(scenario, word).outcome == "disconnected")


async def test_a_wrong_method_and_a_stranger(scenario: Scenario) -> None:
    status, told = await scenario.call("GET", PATH)
    assert (status, told["error"]["code"]) == (405, "method_not_allowed")
    status, told = await post_json(scenario, PATH, b"no json", Authorization="Bearer ck_wrong")
    assert (status, told["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("run", [True, False])
async def test_the_servers_own_fields_are_not_sent_on(scenario: Scenario, run: bool) -> None:
    name = f"own-{uuid4().hex}" if run else None
    body = request(conversation_id=name, background=run)
    status, answered = await post_json(scenario, PATH, body)
    assert status == 200, answered
    sent = json.loads(exchange_with(scenario, word_of(body)).body)
    assert not {"conversation_id", "background"} & set(sent)
