"""Exports of conversations as JSON or Markdown files."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Final, Literal
from urllib.parse import quote

from cartrita.domain.conversations import Conversation
from cartrita.domain.messages import Citation, StoredMessage
from cartrita.kit.clock import iso
from cartrita.surfaces.native.public_names import REF
from cartrita.surfaces.native.schemas import ConversationView, MessageView
from cartrita.surfaces.streamed_files import StreamedFile

Lines = AsyncGenerator[str, None]

_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["conversation", "messages"],
    "properties": {
        "conversation": {"$ref": REF + "ConversationView"},
        "messages": {"type": "array", "items": {"$ref": REF + "MessageView"}},
    },
}
EXPORTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file.",
        "content": {
            "application/json": {"schema": _SCHEMA},
            "text/markdown": {"schema": {"type": "string"}},
        },
    }
}
"""How openapi.json describes what `export` sends."""


def export(
    conversation: Conversation,
    transcript: AsyncIterator[StoredMessage],
    kind: Literal["json", "markdown"],
) -> StreamedFile:
    """Stream the file, so that a long conversation is never completely in memory."""
    media_type, ending, write = _KINDS[kind]
    name = quote(f"{conversation.title[:80]}{ending}", safe="")
    disposition = f"attachment; filename=\"conversation{ending}\"; filename*=UTF-8''{name}"
    return StreamedFile(
        write(conversation, transcript),
        media_type=media_type,
        headers={"Content-Disposition": disposition},
    )


async def _json(conversation: Conversation, transcript: AsyncIterator[StoredMessage]) -> Lines:
    head = ConversationView.of(conversation).model_dump_json()
    yield f'{{"conversation": {head},\n "messages": ['
    before = "\n"
    async for stored in transcript:
        yield before + "  " + MessageView.of(stored).model_dump_json()
        before = ",\n"
    yield "\n ]}\n"


async def _markdown(conversation: Conversation, transcript: AsyncIterator[StoredMessage]) -> Lines:
    yield f"# {conversation.title}\n\n{iso(conversation.created_at)}\n"
    async for stored in transcript:
        status = "" if stored.status == "complete" else f" ({stored.status})"
        yield f"\n## {stored.message.role.capitalize()}{status}\n\n{stored.message.text}\n"
        for source in (p for p in stored.message.parts if isinstance(p, Citation)):
            yield f"\n[{source.index}] {source.title} {source.url or ''}".rstrip() + "\n"


_KINDS: dict[
    str,
    tuple[str, str, Callable[[Conversation, AsyncIterator[StoredMessage]], Lines]],
] = {
    "json": ("application/json", ".json", _json),
    "markdown": ("text/markdown; charset=utf-8", ".md", _markdown),
}
