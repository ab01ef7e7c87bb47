"""The messages of a chat completion: which may follow which, and what they say."""

from collections.abc import Sequence
from typing import Literal, cast

from tests.harness.fake_provider.content import Turn
from tests.harness.fake_provider.openai import errors

Message = dict[str, object]

_SAID_BY_ASSISTANT = ("content", "tool_calls", "function_call", "audio", "refusal")


def refuse_null_content(messages: object) -> None:
    """Raise the Refusal of a message that says nothing, for which the vendor has its own words."""
    for index, message in enumerate(
        cast("list[object]", messages if isinstance(messages, list) else ())
    ):
        if isinstance(message, dict) and _lacks_content(cast("Message", message)):
            raise errors.OpenAIRefusal(
                "Invalid value for 'content': expected a string, got null.",
                param=f"messages.[{index}].content",
            )


def _lacks_content(message: Message) -> bool:
    role = message.get("role")
    if role == "assistant":
        return all(message.get(name) is None for name in _SAID_BY_ASSISTANT)
    return role != "function" and message.get("content", "") is None


def check_order(messages: Sequence[Message]) -> None:
    """Raise the Refusal of calls without answers, and of answers without calls."""
    open_calls: set[str] = set()
    known_calls: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            _check_answer(message, index, known_calls)
            open_calls.discard(cast("str", message["tool_call_id"]))
            continue
        _refuse_unanswered(open_calls)
        calls = cast("list[Message]", message.get("tool_calls") or [])
        known_calls = {cast("str", call["id"]) for call in calls}
        open_calls = set(known_calls)
    _refuse_unanswered(open_calls)


def _check_answer(message: Message, index: int, known_calls: set[str]) -> None:
    if not known_calls:
        raise errors.OpenAIRefusal(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'.",
            param=f"messages.[{index}].role",
        )
    if message["tool_call_id"] not in known_calls:
        raise errors.OpenAIRefusal(
            f"Invalid parameter: 'tool_call_id' of '{message['tool_call_id']}' not found in "
            "'tool_calls' of previous message.",
            param=f"messages.[{index}].tool_call_id",
        )


def _refuse_unanswered(open_calls: set[str]) -> None:
    if open_calls:
        raise errors.OpenAIRefusal(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(sorted(open_calls)),
            param="messages",
        )


def text_of(message: Message) -> str:
    """The text of a message, its text parts joined."""
    content = message.get("content")
    if isinstance(content, list):
        parts = cast("list[Message]", content)
        return "".join(cast("str", part["text"]) for part in parts if part["type"] == "text")
    return content if isinstance(content, str) else ""


def turn_of(message: Message) -> Turn:
    """The message as far as it decides what is asked."""
    spoken = all(message.get(name) is None for name in ("tool_calls", "function_call", "refusal"))
    role = _TURNS.get(cast("str", message["role"]), "other")
    return Turn(role, text_of(message), plain=spoken)


_TURNS: dict[str, Literal["user", "assistant", "tool", "other"]] = {
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
