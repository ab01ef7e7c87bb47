"""What a live conversation is sent that means nothing is told, and the socket goes on."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, until
from tests.harness.server import KEY
from tests.harness.voice_sockets import PAUSE, RATE, VoiceSocket, live_settings, voice
from tests.harness.websockets import Frame, opened
from tests.journeys.accounts import new_key, new_user
from tests.journeys.live_voice import deepgram_server as deepgram_server
from tests.journeys.live_voice import live as live
from tests.journeys.live_voice import live_server as live_server
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode

from cartrita.domain.principals import LOCAL_TENANT


@pytest.fixture
async def live_briefly(shared: Serve, deepgram_server: Deepgram) -> AsyncIterator[VoiceSocket]:
    """A socket of a server with little patience for silence, and little room for audio."""
    deepgram_server.reset()
    patience = {"CARTRITA_VOICE_SILENCE_S": "2", "CARTRITA_VOICE_AUDIO_WAIT_S": "4"}
    scenario = shared(settings={**live_settings(deepgram_server), **patience})
    async with voice(scenario.server.port) as socket:
        yield socket


async def told(socket: VoiceSocket, sent: bytes | str | dict[str, Any]) -> list[Frame]:
    """What a frame is answered, before the next one."""
    await socket.connection.send(json.dumps(sent) if isinstance(sent, dict) else sent)
    await socket.send(type="ping")
    return (await socket.until_type("pong"))[:-1]


async def works(socket: VoiceSocket, deepgram: Deepgram) -> None:
    await socket.start(respond=False)
    await socket.say(deepgram.samples("Still here.") + PAUSE)
    assert (await socket.until_type("turn"))[-1]["text"] == "Still here."


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\0\0" * 160, "not_started"),
        (b"", "not_started"),
        ({"type": "end_turn"}, "not_started"),
        ("no JSON", "malformed_request"),
        ("[1, 2]", "malformed_request"),
        ('{"type": "start", "type": "start"}', "malformed_request"),
        ({"type": "speak"}, "validation_error"),
        ({"type": "chat", "message": "Hi"}, "validation_error"),
        ({"type": "start"}, "validation_error"),
        ({"type": "start", "sample_rate": 0}, "validation_error"),
        ({"type": "start", "sample_rate": 192_000}, "validation_error"),
        ({"type": "start", "sample_rate": RATE, "channels": 32}, "validation_error"),
        ({"type": "start", "sample_rate": RATE, "encoding": "mp3"}, "validation_error"),
        ({"type": "start", "sample_rate": RATE, "speech_format": "midi"}, "validation_error"),
        ({"type": "start", "sample_rate": RATE, "transcriber": "nobody"}, "validation_error"),
        ({"type": "start", "sample_rate": RATE, "synthesizer": "a/b/c"}, "validation_error"),
        (
            {"type": "start", "sample_rate": RATE, "conversation_id": "none"},
            "conversation_not_found",
        ),
        ({"type": "start", "sample_rate": RATE, "agent_override": "nobody"}, "agent_not_found"),
        ({"type": "start", "sample_rate": RATE, "model": "fake/no-such"}, "model_not_found"),
        ({"type": "start", "sample_rate": RATE, "voice": "nobody"}, "not_offered"),
        ({"type": "resume", "run_id": "run_none", "from_sentence": -1}, "validation_error"),
        ({"type": "resume", "run_id": "run_none"}, "run_not_found"),
    ],
)
async def test_before_anything_was_started(
    live: Scenario, deepgram_server: Deepgram, sent: bytes | str | dict[str, Any], code: str
) -> None:
    async with voice(live.server.port) as socket:
        assert [one["code"] for one in await told(socket, sent)] == [code]
        await works(socket, deepgram_server)
    assert live.server.unexpected_errors() == []


async def test_what_is_no_audio_of_that_format(live: Scenario, deepgram_server: Deepgram) -> None:
    async with voice(live.server.port) as socket:
        await socket.start(channels=2, respond=False)
        assert [one["code"] for one in await told(socket, b"\0")] == ["invalid_audio"]
        assert [one["code"] for one in await told(socket, b"\0\0")] == ["invalid_audio"]
        [refused] = await told(socket, bytes((64 << 10) + 4))
        assert refused["code"] == "audio_frame_too_long"
        assert await told(socket, bytes(64 << 10)) == []
        assert await told(socket, b"") == []
        await works(socket, deepgram_server)


async def test_frames_that_end_the_socket(live: Scenario) -> None:
    """Bytes before a key, text that is none, and a frame of a megabyte."""
    async with voice(live.server.port, key=None) as socket:
        await socket.connection.send(b"\0\0")
        frames, code = await socket.closed()
        assert (frames[-1]["code"], code) == ("binary_frame", 1007)
    async with voice(live.server.port) as socket:
        broken = WireFrame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True)
        socket.connection.transport.write(broken)
        assert (await socket.closed())[1] == 1007
    async with voice(live.server.port) as socket:
        await socket.start(respond=False)
        await socket.connection.send(bytes(1 << 20))
        assert (await socket.closed())[1] == 1009
    async with voice(live.server.port, key=None) as socket:
        await socket.send(type="start", sample_rate=RATE)
        frames, code = await socket.closed()
        assert (frames[-1]["code"], code) == ("unauthenticated", 1008)


async def test_ways_to_say_who_calls(live: Scenario) -> None:
    port = live.server.port
    _, made = await live.call("POST", "/api/stream-tickets", {})
    target = f"/ws/voice?ticket={made['ticket']}"
    for options in (
        {"headers": {"X-API-Key": KEY}},
        {"headers": {"Authorization": f"Bearer {KEY}"}},
    ):
        async with voice(port, key=None, **options) as socket:
            assert await told(socket, {"type": "ack", "run_id": "run_x", "seq": 1}) == []
    async with opened(port, key=None, target=target) as socket:
        await socket.send(type="ping")
        assert await socket.next() == {"type": "pong"}


async def test_what_a_key_may(live: Scenario, deepgram_server: Deepgram) -> None:
    user = await new_user(live, LOCAL_TENANT)
    chats = await new_key(live, user, scopes={"operations": ["chat"]})
    async with voice(live.server.port, key=chats["key"]) as socket:
        frames, code = await socket.closed()
        assert (frames[-1]["code"], code) == ("scope_operation", 1008)
    listens = await new_key(live, user, scopes={"operations": ["voice"]})
    async with voice(live.server.port, key=listens["key"]) as socket:
        [refused] = await told(socket, {"type": "start", "sample_rate": RATE})
        assert refused["code"] == "scope_operation"
        await works(socket, deepgram_server)
    elsewhere = await new_key(live, user, scopes={"providers": ["openai"]})
    async with voice(live.server.port, key=elsewhere["key"]) as socket:
        start = {"type": "start", "sample_rate": RATE, "transcriber": "deepgram"}
        assert [one["code"] for one in await told(socket, start)] == ["scope_provider"]


async def test_a_second_start_begins_anew(live: Scenario, deepgram_server: Deepgram) -> None:
    async with voice(live.server.port) as socket:
        await socket.start(respond=False)
        await socket.say(deepgram_server.samples("Forget this."))
        await socket.send(type="start", sample_rate=RATE, respond=False)
        await socket.until_type("listening")
        await socket.say(deepgram_server.samples("But not this.") + PAUSE)
        turn = (await socket.until_type("turn"))[-1]
        assert (turn["turn"], turn["text"]) == (1, "But not this.")
        await until(lambda: deepgram_server.open_sockets() == 1)


async def test_without_audio_nothing_is_listened_to(
    serve: Serve, deepgram_server: Deepgram
) -> None:
    deepgram_server.reset()
    settings = {**live_settings(deepgram_server), "CARTRITA_VOICE_AUDIO_IDLE_S": "0.5"}
    scenario = serve(settings=settings)
    async with voice(scenario.server.port) as socket:
        await socket.start(respond=False)
        assert (await socket.next())["code"] == "audio_idle"
        assert await socket.next() == {"type": "stopped", "reason": "audio_idle"}
        assert [one for one in await told(socket, b"\0\0") if "code" in one] == []
        [refused] = [one for one in await told(socket, {"type": "end_turn"}) if "code" in one]
        assert refused["code"] == "not_started"
        await works(socket, deepgram_server)


async def test_in_silence_nothing_is_listened_to(live_briefly: VoiceSocket) -> None:
    await live_briefly.start(respond=False)
    for _ in range(3):
        await live_briefly.say(PAUSE)
    assert (await live_briefly.until(lambda frame: "code" in frame))[-1]["code"] == "silence"
    assert await live_briefly.next() == {"type": "stopped", "reason": "silence"}


async def test_a_transcriber_that_does_not_keep_up(
    live_briefly: VoiceSocket, deepgram_server: Deepgram
) -> None:
    await live_briefly.send(type="start", sample_rate=RATE, respond=False)
    await live_briefly.say(PAUSE * 8, frame_bytes=64_000)
    frames = await live_briefly.until(lambda frame: "code" in frame)
    assert frames[-1]["code"] == "transcriber_behind"
    stopped = (await live_briefly.until_type("stopped"))[-1]
    assert stopped["reason"] == "transcriber_behind"
    assert [one for one in await told(live_briefly, PAUSE) if "code" in one] == []
    await works(live_briefly, deepgram_server)


async def test_without_engines(serve: Serve) -> None:
    settings = {"CARTRITA_VOICE_TRANSCRIBERS": "deepgram", "DEEPGRAM_API_KEY": ""}
    scenario = serve(settings=settings)
    async with voice(scenario.server.port) as socket:
        [refused] = await told(socket, {"type": "start", "sample_rate": RATE})
        assert refused["code"] in ("provider_not_configured", "transcription_unavailable")
