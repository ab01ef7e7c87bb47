"""A finished answer whose usage cannot be read stands: it is asked for and paid once."""

import json
from typing import Any, Final
from uuid import uuid4

import pytest
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario
from tests.journeys.v1 import exchange_with, frames, post

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
ODD: Final = {
    "fractions": {"prompt_tokens": 10.0, "completion_tokens": 5.0, "total_tokens": 15.0},
    "lists": {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": []},
    "none": [],
    "words": {"prompt_tokens": "ten", "completion_tokens": "five"},
}
STREAM = {"content-type": "text/event-stream"}


def chunk(usage: Any, delta: dict[str, str] | None, finish: str | None) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    kind = "chat.completion.chunk"
    told = {"id": "c", "object": kind, "created": 1, "model": "fake", "choices": choices}
    return f"data: {json.dumps(told if usage is None else told | {'usage': usage})}\n\n"


def of_openai(usage: Any, *, stream: bool) -> ReplacedResponse:
    if stream:
        said = chunk(None, {"role": "assistant", "content": "Hi there"}, None)
        end = chunk(None, {}, "stop") + chunk(usage, None, None) + "data: [DONE]\n\n"
        return ReplacedResponse(body=said + end, headers=STREAM)
    message = {"role": "assistant", "content": "Hi there"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "fake"}
    return ReplacedResponse(body=json.dumps(body | {"choices": [choice], "usage": usage}))


def question(needle: str, usage: Any, *, stream: bool) -> str:
    script = Script(faults=(of_openai(usage, stream=stream),))
    return f"{needle} {directive(script)}"


def request(path: str, text: str, *, stream: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "openai/fake", "stream": stream}
    if path == MESSAGES:
        body["max_tokens"] = 50
    elif stream:
        body["stream_options"] = {"include_usage": True}
    return body | {"messages": [{"role": "user", "content": text}]}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("usage", ODD.values(), ids=list(ODD))
async def test_it_is_asked_for_once(
    scenario: Scenario, path: str, stream: bool, usage: Any
) -> None:
    needle = f"needle-{uuid4().hex}"
    body = request(path, question(needle, usage, stream=stream), stream=stream)
    status, _, answer = await post(scenario, path, body)
    assert status == 200, answer
    exchange_with(scenario, needle)
    assert answer.count(b"Hi there") >= 1
    assert b'"error":{' not in answer
    if stream and path == CHAT:
        told = [data for _, data in frames(answer)]
        assert told[-1] == "[DONE]"
        said = [each["choices"] for each in told[:-1] if each["choices"]]
        assert [each[0]["finish_reason"] for each in said] == [None, "stop"]
        assert told[-2]["usage"]["completion_tokens"] >= 1


async def test_a_run_makes_no_second_attempt(scenario: Scenario) -> None:
    needle = f"needle-{uuid4().hex}"
    message = question(needle, ODD["lists"], stream=True)
    status, _, answer = await post(scenario, "/api/chat", {"message": message})
    assert status == 200, answer
    exchange_with(scenario, needle)
    assert b"Hi there" in answer
