"""Input below `/v1` that is not as it should be: a short 400 in the envelope of the vendor."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.harness.scenario import Scenario
from tests.journeys.v1 import post, post_json

LONG = "m" * 300_000
HELLO = [{"role": "user", "content": "hello"}]
CHAT: dict[str, Any] = {"model": "openai/fake", "messages": HELLO}
TRANSLATED = {**CHAT, "model": "anthropic/fake"}
MESSAGE = {"model": "openai/fake", "max_tokens": 9, "messages": HELLO}
RESPONSE = {"model": "openai/fake", "input": "hello"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", {**CHAT, "store": True}),
        ("/v1/messages", MESSAGE),
        ("/v1/messages", {**MESSAGE, "store": True}),
        ("/v1/responses", RESPONSE),
        ("/v1/responses", {**RESPONSE, "store": False}),
        ("/v1/embeddings", {"model": "openai/fake", "input": "hello"}),
    ],
)
async def test_a_switch_that_is_neither_on_nor_off(
    scenario: Scenario, path: str, body: dict[str, Any]
) -> None:
    status, answered = await post_json(scenario, path, body, X_Cartrita_Strict="maybe")
    assert status == 400
    assert answered["error"]["type"] == "invalid_request_error"
    assert answered["error"]["message"] == "X-Cartrita-Strict: send true or false"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", CHAT),
        ("/v1/messages", MESSAGE),
        ("/v1/messages/count_tokens", {"model": "openai/fake", "messages": HELLO}),
        ("/v1/responses", RESPONSE),
        ("/v1/embeddings", {"model": "openai/fake", "input": "hello"}),
        ("/api/chat", {"message": "hello"}),
    ],
)
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("X-Cartrita-Strict", ("false", "true")),
        ("X-Cartrita-Cache", ("300", "0")),
        ("Idempotency-Key", ("a", "b")),
    ],
)
async def test_a_header_that_says_two_things(
    scenario: Scenario, path: str, body: dict[str, Any], name: str, values: tuple[str, str]
) -> None:
    first, second = values
    repeated = {name: f"{first}\r\n{name}: {second}"}
    status, answered = await post_json(scenario, path, body, **repeated)
    told = answered["error"]
    assert status == 400
    assert f"{name}: two different values" in (told if isinstance(told, str) else told["message"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {**TRANSLATED, "messages": [{"role": LONG, "content": "x"}]}),
        ("/v1/chat/completions", {**TRANSLATED, "tool_choice": LONG}),
        ("/v1/chat/completions", {**CHAT, "store": True, "metadata": {LONG: 1}}),
        ("/v1/chat/completions", {**CHAT, LONG: {"file_id": "file_1"}}),
        ("/v1/messages", {**MESSAGE, "messages": [{"role": LONG, "content": "x"}]}),
        ("/v1/messages", {**MESSAGE, "tool_choice": {"type": LONG}}),
        ("/v1/responses", {**RESPONSE, "input": [{"type": LONG}]}),
    ],
)
async def test_long_values_are_not_told_whole(
    scenario: Scenario, path: str, body: dict[str, Any]
) -> None:
    status, _, answered = await post(scenario, path, body)
    assert status == 400, answered[:300]
    assert len(answered) < 4000
    assert json.loads(answered)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("name", ["a/b", "a?b", "a#b", ".."])
@pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", CHAT), ("/v1/messages", MESSAGE)]
)
async def test_a_conversation_whose_id_no_address_can_have(
    scenario: Scenario, path: str, body: dict[str, Any], name: str
) -> None:
    status, answered = await post_json(scenario, path, {**body, "conversation_id": name})
    assert status in (400, 422)
    assert "conversation_id" in answered["error"]["message"]


@pytest.mark.parametrize("name", ["user_123_conv_1", "x y", "ä%2F;:&=\\"])
async def test_a_conversation_is_read_by_the_id_it_was_given(scenario: Scenario, name: str) -> None:
    status, _ = await post_json(scenario, "/v1/chat/completions", {**CHAT, "conversation_id": name})
    assert status == 200
    for path in ("/v1/conversations", "/api/conversations"):
        status, found = await scenario.call("GET", f"{path}/{quote(name, safe='')}")
        assert status == 200, found


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {**RESPONSE, "store": False}),
        ("/v1/messages/count_tokens", {"model": "anthropic/fake", "messages": HELLO}),
    ],
)
async def test_a_conversation_of_null_is_none(
    scenario: Scenario, path: str, body: dict[str, Any]
) -> None:
    status, answered = await post_json(scenario, path, {**body, "conversation_id": None})
    assert status == 200, answered


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", TRANSLATED),
        ("/v1/chat/completions", {**CHAT, "store": True}),
        ("/v1/messages", MESSAGE),
        ("/v1/messages/count_tokens", {"model": "openai/fake", "messages": HELLO}),
        ("/v1/responses", RESPONSE),
        ("/v1/conversations", {}),
        ("/v1/embeddings", {"model": "openai/fake", "input": "hello"}),
    ],
)
async def test_json_that_is_nested_too_deep(
    scenario: Scenario, path: str, body: dict[str, Any]
) -> None:
    deep: list[Any] = []
    for _ in range(600):
        deep = [deep]
    status, answered = await post_json(scenario, path, {**body, "metadata": deep})
    assert status == 400
    assert answered["error"]["type"] == "invalid_request_error"
    assert "nested deeper than 64 levels" in answered["error"]["message"]
