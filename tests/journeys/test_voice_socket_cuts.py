"""A live conversation that is cut, at any frame and on either side, goes on or ends cleanly."""

import asyncio
import signal

import pytest
from tests.harness.deepgram.faults import Cut, Fault, Hang, Refuse
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, until
from tests.harness.voice_sockets import PAUSE, live_settings, of_type, spoken_audio, voice
from tests.harness.websockets import Frame, text_of
from tests.journeys import v1
from tests.journeys.accounts import made, new_key, new_user
from tests.journeys.live_voice import MODEL
from tests.journeys.live_voice import deepgram_server as deepgram_server
from tests.journeys.live_voice import live as live
from tests.journeys.live_voice import live_server as live_server

from cartrita.domain.principals import LOCAL_TENANT

SENTENCES = ["Moss grows.", "It is old.", "Stones too."]
ANSWER = " ".join(SENTENCES)
ASKED = f"What? {directive(Script(text=ANSWER))}"
SLOW = f"What? {directive(Script(text=' '.join(SENTENCES * 12), between_tokens_s=0.1))}"
WATCHDOG_S = 20.0


async def exchange(live: Scenario, deepgram: Deepgram, most: int) -> list[Frame]:
    """So many frames of a spoken exchange, whose connection is then lost; fewer if it has ended."""
    frames = list[Frame]()
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL)
        await socket.say(deepgram.samples(ASKED) + PAUSE)
        while len(frames) < most:
            frames.append(await socket.next())
            if frames[-1].get("type") == "speech_done":
                break
        socket.connection.transport.abort()
    return frames


async def goes_on(live: Scenario, deepgram: Deepgram, frames: list[Frame]) -> None:
    """What was lost comes on another socket: the events after the last, and the rest of speech."""
    turns = of_type(frames, "turn")
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL)
        if not turns:
            await socket.say(deepgram.samples(ASKED) + PAUSE)
            rest = await socket.until_spoken()
            assert text_of(rest) == ANSWER
            return
        run = turns[0]["run_id"]
        seqs = [frame["seq"] for frame in frames if "seq" in frame]
        heard = len(of_type(frames, "speech_end"))
        await socket.send(type="resume", run_id=run, after=max(seqs, default=0),
                          from_sentence=heard)  # fmt: skip
        rest = await socket.until_spoken()
        if not any(frame.get("event") == "done" for frame in rest):
            rest += await socket.until_end(run)
        assert text_of([*frames, *rest]) == ANSWER
        begun = of_type(rest, "speech_start")
        assert [one["text"] for one in begun] == SENTENCES[heard:]
        assert spoken_audio(rest) == deepgram.samples(" ".join(SENTENCES[heard:]), rate=24_000)


@pytest.mark.parametrize("most", [1, 9, 14, 19])
async def test_a_client_that_loses_its_connection(
    live: Scenario, deepgram_server: Deepgram, most: int
) -> None:
    frames = await exchange(live, deepgram_server, most)
    await goes_on(live, deepgram_server, frames)
    await until(lambda: deepgram_server.open_sockets() == 0)


@pytest.mark.slow
async def test_a_client_that_loses_it_at_any_frame(
    live: Scenario, deepgram_server: Deepgram
) -> None:
    whole = await exchange(live, deepgram_server, 1000)
    assert len(whole) > 20
    for most in range(len(whole)):
        await goes_on(live, deepgram_server, await exchange(live, deepgram_server, most))
    await until(lambda: deepgram_server.open_sockets() == 0)
    assert live.server.unexpected_errors() == []


async def cut_upstream(live: Scenario, deepgram: Deepgram, fault: Fault) -> None:
    """Whatever is cut at Deepgram: the answer is there, or an error; then all works again."""
    deepgram.reset()
    deepgram.fail(fault)
    async with voice(live.server.port) as socket:
        await socket.send(type="start", sample_rate=16_000, model=MODEL)
        await socket.say(deepgram.samples(ASKED) + PAUSE)
        frames = await socket.until(
            lambda frame: "code" in frame or frame.get("type") == "speech_done"
        )
        if "code" in frames[-1]:
            assert frames[-1]["code"].startswith("upstream_") or frames[-1]["code"] == "not_started"
        if "run_id" in frames[-1] and "code" in frames[-1]:
            stopped = of_type(frames, "speech_stopped")[-1]
            assert stopped["reason"] == "failed"
            assert stopped["run_id"] == frames[-1]["run_id"]
            if not any(frame.get("event") == "done" for frame in frames):
                await socket.until_end()
        deepgram.reset()
        await socket.start(model=MODEL)
        await socket.say(deepgram.samples(ASKED) + PAUSE)
        run = (await socket.until_type("turn"))[-1]["run_id"]
        spoken = {"type": "speech_done", "run_id": run}
        again = await socket.until(lambda frame: frame == spoken)
    begun = [one["text"] for one in of_type(again, "speech_start") if one["run_id"] == run]
    assert begun == SENTENCES


