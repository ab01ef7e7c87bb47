"""A provider's refusal of a relayed request reaches its caller in the provider's own words."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario
from tests.journeys.v1 import post

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
MODELS = {CHAT: "openai/fake", MESSAGES: "anthropic/fake"}
WORDS = "seed: it is too odd"
TOLD = {
    "type": "error",
    "error": {"message": WORDS, "type": "invalid_request_error", "param": "seed"},
}
HEADERS = {
    "x-ratelimit-remaining-requests": "7",
    "set-cookie": "a=b",
    "retry-after": "3",
}


def request(path: str, model: str, *, stream: bool) -> dict[str, Any]:
    refusal = ReplacedResponse(status=400, body=json.dumps(TOLD), headers=HEADERS)
    text = f"needle-{uuid4().hex} {directive(Script(faults=(refusal,)))}"
    body: dict[str, Any] = {"model": model, "stream": stream}
    if path == MESSAGES:
        body["max_tokens"] = 10
    return body | {"messages": [{"role": "user", "content": text}]}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", MODELS)
async def test_a_refusal_is_that_of_the_vendor(scenario: Scenario, path: str, stream: bool) -> None:
    status, headers, answer = await post(scenario, path, request(path, MODELS[path], stream=stream))
    told = json.loads(answer)["error"]
    assert (status, told["message"]) == (400, WORDS)
    assert told["type"] == "invalid_request_error"
    if path == CHAT:
        assert told["param"] == "seed"
    assert headers["x-ratelimit-remaining-requests"] == "7"
    assert headers["x-upstream-request-id"] != headers["x-request-id"]
    assert headers["retry-after"] == "3"
    assert "set-cookie" not in headers


async def test_a_refusal_of_a_translated_request_names_the_provider(scenario: Scenario) -> None:
    body = request(MESSAGES, MODELS[CHAT], stream=False)
    status, headers, answer = await post(scenario, MESSAGES, body)
    told = json.loads(answer)["error"]
    assert (status, "openai did not accept" in told["message"]) == (400, True)
    assert "x-upstream-request-id" not in headers
