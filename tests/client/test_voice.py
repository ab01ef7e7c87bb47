"""A live conversation, by both clients, with a server that plays its part and breaks off."""

import asyncio
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from cartrita_client import (
    AsyncCartritaApiClient,
    CartritaApiClient,
    CartritaApiError,
    Refused,
    RunEvent,
    SessionClosed,
    SpeechAudio,
    VoiceEvent,
    kinds,
)
from cartrita_client.generated.models import ApprovalRequiredData

PLACE = {"conversation_id": "conv_1", "run_id": "run_1", "message_id": "msg_1"}
TURN = {"type": "turn", "turn": 1, "text": "good morning", "duration": 1.0, "words": [], **PLACE}
SOUND = b"\1\0\2\0"
APPROVAL = ApprovalRequiredData.model_construct(approval_id="appr_1", arguments_hash="0")


class Other:
    """The other side: what was sent on each connection, and what it makes of that."""

    def __init__(self, *, listens: bool = True) -> None:
        self.heard: list[list[Any]] = []
        self._listens = listens

    def serve(self, socket: ServerConnection) -> None:
        self.heard.append([])
        for content in socket:
            frame = content if isinstance(content, bytes) else json.loads(content)
            self.heard[-1].append(frame)
            if isinstance(frame, bytes):
                if len(self.heard) == 1:
                    return self._begin(socket)
            else:
                self._answer(socket, frame)
        return None

    def _begin(self, socket: ServerConnection) -> None:
        """The first connection breaks in the middle of the second sentence."""
        say(socket, {"type": "transcript", "turn": 1, "text": "good", "start": 0.0})
        say(socket, TURN)
        event(socket, 1, "stream_start", {})
        event(socket, 2, "token", {"delta": "Yes.", "content": "Yes.", "position": 0})
        sentence(socket, 0)
        say(socket, {"type": "speech_end", "run_id": "run_1", "sentence": 0})
        sentence(socket, 1)

    def _answer(self, socket: ServerConnection, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ping":
                say(socket, {"type": "pong"})
            case "start" if not self._listens:
                say(socket, {"error": "Install an ear.", "code": "transcription_unavailable"})
            case "start":
                say(socket, {"type": "listening", "turn": 1, "transcriber": "a/b"})
            case "stop":
                say(socket, {"type": "stopped"})
            case "approve":
                say(socket, {"error": "No.", "code": "arguments_changed", "run_id": "run_1"})
            case "end_turn":
                say(socket, {"error": "Not yet.", "code": "not_started"})
            case "resume":
                event(socket, 2, "token", {"delta": "Yes.", "content": "Yes.", "position": 0})
                event(socket, 3, "done", {"final_response": "Yes."})
                sentence(socket, 1)
                say(socket, {"type": "speech_end", "run_id": "run_1", "sentence": 1})
                say(socket, {"type": "speech_done", "run_id": "run_1"})
            case _:
                pass


def say(socket: ServerConnection, frame: dict[str, Any]) -> None:
    socket.send(json.dumps(frame))


def event(socket: ServerConnection, seq: int, name: str, data: dict[str, Any]) -> None:
    say(socket, {"event": name, "data": {**PLACE, **data}, "run_id": "run_1", "seq": seq})


def sentence(socket: ServerConnection, number: int) -> None:
    told = {"type": "speech_start", "run_id": "run_1", "sentence": number}
    say(socket, {**told, "text": "Yes.", "format": "pcm", "sample_rate": 24_000})
    socket.send(SOUND)


@contextmanager
def other(*, listens: bool = True) -> Generator[tuple[str, Other]]:
    played = Other(listens=listens)
    with serve(played.serve, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}", played
        finally:
            server.shutdown()
            thread.join()


def blocking(base: str) -> tuple[list[VoiceEvent], Exception]:
    with (
        CartritaApiClient(base, "ck_a", retry_delay=0.02) as client,
        client.voice(conversation_id="conv_0", voice="amber") as session,
    ):
        session.send_audio(b"\1\0\2\0\3\0")
        found, refusals = [next(session)], list[Exception]()
        with pytest.raises(ValueError, match="16 bits"):
            session.send_audio(b"\1")
        for each in session:
            found.append(each)
            if type(each).__name__ == "SpeechDoneFrame":
                session.end_turn()
                with pytest.raises(kinds.Conflict) as refused:
                    session.approve("run_1", APPROVAL)
                refusals.append(refused.value)
                session.stop_speaking()
                session.cancel("run_1")
                session.stop()
    with pytest.raises(SessionClosed):
        session.stop()
    return found, refusals[0]


def asynchronous(base: str) -> tuple[list[VoiceEvent], Exception]:
    async def converse() -> tuple[list[VoiceEvent], Exception]:
        async with (
            AsyncCartritaApiClient(base, "ck_a", retry_delay=0.02) as client,
            client.voice(conversation_id="conv_0", voice="amber") as session,
        ):
            await session.send_audio(b"\1\0\2\0\3\0")
            found, refusals = [await anext(session)], list[Exception]()
            with pytest.raises(ValueError, match="16 bits"):
                await session.send_audio(b"\1")
            async for each in session:
                found.append(each)
                if type(each).__name__ == "SpeechDoneFrame":
                    await session.end_turn()
                    with pytest.raises(kinds.Conflict) as refused:
                        await session.approve("run_1", APPROVAL)
                    refusals.append(refused.value)
                    await session.stop_speaking()
                    await session.cancel("run_1")
                    await session.stop()
        with pytest.raises(SessionClosed):
            await session.stop()
        return found, refusals[0]

    return asyncio.run(converse())


@pytest.mark.parametrize("converse", [blocking, asynchronous])
def test_a_conversation_goes_on_after_a_cut_and_ends_with_what_was_said(converse: Any) -> None:
    with other() as (base, played):
        found, refused = converse(base)
    names = [type(each).__name__ for each in found]
    assert names == [
        *("ListeningFrame", "TranscriptFrame", "TurnFrame", "RunEvent", "RunEvent"),
        *("SpeechStartFrame", "SpeechAudio", "SpeechEndFrame", "SpeechStartFrame", "SpeechAudio"),
        *("ListeningFrame", "RunEvent", "SpeechStartFrame", "SpeechAudio", "SpeechEndFrame"),
        *("SpeechDoneFrame", "Refused", "StoppedFrame"),
    ]
    sound = [each for each in found if isinstance(each, SpeechAudio)]
    assert [(each.sentence, each.audio) for each in sound] == [(0, SOUND), (1, SOUND), (1, SOUND)]
    events = [each.event.event for each in found if isinstance(each, RunEvent)]
    assert events == ["stream_start", "token", "done"]
    assert [each.error.code for each in found if isinstance(each, Refused)] == ["not_started"]
    assert isinstance(refused, kinds.Conflict)
    first, second = played.heard
    assert [each if isinstance(each, bytes) else each["type"] for each in first] == [
        *("auth", "start", "ping"),
        b"\1\0\2\0\3\0",
    ]
    said = [each for each in second if each["type"] != "ping"]
    assert [each["type"] for each in said] == [
        *("auth", "start", "resume", "end_turn", "approve", "stop_speaking", "cancel", "stop")
    ]
    assert (said[1]["conversation_id"], said[1]["voice"]) == ("conv_1", "amber")
    assert (said[1]["encoding"], said[1]["sample_rate"]) == ("linear16", 16_000)
    assert (said[2]["after"], said[2]["from_sentence"]) == (2, 1)


@pytest.mark.parametrize("converse", [blocking, asynchronous])
def test_a_server_that_does_not_listen_ends_it(converse: Any) -> None:
    with other(listens=False) as (base, _), pytest.raises(CartritaApiError) as refused:
        converse(base)
    assert refused.value.code == "transcription_unavailable"
