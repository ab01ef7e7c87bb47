"""How the offline model cuts its words into pieces, and counts them.

A token is a word with the blanks before it, or 16 characters of a longer one; the counts of input
and output follow from that alone, and say that they are estimates.
"""

import re
from collections.abc import Iterable

import msgspec

from cartrita.domain.json import JsonValue
from cartrita.domain.messages import Attachment, Citation, Part, ToolCall
from cartrita.domain.requests import ModelRequest

_PIECE = re.compile(r"\s*\S{1,16}|\s+")


def pieces(text: str) -> list[str]:
    """The text, cut."""
    return _PIECE.findall(text)


def json_text(value: JsonValue) -> str:
    """A JSON value as text."""
    return msgspec.json.encode(value).decode()


def count(texts: Iterable[str]) -> int:
    """How many tokens these are."""
    return sum(len(pieces(text)) for text in texts)


def request_tokens(request: ModelRequest) -> int:
    """How many tokens a request is; an attachment is one."""
    said = count(_text(part) for message in request.messages for part in message.parts)
    offered = count(f"{tool.name} {tool.description}" for tool in request.tools)
    schemas = count(json_text(tool.parameters) for tool in request.tools)
    return said + offered + schemas + count([request.instructions or ""])


def _text(part: Part) -> str:
    if isinstance(part, Attachment | Citation):
        return "attachment" if isinstance(part, Attachment) else ""
    return f"{part.name} {json_text(part.arguments)}" if isinstance(part, ToolCall) else part.text
