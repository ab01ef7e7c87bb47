"""Bodies of an older frontend become those of the native API; what is wrong stays wrong."""

import json
from typing import Any

import pytest
from starlette.types import Message

from cartrita.surfaces.older_frontends.addresses import Address
from cartrita.surfaces.older_frontends.request_bodies import (
    TranslatedBody,
    translated,
    translation_for,
)

CHAT = Address("POST", "/api/chat")
MADE = Address("POST", "/api/conversations")
CHANGED = Address("PUT", "/api/conversations/a")


@pytest.mark.parametrize(
    ("address", "body", "native"),
    [
        (CHAT, {"context": {"p": 1}}, {"metadata": {"context": {"p": 1}}}),
        (
            Address("POST", "/api/conversations/a/messages"),
            {"context": {"p": 1}, "metadata": {"m": 1}},
            {"metadata": {"m": 1, "context": {"p": 1}}},
        ),
        (CHAT, {"attachments": [{"fileId": "f"}, "g", {"id": "h"}]}, {"attachments": list("fgh")}),
        (CHAT, {"context": {}, "x": 1}, {"context": {}, "x": 1}),
        (CHAT, {"context": [{"role": "user"}]}, {"context": [{"role": "user"}]}),
        (MADE, {"title": "a", "agentId": "c"}, {"title": "a", "metadata": {"agentId": "c"}}),
        (MADE, {"workspaceId": None}, {"workspaceId": None}),
        (CHANGED, {"isArchived": True, "isPinned": False}, {"archived": True, "pinned": False}),
        (CHANGED, {"agentId": "c", "title": "b"}, {"agentId": "c", "title": "b"}),
        (
            Address("POST", "/api/voice/speak"),
            {"text": "a", "voiceSettings": {"voice": "nova", "speed": 1}},
            {"text": "a", "voiceSettings": {"voice": "nova", "speed": 1}, "voice": "nova"},
        ),
    ],
)
def test_translations(address: Address, body: dict[str, Any], native: dict[str, Any]) -> None:
    translation = translation_for(address)
    assert translation is not None
    assert json.loads(translated(json.dumps(body).encode(), translation)) == native


@pytest.mark.parametrize(
    "address",
    [
        Address("PUT", "/api/chat"),
        Address("POST", "/api/conversations/a"),
        Address("POST", "/api/upload"),
        Address("POST", "/api/runs/a/cancel"),
    ],
)
def test_other_bodies_are_not_looked_at(address: Address) -> None:
    assert translation_for(address) is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[1]", b'{"context": {"p": 1}, "message": "a", "message": "b"}',
        b'{"context": {"p": NaN}}', b'{"context": {"p": 1}, "message": "\\ud800"}',
        b'{"message":  "as it is" }', b'{"context": {"p": 1}, "metadata": 7}',
    ],
)  # fmt: skip
def test_what_stays_to_the_byte(body: bytes) -> None:
    translation = translation_for(CHAT)
    assert translation is not None
    if b"metadata" in body:  # the native API refuses it: nothing of it is lost
        assert json.loads(translated(body, translation)) == {"metadata": 7}
    else:
        assert translated(body, translation) == body


def received(*messages: Message) -> TranslatedBody:
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    translation = translation_for(CHAT)
    assert translation is not None
    return TranslatedBody(receive, translation, 40)


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


async def test_a_body_in_pieces_arrives_whole_and_then_what_follows() -> None:
    body = received(part(b'{"context":', more=True), part(b'{"p":1}}'), GONE)
    assert await body.receive() == part(b'{"metadata":{"context":{"p":1}}}')
    assert await body.receive() == GONE


async def test_a_long_body_is_handed_on_as_it_comes() -> None:
    start = b'{"context": {"p": 1}, "message": "' + b"x" * 20
    body = received(part(start, more=True), part(b'"}'))
    assert await body.receive() == part(start, more=True)
    assert await body.receive() == part(b'"}')


async def test_a_client_that_leaves() -> None:
    assert await received(part(b"{", more=True), GONE).receive() == GONE
