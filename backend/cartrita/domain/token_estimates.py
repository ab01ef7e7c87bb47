"""Counts the tokens of requests by rule, around any count of plain text.

Each message, tool and set of instructions costs three tokens more than its text, as OpenAI
documents it for its chat models; an attachment counts as 256, whatever its size. Where no tokenizer
is at hand, four bytes of UTF-8 are a token, rounded up for each text. It is never 0, and who uses
it says `estimated`.
"""

from collections.abc import Callable
from typing import TypeAlias

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
from cartrita.domain.ports.tokens import TokenCount
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import ComputerTool, Tool, VendorTool

BYTES_PER_TOKEN = 4
PER_ITEM = 3
PER_ATTACHMENT = 256
PER_COMPUTER = 4500
"""What Anthropic tells of its toolset with all members, which has the longest definition."""
RULE_ERROR = 0.5
"""How far the rule may be off: code and other scripts than Latin take more tokens, prose fewer."""
SIZE_ERROR = 1.0
"""The same for a request of which only the bytes are counted: the JSON around its texts takes fewer
tokens than they do, and an attachment takes hardly any."""

TextCounter: TypeAlias = Callable[[str], int]


def text_tokens(text: str) -> int:
    """About how many tokens a text is."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)


def size_tokens(size: int) -> TokenCount:
    """About how many tokens a request of so many bytes of JSON is; at least 1."""
    return TokenCount(max(size // BYTES_PER_TOKEN, 1), SIZE_ERROR)


def request_tokens(request: ModelRequest, count: TextCounter = text_tokens) -> int:
    """About how many tokens a request is, if `count` counts its texts; at least 1."""
    total = sum(_message(message, count) for message in request.messages)
    for part in request.instructions:
        total += PER_ITEM + count(part.text)
    for tool in request.tools:
        total += PER_ITEM + _tool(tool, count)
    return max(total, 1)


class RuleCounter:
    """Counts by the rule alone; implements `TokenCounter`."""

    def count_text(self, model: str, text: str) -> TokenCount:
        """See `TokenCounter`."""
        del model
        return TokenCount(text_tokens(text), RULE_ERROR)

    def count_request(self, request: ModelRequest) -> TokenCount:
        """See `TokenCounter`."""
        return TokenCount(request_tokens(request), RULE_ERROR)


def _message(message: Message, count: TextCounter) -> int:
    return PER_ITEM + sum(_part(part, count) for part in message.parts)


def _tool(tool: Tool, count: TextCounter) -> int:
    if isinstance(tool, ComputerTool):
        return PER_COMPUTER
    if isinstance(tool, VendorTool):
        return count(_json(tool.definition))
    return count(tool.name + tool.description) + count(_json(tool.parameters))


def _part(part: Part, count: TextCounter) -> int:
    match part:
        case Attachment():
            return PER_ATTACHMENT
        case ToolCall():
            return count(part.name) + count(_json(part.arguments))
        case ToolResult():
            return sum(_part(one, count) for one in part.content)
        case VendorPart():
            return count(_json(part.data))
        case Citation():
            return 0
        case _:
            return count(part.text)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
