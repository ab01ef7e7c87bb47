"""Ids of what a vendor stores for its account never reach it, by a relay or by a run."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.scenario import Scenario
from tests.journeys.v1 import post_json

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
MODELS = {CHAT: "openai/fake", RESPONSES: "openai/fake", MESSAGES: "anthropic/fake"}


def content(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


HANDLES: list[tuple[str, str, dict[str, Any]]] = [
    (RESPONSES, "tools[0].vector_store_ids", {"tools": [{"type": "file_search"}]}),
    (RESPONSES, "tools[0].container", {"tools": [{"type": "code_interpreter"}]}),
    (RESPONSES, "prompt", {"prompt": {"id": "needle"}}),
    (RESPONSES, "prompt", {"prompt": ["needle"]}),
    (RESPONSES, "input[0].id", {"input": [{"type": "image_generation_call", "id": "needle"}]}),
    (
        RESPONSES,
        "input[0].content[0].file_id",
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "needle"}]}]},
    ),
    (
        RESPONSES,
        "input[0].content[0].file_id",
        {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "needle"}]}]},
    ),
    (
        CHAT,
        "messages[0].content[0].file.file_id",
        content({"type": "file", "file": {"file_id": "needle"}}),
    ),
    (
        CHAT,
        "messages[0].audio",
        {"messages": [{"role": "assistant", "audio": {"id": "needle"}}]},
    ),
    (MESSAGES, "container", {"container": "needle"}),
    (MESSAGES, "container", {"container": {"id": "needle"}}),
    (
        MESSAGES,
        "container.skills.0.skill_id",
        {"container": {"skills": [{"type": "custom", "skill_id": "needle"}]}},
    ),
    (
        MESSAGES,
        "messages.0.content.0.source.file_id",
        content({"type": "document", "source": {"type": "file", "file_id": "needle"}}),
    ),
    (
        MESSAGES,
        "messages.0.content.0.source.file_id",
        content({"type": "image", "source": {"type": "file", "file_id": "needle"}}),
    ),
    (
        MESSAGES,
        "messages.0.content.0.file_id",
        content({"type": "container_upload", "file_id": "needle"}),
    ),
]
HANDLES[0][2]["tools"][0]["vector_store_ids"] = ["needle"]
HANDLES[1][2]["tools"][0]["container"] = "needle"


def request(path: str, fields: dict[str, Any], needle: str, *, stored: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": MODELS[path], "store": stored, **fields}
    if path == MESSAGES:
        body["max_tokens"] = 10
    if path == RESPONSES:
        body.setdefault("input", "hi")
    else:
        body.setdefault("messages", [{"role": "user", "content": "hi"}])
    return json.loads(json.dumps(body).replace("needle", needle))


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(("path", "field", "fields"), HANDLES)
async def test_a_handle_is_refused(
    scenario: Scenario, path: str, field: str, fields: dict[str, Any], stored: bool
) -> None:
    needle = f"needle-{uuid4().hex}"
    status, told = await post_json(scenario, path, request(path, fields, needle, stored=stored))
    assert (status, told["error"]["type"]) == (400, "invalid_request_error"), told
    assert field in told["error"]["message"]
    assert not [each for each in scenario.provider.requests() if needle in each.body]


@pytest.mark.parametrize("path", MODELS)
async def test_a_handle_in_a_request_with_a_key_for_retries_is_refused(
    scenario: Scenario, path: str
) -> None:
    (field, fields) = next((field, fields) for at, field, fields in HANDLES if at == path)
    body = request(path, fields, "needle", stored=False)
    status, told = await post_json(scenario, path, body, Idempotency_Key=uuid4().hex)
    assert (status, field in told["error"]["message"]) == (400, True), told


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("item", [{"id": "msg_1"}, {"type": "item_reference", "id": "msg_1"}])
async def test_a_reference_to_an_item_reaches_no_vendor(
    scenario: Scenario, item: dict[str, Any], stored: bool
) -> None:
    needle = f"needle-{uuid4().hex}"
    text = {"role": "user", "content": needle}
    body = request(RESPONSES, {"input": [text, item]}, needle, stored=stored)
    status, told = await post_json(scenario, RESPONSES, body)
    assert status in (400, 404), told
    assert not [each for each in scenario.provider.requests() if needle in each.body]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("summary", [[], [{"type": "summary_text", "text": "Aha."}]])
async def test_the_id_of_unsealed_reasoning_reaches_no_vendor(
    scenario: Scenario, summary: list[Any], stored: bool
) -> None:
    needle = f"needle-{uuid4().hex}"
    reasoning = {"type": "reasoning", "id": "needle", "summary": summary}
    text = f"Answer {uuid4().hex}."
    fields = {"input": [reasoning, {"role": "user", "content": text}]}
    body = request(RESPONSES, fields, needle, stored=stored)
    status, told = await post_json(scenario, RESPONSES, body)
    assert status == 200, told
    sent = [each.body for each in scenario.provider.requests()]
    assert any(text in each for each in sent)
    assert not any(needle in each for each in sent)


async def test_sealed_reasoning_is_relayed_with_its_id(scenario: Scenario) -> None:
    text = f"Question {uuid4().hex}"
    question = {"role": "user", "content": text}
    asked: dict[str, Any] = {
        "model": "openai/fake-reasoning",
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "input": [question],
    }
    status, told = await post_json(scenario, RESPONSES, asked)
    assert status == 200, told
    assert told["output"][0]["encrypted_content"]
    asked["input"] = [question, *told["output"], {"role": "user", "content": "Go on."}]
    status, told = await post_json(scenario, RESPONSES, asked)
    assert status == 200, told
    [_, sent] = [each.body for each in scenario.provider.requests() if text in each.body]
    assert json.loads(sent)["input"] == asked["input"]
