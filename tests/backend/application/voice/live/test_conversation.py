"""A live conversation answers turns and speaks, replaces engines, and hears who interrupts."""

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs
from structlog.typing import EventDict
from tests.backend.application.voice.live.scenes import (
    OPTIONS,
    Scene,
    public,
    scene,
    settled,
    words,
)

from cartrita.application.voice.live.live_events import (
    AnswerSpoken,
    HeardInTurn,
    ListeningBegan,
    ListeningEnded,
    LiveFailure,
    SentenceBegan,
    SentenceEnded,
    SomebodySpeaks,
    SpeechEnd,
    SpeechStopped,
    TurnEnded,
)
from cartrita.application.voice.live.options import BargeIn, LiveBounds, LiveOptions
from cartrita.domain.errors import (
    OWN_CREDENTIAL,
    Busy,
    Conflict,
    Malformed,
    NotFound,
    NotOffered,
    RateLimited,
    TooLarge,
    Unavailable,
    UpstreamAuth,
    UpstreamCut,
    UpstreamUnreachable,
)
from cartrita.domain.events import StopStatus
from cartrita.domain.speech import AudioFormat, SpeechModel, SpeechStarted, UtteranceEnded


def cut(name: str = "deepgram") -> UpstreamCut:
    return UpstreamCut("It was cut.", provider=name)


async def asked(told: Scene, audio: bytes = b"aa") -> int:
    """The number of the run that answers what was said."""
    turns = len(told.client.all(TurnEnded))
    told.conversation.hear(audio)
    await told.client.until(TurnEnded, turns + 1)
    return len(told.runs.commands)


def failed(logs: list[EventDict]) -> list[tuple[str, str]]:
    """The engines that failed, as an operator reads it, and with what."""
    return [(one["engine"], one["code"]) for one in logs if one["event"] == "engine_failed"]


def heard(told: Scene) -> bytes:
    return b"".join(told.client.all(bytes))


async def test_a_turn_is_answered_and_spoken() -> None:
    async with scene() as told:
        await told.conversation.start(replace(OPTIONS, model="m", instructions="Be brief."))
        run = await asked(told)
        [command] = told.runs.commands
        assert command.message.text == "What grows?"
        assert (command.model, command.instructions) == ("m", "Be brief.")
        await told.answer(run, "Moss. It is", " old. ", "Yes")
        await told.client.until(AnswerSpoken)
        began = told.client.all(SentenceBegan)
        assert [(one.sentence, one.text) for one in began] == [
            (0, "Moss."), (1, "It is old."), (2, "Yes"),
        ]  # fmt: skip
        assert heard(told) == b"Moss.It is old.Yes"
        assert [one.seconds for one in told.client.all(SentenceEnded)] == [0.0, 0.001, 0.0]
        assert told.client.all(ListeningBegan)[0].transcriber == "deepgram"
        await asked(told)
        assert told.runs.commands[1].conversation_id is not None
        assert told.runs.commands[1].client_msg_id != command.client_msg_id


async def test_nothing_is_answered_or_spoken_that_is_not_asked_for() -> None:
    async with scene() as told:
        await told.conversation.start(replace(OPTIONS, respond=False, speak=False))
        told.conversation.hear(b"aa")
        ended = await told.client.until(TurnEnded)
        assert (ended.turn.text, ended.admitted) == ("What grows?", None)
        assert told.runs.commands == []
        await told.conversation.stop()
        await told.client.until(ListeningEnded)
        await told.conversation.stop()
        await told.client.until(ListeningEnded, 2)
        told.conversation.hear(b"aa")  # it was on its way
        with pytest.raises(Conflict, match="`start`"):
            told.conversation.end_turn()


async def test_interim_words_and_pauses() -> None:
    async with scene() as told:
        told.ears[0].hears = {
            b"11": [SpeechStarted(0.5), words("What", final=False)],
            b"22": [words("What grows", ends=False), UtteranceEnded(1.0)],
        }
        await told.conversation.start(replace(OPTIONS, respond=False))
        told.conversation.hear(b"11")
        told.conversation.hear(b"22")
        assert (await told.client.until(TurnEnded)).turn.text == "What grows"
        assert [one.heard.final for one in told.client.all(HeardInTurn)] == [False, True]
        assert told.client.all(SomebodySpeaks)[0].at == 0.5


