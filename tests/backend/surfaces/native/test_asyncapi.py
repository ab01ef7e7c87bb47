"""What is sent over a WebSocket is what its document says."""

from uuid import UUID

import msgspec
import pytest
from jsonschema import Draft202012Validator

from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import InvalidInput, RateLimited
from cartrita.domain.events import LoggedEvent, RunCompleted, TextAppended
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.runs import Admitted, Queued, RunStatus
from cartrita.domain.usage import Usage
from cartrita.surfaces.native.asyncapi import asyncapi_document
from cartrita.surfaces.native.chat_socket.channel import CHAT_CHANNEL
from cartrita.surfaces.native.chat_socket.server_frames import accepted_frame
from cartrita.surfaces.native.desktop_socket import DESKTOP_CHANNEL, DESKTOP_SOCKETS
from cartrita.surfaces.native.voice_socket.channel import VOICE_CHANNEL
from cartrita.surfaces.native.websocket.channel import Channel
from cartrita.surfaces.native.websocket.client_frames import Reference
from cartrita.surfaces.native.websocket.closings import CODES, LAST_FRAMES
from cartrita.surfaces.native.websocket.server_frames import (
    DrainFrame,
    PongFrame,
    encode,
    error_frame,
    event_frame,
)

DOCUMENT = asyncapi_document("1")
RUN = RunId(UUID(int=1))
DONE = RunCompleted(
    text="Hi",
    finish_reason=FinishReason.STOP,
    usage=Usage(),
    seconds=1.0,
    conversation_id="conv",
    message_id="msg",
    agent="assistant",
    model="m",
    provider="p",
)


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("EventFrame", event_frame(Queued(RUN, 2))),
        ("EventFrame", event_frame(LoggedEvent(RUN, 3, TextAppended("H", 0)))),
        ("EventFrame", event_frame(LoggedEvent(RUN, 4, DONE))),
        (
            "AcceptedFrame",
            accepted_frame(
                "id", Admitted(RUN, ConversationId(UUID(int=2)), RunStatus.QUEUED, created=True)
            ),
        ),
        ("PongFrame", encode(PongFrame())),
        ("DrainFrame", encode(DrainFrame(1.5))),
        ("ErrorReply", error_frame(InvalidInput.of("message", "it is empty"), Reference("id"))),
        ("ErrorReply", error_frame(RateLimited("Later.", retry_after=2), Reference(run_id="run"))),
    ],
)
def test_frames_of_the_server(name: str, frame: str | None) -> None:
    assert frame is not None
    schema = {**DOCUMENT, "$ref": f"#/components/schemas/{name}"}
    Draft202012Validator(schema).validate(msgspec.json.decode(frame))


CHANNELS = (CHAT_CHANNEL, VOICE_CHANNEL, DESKTOP_CHANNEL)


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda one: one.name)
def test_it_names_every_frame(channel: Channel) -> None:
    sent = DOCUMENT["operations"][channel.sending]["messages"]
    assert len(sent) == len(channel.frames) + len(channel.sent_binary)
    for kind, model in channel.frames.items():
        schema = DOCUMENT["components"]["schemas"][model.__name__]
        assert schema["properties"]["type"]["const"] == kind
    for name in DOCUMENT["channels"][channel.name]["messages"]:
        payload = DOCUMENT["components"]["messages"][name]["payload"]
        if name in channel.binary:
            assert payload["format"] == "binary"
        else:
            assert payload["$ref"].rpartition("/")[2] in DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda one: one.name)
def test_it_tells_the_codes_of_close_frames(channel: Channel) -> None:
    told = DOCUMENT["channels"][channel.name]["x-close-codes"]
    assert {str(code) for code in (*CODES, *LAST_FRAMES)} <= set(told)
    assert all(told.values())


def test_a_desktop_is_seen_by_its_id_and_tells_of_no_run() -> None:
    told = DOCUMENT["channels"]["desktop"]
    assert told["address"] == f"{DESKTOP_SOCKETS}{{desktop_id}}"
    assert list(told["parameters"]) == ["desktop_id"]
    assert "EventFrame" not in told["messages"]
    assert told["x-frames"]["sent"] == {}, "what clients send is RFB"
    assert "1000" in told["x-close-codes"]
