"""Parses the content blocks of callers into parts; what only Anthropic knows is kept whole."""

import base64
import re
from collections.abc import Callable, Iterator

import msgspec

from cartrita.dialects import data_urls
from cartrita.dialects.anthropic_messages import (
    DIALECT,
    file_sources,
    foreign_seals,
    response_parsing,
)
from cartrita.dialects.anthropic_messages import request_types as wire
from cartrita.dialects.anthropic_messages.blocks import is_vendor_call
from cartrita.dialects.anthropic_messages.json_checks import an_object, convert
from cartrita.domain.errors import InvalidInput
from cartrita.domain.files import is_file_id
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolContent,
    ToolResult,
    VendorPart,
)
from cartrita.domain.places import Places

_OF_ASSISTANT = ("tool_use", "thinking", "redacted_thinking", "server_tool_use")
_SOURCES = ("data", "url")
_OF_USER = ("tool_result", "image", "document")
_SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.S),
    file_sources.PDF: re.compile(rb".{0,1024}%PDF-", re.S),
}
_IMAGE_ENDINGS = {"png": "image/png", "gif": "image/gif", "webp": "image/webp"}


class _Marked(msgspec.Struct, frozen=True):
    """A block of which only its place in the cache is read."""

    cache_control: wire.CacheControl | None = None


class _Result(msgspec.Struct, frozen=True):
    """A tool result whose content has not been read yet."""

    tool_use_id: str
    content: JsonValue = None
    is_error: bool | None = None
    cache_control: wire.CacheControl | None = None


def parse_blocks(content: JsonValue, role: str, path: str, places: Places) -> tuple[Part, ...]:
    """The parts of a message's content: a string or a list. Raises InvalidInput."""
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list):
        raise InvalidInput.of(path, "Input should be a valid string or a valid list")
    found: list[Part] = []
    for index, value in enumerate(content):
        at = f"{path}.{index}"
        for part in _parts(an_object(value, at), role, at):
            found.append(part)
            _place(part, value, at, places)
    return tuple(found)


def _place(part: Part, block: JsonValue, path: str, places: Places) -> None:
    """Add the place of a part, and of those that it holds as the result of a tool."""
    fields = block if isinstance(block, dict) else {}
    source = fields.get("source")
    held = next((name for name in _SOURCES if isinstance(source, dict) and name in source), None)
    places.add(part, path, "" if held is None else f"source.{held}")
    inside = fields.get("content")
    if isinstance(part, ToolResult) and isinstance(inside, list):
        for index, (one, value) in enumerate(zip(part.content, inside, strict=True)):
            _place(one, value, f"{path}.content.{index}", places)


def parse_text(block: JsonValue, path: str) -> Text:
    """A block that must be text. Raises InvalidInput."""
    if an_object(block, path).get("type") != "text":
        raise InvalidInput.of(f"{path}.type", "Input should be 'text'")
    return _text_of(convert(block, wire.TextBlock, path), path)


def breakpoint_of(control: wire.CacheControl | None) -> CacheBreakpoint | None:
    """The cache breakpoint."""
    return None if control is None else CacheBreakpoint(control.ttl)


def _parts(block: JsonObject, role: str, path: str) -> Iterator[Part]:
    kind = block.get("type")
    if not isinstance(kind, str):
        raise InvalidInput.of(f"{path}.type", "Field required")
    expected = "assistant" if kind in _OF_ASSISTANT else "user" if kind in _OF_USER else role
    if role != expected:
        raise InvalidInput.of(path, f"`{kind}` blocks can only be in `{expected}` messages")
    if kind == "text":
        yield from _cited_text(convert(block, wire.TextBlock, path), path)
    else:
        yield _KINDS.get(kind, _vendor)(block, path)


def _cited_text(block: wire.TextBlock, path: str) -> Iterator[Part]:
    yield _text_of(block, path)
    for index, vendor in enumerate(block.citations or ()):
        yield response_parsing.citation(vendor, index + 1)


def _text_of(block: wire.TextBlock, path: str) -> Text:
    if not block.text.strip():
        problem = "text content blocks must contain non-whitespace text"
        raise InvalidInput.of(f"{path}.text", problem)
    return Text(block.text, breakpoint_of(block.cache_control))


def _vendor(block: JsonObject, _path: str) -> VendorPart:
    return VendorPart(DIALECT, block)


