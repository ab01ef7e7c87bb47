"""What Anthropic answers with 400 is refused, with the field named as it names it."""

from typing import Any

import pytest
from tests.backend.dialects.anthropic_messages.bodies import (
    CALL,
    PNG,
    RESULT,
    SCHEMA,
    TOOL,
    assistant,
    body,
    text,
    user,
)

from cartrita.dialects.anthropic_messages.request_parsing import parse
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject


def image(**source: Any) -> JsonObject:
    whole = {"type": "base64", "media_type": "image/png", "data": PNG, **source}
    return {"type": "image", "source": whole}


def result(**more: Any) -> list[JsonObject]:
    return [user(text()), assistant(CALL), user({**RESULT, **more})]


def tool(**schema: Any) -> JsonObject:
    return {"name": "a", "input_schema": schema}


BUDGET = {"type": "enabled", "budget_tokens": 1024}


@pytest.mark.parametrize(
    ("field", "problem", "wanted"),
    [
        ("model", "Field required", {"messages": [], "max_tokens": 1}),
        ("model", "at least 1 characters", body(model="")),
        ("model", "a valid string", body(model=5)),
        ("max_tokens", "greater than or equal to 0", body(max_tokens=-1)),
        ("max_tokens", "a valid integer", body(max_tokens=True)),
        ("messages", "at least one", {**body(), "messages": []}),
        ("messages", "a valid list", {**body(), "messages": "hi"}),
        ("messages.0", "a valid dictionary", {**body(), "messages": ["hi"]}),
        ("messages.0.content", "Field required", body({"role": "user"})),
        ("messages.0.content", "a valid string or", body({"role": "user", "content": 5})),
        ("messages.0.content.0", "a valid dictionary", body(user("hi"))),
        ("messages.0.content", "non-empty", body({"role": "user", "content": ""})),
        ("messages.0.content", "non-empty", body(user())),
        ("messages.0.role", "not 'tool'", body({"role": "tool", "content": "x"})),
        ("messages.0.role", "top-level", body({"role": "system", "content": "x"})),
        ("messages.0.role", "first message", body(assistant(text()))),
        ("messages.1.content", "trailing", body(user(text()), assistant(text("a ")))),
        (
            "messages.1.content.0.type",
            "`text`",
            body(user(text()), {"role": "system", "content": [{"type": "x"}]}),
        ),
        ("messages.0.content.0.type", "Field required", body(user({"text": "x"}))),
        ("messages.0.content.0.text", "Field required", body(user({"type": "text"}))),
        ("messages.0.content.1.text", "whitespace", body(user(text(), text(" ")))),
        ("messages.0.content.0", "`assistant`", body(user(CALL))),
        ("messages.1.content.0", "`user`", body(user(text()), assistant(RESULT))),
        (
            "messages.1.content.0.signature",
            "Field required",
            body(user(text()), assistant({"type": "thinking", "thinking": "x"})),
        ),
        (
            "messages.0.content.0.source.media_type",
            "Invalid",
            body(user(image(media_type="image/bmp"))),
        ),
        ("messages.0.content.0.source.data", "base64", body(user(image(data="*")))),
        (
            "messages.0.content.0.source.data",
            "valid jpeg",
            body(user(image(media_type="image/jpeg"))),
        ),
        (
            "messages.0.content.0.source.data",
            "valid PDF",
            body(user({**image(media_type="application/pdf"), "type": "document"})),
        ),
        (
            "messages.0.content.0.source.url",
            "HTTPS",
            body(user({"type": "image", "source": {"type": "url", "url": "file:///x"}})),
        ),
        (
            "messages.0.content.0.source.type",
            "Invalid",
            body(user({"type": "image", "source": {"type": "x"}})),
        ),
        (
            "messages.0.content.0.cache_control.ttl",
            "Invalid",
            body(user(text(cache_control={"type": "ephemeral", "ttl": "2h"}))),
        ),
        ("messages.0.content.0", "unexpected `tool_use_id`", body(user(RESULT))),
        ("messages.1", "without `tool_result`", body(user(text()), assistant(CALL), user(text()))),
        (
            "messages.1",
            "without `tool_result`",
            body(user(text()), assistant(CALL), user(text()), assistant(text())),
        ),
        ("messages.1.content.1.id", "unique", body(user(text()), assistant(CALL, CALL))),
        ("messages.2.content.0.content", "is_error", body(*result(content="", is_error=True))),
        ("messages.2.content.0.content.0.type", "Field required", body(*result(content=[{}]))),
        ("messages.2.content.0.content", "list", body(*result(content=5))),
        ("system", "a valid string or", body(system=5)),
        ("system.0.type", "'text'", body(system=[{"type": "image"}])),
        ("system.0.text", "whitespace", body(system=[text(" ")])),
        ("temperature", "less than or equal to 1", body(temperature=1.5)),
        ("stop_sequences", "non-whitespace", body(stop_sequences=["\n"])),
        ("stop_sequences.0", "a valid string", body(stop_sequences=[1])),
        ("tools.0.custom.name", "Field required", body(tools=[{"input_schema": SCHEMA}])),
        ("tools.0.custom.name", "pattern", body(tools=[{**TOOL, "name": "a b"}])),
        ("tools.0.type", "a valid string", body(tools=[{**TOOL, "type": 5}])),
        ("tools.0.custom.input_schema", "Field required", body(tools=[{"name": "a"}])),
        ("tools.0.custom.input_schema.type", "Field required", body(tools=[tool()])),
        ("tools.0.custom.input_schema.type", "'object'", body(tools=[tool(type="string")])),
        (
            "tools.0.custom.input_schema",
            "invalid",
            body(tools=[tool(type="object", properties=[])]),
        ),
        ("tools", "unique", body(tools=[TOOL, TOOL])),
        ("tool_choice", "while providing tools", body(tool_choice={"type": "auto"})),
        ("tool_choice.name", "Field required", body(tools=[TOOL], tool_choice={"type": "tool"})),
        (
            "tool_choice.name",
            "not found",
            body(tools=[TOOL], tool_choice={"type": "tool", "name": "x"}),
        ),
        ("tool_choice.type", "Invalid", body(tools=[TOOL], tool_choice={"type": "x"})),
        ("thinking.type", "Invalid", body(thinking={"type": "x"})),
        ("thinking.enabled.budget_tokens", "Field required", body(thinking={"type": "enabled"})),
        ("thinking.budget_tokens", "1024", body(thinking={"type": "enabled", "budget_tokens": 5})),
        ("max_tokens", "budget_tokens", body(thinking=BUDGET)),
        (
            "tool_choice",
            "Thinking",
            body(tools=[TOOL], tool_choice={"type": "any"}, thinking=BUDGET),
        ),
        ("temperature", "thinking", body(max_tokens=2000, temperature=0.5, thinking=BUDGET)),
        (
            "output_config.format.schema",
            "Field required",
            body(output_config={"format": {"type": "json_schema"}}),
        ),
        ("metadata.user_id", "at most 256 characters", body(metadata={"user_id": "u" * 257})),
    ],
)
def test_what_is_refused(field: str, problem: str, wanted: JsonObject) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(wanted, "o")
    assert list(caught.value.fields) == [field]
    assert problem in caught.value.message


def test_what_is_no_object() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse([], "o")  # pyright: ignore[reportArgumentType]  # as an unchecked caller could
    assert list(caught.value.fields) == ["body"]
