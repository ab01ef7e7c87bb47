"""JSON answers get `success`, `data` and twins, and lose nothing."""

import json
from typing import Any

import pytest

from cartrita.surfaces.older_frontends.addresses import Address
from cartrita.surfaces.older_frontends.answers import Around, empty_page, old_answer

AROUND = Around("ann", "2026-01-01T00:00:00Z")


def told(path: str, native: Any, status: int = 200, around: Around = AROUND) -> Any:
    body = old_answer(Address("GET", path), status, json.dumps(native).encode(), around)
    return json.loads(body)


@pytest.mark.parametrize(
    "path",
    ["/api/providers", "/api/voice", "/api/session", "/health"],
)
def test_what_has_no_twins_is_its_own_data(path: str) -> None:
    native = {"text": "Hello", "confidence": 0.9}
    assert told(path, native) == {"success": True, "data": native, **native}


def test_what_was_said() -> None:
    native = {"transcription": "Hello", "confidence": None, "audio_url": "/a", "run_id": None}
    twin = {**native, "text": "Hello", "confidence": 0, "audioUrl": "/a"}
    assert told("/api/voice/process", native) == {"success": True, "data": twin, **twin}
    assert told("/api/voice/transcribe", native)["data"] == twin


def test_native_fields_of_the_same_name_stay() -> None:
    native = {"models": ["a"], "data": [{"id": "a"}]}
    assert told("/api/models", native) == {"success": True, **native}


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_errors(status: int) -> None:
    native = {"detail": "No.", "error": "No.", "errors": {"a": ["b"]}}
    assert told("/api/agents", native, status) == {"success": False, **native}


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b"{", b"\xff"])
def test_what_is_no_object_stays(body: bytes) -> None:
    assert old_answer(Address("GET", "/api/agents"), 200, body, AROUND) == body
    assert empty_page(body) == body


AGENT = {
    "id": "coder", "status": "offline", "usage_count": 3, "last_used_at": None,
    "metadata": {"tools": []},
}  # fmt: skip


def test_an_agent_that_nobody_has_used() -> None:
    data = told("/api/agents/coder", AGENT)["data"]
    assert data["isActive"] is False
    assert data["parameters"] == AGENT["metadata"]
    assert data["metrics"] == {
        "totalRequests": 3,
        "successRate": 0,
        "avgLatency": 0,
        "lastActive": AROUND.since,
    }


MESSAGE = {
    "id": "m", "conversation_id": "c", "timestamp": "t", "edited": True, "role": "user",
    "token_usage": None,
}  # fmt: skip
CONVERSATION = {
    "id": "c", "archived": True, "pinned": False, "created_at": "t", "updated_at": "u",
    "metadata": {"agentId": "coder", "other": 1},
}  # fmt: skip


def test_a_conversation_with_its_messages() -> None:
    around = Around("ann", "", [MESSAGE])
    whole = told("/api/conversations/c", CONVERSATION, around=around)
    twins = {
        "userId": "ann", "isArchived": True, "isPinned": False, "createdAt": "t", "updatedAt": "u",
        "agentId": "coder",
    }  # fmt: skip
    [message] = whole["data"].pop("messages")
    assert whole["data"] == {**CONVERSATION, **twins}
    assert "tokens" not in message
    assert message["isEdited"] is True
    page = {"items": [CONVERSATION], "next_cursor": "n"}
    listed = told("/api/conversations", page, around=around)
    assert listed["data"] == listed["items"] == [{**CONVERSATION, **twins, "messages": []}]
    assert listed["next_cursor"] == "n"


def test_a_run_that_waits_for_a_person_is_told_as_it_is() -> None:
    waiting = {"run_id": "r", "status": "waiting", "approval": {}}
    assert told("/api/chat", waiting, 202)["data"] == waiting


def test_an_empty_page() -> None:
    body = empty_page(b'{"items": [1], "next_cursor": "x", "a": 2}')
    assert json.loads(body) == {"items": [], "next_cursor": None, "a": 2}