@pytest.mark.parametrize("end", [cut(), None], ids=["cut", "over"])
async def test_a_turn_is_answered_though_nothing_is_heard_any_more(end: Exception | None) -> None:
    """It ended by itself, since its final words did not come in time."""
    async with scene(LiveBounds(ahead_s=600.0, audio_wait_s=0.05)) as told:
        told.ears[0].hears = {b"11": [words("What grows?", ends=False)]}
        options = replace(OPTIONS, speak=False, hands_free=False, transcriber="deepgram")
        await told.conversation.start(options)
        told.conversation.hear(b"11")
        await told.client.until(HeardInTurn)
        told.runs.admits.clear()
        told.conversation.end_turn()
        await told.runs.started.wait()
        told.ears[0].listenings[0].tell(end)
        await settled()
        assert told.ears[0].open == 0
        told.runs.admits.set()
        await told.client.until(ListeningEnded)
        assert [*map(type, told.client.told[-3:])] == [TurnEnded, LiveFailure, ListeningEnded]
        assert told.client.all(TurnEnded)[0].admitted is not None
        assert told.client.all(ListeningEnded)[0].reason is told.client.all(LiveFailure)[0].error


async def test_a_turn_is_answered_though_the_transcriber_does_not_keep_up() -> None:
    async with scene(LiveBounds(audio_wait_s=0.001)) as told:
        told.ears[0].hears = {b"11": [words("What grows?", ends=False)]}
        await told.conversation.start(replace(OPTIONS, speak=False))
        told.conversation.hear(b"11")
        await told.client.until(HeardInTurn)
        for _ in range(9):
            told.conversation.hear(b"22")
        await told.conversation.stop()
        await told.client.until(ListeningEnded)
        await settled()
        ended = told.client.told[-3:]
        assert [type(one) for one in ended] == [TurnEnded, LiveFailure, ListeningEnded]
        assert [one.message.text for one in told.runs.commands] == ["What grows?"]
        [reason] = [one.reason for one in told.client.all(ListeningEnded)]
        assert reason.code == "transcriber_behind"


async def test_the_end_is_told_once_and_after_the_last_turn() -> None:
    """The client asks for it while that turn is still being answered."""
    async with scene() as told:
        told.ears[0].hears = {b"11": [words("What grows?", ends=False), cut()]}
        await told.conversation.start(replace(OPTIONS, speak=False, transcriber="deepgram"))
        told.runs.admits.clear()
        told.conversation.hear(b"11")
        await told.runs.started.wait()
        await told.conversation.stop()
        told.runs.admits.set()
        await told.client.until(ListeningEnded)
        await settled()
        ended = told.client.told[-3:]
        assert [type(one) for one in ended] == [TurnEnded, LiveFailure, ListeningEnded]
        [reason] = [one.reason for one in told.client.all(ListeningEnded)]
        assert reason.code == "upstream_cut"


async def test_a_turn_is_answered_as_it_was_asked_though_another_listening_begins() -> None:
    async with scene() as told:
        await told.conversation.start(replace(OPTIONS, speak=False, model="first"))
        told.runs.admits.clear()
        told.conversation.hear(b"aa")
        await told.runs.started.wait()
        await told.conversation.start(replace(OPTIONS, speak=False, model="second"))
        told.conversation.hear(b"aa")
        await settled()
        assert told.ears[0].endings == ["events", "listening"]
        told.runs.admits.set()
        await told.client.until(TurnEnded, 2)
        assert [one.model for one in told.runs.commands] == ["first", "second"]
        assert [one.conversation_id for one in told.runs.commands] == [None, None]


async def test_turns_are_answered_one_after_the_other() -> None:
    """One that ended by itself, and one whose words were on their way."""
    async with scene(LiveBounds(ahead_s=600.0, audio_wait_s=0.05)) as told:
        told.ears[0].hears = {b"11": [words("One.", ends=False)]}
        await told.conversation.start(replace(OPTIONS, speak=False))
        told.conversation.hear(b"11")
        await told.client.until(HeardInTurn)
        told.runs.admits.clear()
        told.conversation.end_turn()
        await told.runs.started.wait()
        told.ears[0].listenings[0].tell(words("Two."))
        await settled()
        told.runs.admits.set()
        await told.client.until(TurnEnded, 2)
        assert [one.message.text for one in told.runs.commands] == ["One.", "Two."]
        first, second = [one.conversation_id for one in told.runs.commands]
        assert (first, second is None) == (None, False)


