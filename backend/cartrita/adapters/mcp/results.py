"""What a tool of a server gave, as a text of ours."""

from collections.abc import Iterable
from typing import Final, cast

import msgspec
from mcp.types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from cartrita.domain.tool_servers import ServedLink, ServedResult
from cartrita.kit.text import shortened, storable_text

_LONGEST_URL: Final = 2000
_LONGEST_TITLE: Final = 200


def served_result(result: CallToolResult) -> ServedResult:
    """The texts in their order; what is no text is named in its place, and not shown."""
    text = "\n\n".join(filter(None, map(_told, result.content)))
    structured = cast("object", result.structured_content)
    if not text and structured is not None:
        text = msgspec.json.encode(structured).decode()
    return ServedResult(
        storable_text(text) or "It gave nothing.",
        tuple(_links(result.content)),
        not result.is_error,
    )


def _told(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent():
            return f"[An image, {block.mime_type}, which is not shown.]"
        case AudioContent():
            return f"[A sound, {block.mime_type}, which is not played.]"
        case ResourceLink():
            about = f": {block.description}" if block.description else ""
            return f"{block.title or block.name} ({block.uri}){about}"
        case EmbeddedResource():
            if isinstance(block.resource, TextResourceContents):
                return block.resource.text
            kind = block.resource.mime_type or "of an unknown type"
            return f"[A file, {kind}, which is not shown: {block.resource.uri}]"


def _links(content: Iterable[ContentBlock]) -> Iterable[ServedLink]:
    for block in content:
        if isinstance(block, ResourceLink):
            title = storable_text(block.title or block.name)
            url = storable_text(str(block.uri))
            of_web = url.startswith("https://") and len(url) <= _LONGEST_URL
            yield ServedLink(shortened(title, _LONGEST_TITLE), url if of_web else None)
