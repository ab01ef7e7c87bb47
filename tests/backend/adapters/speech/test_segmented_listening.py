"""Whatever transcribes an utterance can listen: utterances are found for it."""

import pytest
from tests.backend.adapters.speech.sounds import babble, noise, silence

from cartrita.adapters.speech.segmented_listening import hearing_by, segmented_listening
from cartrita.domain.errors import UpstreamUnreachable
from cartrita.domain.speech import (
    Heard,
    ListeningEvent,
    PcmFormat,
    SpeechStarted,
    SpokenWord,
    Transcript,
    UtteranceEnded,
)

LISTENED = PcmFormat(16_000)


class Counting:
    """Says how many utterances it has heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def transcribe(self, samples: bytes) -> Transcript:
        self.heard.append(samples)
        text = f"utterance {len(self.heard)}"
        words = (SpokenWord("utterance", 0.5, 0.9), SpokenWord(str(len(self.heard)), 0.9, 1.0))
        return Transcript(
            text=text, duration=LISTENED.seconds(len(samples)), provider="p", model="m", words=words
        )


async def events_of(sound: bytes, counting: Counting) -> list[ListeningEvent]:
    async with segmented_listening(LISTENED, hearing_by(counting.transcribe)) as listening:
        await listening.send(sound)
        await listening.finish()
        return [event async for event in listening.events()]


async def test_each_utterance_is_written_down_when_it_has_ended() -> None:
    sound = silence(1) + babble(1) + silence(1) + babble(1) + silence(1)
    events = await events_of(sound, Counting())
    heard = [one for one in events if isinstance(one, Heard)]
    assert [(one.text, one.final, one.ends_utterance) for one in heard] == [
        ("utterance 1", True, True),
        ("utterance 2", True, True),
    ]
    assert len([one for one in events if isinstance(one, SpeechStarted)]) == 2
    assert len([one for one in events if isinstance(one, UtteranceEnded)]) == 2
    assert isinstance(events[-1], UtteranceEnded)


async def test_words_are_told_since_the_beginning_of_all() -> None:
    events = await events_of(silence(3) + babble(1) + silence(1), Counting())
    (heard,) = [one for one in events if isinstance(one, Heard)]
    assert 2.5 < heard.start < 2.8
    assert heard.words[0].start == pytest.approx(heard.start + 0.5)


async def test_of_noise_nothing_is_asked() -> None:
    counting = Counting()
    events = await events_of(silence(2) + noise(3, seed=9) + silence(1), counting)
    assert counting.heard == []
    assert [one for one in events if isinstance(one, Heard)] == []


async def test_the_end_of_an_utterance_can_be_told() -> None:
    async with segmented_listening(LISTENED, hearing_by(Counting().transcribe)) as listening:
        await listening.send(silence(0.5) + babble(1))
        await listening.end_utterance()
        events = listening.events()
        told = [await anext(events) for _ in range(3)]
    assert [type(one) for one in told] == [SpeechStarted, Heard, UtteranceEnded]
    assert isinstance(told[2], UtteranceEnded)
    assert told[2].asked


async def test_a_pause_that_nobody_asked_for_says_so() -> None:
    async with segmented_listening(LISTENED, hearing_by(Counting().transcribe)) as listening:
        await listening.send(silence(0.5) + babble(1) + silence(1))
        await listening.end_utterance()
        await listening.finish()
        pauses = [one.asked async for one in listening.events() if isinstance(one, UtteranceEnded)]
    assert pauses == [False, True]


async def test_where_nothing_was_said_a_pause_is_told() -> None:
    async with segmented_listening(LISTENED, hearing_by(Counting().transcribe)) as listening:
        await listening.send(silence(1))
        await listening.end_utterance()
        assert await anext(listening.events()) == UtteranceEnded(1.0, asked=True)


async def test_a_failure_is_told_to_who_reads_and_nobody_waits_for_ever() -> None:
    async def fail(samples: bytes) -> Transcript:
        raise UpstreamUnreachable("It is away.", provider="p")

    async with segmented_listening(LISTENED, hearing_by(fail)) as listening:
        for _ in range(4):
            await listening.send(babble(1) + silence(1))
        await listening.finish()
        events = listening.events()
        with pytest.raises(UpstreamUnreachable):
            assert {type(event) async for event in events} == set()