async def test_an_answer_that_breaks_on_our_side_is_told() -> None:
    async with scene() as told:
        await told.conversation.start(OPTIONS)
        told.runs.refuses = [ValueError("never shown")]
        told.conversation.hear(b"aa")
        assert (await told.client.until(LiveFailure)).error.code == "internal"
        assert await asked(told) == 1


async def test_pieces_are_closed_before_what_speaks_them() -> None:
    async with scene() as told:
        await told.conversation.start(OPTIONS)
        run = await asked(told)
        told.runs.write(run, "Moss. It")
        await told.client.until(SentenceEnded)
        told.conversation.stop_speaking()
        await told.client.until(SpeechStopped)
        assert told.mouths[0].endings == ["pieces", "speaking"]


async def test_frames_that_are_no_audio() -> None:
    bounds = LiveBounds(frame_bytes=4, audio_wait_s=0.001)
    async with scene(bounds) as told:
        with pytest.raises(Conflict):
            told.conversation.end_turn()
        await told.conversation.start(OPTIONS)
        with pytest.raises(Malformed):
            told.conversation.hear(b"a")
        with pytest.raises(TooLarge):
            told.conversation.hear(b"aaaaaa")
        for _ in range(4):
            told.conversation.hear(b"aaaa")
        told.conversation.hear(b"aa")
        assert "keep up" in str((await told.client.until(LiveFailure)).error)
        ended = await told.client.until(ListeningEnded)
        assert ended.reason is not None
        assert ended.reason.code == "transcriber_behind"
        told.conversation.hear(b"aa")  # on its way still: that nothing is heard was told
        with pytest.raises(Conflict):
            told.conversation.end_turn()
        with pytest.raises(NotFound):
            await told.conversation.start(replace(OPTIONS, conversation_id="none"))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (replace(OPTIONS, model="none"), NotFound),
        (replace(OPTIONS, agent="none"), NotFound),
        (replace(OPTIONS, voice="none"), NotOffered),
        (replace(OPTIONS, voice="none", synthesizer="openai"), NotOffered),
    ],
)
async def test_what_nobody_answers_or_speaks_is_told_before_anything_is_heard(
    options: LiveOptions, error: type[Exception]
) -> None:
    async with scene() as told:
        with pytest.raises(error):
            await told.conversation.start(options)
        with pytest.raises(Conflict):
            told.conversation.hear(b"aa")
        assert told.ears[0].asked == []
        await told.conversation.start(replace(options, respond=False, speak=False))
        await told.client.until(ListeningBegan)


@pytest.mark.parametrize(
    ("bounds", "code"),
    [(LiveBounds(audio_idle_s=0.01), "audio_idle"), (LiveBounds(silence_s=0.0), "silence")],
)
async def test_listening_ends_without_speech(bounds: LiveBounds, code: str) -> None:
    async with scene(bounds) as told:
        await told.conversation.start(OPTIONS)
        told.conversation.hear(b"00")
        assert (await told.client.until(LiveFailure)).error.code == code


async def test_a_transcriber_that_fails_before_it_heard_is_replaced() -> None:
    async with scene() as told:
        told.ears[0].hears = {b"11": [cut()]}
        told.ears[1].hears = {b"11": [words("All of it.")]}
        await told.conversation.start(replace(OPTIONS, respond=False))
        with capture_logs() as logs:
            told.conversation.hear(b"00")
            told.conversation.hear(b"11")
            turn = (await told.client.until(TurnEnded)).turn
        assert (turn.text, turn.provider) == ("All of it.", "openai")
        assert told.ears[1].sent == [b"00", b"11"]
        assert failed(logs) == [("deepgram", "upstream_cut")]


async def test_one_that_fails_after_that_and_has_no_other_is_told() -> None:
    async with scene() as told:
        told.ears[0].hears = {b"11": [words("Half", ends=False)], b"22": [cut()]}
        await told.conversation.start(replace(OPTIONS, respond=False, transcriber="deepgram"))
        with capture_logs() as logs:
            told.conversation.hear(b"11")
            told.conversation.hear(b"22")
            failure = await told.client.until(LiveFailure)
        assert failure.error.code == "upstream_cut"
        assert failed(logs) == [("deepgram", "upstream_cut")]
        assert told.client.all(TurnEnded)[0].turn.text == "Half"
        assert told.ears[1].sent == []