def _image(block: JsonObject, path: str) -> Attachment | VendorPart:
    if _source_type(block) == "file":
        return _file(block, "image/*", path)
    image = convert(block, wire.ImageBlock, path)
    cache = breakpoint_of(image.cache_control)
    if isinstance(image.source, wire.UrlSource):
        url = _address(image.source.url, path)
        ending = url.partition("?")[0].rpartition(".")[2].lower()
        return Attachment(_IMAGE_ENDINGS.get(ending, "image/jpeg"), url=url, cache=cache)
    source = image.source
    _check_file(source.data, source.media_type, f"{path}.source")
    return Attachment(
        source.media_type, url=file_sources.data_url(source.media_type, source.data), cache=cache
    )


def _document(block: JsonObject, path: str) -> Attachment | VendorPart:
    kind = _source_type(block)
    if kind == "file":
        return _file(block, "application/octet-stream", path)
    if kind == "content":
        return VendorPart(DIALECT, block)
    document = convert(block, wire.DocumentBlock, path)
    match document.source:
        case wire.UrlSource(url):
            media_type, address = file_sources.PDF, _address(url, path)
        case wire.PdfData(data=data):
            _check_file(data, file_sources.PDF, f"{path}.source")
            media_type, address = file_sources.PDF, file_sources.data_url(file_sources.PDF, data)
        case wire.PlainText(data=data):
            media_type, address = "text/plain", file_sources.text_url(data)
    return Attachment(
        media_type,
        url=address,
        name=document.title,
        context=document.context,
        cited=document.citations is not None and document.citations.enabled,
        cache=breakpoint_of(document.cache_control),
    )


def _file(block: JsonObject, media_type: str, path: str) -> Attachment | VendorPart:
    """A file by its id: one that is stored here, or else one that Anthropic has."""
    source = block.get("source")
    named = source.get("file_id") if isinstance(source, dict) else None
    if not isinstance(named, str) or not is_file_id(named):
        return VendorPart(DIALECT, block)
    control = convert(block, _Marked, path).cache_control
    return Attachment(media_type, attachment_id=named, cache=breakpoint_of(control))


def _source_type(block: JsonObject) -> JsonValue:
    source = block.get("source")
    return source.get("type") if isinstance(source, dict) else None


def _address(url: str, path: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise InvalidInput.of(f"{path}.source.url", "Only HTTPS URLs are supported.")
    return url


def _check_file(data: str, media_type: str, path: str) -> None:
    """Whether the data is base64 and begins as a file of its type does."""
    if not data_urls.is_base64(data):
        raise InvalidInput.of(f"{path}.data", "Input should be valid base64 and not empty")
    if not _SIGNATURES[media_type].match(base64.b64decode(data[:1400])):
        what = (
            "a valid PDF" if media_type == file_sources.PDF else f"a valid {media_type[6:]} image"
        )
        problem = f"The file was specified as {media_type}, but does not appear to be {what}"
        raise InvalidInput.of(f"{path}.data", problem)


def _tool_use(block: JsonObject, path: str) -> ToolCall | VendorPart:
    call = convert(block, wire.ToolUseBlock, path)
    if is_vendor_call(block):
        return VendorPart(DIALECT, block)
    return ToolCall(call.id, call.name, call.input, breakpoint_of(call.cache_control))


def _tool_result(block: JsonObject, path: str) -> ToolResult | VendorPart:
    result = convert(block, _Result, path)
    if is_vendor_call(block):
        return VendorPart(DIALECT, block)
    content = tuple(_result_content(result.content, f"{path}.content"))
    if result.is_error and not content:
        raise InvalidInput.of(f"{path}.content", "content cannot be empty if `is_error` is true")
    return ToolResult(
        result.tool_use_id,
        content,
        success=not result.is_error,
        cache=breakpoint_of(result.cache_control),
    )


def _result_content(content: JsonValue, path: str) -> Iterator[ToolContent]:
    if content is None or content == "":
        return
    if isinstance(content, str):
        yield Text(content)
        return
    for index, block in enumerate(convert(content, list[JsonObject], path)):
        where = f"{path}.{index}"
        match block.get("type"):
            case "text":
                yield parse_text(block, where)
            case "image":
                yield _image(block, where)
            case "document":
                yield _document(block, where)
            case str():
                yield VendorPart(DIALECT, block)
            case _:
                raise InvalidInput.of(f"{where}.type", "Field required")


def _thinking(block: JsonObject, path: str) -> Reasoning:
    thinking = convert(block, wire.ThinkingBlock, path)
    return foreign_seals.reasoning_of(thinking.thinking, thinking.signature)


def _redacted(block: JsonObject, path: str) -> Reasoning:
    redacted = convert(block, wire.RedactedThinkingBlock, path)
    return Reasoning("", encrypted=redacted.data, origin=DIALECT)


_KINDS: dict[str, Callable[[JsonObject, str], Part]] = {
    "image": _image,
    "document": _document,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
