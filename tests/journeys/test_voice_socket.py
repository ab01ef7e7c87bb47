"""A live conversation: what is said is transcribed and answered, and the answer is spoken."""

import pytest
from tests.harness.deepgram.faults import Delays
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually, until
from tests.harness.voice_sockets import (
    PAUSE,
    of_type,
    spoken_audio,
    voice,
)
from tests.harness.websockets import Frame, seqs_of, text_of
from tests.journeys.live_voice import MODEL
from tests.journeys.live_voice import deepgram_server as deepgram_server
from tests.journeys.live_voice import live as live
from tests.journeys.live_voice import live_server as live_server

SENTENCES = ["Moss grows there.", "It is old.", "Stones are older."]
ANSWER = " ".join(SENTENCES)


def said(*scripts: Script) -> str:
    """What is said, so that the model answers by these scripts."""
    return f"What grows? {directive(*scripts)}"


ASKED = said(Script(text=ANSWER))


async def used(live: Scenario) -> tuple[float, int]:
    """The seconds and characters of the only conversation that the ledger knows, once it does."""

    async def look() -> tuple[float, int] | None:
        rows = await live.fetch("SELECT model, audio_seconds, characters FROM usage_ledger")
        found = {model: (seconds, characters) for model, seconds, characters in rows}
        if {"listening", "speech"} <= found.keys():
            return found["listening"][0], found["speech"][1]
        return None

    return await eventually(look)


async def test_a_spoken_exchange(live: Scenario, deepgram_server: Deepgram) -> None:
    async with voice(live.server.port) as socket:
        listening = await socket.start(model=MODEL)
        await socket.say(deepgram_server.samples(ASKED) + PAUSE)
        frames = await socket.until_spoken()
        assert (listening["turn"], listening["sample_rate"]) == (1, 16_000)
        assert listening["transcriber"].startswith("deepgram")
        heard = of_type(frames, "transcript")
        assert [one["final"] for one in heard].count(False) > 2
        assert heard[-1] == {**heard[-1], "final": True, "text": ASKED, "turn": 1}
        [turn] = of_type(frames, "turn")
        assert turn["text"] == ASKED
        assert [word["word"] for word in turn["words"]] == ASKED.split()
        run = turn["run_id"]
        events = [frame for frame in frames if "event" in frame]
        assert {event["run_id"] for event in events} == {run}
        assert text_of(events) == ANSWER
        assert seqs_of(events) == list(range(1, len(seqs_of(events)) + 1))
        begun, ended = of_type(frames, "speech_start"), of_type(frames, "speech_end")
        assert [one["text"] for one in begun] == SENTENCES
        assert [one["sentence"] for one in begun] == [one["sentence"] for one in ended] == [0, 1, 2]
        assert {(one["format"], one["sample_rate"]) for one in begun} == {("pcm", 24_000)}
        assert frames[-1] == {"type": "speech_done", "run_id": run}
        audio = deepgram_server.samples(ANSWER, rate=24_000)
        assert spoken_audio(frames) == audio
        assert sum(one["seconds"] for one in ended) == pytest.approx(len(audio) / 48_000)
        await socket.send(type="stop")
        assert (await socket.until_type("stopped"))[-1] == {"type": "stopped"}
    await until(lambda: deepgram_server.open_sockets() == 0)
    seconds, characters = await used(live)
    assert seconds == pytest.approx((len(deepgram_server.samples(ASKED)) + len(PAUSE)) / 32_000)
    assert characters == sum(map(len, SENTENCES))


async def test_turns_of_one_conversation(live: Scenario, deepgram_server: Deepgram) -> None:
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL, speak=False, interim=False)
        turns = list[Frame]()
        for number in (1, 2):
            await socket.say(deepgram_server.samples(ASKED) + PAUSE)
            frames = await socket.until_end()
            assert all(one["final"] for one in of_type(frames, "transcript"))
            assert not spoken_audio(frames)
            turns += of_type(frames, "turn")
            assert turns[-1]["turn"] == number
    assert len({turn["conversation_id"] for turn in turns}) == 1
    assert len({turn["run_id"] for turn in turns}) == 2
    path = f"/api/conversations/{turns[0]['conversation_id']}/messages"
    _, page = await live.call("GET", path)
    asked = [one for one in page["items"] if one["role"] == "user"]
    assert len(asked) == 2
    for one in asked:
        [part] = one["parts"]
        assert (part["text"], part["spoken"]["provider"]) == (ASKED, "deepgram")
        assert part["spoken"]["words"][0]["start"] < 1.5  # of its own turn


async def test_two_turns_before_an_answer(live: Scenario, deepgram_server: Deepgram) -> None:
    """The second waits for the first, and both are spoken in their order."""
    slow = said(Script(text="First here.", before_headers_s=0.5))
    fast = said(Script(text="Then that."))
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL)
        audio = deepgram_server.samples(slow) + PAUSE + deepgram_server.samples(fast) + PAUSE
        await socket.say(audio)
        frames = await socket.until_spoken()
        frames += await socket.until_spoken()
    assert [one["text"] for one in of_type(frames, "speech_start")] == ["First here.", "Then that."]
    runs = [turn["run_id"] for turn in of_type(frames, "turn")]
    assert [one["run_id"] for one in of_type(frames, "speech_done")] == runs


async def test_a_turn_that_is_not_answered(live: Scenario, deepgram_server: Deepgram) -> None:
    async with voice(live.server.port) as socket:
        await socket.start(respond=False)
        await socket.say(deepgram_server.samples("Only words.") + PAUSE)
        turn = (await socket.until_type("turn"))[-1]
    assert turn["text"] == "Only words."
    assert "run_id" not in turn


