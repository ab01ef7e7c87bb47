"""What the offline models read from a request: what was said, files, tool results, token counts.

A token is a word with the blanks before it, or 16 characters of a longer one; the counts of input
and output follow from that alone, and are marked as estimates.
"""

import re
from collections.abc import Iterable

import msgspec

from cartrita.domain.files import headed_name
from cartrita.domain.json import JsonValue
from cartrita.domain.messages import (
    Attachment,
    Citation,
    Message,
    Part,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ModelRequest

Messages = tuple[Message, ...]

_TOKEN = re.compile(r"\s*\S{1,16}|\s+")


def user_texts(messages: Messages) -> list[str]:
    """What users said in each of their messages, without what is told of files."""
    return [_said(message) for message in messages if message.role is Role.USER]


def last_user_text(messages: Messages) -> str:
    """The text of the last user message; empty if there is none."""
    return next((_said(one) for one in reversed(messages) if one.role is Role.USER), "")


def named_files(messages: Messages) -> list[str]:
    """The names of the files that the messages tell of, the latest first."""
    texts = (part.text for one in messages for part in one.parts if isinstance(part, Text))
    names = [name for name in map(headed_name, texts) if name is not None]
    return list(dict.fromkeys(reversed(names)))


def trailing_tool_results(messages: Messages) -> list[ToolResult]:
    """The tool results with which the request ends, each with its tool's name if that is known."""
    found: list[ToolResult] = []
    for message in reversed(messages):
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if not results:
            break
        found[:0] = results
    names = {call.call_id: call.name for call in _tool_calls(messages)}
    return [_with_name(result, names) for result in found]


def next_call_id(messages: Messages, offset: int = 0) -> str:
    """A tool call id that is not in the request; `offset` calls were made since."""
    return f"call_offline_{len(_tool_calls(messages)) + 1 + offset}"


def split_tokens(text: str) -> list[str]:
    """The text cut into tokens; joined, they are the text again."""
    return _TOKEN.findall(text)


def count_tokens(texts: Iterable[str]) -> int:
    """The number of tokens in all texts together."""
    return sum(len(split_tokens(text)) for text in texts)


def count_request_tokens(request: ModelRequest) -> int:
    """The number of tokens in a request; an attachment counts as one."""
    parts = count_tokens(_part_text(part) for message in request.messages for part in message.parts)
    tools = count_tokens(f"{tool.name} {tool.description}" for tool in request.functions)
    schemas = count_tokens(json_text(tool.parameters) for tool in request.functions)
    return parts + tools + schemas + count_tokens([request.instructions_text])


def json_text(value: JsonValue) -> str:
    """A JSON value as text."""
    return msgspec.json.encode(value).decode()


def _said(message: Message) -> str:
    return "".join(
        part.text
        for part in message.parts
        if isinstance(part, Text | Refusal) and headed_name(part.text) is None
    )


def _tool_calls(messages: Messages) -> list[ToolCall]:
    return [part for one in messages for part in one.parts if isinstance(part, ToolCall)]


def _with_name(result: ToolResult, names: dict[str, str]) -> ToolResult:
    name = result.name or names.get(result.call_id)
    return ToolResult(result.call_id, result.content, name, result.success)


def _part_text(part: Part) -> str:
    match part:
        case Attachment():
            return "attachment"
        case ToolCall():
            return f"{part.name} {json_text(part.arguments)}"
        case Citation() | VendorPart():
            return ""
        case _:
            return part.text
