"""Secrets in typed text, and calls of desktops in the log of a run."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.domain.continued_answers import events_of
from cartrita.domain.desktop import Type, typed, written
from cartrita.domain.events import ToolCalled
from cartrita.domain.fold import fold
from cartrita.domain.messages import ToolCall

CALL = ToolCall(
    "c1",
    "computer",
    {"actions": [{"type": "screenshot"}]},
    origin="anthropic_messages",
    vendor={"type": "tool_use", "id": "c1", "name": "screenshot", "toolset_name": "computer"},
)


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("", (Type(""),)),
        ("hello", (Type("hello"),)),
        ("{{secret:PIN}}", (Type(secret="PIN"),)),
        ("me {{secret:PIN}}\n", (Type("me "), Type(secret="PIN"), Type("\n"))),
        ("{{secret:}} {{SECRET:A}}", (Type("{{secret:}} {{SECRET:A}}"),)),
    ],
)
def test_a_mark_in_a_text_types_a_secret(text: str, actions: tuple[Type, ...]) -> None:
    assert typed(text) == actions


@examples
@given(st.text(max_size=40) | st.from_regex(r".{0,4}\{\{secret:[A-Z]{1,3}\}\}.{0,4}"))
def test_what_is_typed_can_be_written_again(text: str) -> None:
    assert "".join(map(written, typed(text))) == text


def test_a_call_comes_back_from_the_log_as_its_vendor_wrote_it() -> None:
    (called,) = events_of([CALL])
    assert fold([called]).parts == (CALL,)


def test_calls_without_a_vendor_are_stored_as_before() -> None:
    stored = msgspec.to_builtins(ToolCalled("c1", "look", {}))
    assert stored == {"type": "tool_called", "call_id": "c1", "name": "look", "arguments": {}}
