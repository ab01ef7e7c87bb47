"""Turns, what waits to be heard, what was sent to be heard, and who interrupts."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.application.voice.live.audio_inbox import AudioInbox, Mark
from cartrita.application.voice.live.barge_in import BargeInWatch
from cartrita.application.voice.live.playback import Playback
from cartrita.application.voice.live.turns import TurnGathering
from cartrita.domain.errors import Unavailable
from cartrita.domain.speech import Heard, PcmFormat, SpeechStarted, SpokenWord, UtteranceEnded

PCM = PcmFormat(8000)


def heard(
    text: str, *, start: float = 0.0, final: bool = True, language: str | None = None
) -> Heard:
    words = tuple(SpokenWord(word, start, start + 0.5) for word in text.split())
    return Heard(
        text=text, start=start, duration=1.0, final=final, confidence=0.5, language=language,
        words=words,
    )  # fmt: skip


def test_a_turn_is_what_is_final() -> None:
    gathering = TurnGathering(100)
    gathering.add(heard("what", final=False))
    gathering.add(heard("  "))
    assert not gathering.begun
    gathering.add(heard("What grows ", start=1.0))
    gathering.add(heard("on stones?", start=2.5, language="en"))
    turn = gathering.take()
    assert (turn.number, turn.text, turn.duration) == (1, "What grows on stones?", 2.5)
    assert [word.text for word in turn.words] == ["What", "grows", "on", "stones?"]
    assert (turn.language, turn.confidence) == ("en", 0.5)
    assert (gathering.take().text, gathering.number) == ("", 2)


def test_a_turn_that_is_too_long() -> None:
    gathering = TurnGathering(10)
    gathering.add(heard("nine lets"))
    assert not gathering.full
    gathering.add(heard("more"))
    assert gathering.full
    assert gathering.take().text == "nine lets"
    assert not gathering.full
    assert (gathering.begun, gathering.take().text) == (True, "more")
    gathering.add(heard("more than fits"))
    assert gathering.take().text == "more than "
    assert not gathering.begun


@examples
@given(sizes=st.lists(st.integers(1, 400), max_size=30), taken=st.integers(0, 30))
def test_audio_comes_out_as_it_went_in(sizes: list[int], taken: int) -> None:
    async def passed() -> list[bytes | Mark]:
        inbox = AudioInbox(PCM, 1.0, 1.0)
        for number, size in enumerate(sizes):
            inbox.put(bytes([number]) * 2 * size if size % 7 else Mark.END_OF_TURN)
        for _ in range(min(taken, len(sizes))):
            await inbox.take()
        inbox.give_back()
        return [await inbox.take() for _ in sizes]

    expected = [bytes([n]) * 2 * s if s % 7 else Mark.END_OF_TURN for n, s in enumerate(sizes)]
    if PCM.seconds(sum(len(one) for one in expected if isinstance(one, bytes))) <= 1.0:
        assert asyncio.run(passed()) == expected
    else:
        with pytest.raises(Unavailable, match="does not keep up"):
            asyncio.run(passed())


async def test_what_is_used_is_not_given_back() -> None:
    inbox = AudioInbox(PCM, 1.0, 1.0)
    inbox.put(b"ab")
    await inbox.take()
    inbox.forget()
    inbox.give_back()
    inbox.put(b"cd")
    assert await inbox.take() == b"cd"


async def taken_again(inbox: AudioInbox) -> tuple[float, list[bytes | Mark]]:
    """From when on it is heard again, and what."""
    began = inbox.give_back()
    inbox.put(Mark.END)
    again = list[bytes | Mark]()
    while not again or again[-1] is not Mark.END:
        again.append(await inbox.take())
    return began, again[:-1]


async def test_what_has_final_words_is_not_heard_again() -> None:
    """To the sample, wherever the pieces begin; times go on where it began."""
    inbox = AudioInbox(PCM, 1.0, 9.0)
    for number in range(4):
        inbox.put(bytes([number]) * 8000)
        await inbox.take()
    inbox.forget_until(1.25)
    began, again = await taken_again(inbox)
    assert (began, again) == (1.25, [b"\2" * 4000, b"\3" * 8000])
    inbox.forget_until(1.75)
    assert await taken_again(inbox) == (1.75, [b"\3" * 4000])


async def test_what_waits_does_not_count_what_was_given_back() -> None:
    """As much may arrive while another transcriber is opened as while the first one was."""
    inbox = AudioInbox(PCM, 1.0, 1.0)
    inbox.put(b"a" * 16_000)
    await inbox.take()
    inbox.give_back()
    inbox.put(b"b" * 16_000)
    assert [await inbox.take(), await inbox.take()] == [b"a" * 16_000, b"b" * 16_000]


async def test_a_turn_that_was_told_is_not_ended_again() -> None:
    inbox = AudioInbox(PCM, 1.0, 1.0)
    for one in (b"aa", Mark.END_OF_TURN, b"bb"):
        inbox.put(one)
        await inbox.take()
    assert await taken_again(inbox) == (0.0, [b"aa", Mark.END_OF_TURN, b"bb"])
    inbox.tell_turn()
    assert (await taken_again(inbox))[1][1] is Mark.END_THAT_WAS_TOLD


async def test_as_much_as_may_be_kept_is_kept() -> None:
    """What a transcriber took before it failed takes no more memory than that."""
    inbox = AudioInbox(PCM, 1.0, 1.0)
    for number in range(5):
        inbox.put(bytes([number]) * 8000)
        await inbox.take()
    inbox.give_back()
    assert [(await inbox.take())[0] for _ in range(2)] == [3, 4]  # pyright: ignore[reportIndexIssue]


def test_how_far_sound_is_ahead() -> None:
    now = 10.0
    playback = Playback(lambda: now)
    assert playback.ahead == 0.0
    playback.add(2.0)
    now = 11.0
    playback.add(0.5)
    assert playback.ahead == 1.5
    now = 20.0
    assert playback.ahead == 0.0
    playback.add(1.0)
    assert playback.ahead == 1.0
    playback.stop()
    assert playback.ahead == 0.0


async def test_a_word_interrupts_at_once() -> None:
    noticed: list[bool] = []
    watch = BargeInWatch(lambda: noticed.append(True), after_s=600.0)
    watch.take(heard(" ", final=False))
    watch.take(SpeechStarted(0.0))
    assert noticed == []
    watch.take(heard("wait", final=False))
    assert noticed == [True]
    watch.close()


@pytest.mark.parametrize("end", [heard(""), UtteranceEnded(1.0)])
async def test_sound_without_words_interrupts_when_it_lasts(end: Heard | UtteranceEnded) -> None:
    noticed = asyncio.Event()
    watch = BargeInWatch(noticed.set, after_s=0.0)
    watch.take(SpeechStarted(0.0))
    watch.take(end)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not noticed.is_set()
    watch.take(SpeechStarted(2.0))
    async with asyncio.timeout(10):
        await noticed.wait()
