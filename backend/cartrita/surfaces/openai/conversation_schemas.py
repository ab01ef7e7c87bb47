"""Schemas of conversations, items and responses, as openapi.json describes them.

Items are the vendor's own objects, of many kinds, so only their common fields are described.
"""

from typing import Any, Final

from pydantic import BaseModel, Field

from cartrita.surfaces.sse import MEDIA_TYPE

_ITEMS: Final[dict[str, Any]] = {
    "type": "array",
    "maxItems": 20,
    "description": (
        "Items as in the input of a response: "
        "https://platform.openai.com/docs/api-reference/conversations/create-item."
    ),
    "items": {
        "type": "object",
        "properties": {
            "type": {"type": "string", "examples": ["message"]},
            "role": {"enum": ["user", "assistant", "system", "developer"]},
            "content": {"description": "Text, or a list of content parts."},
        },
    },
    "examples": [[{"type": "message", "role": "user", "content": "My name is Alice"}]],
}
_METADATA: Final[dict[str, Any]] = {
    "type": "object",
    "maxProperties": 16,
    "additionalProperties": {"type": "string", "maxLength": 512},
    "description": "Up to 16 texts of 512 characters under names of 64.",
}


class ConversationObject(BaseModel):
    """A conversation, in OpenAI's shape."""

    id: str = Field(examples=["conv_0193b0c3a5d87c1e9f4d2b6a8e0c4f17"])
    object: str = Field(examples=["conversation"])
    created_at: int = Field(description="In Unix seconds.")
    metadata: dict[str, Any]


class DeletedObject(BaseModel):
    """What is told of something that was deleted."""

    id: str
    object: str = Field(examples=["response", "conversation.deleted"])
    deleted: bool


class ItemList(BaseModel):
    """A page of items, in OpenAI's shape."""

    object: str = Field(examples=["list"])
    data: list[dict[str, Any]] = Field(description="Items; each has an `id` and a `type`.")
    first_id: str | None
    last_id: str | None
    has_more: bool


def request_body(*names: str, required: bool = False) -> dict[str, Any]:
    """The `openapi_extra` of an operation whose body has these fields of a conversation."""
    known = {"items": _ITEMS, "metadata": _METADATA}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: known[name] for name in names},
    }
    if required:
        schema["required"] = list(names)
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": required, "content": content}}


def response_schema(description: str, *, streams: bool = False) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that answers with a response object, or its events."""
    schema: dict[str, Any] = {
        "type": "object",
        "description": description,
        "required": ["id", "object", "status", "output"],
        "properties": {
            "id": {"type": "string", "examples": ["resp_0193b0c3a5d87c1e9f4d2b6a8e0c4f17"]},
            "object": {"const": "response"},
            "created_at": {"type": "integer"},
            "status": {
                "enum": ["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]
            },
            "model": {"type": "string"},
            "output": {"type": "array", "items": {"type": "object"}},
            "usage": {"type": ["object", "null"]},
            "error": {"type": ["object", "null"]},
        },
    }
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if streams:
        content[MEDIA_TYPE] = {"schema": {"type": "string"}}
    return {200: {"description": "Successful Response", "content": content}}
