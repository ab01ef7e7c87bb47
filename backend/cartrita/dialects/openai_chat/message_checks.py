"""Checks of a request's messages: the shape of each, and which may follow which."""

from collections.abc import Sequence
from typing import cast

from cartrita.dialects import data_urls
from cartrita.dialects.openai_chat import json_checks
from cartrita.dialects.openai_refusals import missing, refusal
from cartrita.domain.json import JsonObject

_SAID_BY_ASSISTANT = ("content", "tool_calls", "function_call", "audio", "refusal")


def _image_url(value: object, path: str) -> None:
    json_checks.string()(value, path)
    url = cast("str", value)
    if url.startswith(("http://", "https://")):
        return
    data = data_urls.parse(url)
    if data is None:
        raise refusal(
            path,
            f"Invalid '{path}': Expected a valid URL, but got a value with an invalid format.",
            "invalid_value",
        )
    if not data.media_type.startswith("image/"):
        raise refusal(
            path,
            f"Invalid '{path}': Expected a base64-encoded data URL with an image MIME type (e.g. "
            "'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got unsupported MIME type "
            f"'{data.media_type}'.",
            "invalid_value",
        )
    if not data.is_valid:
        raise refusal(path, "Invalid base64 image_url.", "invalid_base64")
    if not data.is_image:
        raise refusal(
            path,
            "You uploaded an unsupported image. Please make sure your image has one of the "
            "following formats: ['png', 'jpeg', 'gif', 'webp'].",
            "invalid_image_format",
        )


def _file_data(value: object, path: str) -> None:
    json_checks.string()(value, path)
    data = data_urls.parse(cast("str", value))
    if data is None or not data.is_valid:
        raise refusal(
            path,
            f"Invalid '{path}': Expected a base64-encoded data URL (e.g. "
            "'data:application/pdf;base64,JVBERi0='), but got a value with an invalid format.",
            "invalid_value",
        )


def _audio_data(value: object, path: str) -> None:
    json_checks.string()(value, path)
    if not data_urls.is_base64(cast("str", value)):
        raise refusal(path, f"Invalid '{path}': Expected base64-encoded audio.", "invalid_base64")


def _file(value: object, path: str) -> None:
    json_checks.record(
        {},
        {
            "file_data": json_checks.nullable(_file_data),
            "file_id": json_checks.nullable(json_checks.string()),
            "filename": json_checks.nullable(json_checks.string()),
        },
    )(value, path)
    file = cast("JsonObject", value)
    if not file.get("file_data") and not file.get("file_id"):
        raise missing(f"{path}.file_id")