async def test_push_to_talk(live: Scenario, deepgram_server: Deepgram) -> None:
    """A pause ends no turn, but the client; one in which nothing was said is not answered."""
    async with voice(live.server.port) as socket:
        await socket.start(respond=False, turns_end="when_asked")
        await socket.say(deepgram_server.samples("One two.") + PAUSE)
        await socket.say(deepgram_server.samples("Three."))
        await socket.send(type="end_turn")
        frames = await socket.until_type("turn")
        assert [one["text"] for one in of_type(frames, "turn")] == ["One two. Three."]
        await socket.send(type="end_turn")
        empty = (await socket.until_type("turn"))[-1]
        assert (empty["turn"], empty["text"]) == (2, "")
        await socket.say(deepgram_server.samples("Four."))
        await socket.send(type="stop")
        frames = await socket.until_type("stopped")
        assert [one["text"] for one in of_type(frames, "turn")] == ["Four."]


@pytest.mark.parametrize("mode", ["when_asked", "with_pause"])
@pytest.mark.parametrize("last", ["end_turn", "stop"])
async def test_words_after_a_pause_just_before_the_button_is_let_go(
    live: Scenario, deepgram_server: Deepgram, mode: str, last: str
) -> None:
    """What was said before that pause is on its way still when the button is let go."""
    deepgram_server.delay(Delays(hearing=0.1))
    pause = PAUSE[: len(PAUSE) * 4 // 10]
    async with voice(live.server.port) as socket:
        await socket.start(respond=False, turns_end=mode)
        await socket.say(deepgram_server.samples("One.") + pause + deepgram_server.samples("Two."))
        await socket.send(type="end_turn")
        if last == "stop":
            await socket.send(type="stop")
        frames = await socket.until_type("turn")
        assert frames[-1]["text"] == "One. Two."
        await socket.send(type="stop")
        rest = await socket.until_type("stopped")
        assert of_type(rest, "turn") == []


@pytest.mark.parametrize(
    ("wish", "reason"), [("stop_speaking", "barge_in"), ("cancel", "barge_in")]
)
async def test_barge_in(live: Scenario, deepgram_server: Deepgram, wish: str, reason: str) -> None:
    asked = said(Script(text=f"{ANSWER} " * 20, between_tokens_s=0.03))
    deepgram_server.delay(Delays(word=0.02))
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL, on_barge_in=wish)
        await socket.say(deepgram_server.samples(asked) + PAUSE)
        frames = await socket.until(lambda frame: "audio" in frame)
        run = of_type(frames, "turn")[0]["run_id"]
        await socket.say(deepgram_server.samples("Wait, wait."))
        stopped = (await socket.until_type("speech_stopped"))[-1]
        assert (stopped["run_id"], stopped["reason"]) == (run, reason)
        rest = await socket.until_end(run)
        assert not spoken_audio(rest)
        assert not of_type(rest, "speech_start")
        end = rest[-1]
        assert (end["event"], end["data"].get("code")) == (
            ("error", "cancelled") if wish == "cancel" else ("done", None)
        )
    await until(lambda: deepgram_server.open_sockets() == 0)


async def test_who_is_ignored(live: Scenario, deepgram_server: Deepgram) -> None:
    deepgram_server.delay(Delays(word=0.05))
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL, on_barge_in="ignore")
        await socket.say(deepgram_server.samples(ASKED) + PAUSE)
        await socket.until(lambda frame: "audio" in frame)
        await socket.say(deepgram_server.samples("Wait, wait."))
        frames = await socket.until_spoken()
    assert frames[-1]["type"] == "speech_done"
    assert of_type(frames, "transcript")


async def test_being_asked_to_be_silent(live: Scenario, deepgram_server: Deepgram) -> None:
    deepgram_server.delay(Delays(word=0.05))
    async with voice(live.server.port) as socket:
        await socket.start(model=MODEL)
        await socket.say(deepgram_server.samples(ASKED) + PAUSE)
        frames = await socket.until(lambda frame: "audio" in frame)
        await socket.send(type="stop_speaking")
        frames += await socket.until_spoken()
        assert (frames[-1]["type"], frames[-1]["reason"]) == ("speech_stopped", "asked")
        run, sentence = frames[-1]["run_id"], frames[-1]["sentence"]
        await live.ended(run.removeprefix("run_"))
        await socket.send(type="resume", run_id=run, after=0, from_sentence=sentence)
        rest = await socket.until_spoken()
        begun = of_type(rest, "speech_start")
        assert [one["text"] for one in begun] == SENTENCES[sentence:]
        assert [one["sentence"] for one in begun] == list(range(sentence, 3))


async def test_an_agent_that_waits_for_an_approval(
    live: Scenario, deepgram_server: Deepgram
) -> None:
    _, conversation = await live.call("POST", "/api/conversations", {"title": "Talk"})
    calls = (ToolCall(name="calculator", arguments={"expression": "6*7"}),)
    asked = said(Script(tool_calls=calls), Script(text="It is done."))
    options = {"agent_override": "assistant", "model": MODEL, "approval": "always"}
    async with voice(live.server.port) as socket:
        await socket.start(conversation_id=conversation["id"], **options)
        await socket.say(deepgram_server.samples(asked) + PAUSE)
        frames = await socket.until(lambda frame: frame.get("event") == "approval_required")
        data = frames[-1]["data"]
        await socket.send(
            type="approve",
            run_id=frames[-1]["run_id"],
            approval_id=data["approval_id"],
            arguments_hash=data["arguments_hash"],
            decision="approve",
        )
        spoken = await socket.until_spoken()
    assert of_type(frames, "turn")[0]["conversation_id"] == conversation["id"]
    assert spoken[-1]["type"] == "speech_done"
    assert of_type(spoken, "speech_start")[-1]["text"] == "It is done."
