"""The messages of a chat completion: their shapes, and which may follow which."""

from collections.abc import Sequence
from typing import cast

from tests.harness.fake_provider import errors, shapes

Message = dict[str, object]

_TEXT_PART = shapes.record({"type": shapes.anything, "text": shapes.string()})
_PARTS: dict[str, shapes.Check] = {
    "text": _TEXT_PART,
    "image_url": shapes.record(
        {
            "type": shapes.anything,
            "image_url": shapes.record(
                {"url": shapes.string()}, {"detail": shapes.choice("auto", "low", "high")}
            ),
        }
    ),
    "input_audio": shapes.record(
        {
            "type": shapes.anything,
            "input_audio": shapes.record(
                {"data": shapes.string(), "format": shapes.choice("wav", "mp3")}
            ),
        }
    ),
    "file": shapes.record(
        {
            "type": shapes.anything,
            "file": shapes.record(
                {},
                {
                    "file_data": shapes.string(),
                    "file_id": shapes.string(),
                    "filename": shapes.string(),
                },
            ),
        }
    ),
    "refusal": shapes.record({"type": shapes.anything, "refusal": shapes.string()}),
}


def _content(*parts: str, null: bool = False) -> shapes.Check:
    of = shapes.tagged({name: _PARTS[name] for name in parts})
    kinds: dict[type, shapes.Check] = {str: shapes.string(), list: shapes.array(of, at_least=1)}
    if null:
        kinds[type(None)] = shapes.anything
    return shapes.either("one of a string or array of objects", kinds)


_FUNCTION = shapes.record({"name": shapes.string(), "arguments": shapes.string()})
_TOOL_CALL = shapes.tagged(
    {
        "function": shapes.record(
            {"id": shapes.string(), "type": shapes.anything, "function": _FUNCTION}
        ),
        "custom": shapes.record(
            {
                "id": shapes.string(),
                "type": shapes.anything,
                "custom": shapes.record({"name": shapes.string(), "input": shapes.string()}),
            }
        ),
    }
)
_ROLE: dict[str, shapes.Check] = {"role": shapes.anything}
_NAME: dict[str, shapes.Check] = {"name": shapes.string()}
_ROLES: dict[str, shapes.Check] = {
    "system": shapes.record(_ROLE | {"content": _content("text")}, _NAME),
    "assistant": shapes.record(
        _ROLE,
        _NAME
        | {
            "content": _content("text", "refusal", null=True),
            "refusal": shapes.nullable(shapes.string()),
            "audio": shapes.nullable(shapes.record({"id": shapes.string()})),
            "function_call": shapes.nullable(_FUNCTION),
            "tool_calls": shapes.array(_TOOL_CALL, at_least=1),
        },
    ),
    "user": shapes.record(
        _ROLE | {"content": _content("text", "image_url", "input_audio", "file")}, _NAME
    ),
    "function": shapes.record(
        _ROLE | _NAME | {"content": shapes.nullable(shapes.string())},
    ),
    "tool": shapes.record(
        _ROLE | {"content": _content("text"), "tool_call_id": shapes.string()},
    ),
    "developer": shapes.record(_ROLE | {"content": _content("text")}, _NAME),
}
_SAID_BY_ASSISTANT = ("content", "tool_calls", "function_call", "audio", "refusal")
_CHECK = shapes.array(shapes.tagged(_ROLES, tag="role"), at_least=1)


def check(value: object, path: str) -> None:
    """Raise the Refusal that the vendor would answer these messages with."""
    if isinstance(value, list):
        for index, message in enumerate(cast("list[object]", value)):
            _refuse_null_content(message, index)
    _CHECK(value, path)
    _check_order(cast("list[Message]", value))


def _refuse_null_content(message: object, index: int) -> None:
    if isinstance(message, dict) and _lacks_content(cast("Message", message)):
        raise errors.Refusal(
            "Invalid value for 'content': expected a string, got null.",
            param=f"messages.[{index}].content",
        )


def _lacks_content(message: Message) -> bool:
    role = message.get("role")
    if role == "assistant":
        return all(message.get(name) is None for name in _SAID_BY_ASSISTANT)
    return role != "function" and message.get("content", "") is None


def _check_order(messages: Sequence[Message]) -> None:
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
        raise errors.Refusal(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'.",
            param=f"messages.[{index}].role",
        )
    if message["tool_call_id"] not in known_calls:
        raise errors.Refusal(
            f"Invalid parameter: 'tool_call_id' of '{message['tool_call_id']}' not found in "
            "'tool_calls' of previous message.",
            param=f"messages.[{index}].tool_call_id",
        )


def _refuse_unanswered(open_calls: set[str]) -> None:
    if open_calls:
        raise errors.Refusal(
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
