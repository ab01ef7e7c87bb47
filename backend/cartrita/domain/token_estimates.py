"""Counts tokens where no provider reports them.

The rule: four bytes of UTF-8 are a token, rounded up for each text; each message, tool and set of
instructions costs three more, and an attachment 256, whatever its size. It is rough, it is never 0,
and who uses it says `estimated`.
"""

import msgspec

from cartrita.domain.messages import (
    Attachment,
    Citation,
    Message,
    Part,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import Tool, VendorTool

BYTES_PER_TOKEN = 4
PER_ITEM = 3
PER_ATTACHMENT = 256


def text_tokens(text: str) -> int:
    """About how many tokens a text is."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)


def request_tokens(request: ModelRequest) -> int:
    """About how many tokens a request is; at least 1."""
    count = sum(_message(message) for message in request.messages)
    for part in request.instructions:
        count += PER_ITEM + text_tokens(part.text)
    for tool in request.tools:
        count += PER_ITEM + _tool(tool)
    return max(count, 1)


def _message(message: Message) -> int:
    return PER_ITEM + sum(_part(part) for part in message.parts)


def _tool(tool: Tool) -> int:
    if isinstance(tool, VendorTool):
        return _json(tool.definition)
    return text_tokens(tool.name + tool.description) + _json(tool.parameters)


def _part(part: Part) -> int:
    match part:
        case Attachment():
            return PER_ATTACHMENT
        case ToolCall():
            return text_tokens(part.name) + _json(part.arguments)
        case ToolResult():
            return sum(_part(one) for one in part.content)
        case VendorPart():
            return _json(part.data)
        case Citation():
            return 0
        case _:
            return text_tokens(part.text)


def _json(value: object) -> int:
    return -(-len(msgspec.json.encode(value)) // BYTES_PER_TOKEN)
