"""What native objects are called in older frontends: the same fields, and their camelCase twins."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Fields: TypeAlias = dict[str, Any]

_OF_METADATA: Final = ("agentId", "workspaceId")


def conversation(native: Mapping[str, Any], owner_id: str, messages: list[Fields]) -> Fields:
    """A conversation; lists of them are told without their messages."""
    metadata = native["metadata"]
    return {
        **native,
        "messages": messages,
        "userId": owner_id,
        "isArchived": native["archived"],
        "isPinned": native["pinned"],
        "createdAt": native["created_at"],
        "updatedAt": native["updated_at"],
        **{name: metadata[name] for name in _OF_METADATA if name in metadata},
    }


def message(native: Mapping[str, Any], seconds: float | None = None) -> Fields:
    """A message; `seconds` is how long it took, where that is known.

    A message is never changed: an edited one is a new one beside it.
    """
    usage = native["token_usage"]
    return {
        **native,
        "conversationId": native["conversation_id"],
        "createdAt": native["timestamp"],
        "updatedAt": native["timestamp"],
        "isEdited": native["edited"],
        **({} if usage is None else {"tokens": usage["total_tokens"]}),
        **({} if seconds is None else {"processingTime": seconds}),
    }


def answer(native: Mapping[str, Any]) -> Fields:
    """A complete answer, whose message has its twins."""
    twin = message(native["message"], native["processing_time"])
    return {**native, "message": twin, "conversationId": native["conversation_id"]}


def heard(native: Mapping[str, Any]) -> Fields:
    """What was said, and its answer; how sure a transcriber is that tells nothing is 0."""
    found = {**native, "confidence": native.get("confidence") or 0, "text": native["transcription"]}
    twins = {"conversation_id": "conversationId", "audio_url": "audioUrl"}
    return found | {twin: native[name] for name, twin in twins.items() if native.get(name)}


def agent(native: Mapping[str, Any], since: str) -> Fields:
    """An agent, which is there since this process began to serve it."""
    metadata = native["metadata"]
    return {
        **native,
        "parameters": metadata,
        "isActive": native["status"] != "offline",
        "createdAt": since,
        "updatedAt": since,
        "metrics": {
            "totalRequests": native["usage_count"],
            "successRate": metadata.get("success_rate") or 0,
            "avgLatency": metadata.get("average_seconds") or 0,
            "lastActive": native["last_used_at"] or since,
        },
    }


def upload(native: Mapping[str, Any]) -> Fields:
    """A file that was uploaded."""
    return {
        **native,
        "success": True,
        "fileId": native["file_id"],
        "fileName": native["filename"],
        "fileSize": native["size"],
        "mimeType": native["mime_type"],
    }


def file(native: Mapping[str, Any]) -> Fields:
    """A file in a list."""
    return {
        **native,
        "fileId": native["id"],
        "fileName": native["filename"],
        "fileSize": native["size"],
        "mimeType": native["mime_type"],
        "conversationId": native["conversation_id"],
        "createdAt": native["created_at"],
    }


def found(native: Mapping[str, Any]) -> Fields:
    """What a search in one's own data found."""
    return {**native, "hasMore": native["has_more"]}
