"""What is told of messages holds no secrets, no files, and not more than is allowed."""

import base64
import json
from typing import Any

import pytest
from tests.backend.adapters.tracing.samples import request

from cartrita.adapters.tracing.contents import Contents
from cartrita.domain.deltas import TextDelta, ToolCallDelta
from cartrita.domain.messages import Attachment, Message, Reasoning, Role, Text, ToolResult
from cartrita.domain.requests import ModelRequest
from cartrita.kit.secret import Secret

OURS = "provider-key-of-this-server-0123456789"
PICTURE = base64.b64encode(bytes(range(256)) * 40).decode()


def full(most: int = 1000) -> Contents:
    return Contents("full", most, [Secret(OURS), Secret("short")])


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefgh-ijklmnop-qrst",
        "see https://x.example/?token=abcdefgh-ijklmnop",
        "https://ann:abcdefgh@x.example/",
        "my key is sk-abcdefghijklmnop",
        f"it is {OURS}!",
        f"it is {base64.b64encode(f'ann:{OURS}'.encode()).decode()}",
        f"it is {OURS.encode().hex()}",
        f"it is {OURS.encode().hex().upper()}",
        f"it is {base64.urlsafe_b64encode(f'??>{OURS}'.encode()).decode()}",
        "it is " + "".join(f"%{octet:02X}" for octet in OURS.encode()),
        f"it is {OURS.upper()}",
        "gsk_abcdefghijklmnop",
        "xai-abcdefghijklmnop",
        "github_pat_abcdefghijklmnop",
        "AIzaabcdefghijklmnop",
        "AKIAabcdefghijklmnop",
        "xoxb-abcdefghijklmnop",
        "eyJabcdefghijk.abcdefghijk.abcdefghijk",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    told = json.dumps(full().request(request(text)))
    assert "***" in told
    assert "abcdefgh" not in told
    assert OURS[:16] not in told


def test_a_secret_is_masked_where_the_text_is_cut() -> None:
    for start in range(80, 120):
        told = full(100).text("x " * (start // 2) + f"sk-abcdefghijklmnop {OURS}")
        assert "abcdefgh" not in str(told)
        assert OURS[:8] not in str(told)


def test_values_of_sensitive_names_are_not_told() -> None:
    value: Any = {"api_key": "abc", "headers": {"Cookie": "def"}, "max_tokens": 5, "q": "moss"}
    assert full().value(value) == {
        "api_key": "***",
        "headers": {"Cookie": "***"},
        "max_tokens": 5,
        "q": "moss",
    }


def test_files_are_told_by_name_and_size() -> None:
    parts = (
        Text("What is it?"),
        Attachment("image/png", url=f"data:image/png;base64,{PICTURE}"),
        Attachment("application/pdf", attachment_id="file_1", name="Payslip of Ann.pdf"),
        Attachment("image/png", url="https://x.example/a.png?sig=abcdefgh"),
    )
    told = json.dumps(
        full().request(ModelRequest(owner_id="a", model="m", messages=(Message(Role.USER, parts),)))
    )
    assert PICTURE[:30] not in told
    assert "file_1" in told
    assert "x.example" not in told
    assert "Payslip" not in told


@pytest.mark.parametrize("text", [f"data:image/png;base64,{PICTURE}", f'{{"blob": "{PICTURE}"}}'])
def test_a_file_in_a_text_is_not_told(text: str) -> None:
    result = ToolResult("call_1", (Text(text),))
    asked = ModelRequest(owner_id="a", model="m", messages=(Message(Role.TOOL, (result,)),))
    for told in (full(20_000).request(asked), full(20_000).value(text), full(20_000).text(text)):
        assert PICTURE[:40] not in json.dumps(told)


def test_a_text_of_ten_megabytes_is_cut() -> None:
    told = full().text("moss " * 2_000_000)
    assert isinstance(told, str)
    assert len(told) < 1100
    assert told.endswith("[10000000 characters]")


def test_half_a_character_does_no_harm() -> None:
    assert full().text("a\ud800b") == "a?b"
    assert full().value({"a\ud800b": "c"}) == {"a?b": "c"}


def test_the_last_messages_are_told_first() -> None:
    messages = tuple(Message(Role.USER, (Text(f"{number} {'m' * 90}"),)) for number in range(50))
    told: Any = full().request(ModelRequest(owner_id="a", model="m", messages=messages))
    assert told[-1]["content"].startswith("49 ")
    assert told[0] == {"role": "system", "left_out": 50 - (len(told) - 1)}
    assert 5 < len(told) < 12


def test_reasoning_is_told_without_its_seal() -> None:
    parts = (Reasoning("Hm.", signature="seal-of-it", encrypted="hidden"),)
    asked = ModelRequest(owner_id="a", model="m", messages=(Message(Role.ASSISTANT, parts),))
    told = json.dumps(full().request(asked))
    assert "Hm." in told
    assert "seal-of-it" not in told
    assert "hidden" not in told


def test_an_answer_has_its_calls() -> None:
    deltas = [
        TextDelta("I "),
        TextDelta("ask."),
        ToolCallDelta(0, "call_1", "web_search", '{"query": '),
        ToolCallDelta(0, arguments='"moss"}'),
        ToolCallDelta(1, "call_2", "broken", '{"query'),
    ]
    assert full().answer(deltas) == {
        "role": "assistant",
        "content": "I ask.",
        "tool_calls": [
            {"name": "web_search", "arguments": {"query": "moss"}},
            {"name": "broken", "arguments": '{"query'},
        ],
    }


@pytest.mark.parametrize("policy", ["full", "redacted"])
def test_names_of_arguments_hide_secrets(policy: Any) -> None:
    told = Contents(policy, 1000, [Secret(OURS)]).value({f"{OURS}": 1, "sk-abcdefghijklmnop": 2})
    assert OURS not in str(told)
    assert "abcdefgh" not in str(told)


def test_words_find_as_much_room_as_a_text() -> None:
    told = full(100).words([f"sk-abcdefghijklmnop{OURS}", *["x" * 60] * 9])
    assert "abcdefgh" not in str(told)
    assert told is not None
    assert len(str(told)) < 250


def test_shapes_have_lengths_and_names_only() -> None:
    redacted = Contents("redacted", 1000)
    assert redacted.text("moss") == {"characters": 4}
    assert redacted.value({"query": "moss"}) == {"names": ["query"]}
    assert redacted.result({"ann@x.example": "moss"}) == {"fields": 1}
    assert redacted.words(["END", "moss"]) == 2
    assert redacted.request(request("moss")) == [
        {"role": "system", "content": {"characters": 9}},
        {"role": "user", "content": {"characters": 4}},
    ]
