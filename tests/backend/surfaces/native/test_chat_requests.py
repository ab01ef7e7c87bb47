"""A chat request means the same as a body and as a query."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from structlog.testing import capture_logs

from cartrita.domain.errors import InvalidInput, Malformed
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import BusyPolicy
from cartrita.surfaces.native.chat_requests import ChatRequest, parse_chat_query
from cartrita.surfaces.native.request_bodies import validated

EARLIER = '[{"role": "user", "content": "Hi"}]'


def query(**values: str) -> bytes:
    return urlencode({"message": "Hello", **values}).encode()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (query(), {}),
        (query(conversation_id="conv_1"), {"conversation_id": "conv_1"}),
        (query(conversationId="conv_1"), {"conversation_id": "conv_1"}),
        (query(conversation_id=""), {}),
        (query(conversation_id="null", provider="undefined"), {}),
        (query(agentOverride="assistant"), {"agent_override": "assistant"}),
        (query(temperature="0.5", max_tokens="9"), {"temperature": 0.5, "max_tokens": 9}),
        (query(maxTokens="9"), {"max_tokens": 9}),
        (query(stream="true"), {"stream": True}),
        (query(tools="a, b,"), {"tools": ("a", "b")}),
        (query(tools='["a", "b,c"]'), {"tools": ("a", "b,c")}),
        (query() + b"&tools=a&tools=b,c", {"tools": ("a", "b", "c")}),
        (query(tools=""), {}),
        (query(metadata='{"a": [1]}'), {"metadata": {"a": [1]}}),
        (query(context="{}"), {}),
        (query(context="[object Object]"), {}),
        (query(metadata="[object Object],[object Object]"), {}),
        (query(busy="reject"), {"busy": BusyPolicy.REJECT}),
        (query(unknown="x", ticket="y"), {}),
    ],
)
def test_what_a_query_means(asked: bytes, expected: dict[str, Any]) -> None:
    assert parse_chat_query(asked) == ChatRequest(message="Hello", metadata={}).model_copy(
        update=expected
    )


def test_words_stay_words() -> None:
    for words in ("null", "undefined", "[object Object]", "a,b", "ö\U0001f600 &="):
        assert parse_chat_query(f"message={quote(words)}".encode()).message == words


def test_what_is_ignored_is_logged_by_name() -> None:
    with capture_logs() as lines:
        parse_chat_query(query(context="[object Object]"))
    assert lines == [
        {"event": "query_parameter_ignored", "parameter": "context", "log_level": "warning"}
    ]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (b"", "message"),
        (b"message=", "message"),
        (b"message=%20%0A", "message"),
        (b"message=a%00b", "message"),
        (b"message=" + b"x" * 32_001, "message"),
        (query(temperature="3"), "temperature"),
        (query(temperature="warm"), "temperature"),
        (query(metadata="{"), "metadata"),
        (query(metadata="[" * 5_000), "metadata"),
        (query(metadata='["a"]'), "metadata"),
        (query(metadata='{"a": "\\u0000"}'), "metadata"),
        (query(tools='["a"'), "tools"),
        (query(context='{"role": "user"}'), "context"),
    ],
)
def test_what_is_refused(asked: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as told:
        parse_chat_query(asked)
    assert [name.partition(".")[0] for name in told.value.fields] == [field]


@pytest.mark.parametrize("asked", [b"message=%ff", b"message=\xff", b"a=1&" * 300 + b"message=x"])
def test_what_cannot_be_read(asked: bytes) -> None:
    with pytest.raises(Malformed):
        parse_chat_query(asked)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [1] * 40_000),
        ("tools", ["a"] * 129),
        ("context", [{"role": 1}] * 40_000),
        ("context", [{"role": "user", "content": [1] * 40_000}]),
    ],
)
def test_one_error_of_many_is_enough(field: str, value: object) -> None:
    """An answer with 40,000 sentences would take seconds to write, and nobody reads it."""
    with pytest.raises(InvalidInput) as told:
        validated(ChatRequest, {"message": "Hello", field: value})
    assert len(told.value.fields) <= 2


def test_the_longest_message_is_counted_in_characters() -> None:
    assert validated(ChatRequest, {"message": "\U0001f600" * 32_000})


def test_what_it_asks_of_us() -> None:
    body = {
        "message": "Hello",
        "conversationId": "c",
        "client_msg_id": "one",
        "provider": "openai",
        "model": "m",
        "agent_override": "assistant",
        "context": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "Yes?"}]},
        ],
        "system": "Be kind.",
        "temperature": 0,
        "max_tokens": 5,
        "metadata": {"a": 1},
    }
    request = validated(ChatRequest, body)
    command = request.to_command(request.conversation_id)
    assert command.message == Message(Role.USER, (Text("Hello"),))
    assert (command.conversation_id, command.client_msg_id) == ("c", "one")
    assert (command.provider, command.model, command.agent) == ("openai", "m", "assistant")
    assert command.context == (
        Message(Role.USER, (Text("Hi"),)),
        Message(Role.ASSISTANT, (Text("Yes?"),)),
    )
    assert command.instructions == "Be kind.\n\nBe brief."
    assert command.sampling == Sampling(temperature=0, max_tokens=5)
    assert command.metadata == {"a": 1}
    assert command.surface == "native"
