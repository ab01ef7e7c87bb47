"""The messages of a chat completion: their schemas, and which may follow which."""

from collections.abc import Sequence
from typing import Literal, cast

from tests.harness.fake_provider.content import Turn
from tests.harness.fake_provider.openai import errors, json_checks
from tests.harness.fake_provider.openai.media_checks import file_part, image_url, sound

Message = dict[str, object]

_TEXT_PART = json_checks.record({"type": json_checks.anything, "text": json_checks.string()})
_PARTS: dict[str, json_checks.Check] = {
    "text": _TEXT_PART,
    "image_url": json_checks.record(
        {
            "type": json_checks.anything,
            "image_url": json_checks.record(
                {"url": image_url}, {"detail": json_checks.choice("auto", "low", "high")}
            ),
        }
    ),
    "input_audio": json_checks.record(
        {
            "type": json_checks.anything,
            "input_audio": json_checks.record(
                {"data": sound, "format": json_checks.choice("wav", "mp3")}
            ),
        }
    ),
    "file": json_checks.record(
        {
            "type": json_checks.anything,
            "file": json_checks.record(
                {},
                {
                    "file_data": file_part,
                    "file_id": json_checks.string(),
                    "filename": json_checks.string(),
                },
            ),
        }
    ),
    "refusal": json_checks.record({"type": json_checks.anything, "refusal": json_checks.string()}),
}


def _content(*parts: str, null: bool = False) -> json_checks.Check:
    of = json_checks.tagged({name: _PARTS[name] for name in parts})
    kinds: dict[type, json_checks.Check] = {
        str: json_checks.string(),
        list: json_checks.array(of, at_least=1),
    }
    if null:
        kinds[type(None)] = json_checks.anything
    return json_checks.either("one of a string or array of objects", kinds)


_FUNCTION = json_checks.record({"name": json_checks.string(), "arguments": json_checks.string()})
_TOOL_CALL = json_checks.tagged(
    {
        "function": json_checks.record(
            {"id": json_checks.string(), "type": json_checks.anything, "function": _FUNCTION}
        ),
        "custom": json_checks.record(
            {
                "id": json_checks.string(),
                "type": json_checks.anything,
                "custom": json_checks.record(
                    {"name": json_checks.string(), "input": json_checks.string()}
                ),
            }
        ),
    }
)
_ROLE: dict[str, json_checks.Check] = {"role": json_checks.anything}
_NAME: dict[str, json_checks.Check] = {"name": json_checks.string()}
_ROLES: dict[str, json_checks.Check] = {
    "system": json_checks.record(_ROLE | {"content": _content("text")}, _NAME),
    "assistant": json_checks.record(
        _ROLE,
        _NAME
        | {
            "content": _content("text", "refusal", null=True),
            "refusal": json_checks.nullable(json_checks.string()),
            "audio": json_checks.nullable(json_checks.record({"id": json_checks.string()})),
            "function_call": json_checks.nullable(_FUNCTION),
            "tool_calls": json_checks.array(_TOOL_CALL, at_least=1),
        },
    ),
    "user": json_checks.record(
        _ROLE | {"content": _content("text", "image_url", "input_audio", "file")}, _NAME
    ),
    "function": json_checks.record(
        _ROLE | _NAME | {"content": json_checks.nullable(json_checks.string())},
    ),
    "tool": json_checks.record(
        _ROLE | {"content": _content("text"), "tool_call_id": json_checks.string()},
    ),
    "developer": json_checks.record(_ROLE | {"content": _content("text")}, _NAME),
}
_SAID_BY_ASSISTANT = ("content", "tool_calls", "function_call", "audio", "refusal")
_CHECK = json_checks.array(json_checks.tagged(_ROLES, tag="role"), at_least=1)


def check(value: object, path: str) -> None:
    """Raise the Refusal that the vendor would answer these messages with."""
    if isinstance(value, list):
        for index, message in enumerate(cast("list[object]", value)):
            _refuse_null_content(message, index)
    _CHECK(value, path)
    _check_order(cast("list[Message]", value))


def _refuse_null_content(message: object, index: int) -> None:
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