@pytest.mark.parametrize(
    "fault",
    [
        Fault(at="WS /v1/listen", do=Refuse(status=402), times=9),
        Fault(at="WS /v1/listen", do=Cut(), after=0, times=9),
        Fault(at="WS /v1/listen", do=Cut(), after=3),
        Fault(at="WS /v1/speak", do=Refuse(status=503), times=9),
        Fault(at="WS /v1/speak", do=Cut(), after=2),
        Fault(at="WS /v1/speak", do=Cut(), after=4, times=9),
    ],
)
async def test_deepgram_fails(live: Scenario, deepgram_server: Deepgram, fault: Fault) -> None:
    await cut_upstream(live, deepgram_server, fault)


@pytest.mark.slow
async def test_deepgram_is_cut_at_any_frame(live: Scenario, deepgram_server: Deepgram) -> None:
    for after in range(14):
        await cut_upstream(live, deepgram_server, Fault(at="WS /v1/listen", do=Cut(), after=after))
        await cut_upstream(live, deepgram_server, Fault(at="WS /v1/speak", do=Cut(), after=after))
    await until(lambda: deepgram_server.open_sockets() == 0)
    assert live.server.unexpected_errors() == []


async def test_a_server_that_stops(serve: Serve, deepgram_server: Deepgram) -> None:
    deepgram_server.reset()
    scenario = serve(settings=live_settings(deepgram_server), lease_s=15.0)
    port = scenario.server.port
    async with voice(port) as busy, voice(port) as listening:
        await listening.start()
        await busy.start(model=MODEL)
        await busy.say(deepgram_server.samples(SLOW) + PAUSE)
        before = await busy.until(lambda frame: "audio" in frame)
        stopping = asyncio.to_thread(scenario.server.stop, signal.SIGTERM)
        (rest, other), stopped = await asyncio.gather(
            asyncio.gather(busy.closed(), listening.closed()), stopping
        )
    assert stopped == 0
    for frames, code in (rest, other):
        assert (frames[-1]["type"], code) == ("drain", 1001)
    await until(lambda: deepgram_server.open_sockets() == 0)
    assert scenario.server.unexpected_errors() == []
    run = of_type(before, "turn")[0]["run_id"]
    await asyncio.to_thread(scenario.server.restart)
    async with voice(port) as again:
        await again.send(type="resume", run_id=run, after=0)
        assert (await again.until_end(run))[-1]["data"]["code"] == "interrupted"


@pytest.mark.parametrize("drain_s", ["0", "20"])
async def test_what_was_said_before_a_server_stops_is_answered(
    serve: Serve, deepgram_server: Deepgram, drain_s: str
) -> None:
    """By the server itself where it has the time, or by whoever serves next."""
    deepgram_server.reset()
    settings = {**live_settings(deepgram_server), "CARTRITA_SERVER_DRAIN_S": drain_s}
    scenario = serve(settings=settings, lease_s=15.0)
    port = scenario.server.port
    async with voice(port) as talking, voice(port) as silent:
        await silent.start()
        await talking.start(model=MODEL, turns_end="when_asked")
        await talking.say(deepgram_server.samples(ASKED) + PAUSE)
        await talking.until(lambda frame: frame.get("final") is True)
        await talking.say(deepgram_server.samples("And stones?"))
        await talking.until(lambda frame: frame.get("text") == "And")
        stopping = asyncio.to_thread(scenario.server.stop, signal.SIGTERM)
        (told, quiet), stopped = await asyncio.gather(
            asyncio.gather(talking.closed(), silent.closed()), stopping
        )
    assert stopped == 0
    for frames, code in (told, quiet):
        assert (frames[-1]["type"], code) == ("drain", 1001)
        assert not of_type(frames, "stopped")
        assert not [frame for frame in frames if "code" in frame]
    assert len(quiet[0]) == 1
    [turn] = of_type(told[0], "turn")
    assert turn["text"] == f"{ASKED} And stones?"
    await until(lambda: deepgram_server.open_sockets() == 0)
    await asyncio.to_thread(scenario.server.restart)
    async with voice(port) as again:
        await again.start(model=MODEL, conversation_id=turn["conversation_id"])
        await again.send(type="resume", run_id=turn["run_id"], after=0)
        rest = await again.until_spoken()
    assert text_of(rest) == ANSWER
    assert [one["text"] for one in of_type(rest, "speech_start")] == SENTENCES
    assert scenario.server.unexpected_errors() == []


