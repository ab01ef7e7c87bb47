"""Frames of an older frontend become native ones, and native ones readable to it."""

import json
from typing import Any

import pytest
from starlette.types import Message

from cartrita.surfaces.older_frontends.websocket_frames import TranslatedSocket, native_frame


@pytest.mark.parametrize(
    ("frame", "native"),
    [
        ({"message": "a"}, {"type": "chat", "message": "a"}),
        (
            {"type": "chat", "context": {"p": 1}},
            {"type": "chat", "metadata": {"context": {"p": 1}}},
        ),
        ({"type": "auth", "api_key": "ck"}, {"type": "auth", "api_key": "ck"}),
        ({"type": "auth", "apiKey": "ck"}, {"type": "auth", "apiKey": "ck"}),
        ({"type": "ping"}, {"type": "ping"}),
        ({"type": "odd", "message": "a", "context": {"p": 1}}, None),
    ],
)
def test_translations(frame: dict[str, Any], native: dict[str, Any] | None) -> None:
    found = native_frame(json.dumps(frame))
    assert found is not None
    assert json.loads(found) == (frame if native is None else native)


@pytest.mark.parametrize("key", [None, "undefined", "null"])
def test_no_key_says_nothing(key: str | None) -> None:
    assert native_frame(json.dumps({"type": "auth", "api_key": key})) is None
    assert native_frame('{"type":"auth"}') is None


@pytest.mark.parametrize("text", ["{", "hello", "[]", '{"message":"a","message":"b"}'])
def test_what_cannot_be_read_stays(text: str) -> None:
    assert native_frame(text) == text


async def test_a_socket() -> None:
    came: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": '{"type":"auth"}'},
        {"type": "websocket.receive", "text": '{"message":"a"}'},
        {"type": "websocket.receive", "bytes": b"x"},
        {"type": "websocket.disconnect", "code": 1000},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return came.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    socket = TranslatedSocket(receive, send)
    received = [await socket.receive() for _ in range(4)]
    assert [each["type"].partition(".")[2] for each in received] == [
        "connect",
        "receive",
        "receive",
        "disconnect",
    ]
    assert json.loads(received[1]["text"]) == {"type": "chat", "message": "a"}
    await socket.send({"type": "websocket.accept"})
    await socket.send({"type": "websocket.send", "text": '{"type":"pong"}'})
    await socket.send(
        {"type": "websocket.send", "text": '{"seq":1,"event":"error","data":{"error":"No."}}'}
    )
    assert sent[:2] == [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": '{"type":"pong"}'},
    ]
    assert json.loads(sent[2]["text"])["error"] == "No."
