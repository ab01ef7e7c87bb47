"""Estimates follow the written rule and are never 0."""

from cartrita.domain.messages import (
    Attachment,
    Citation,
    Message,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import request_tokens, text_tokens
from cartrita.domain.tools import ToolSpec


def test_four_bytes_of_utf8_are_a_token() -> None:
    assert text_tokens("") == 0
    assert text_tokens("a") == 1
    assert text_tokens("abcd") == 1
    assert text_tokens("abcde") == 2
    assert text_tokens("日本語") == 3  # nine bytes
    assert text_tokens("\ud800") == 1  # nothing that a server sends may break the count


def test_an_empty_request_is_not_free() -> None:
    assert request_tokens(ModelRequest(owner_id="o", model="m", messages=())) == 1


def test_everything_that_is_sent_counts() -> None:
    parts = (
        Text("abcd"),
        Reasoning("abcd"),
        Attachment("image/png"),
        ToolCall("1", "abcd", {}),
        ToolResult("1", (Text("abcd"),)),
        Citation("a title that was never sent"),
    )
    message = Message(Role.USER, parts)
    tool = ToolSpec("abcd", "efgh", {"type": "object"})
    request = ModelRequest(
        owner_id="o", model="m", messages=(message,), instructions=(Text("abcd"),), tools=(tool,)
    )
    said = 3 + 1 + 1 + 256 + (1 + 1) + 1
    assert request_tokens(request) == said + (3 + 1) + (3 + 2 + 5)
