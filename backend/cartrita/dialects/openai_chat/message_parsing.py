"""Converts checked messages of a request into the domain's.

Instructions are the system and developer messages before all others. A message's own fields that
no other dialect has (`name`, `audio`) become a vendor part of it, and so do calls of custom tools.
Messages of the old form, with `function_call` and the role `function`, become calls and results.
"""

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from cartrita.dialects.openai_chat import DIALECT, part_places, reasoning_details
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.places import Places
from cartrita.kit.json_depth import MAX_ANSWER_DEPTH, nests_deeper

_INSTRUCTING = {"system", "developer"}
_AUDIO_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_IMAGE_TYPES = {
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
}


def parse(
    messages: list[JsonObject], places: Places
) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    """The instructions, and the messages after them; the places of their parts are added."""
    start = next(
        (at for at, message in enumerate(messages) if not _instructs(message)), len(messages)
    )
    instructions: list[Text] = []
    for index, message in enumerate(messages[:start]):
        texts = list(_texts(message["content"]))
        part_places.add(message, texts, f"messages[{index}]", places)
        instructions += texts
    return tuple(instructions), tuple(_merged(_later(messages, start, places)))


def _instructs(message: JsonObject) -> bool:
    return message["role"] in _INSTRUCTING and not message.get("name")


def _later(messages: list[JsonObject], start: int, places: Places) -> Iterator[Message]:
    names: dict[str, str] = {}  # of the calls so far, by their ids
    for index, message in enumerate(messages[start:]):
        converted = _converted(message, index, names)
        part_places.add(message, converted.parts, f"messages[{start + index}]", places)
        yield converted


def _converted(message: JsonObject, index: int, names: dict[str, str]) -> Message:
    match message["role"]:
        case "user":
            return Message(Role.USER, (*_own_fields(message), *_user_parts(message["content"])))
        case "assistant":
            parts = tuple(_assistant_parts(message, index))
            names.update({part.call_id: part.name for part in parts if isinstance(part, ToolCall)})
            return Message(Role.ASSISTANT, parts)
        case "tool":
            call_id = cast("str", message["tool_call_id"])
            content = tuple(_texts(message["content"]))
            return Message(Role.TOOL, (ToolResult(call_id, content, names.get(call_id)),))
        case "function":
            name = cast("str", message["name"])
            call_id = next((key for key in reversed(names) if names[key] == name), name)
            content = (Text(cast("str", message["content"] or "")),)
            return Message(Role.TOOL, (ToolResult(call_id, content, name),))
        case _:
            return Message(Role.SYSTEM, (*_own_fields(message), *_texts(message["content"])))


def _merged(messages: Iterator[Message]) -> Iterator[Message]:
    """The messages, with all results of one step in one message."""
    results: list[Part] = []
    for message in messages:
        if message.role is Role.TOOL:
            results.extend(message.parts)
            continue
        if results:
            yield Message(Role.TOOL, tuple(results))
            results = []
        yield message
    if results:
        yield Message(Role.TOOL, tuple(results))


def _own_fields(message: JsonObject) -> Iterator[VendorPart]:
    fields = {name: message[name] for name in ("name", "audio") if message.get(name)}
    if fields:
        yield VendorPart(DIALECT, fields)


def _texts(content: object) -> Iterator[Text]:
    if isinstance(content, str):
        yield Text(content)
        return
    for part in cast("list[JsonObject]", content):
        yield Text(cast("str", part["text"]), _cache(part))


def _user_parts(content: object) -> Iterator[Part]:
    if isinstance(content, str):
        yield Text(content)
        return
    for part in cast("list[JsonObject]", content):
        match part["type"]:
            case "text":
                yield Text(cast("str", part["text"]), _cache(part))
            case "image_url":
                yield _image(part)
            case "input_audio":
                audio = cast("dict[str, str]", part["input_audio"])
                media_type = _AUDIO_TYPES[audio["format"]]
                url = f"data:{media_type};base64,{audio['data']}"
                yield Attachment(media_type, url=url, cache=_cache(part))
            case _:
                yield _file(part)


def _image(part: JsonObject) -> Attachment:
    image = cast("dict[str, str]", part["image_url"])
    url = image["url"]
    return Attachment(
        _image_type(url), url=url, detail=image.get("detail") or None, cache=_cache(part)
    )


def _image_type(url: str) -> str:
    """The media type that the URL tells; that of JPEG where it tells none."""
    if url.startswith("data:"):
        return url[5:].partition(",")[0].partition(";")[0]
    ending = url.partition("?")[0].rpartition(".")[2].lower()
    return _IMAGE_TYPES.get(ending, "image/jpeg")


def _file(part: JsonObject) -> Attachment:
    file = cast("dict[str, str | None]", part["file"])
    url, name = file.get("file_data"), file.get("filename")
    if url:
        media_type = url[5:].partition(",")[0].partition(";")[0]
        return Attachment(media_type, url=url, name=name, cache=_cache(part))
    return Attachment(
        "application/octet-stream",
        attachment_id=file.get("file_id"),
        name=name,
        cache=_cache(part),
    )


def _cache(part: JsonObject) -> CacheBreakpoint | None:
    """OpenAI's own breakpoint, or Anthropic's, which clients of other gateways send."""
    mark = part.get("prompt_cache_breakpoint") or part.get("cache_control")
    if not isinstance(mark, dict):
        return None
    return CacheBreakpoint(cast("str | None", mark.get("ttl")))


def _assistant_parts(message: JsonObject, index: int) -> Iterator[Part]:
    yield from _own_fields(message)
    yield from _reasoning(message)
    content = message.get("content") or ""
    parts = cast("list[JsonObject]", content) if isinstance(content, list) else None
    if parts is None and content:
        yield Text(cast("str", content))
    for part in parts or ():
        if part["type"] == "refusal":
            yield Refusal(cast("str", part["refusal"]))
        elif part["text"]:
            yield Text(cast("str", part["text"]), _cache(part))
    if message.get("refusal"):
        yield Refusal(cast("str", message["refusal"]))
    for call in cast("list[JsonObject]", message.get("tool_calls") or ()):
        yield _call(call)
    if message.get("function_call"):
        function = cast("JsonObject", message["function_call"])
        yield _call({"id": f"call_{index}", "type": "function", "function": function})


def _call(call: JsonObject) -> ToolCall | VendorPart:
    if call["type"] == "custom":
        return VendorPart(DIALECT, call)
    function = cast("dict[str, str]", call["function"])
    arguments = _arguments(function["arguments"])
    return ToolCall(cast("str", call["id"]), function["name"], arguments)


def _arguments(text: str) -> JsonObject:
    """The arguments as an object; what is none, as models sometimes write it, is kept as text."""
    if not text.strip():
        return {}
    if nests_deeper(text, MAX_ANSWER_DEPTH):
        return {"arguments": text}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError):
        return {"arguments": text}


def _reasoning(message: JsonObject) -> Iterator[Reasoning]:
    details = cast("list[JsonObject]", message.get("reasoning_details") or ())
    for detail in details:
        text = detail.get("text") or detail.get("summary") or ""
        yield Reasoning(
            cast("str", text),
            cast("str | None", detail.get("signature")),
            cast("str | None", detail.get("data")),
            reasoning_details.origin_of(cast("str | None", detail.get("format"))),
            cast("str | None", detail.get("id")),
        )
    plain = message.get("reasoning_content") or message.get("reasoning")
    if plain and not details:
        yield Reasoning(cast("str", plain), origin=DIALECT)