async def test_a_transcriber_that_just_ends() -> None:
    async with scene() as told:
        for ear in told.ears:
            ear.failures = [UpstreamUnreachable("No.", provider=ear.name)] * 4
        await told.conversation.start(OPTIONS)
        assert (await told.client.until(LiveFailure)).error.code == "upstream_unreachable"


async def test_the_callers_own_credential_is_told() -> None:
    async with scene() as told:
        refused = UpstreamAuth("No.", provider="deepgram", details={"credential": OWN_CREDENTIAL})
        told.ears[0].failures.append(refused)
        await told.conversation.start(OPTIONS)
        assert (await told.client.until(LiveFailure)).error.code == "upstream_auth"
        assert told.ears[1].asked == []


async def test_what_breaks_on_our_side_is_told() -> None:
    async with scene() as told:
        told.ears[0].hears = {b"11": [ValueError("never shown")]}
        await told.conversation.start(OPTIONS)
        told.conversation.hear(b"11")
        assert (await told.client.until(LiveFailure)).error.code == "internal"


async def test_a_synthesizer_that_fails_before_it_is_heard_is_replaced() -> None:
    async with scene() as told:
        told.mouths[0].fails = {"Moss.": [cut(), None]}
        told.mouths[0].failures = []
        told.mouths[0].unlisted = ("ann",)
        await told.conversation.start(replace(OPTIONS, voice="ann"))
        run = await asked(told)
        told.mouths[0].fails["Old."] = [cut()]
        await told.answer(run, "Moss. Old.")
        await told.client.until(AnswerSpoken)
        assert heard(told) == b"Moss.Old."
        assert [one.voice for one in told.mouths[0].requests] == ["ann", "ann", "ann"]


async def test_the_next_synthesizer_speaks_in_its_own_voice() -> None:
    async with scene() as told:
        for mouth, name in zip(told.mouths, ("ann", "bob"), strict=True):
            mouth.models = (SpeechModel(name=name, voices=(name,)),)
        told.mouths[0].failures = [UpstreamUnreachable("No.", provider="deepgram")] * 4
        await told.conversation.start(replace(OPTIONS, voice="ann", format=AudioFormat.WAV))
        with capture_logs() as logs:
            await told.answer(await asked(told), "Moss.")
            await told.client.until(SentenceEnded)
        assert [one.voice for one in told.mouths[1].requests] == [None]
        assert told.client.all(ListeningBegan)[0].synthesizer == "deepgram"
        assert told.client.all(SentenceBegan)[0].synthesizer == "openai"
        assert failed(logs) == [("deepgram", "upstream_unreachable")]
        assert told.client.all(SentenceEnded)[0].seconds is None


async def test_one_that_fails_in_a_sentence_is_told() -> None:
    async with scene() as told:
        told.mouths[0].fails = {"Old.": [None, cut()]}
        await told.conversation.start(OPTIONS)
        run = await asked(told)
        with capture_logs() as logs:
            await told.answer(run, "Moss. Old. Yes.")
            failure = await told.client.until(LiveFailure)
        assert failed(logs) == [("deepgram", "upstream_cut")]
        assert (failure.error.code, failure.run_id) == ("upstream_cut", told.runs.run(run))
        [stopped] = told.client.all(SpeechStopped)
        assert (stopped.reason, stopped.sentence) == (SpeechEnd.FAILED, 1)
        assert told.mouths[1].requests == []


async def test_speech_that_breaks_on_our_side() -> None:
    async with scene() as told:
        told.mouths[0].fails = {"Moss.": [ValueError("never shown")]}
        await told.conversation.start(OPTIONS)
        await told.answer(await asked(told), "Moss.")
        assert (await told.client.until(LiveFailure)).error.code == "internal"