_CACHE: dict[str, json_checks.Check] = {
    "prompt_cache_breakpoint": json_checks.nullable(
        json_checks.record({}, {"ttl": json_checks.nullable(json_checks.string())})
    ),
    "cache_control": json_checks.nullable(
        json_checks.record({}, {"ttl": json_checks.nullable(json_checks.string())})
    ),
}
_PARTS: dict[str, json_checks.Check] = {
    "text": json_checks.record({"text": json_checks.string()}, _CACHE),
    "image_url": json_checks.record(
        {
            "image_url": json_checks.record(
                {"url": _image_url},
                {
                    "detail": json_checks.nullable(
                        json_checks.choice("auto", "low", "high", "original")
                    )
                },
            )
        },
        _CACHE,
    ),
    "input_audio": json_checks.record(
        {
            "input_audio": json_checks.record(
                {"data": _audio_data, "format": json_checks.choice("wav", "mp3")}
            )
        },
        _CACHE,
    ),
    "file": json_checks.record({"file": _file}, _CACHE),
    "refusal": json_checks.record({"refusal": json_checks.string()}),
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
_ID: dict[str, json_checks.Check] = {"id": json_checks.string()}
_TOOL_CALL = json_checks.tagged(
    {
        "function": json_checks.record(_ID | {"function": _FUNCTION}),
        "custom": json_checks.record(
            _ID
            | {
                "custom": json_checks.record(
                    {"name": json_checks.string(), "input": json_checks.string()}
                )
            }
        ),
    }
)
_REASONING_DETAIL = json_checks.record(
    {"type": json_checks.string()},
    {
        name: json_checks.nullable(json_checks.string())
        for name in ("text", "summary", "data", "signature", "format", "id")
    },
)
_NAME: dict[str, json_checks.Check] = {"name": json_checks.nullable(json_checks.string())}
_TEXTS: dict[str, json_checks.Check] = {"content": _content("text")}
_ROLES: dict[str, json_checks.Check] = {
    "system": json_checks.record(_TEXTS, _NAME),
    "assistant": json_checks.record(
        {},
        {
            **_NAME,
            "content": _content("text", "refusal", null=True),
            "refusal": json_checks.nullable(json_checks.string()),
            "audio": json_checks.nullable(json_checks.record({"id": json_checks.string()})),
            "function_call": json_checks.nullable(_FUNCTION),
            "tool_calls": json_checks.nullable(json_checks.array(_TOOL_CALL, at_least=1)),
            "reasoning": json_checks.nullable(json_checks.string()),
            "reasoning_content": json_checks.nullable(json_checks.string()),
            "reasoning_details": json_checks.nullable(json_checks.array(_REASONING_DETAIL)),
        },
    ),
    "user": json_checks.record(
        {"content": _content("text", "image_url", "input_audio", "file")}, _NAME
    ),
    "function": json_checks.record(
        {"name": json_checks.string(), "content": json_checks.nullable(json_checks.string())}
    ),
    "tool": json_checks.record({**_TEXTS, "tool_call_id": json_checks.string()}),
    "developer": json_checks.record(_TEXTS, _NAME),
}
_CHECK = json_checks.array(json_checks.tagged(_ROLES, tag="role"), at_least=1)


def check(value: object, *, continued: bool) -> list[JsonObject]:
    """The messages. Raises InvalidInput as OpenAI refuses them.

    Those that continue a stored conversation may begin with the results of its last calls.
    """
    _refuse_null_content(value)
    _CHECK(value, "messages")
    messages = cast("list[JsonObject]", value)
    _check_order(messages, continued=continued)
    return messages


def _refuse_null_content(messages: object) -> None:
    if not isinstance(messages, list):
        return
    for index, message in enumerate(cast("list[object]", messages)):
        if isinstance(message, dict) and _lacks_content(cast("JsonObject", message)):
            raise refusal(
                f"messages.[{index}].content",
                "Invalid value for 'content': expected a string, got null.",
            )


def _lacks_content(message: JsonObject) -> bool:
    role = message.get("role")
    if role == "assistant":
        return all(message.get(name) is None for name in _SAID_BY_ASSISTANT)
    return role != "function" and message.get("content", "") is None


def _check_order(messages: Sequence[JsonObject], *, continued: bool) -> None:
    known_calls: set[str] = set()
    unanswered: set[str] = set()
    anything_known = continued
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if not anything_known:
                _check_result(message, index, known_calls)
            unanswered.discard(cast("str", message["tool_call_id"]))
            continue
        _refuse_unanswered(unanswered)
        anything_known = False
        calls = cast("list[JsonObject]", message.get("tool_calls") or [])
        known_calls = {cast("str", call["id"]) for call in calls}
        unanswered = set(known_calls)
    _refuse_unanswered(unanswered)


def _check_result(message: JsonObject, index: int, known_calls: set[str]) -> None:
    if not known_calls:
        raise refusal(
            f"messages.[{index}].role",
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'.",
        )
    if message["tool_call_id"] not in known_calls:
        raise refusal(
            f"messages.[{index}].tool_call_id",
            f"Invalid parameter: 'tool_call_id' of '{message['tool_call_id']}' not found in "
            "'tool_calls' of previous message.",
        )


def _refuse_unanswered(unanswered: set[str]) -> None:
    if unanswered:
        raise refusal(
            "messages",
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(sorted(unanswered)),
        )
