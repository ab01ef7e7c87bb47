"""The fake provider refuses what Anthropic refuses, in the same envelope."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from tests.harness.fake_provider.client import Reply, ask, ask_message, message_body
from tests.harness.fake_provider.launch import FakeProvider, fake_provider

Json = dict[str, Any]
USER: Json = {"role": "user", "content": "hi"}
CALL: Json = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT: Json = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "1"}
TOOL: Json = {"name": "f", "input_schema": {"type": "object"}}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
PDF = base64.b64encode(b"%PDF-1.4 x").decode()
CACHED: Json = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
THINKING: Json = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with fake_provider(key="sk-one") as fake:
        yield fake


def saying(*messages: object) -> Json:
    return {"messages": list(messages)}


def user(*content: Json) -> Json:
    return {"role": "user", "content": list(content)}


def assistant(*content: Json) -> Json:
    return {"role": "assistant", "content": list(content)}


def image(data: str = PNG, media_type: str = "image/png") -> Json:
    source = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": "image", "source": source}


def document(**source: str) -> Json:
    return {"type": "document", "source": source}


REFUSED: list[tuple[Json, str]] = [
    ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    ({"max_tokens": "5"}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
    ({"n": 2}, "n: Extra inputs are not permitted"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": "hi"}, "messages: Input should be a valid list"),
    (saying({"content": "hi"}), "messages.0.role: Field required"),
    (saying({"role": "tool", "content": "x"}),
     "messages.0.role: Input should be 'user', 'assistant' or 'system'"),
    (saying({"role": "system", "content": "x"}), 'Unexpected role "system"'),
    (saying({"role": "assistant", "content": "x"}, USER), 'first message must use the "user" role'),
    (saying(USER | {"name": "x"}), "messages.0.name: Extra inputs are not permitted"),
    (saying({"role": "user", "content": ""}), "messages.0: all messages must have non-empty"),
    (saying(user()), "messages.0: all messages must have non-empty"),
    (saying(user({"type": "text", "text": ""})), "text content blocks must be non-empty"),
    (saying(user({"type": "video"})), "messages.0.content.0: Input tag 'video' found using 'type'"),
    (saying(user({"text": "x"})), "messages.0.content.0.type: Field required"),
    (saying(user({"type": "text"})), "messages.0.content.0.text.text: Field required"),
    (saying(user({"type": "text", "text": "x", "y": 1})),
     "messages.0.content.0.text.y: Extra inputs are not permitted"),
    (saying(user(CALL)), "`tool_use` blocks can only be in `assistant` messages"),
    (saying(USER, assistant(image())), "`image` blocks can only be in `user` messages"),
    (saying(user(image(media_type="image/bmp"))),
     "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg'"),
    (saying(user(image("????"))), "image.source.base64.data: Invalid base64 data"),
    (saying(user(image("aGVsbG8="))), "Could not process image"),
    (saying(user(image(media_type="image/jpeg"))), "appears to be a image/png image"),
    (saying(user({"type": "image", "source": {"type": "url", "url": "file:///x"}})),
     "messages.0.content.0.image.source.url.url: String should match pattern"),
    (saying(user(document(type="base64", media_type="application/pdf", data=PNG))),
     "The PDF specified was not valid."),
    (saying(user(document(type="text", media_type="text/html", data="x"))),
     "document.source.text.media_type: Input should be 'text/plain'"),
    (saying(USER, {"role": "assistant", "content": "ends "}),
     "final assistant content cannot end with trailing whitespace"),
    (saying(user(RESULT)), "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
    (saying(USER, assistant(CALL)), "ids were found without `tool_result` blocks immediately"),
    (saying(USER, assistant(CALL), USER), "messages.1: `tool_use` ids were found without"),
    (saying(USER, assistant(CALL, CALL | {"id": "toolu_2"}), user(RESULT)), "after: toolu_2."),
    (saying(USER, assistant(CALL), user({"type": "text", "text": "x"}, RESULT)),
     "messages.1: `tool_use` ids were found without"),
    (saying(USER, assistant(CALL), user(RESULT, RESULT)), "Found multiple `tool_result` blocks"),
    (saying(USER, assistant(CALL, CALL), user(RESULT)), "`tool_use` ids must be unique"),
    (saying(USER, assistant(CALL | {"id": "a b"}), user(RESULT)),
     "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"),
    (saying(USER, assistant(CALL | {"input": "{}"}), user(RESULT)),
     "messages.1.content.0.tool_use.input: Input should be an object"),
    (saying(USER, assistant({"type": "thinking", "thinking": "x"}), USER),
     "messages.1.content.0.thinking.signature: Field required"),
    (saying(USER, assistant({"type": "thinking", "thinking": "x", "signature": "x"},
                            {"type": "text", "text": "y"}), USER),
     "messages.1.content.0: Invalid `signature` in `thinking` block"),
    ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
    ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
    ({"tools": [TOOL | {"input_schema": {}}]}, "tools.0.custom.input_schema.type: Field required"),
    ({"tools": [TOOL | {"input_schema": {"type": "string"}}]}, "Input should be 'object'"),
    ({"tools": [TOOL | {"name": "a b"}]}, "tools.0.custom.name: String should match pattern"),
    ({"tools": [TOOL | {"parameters": {}}]}, "tools.0.custom.parameters: Extra inputs"),
    ({"tools": [TOOL | {"type": "function"}]}, "tools.0: Input tag 'function' found"),
    ({"tool_choice": {"type": "auto"}}, "may only be specified while providing tools"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found"),
    ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice: Input should be an object"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1023}},
     "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"),
    ({"thinking": {"type": "enabled", "budget_tokens": 4096}},
     "`max_tokens` must be greater than `thinking.budget_tokens`"),
    (THINKING | {"temperature": 0.5}, "`temperature` may only be set to 1 when thinking"),
    (THINKING | {"top_k": 5}, "`top_k` must be unset when thinking"),
    (THINKING | {"top_p": 0.5}, "`top_p` must be greater than or equal to 0.95"),
    (THINKING | {"tools": [TOOL], "tool_choice": {"type": "any"}}, "when tool_choice forces"),
    (THINKING | saying(USER, {"role": "assistant", "content": "x"}), "`assistant` prefill"),
    (THINKING | {"tools": [TOOL]} | saying(USER, assistant(CALL), user(RESULT)),
     "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`"),
    ({"stop_sequences": [" "]}, "each stop sequence must contain non-whitespace"),
    ({"stop_sequences": "x"}, "stop_sequences: Input should be a valid list"),
    ({"temperature": 1.1}, "temperature: Input should be less than or equal to 1"),
    ({"temperature": None}, "temperature: Input should be a valid number"),
    ({"top_p": -1}, "top_p: Input should be greater than or equal to 0"),
    ({"metadata": {"user": "x"}}, "metadata.user: Extra inputs are not permitted"),
    ({"system": [{"type": "image"}]}, "system.0: Input tag 'image' found"),
    (saying(user(*[CACHED] * 5)), "A maximum of 4 blocks with cache_control"),
    (saying(user(CACHED | {"cache_control": {"type": "ephemeral", "ttl": "2h"}})),
     "cache_control.ephemeral.ttl: Input should be '5m' or '1h'"),
    ({"stream": "yes"}, "stream: Input should be a valid boolean"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "message"), REFUSED)
def test_what_the_vendor_refuses_is_refused(fake: FakeProvider, sent: Json, message: str) -> None:
    reply = ask_message(fake, message_body() | sent)
    error = error_of(reply)
    assert message in error["message"]
    assert (reply.status, error["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    "sent",
    [
        {"system": "s", "temperature": 1, "top_p": 0.5, "top_k": 3, "stop_sequences": ["x"],
         "metadata": {"user_id": "u"}, "service_tier": "auto", "stream": False},
        {"system": [CACHED], "tools": [TOOL | {"type": "custom", "description": "d"}],
         "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}]},
        saying(USER, USER, {"role": "assistant", "content": "x"}),
        saying(USER, {"role": "system", "content": "x"}, USER),
        saying(USER, {"role": "assistant", "content": ""}),
        saying(user(image(), document(type="base64", media_type="application/pdf", data=PDF),
                    document(type="text", media_type="text/plain", data="x"),
                    document(type="url", url="https://x/y.pdf"))),
        saying(USER, assistant({"type": "text", "text": "x"}, CALL),
               user(RESULT | {"content": [image(), {"type": "text", "text": "x"}],
                              "is_error": True}, {"type": "text", "text": "y"})),
        saying(USER, assistant(CALL, CALL | {"id": "b"}),
               user(RESULT | {"tool_use_id": "b"}, RESULT)),
    ],
)  # fmt: skip
def test_what_the_vendor_accepts_is_accepted(fake: FakeProvider, sent: Json) -> None:
    reply = ask_message(fake, message_body() | sent)
    assert reply.status == 200, reply.body


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({}, 401, "x-api-key header is required"),
        ({"x-api-key": "sk-two"}, 401, "invalid x-api-key"),
        ({"authorization": "Bearer sk-two"}, 401, "invalid bearer token"),
        ({"x-api-key": "sk-one"}, 200, ""),
        ({"authorization": "Bearer sk-one"}, 200, ""),
        ({"x-api-key": "sk-one", "anthropic-version": ""}, 400,
         "anthropic-version: header is required"),
        ({"x-api-key": "sk-one", "anthropic-version": "latest"}, 400, "not a valid version"),
    ],
)  # fmt: skip
def test_keys_and_version_are_looked_at_first(
    fake: FakeProvider, headers: dict[str, str], status: int, message: str
) -> None:
    sent = {"content-type": "application/json", "anthropic-version": "2023-06-01"} | headers
    reply = ask(fake, message_body(), path="/v1/messages", headers=sent)
    assert reply.status == status
    if status != 200:
        assert message in error_of(reply)["message"]


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (b"", 400, "invalid_request_error"),
        (b"{", 400, "invalid_request_error"),
        (b"[]", 400, "invalid_request_error"),
        (b'{"max_tokens":1,"messages":[]}', 400, "invalid_request_error"),
        (b'{"model":"fake","messages":[{"role":"user","content":"x"}]}', 400,
         "invalid_request_error"),
        (b'{"model":"gone","max_tokens":1,"messages":[{"role":"user","content":"x"}]}', 404,
         "not_found_error"),
        (b" " * (32 * 1024 * 1024 + 1), 413, "request_too_large"),
        (b'{"model":"fake","max_tokens":1,"messages":[{"role":"user","content":"[[script x]]"}]}',
         400, "invalid_request_error"),
    ],
    ids=["empty", "half", "list", "no_model", "no_max_tokens", "model", "size", "script"],
)  # fmt: skip
def test_a_body_that_is_no_request_is_refused(
    fake: FakeProvider, sent: bytes, status: int, kind: str
) -> None:
    reply = ask_message(fake, sent)
    assert (reply.status, error_of(reply)["type"]) == (status, kind)


def test_routes_and_methods_are_refused_like_the_vendor(fake: FakeProvider) -> None:
    headers = {"x-api-key": "sk-one", "anthropic-version": "2023-06-01"}
    assert ask(fake, b"", method="GET", path="/v1/messages", headers=headers).status == 405
    assert ask_message(fake, {}, "/v1/messages/batch").status == 404
    assert ask_message(fake, message_body(), "/v1/messages/count_tokens").status == 400
    form = headers | {"content-type": "text/plain"}
    assert ask(fake, message_body(), path="/v1/messages", headers=form).status == 400
    missing = ask(fake, b"", method="GET", path="/v1/models/none", headers=headers)
    assert (missing.status, error_of(missing)["type"]) == (404, "not_found_error")


def error_of(reply: Reply) -> dict[str, str]:
    answer = reply.json()
    assert list(answer) == ["type", "error", "request_id"]
    assert answer["type"] == "error"
    assert answer["request_id"] == reply.headers["request-id"]
    assert set(answer["error"]) == {"type", "message"}
    return answer["error"]