@pytest.mark.parametrize("wish", BargeIn)
async def test_who_speaks_meanwhile(wish: BargeIn) -> None:
    async with scene() as told:
        told.ears[0].hears[b"bb"] = [words("Wait", final=False)]
        await told.conversation.start(replace(OPTIONS, on_barge_in=wish))
        told.conversation.hear(b"bb")  # while nothing is heard, that is none
        run = await asked(told)
        told.runs.write(run, "Moss. It")
        await told.client.until(SentenceEnded)
        told.conversation.hear(b"bb")
        if wish is BargeIn.IGNORE:
            await told.answer(run, " is old.")
            await told.client.until(AnswerSpoken)
            return
        stopped = await told.client.until(SpeechStopped)
        assert (stopped.reason, stopped.sentence) == (SpeechEnd.BARGE_IN, 1)
        assert heard(told) == b"Moss."
        expected = [public(told.runs.run(run))] if wish is BargeIn.CANCEL else []
        await told.client.until_true(lambda: not told.conversation.busy)
        assert told.runs.cancelled == expected


async def test_who_interrupts_is_told_before_what_speaks_is_closed() -> None:
    async with scene() as told:
        told.ears[0].hears[b"bb"] = [words("Wait", final=False)]
        await told.conversation.start(replace(OPTIONS, on_barge_in=BargeIn.CANCEL))
        run = await asked(told)
        told.runs.write(run, "Moss. It")
        await told.client.until(SentenceEnded)
        told.mouths[0].closes.clear()
        told.conversation.hear(b"bb")
        assert (await told.client.until(SpeechStopped)).reason is SpeechEnd.BARGE_IN
        assert told.mouths[0].open == 1
        told.conversation.hear(b"bb")  # while it is being closed nothing is heard
        await settled()
        told.mouths[0].closes.set()
        await told.client.until_true(lambda: told.mouths[0].open == 0)
        await settled()
        assert len(told.client.all(SpeechStopped)) == 1
        assert told.runs.cancelled == [public(told.runs.run(run))]


async def test_a_cancellation_that_fails_is_told() -> None:
    async with scene() as told:
        told.ears[0].hears[b"bb"] = [words("Wait", final=False)]
        await told.conversation.start(replace(OPTIONS, on_barge_in=BargeIn.CANCEL))
        told.runs.write(await asked(told), "Moss. It")
        await told.client.until(SentenceEnded)
        told.runs.refuses = [Unavailable("Later.")]
        told.conversation.hear(b"bb")
        assert (await told.client.until(LiveFailure)).error.code == "unavailable"


async def test_being_asked_to_be_silent_and_to_go_on() -> None:
    async with scene() as told:
        await told.conversation.start(OPTIONS)
        run = await asked(told)
        told.conversation.stop_speaking()  # before it has begun
        assert (await told.client.until(SpeechStopped)).reason is SpeechEnd.ASKED
        told.conversation.resume(told.runs.run(run), 1)
        told.conversation.resume(told.runs.run(run), 1)  # it is spoken already
        await told.answer(run, "Moss. Old. Yes.")
        await told.client.until(AnswerSpoken)
        assert heard(told) == b"Old.Yes."


async def test_answers_are_spoken_in_their_order() -> None:
    async with scene() as told:
        await told.conversation.start(OPTIONS)
        first, second = await asked(told), await asked(told)
        told.runs.write(first, "One. It")
        await told.client.until(SentenceEnded)
        await told.answer(second, "Three.")
        await told.answer(first, " is two.")
        await told.client.until(AnswerSpoken, 2)
        assert heard(told) == b"One.It is two.Three."


@pytest.mark.parametrize(
    ("status", "reason"),
    [(StopStatus.CANCELLED, SpeechEnd.CANCELLED), (StopStatus.FAILED, SpeechEnd.FAILED)],
)
async def test_a_run_that_does_not_end_well(status: StopStatus, reason: SpeechEnd) -> None:
    async with scene() as told:
        await told.conversation.start(OPTIONS)
        run = await asked(told)
        told.runs.write(run, "Moss. It")
        await told.client.until(SentenceEnded)
        told.runs.end(run, status)
        assert (await told.client.until(SpeechStopped)).reason is reason


async def test_what_was_said_waits_while_the_server_is_busy() -> None:
    async with scene() as told:
        await told.conversation.start(OPTIONS)
        busy = Busy("Later.", retry_after=0.001)
        told.runs.refuses = [busy, busy]
        assert await asked(told) == 1
        told.runs.refuses.append(NotFound.of("conversation"))
        await asked(told)
        assert (await told.client.until(LiveFailure)).error.code == "conversation_not_found"
        told.client.no_room = RateLimited("Too many.", code="too_many_runs")
        await asked(told)
        assert (await told.client.until(LiveFailure, 2)).error.code == "too_many_runs"