async def test_a_server_that_winds_up_a_socket_takes_nothing_else_on(
    serve: Serve, deepgram_server: Deepgram
) -> None:
    """It is not ready, begins no runs, and sends readers away, while words are still to come."""
    deepgram_server.reset()
    deepgram_server.fail(Fault(at="WS /v1/listen", do=Hang(), after=2))
    times = {"CARTRITA_VOICE_FINAL_WORDS_S": "60", "CARTRITA_SERVER_DRAIN_S": "0"}
    scenario = serve(settings={**live_settings(deepgram_server), **times}, lease_s=15.0)
    message = scenario.message(Script(words=200, between_tokens_s=0.5))
    chat = {"message": message, "model": MODEL, "stream": True}
    async with voice(scenario.server.port) as socket, asyncio.TaskGroup() as tasks:
        await socket.start(model=MODEL)
        await socket.say(deepgram_server.samples("Moss grows there."))
        await socket.until_type("transcript")
        since = scenario.provider.begun()
        async with await v1.begin(scenario, "/api/chat", chat) as reading:
            await until(lambda: scenario.provider.begun() > since)
            stopping = tasks.create_task(asyncio.to_thread(scenario.server.stop))
            read = await reading.body()
        assert b"event: done" not in read
        ready, _ = await scenario.call("GET", "/ready")
        refused, told = await scenario.call("POST", "/api/chat", {**chat, "stream": False})
        await socket.send(type="start", sample_rate=16_000)
        [*heard, last] = await socket.until(lambda frame: "code" in frame)
        assert (ready, refused, told["code"], last["code"]) == (503, 503, "draining", "draining")
        assert not of_type(heard, "drain")
        assert scenario.provider.begun() == since + 1
        await socket.connection.close()
    assert stopping.result() == 0
    assert scenario.server.unexpected_errors() == []


async def test_words_that_are_not_heard_in_time_are_told_when_a_server_stops(
    serve: Serve, deepgram_server: Deepgram
) -> None:
    """Where runs have no time to end too, and the words more than the process may take to end."""
    deepgram_server.reset()
    deepgram_server.fail(Fault(at="WS /v1/listen", do=Hang(), after=2))
    times = {
        "CARTRITA_VOICE_FINAL_WORDS_S": "60",
        "CARTRITA_SERVER_DRAIN_S": "0",
        "CARTRITA_SERVER_EXIT_S": "8",
    }
    scenario = serve(settings={**live_settings(deepgram_server), **times}, lease_s=15.0)
    async with voice(scenario.server.port) as socket:
        await socket.start(model=MODEL)
        await socket.say(deepgram_server.samples("Moss grows there."))
        await socket.until_type("transcript")
        stopping = asyncio.to_thread(scenario.server.stop, signal.SIGTERM)
        (frames, code), stopped = await asyncio.gather(socket.closed(), stopping)
    assert stopped == 0
    assert [frame.get("code", frame.get("type")) for frame in frames] == ["draining", "drain"]
    assert code == 1001


async def test_a_key_that_ends(live: Scenario, deepgram_server: Deepgram) -> None:
    user = await new_user(live, LOCAL_TENANT)
    key = await new_key(live, user)
    async with voice(live.server.port, key=key["key"]) as socket:
        await socket.start(model=MODEL)
        await socket.say(deepgram_server.samples(SLOW) + PAUSE)
        await socket.until(lambda frame: "audio" in frame)
        await made(live, "POST", f"/api/admin/keys/{key['id']}/revoke")
        async with asyncio.timeout(WATCHDOG_S):
            frames, code = await socket.closed()
    assert (frames[-1]["code"], code) == ("key_ended", 1008)
    await until(lambda: deepgram_server.open_sockets() == 0)


async def test_a_key_that_its_user_brings(serve: Serve, deepgram_server: Deepgram) -> None:
    """Without a key of the server's: it pays for what that user says, and for nobody else."""
    deepgram_server.reset()
    settings = {**live_settings(deepgram_server), "DEEPGRAM_API_KEY": ""}
    settings |= {
        "CARTRITA_VOICE_TRANSCRIBERS": "deepgram",
        "CARTRITA_VOICE_SYNTHESIZERS": "deepgram",
    }
    scenario = serve(settings=settings)
    user = await new_user(scenario, LOCAL_TENANT)
    key = (await new_key(scenario, user))["key"]
    async with voice(scenario.server.port, key=key) as socket:
        await socket.send(type="start", sample_rate=16_000)
        assert (await socket.next())["code"] == "provider_not_configured"
    body = {"provider": "deepgram", "key": deepgram_server.key}
    await made(scenario, "POST", "/api/credentials", body, X_API_Key=key)
    async with voice(scenario.server.port, key=key) as socket:
        await socket.start(respond=False)
        await socket.say(deepgram_server.samples("Mine.") + PAUSE)
        assert (await socket.until_type("turn"))[-1]["text"] == "Mine."
    async with voice(scenario.server.port) as socket:
        await socket.send(type="start", sample_rate=16_000)
        assert (await socket.next())["code"] == "provider_not_configured"
