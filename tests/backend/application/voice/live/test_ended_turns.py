"""A turn ends when its client says so: with its last words, and once."""

import pytest
from msgspec.structs import replace
from tests.backend.application.voice.live.scenes import OPTIONS, scene, settled, words

from cartrita.application.voice.live.live_events import (
    HeardInTurn,
    ListeningBegan,
    SomebodySpeaks,
    TurnEnded,
)
from cartrita.application.voice.live.options import LiveBounds
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.speech import SpeechStarted, UtteranceEnded


async def test_a_button_ends_the_turn() -> None:
    bounds = LiveBounds(ahead_s=600.0, audio_wait_s=0.05)
    async with scene(bounds) as told:
        told.ears[0].hears = {
            b"11": [words("One")],
            b"end": [words("two"), UtteranceEnded(1.0, asked=True)],
        }
        options = replace(OPTIONS, respond=False, hands_free=False, interim=False)
        await told.conversation.start(options)
        told.conversation.hear(b"11")
        await told.client.until(HeardInTurn)
        told.conversation.end_turn()
        assert (await told.client.until(TurnEnded)).turn.text == "One two"
        told.ears[0].hears = {}
        told.conversation.hear(b"22")
        told.conversation.end_turn()  # and nobody tells that there are no words
        assert (await told.client.until(TurnEnded, 2)).turn.text == ""


async def test_turns_in_which_nothing_was_sent_wait_for_no_words() -> None:
    async with scene(LiveBounds(ahead_s=600.0, audio_wait_s=600.0)) as told:
        told.ears[0].hears = {b"end": [words("What grows?", asked=True)]}
        await told.conversation.start(replace(OPTIONS, respond=False, hands_free=False))
        for _ in range(3):
            told.conversation.end_turn()
        await told.client.until(TurnEnded, 3)
        told.conversation.hear(b"11")
        told.conversation.end_turn()
        await told.client.until(TurnEnded, 4)
        turns = [one.turn.text for one in told.client.all(TurnEnded)]
        assert turns == ["", "", "", "What grows?"]


async def test_words_on_their_way_end_no_turn_that_a_button_ends() -> None:
    """They were said before a pause just before it, and those after the pause follow them."""
    async with scene() as told:
        told.ears[0].hears = {b"end": [words("One"), words("two", asked=True), words("Three")]}
        await told.conversation.start(replace(OPTIONS, respond=False, hands_free=False))
        told.conversation.hear(b"11")
        told.conversation.end_turn()
        assert (await told.client.until(TurnEnded)).turn.text == "One two"


@pytest.mark.parametrize("pressed", [False, True], ids=["before", "after"])
async def test_words_that_come_too_late_are_no_part_of_the_next_turn(pressed: bool) -> None:
    """Whether the button is pressed again before or after they come."""
    async with scene(LiveBounds(ahead_s=600.0, audio_wait_s=0.05)) as told:
        told.ears[0].hears = {}
        await told.conversation.start(replace(OPTIONS, respond=False, hands_free=False))
        told.conversation.hear(b"11")
        told.conversation.end_turn()
        assert (await told.client.until(TurnEnded)).turn.text == ""
        listening = told.ears[0].listenings[0]
        if pressed:
            told.conversation.hear(b"22")
            told.conversation.end_turn()
            await settled()
        listening.tell(words("Delete the first file."))
        listening.tell(UtteranceEnded(1.0, asked=True))
        listening.tell(words("What time is it?", asked=True))
        await told.client.until_true(lambda: len(told.client.all(HeardInTurn)) == 2)
        await settled()
        turns = [one.turn.text for one in told.client.all(TurnEnded)]
        assert [one for one in turns if one] == ["Delete the first file.", "What time is it?"]


@pytest.mark.parametrize("hands_free", [False, True])
async def test_words_that_take_long_are_those_of_the_turn_that_was_ended(hands_free: bool) -> None:
    async with scene(LiveBounds(ahead_s=600.0, audio_wait_s=10.0)) as told:
        told.ears[0].hears = {b"11": [SpeechStarted(0.5)]}
        await told.conversation.start(replace(OPTIONS, respond=False, hands_free=hands_free))
        told.conversation.hear(b"11")
        await told.client.until(SomebodySpeaks)
        told.conversation.end_turn()
        await settled()
        assert told.client.all(TurnEnded) == []
        told.ears[0].listenings[0].tell(words("What grows?", asked=True))
        assert (await told.client.until(TurnEnded)).turn.text == "What grows?"
        told.conversation.end_turn()  # nobody has spoken since, and nothing is waited for
        assert (await told.client.until(TurnEnded, 2)).turn.text == ""


async def test_words_that_never_come_end_their_turn_all_the_same() -> None:
    async with scene(LiveBounds(ahead_s=600.0, audio_wait_s=0.05)) as told:
        told.ears[0].hears = {b"11": [words("What", final=False)]}
        await told.conversation.start(replace(OPTIONS, respond=False, hands_free=False))
        told.conversation.hear(b"11")
        await told.client.until(HeardInTurn)
        told.conversation.end_turn()
        assert (await told.client.until(TurnEnded)).turn.text == ""


@pytest.mark.parametrize("pressed", [False, True])
async def test_what_was_heard_is_a_turn_where_another_listening_begins(pressed: bool) -> None:
    async with scene() as told:
        told.ears[0].hears = {b"11": [words("What grows?", ends=False)]}
        options = replace(OPTIONS, speak=False, hands_free=False)
        await told.conversation.start(replace(options, model="first"))
        told.conversation.hear(b"11")
        await told.client.until(HeardInTurn)
        if pressed:
            told.conversation.end_turn()
        await told.conversation.start(replace(options, model="second"))
        assert (await told.client.until(TurnEnded)).turn.text == "What grows?"
        await told.client.until(ListeningBegan, 2)
        await settled()
        assert [one.model for one in told.runs.commands] == ["first"]
        order = [one for one in told.client.told if isinstance(one, TurnEnded | ListeningBegan)]
        assert [type(one) for one in order] == [ListeningBegan, TurnEnded, ListeningBegan]


async def test_a_turn_that_is_too_long_ends_with_its_last_words_all_the_same() -> None:
    async with scene(LiveBounds(ahead_s=600.0, turn_characters=8)) as told:
        told.ears[0].hears = {b"end": [words("One two"), words("three"), words("four", asked=True)]}
        await told.conversation.start(replace(OPTIONS, respond=False, hands_free=False))
        told.conversation.hear(b"11")
        told.conversation.end_turn()
        await told.client.until(TurnEnded, 3)
        turns = [one.turn.text for one in told.client.all(TurnEnded)]
        assert turns == ["One two", "three", "four"]


async def test_a_turn_is_told_once_though_its_transcriber_fails_while_it_is_answered() -> None:
    async with scene(LiveBounds(ahead_s=600.0, audio_wait_s=0.05)) as told:
        told.ears[0].hears = {b"11": [words("What grows?", ends=False)]}
        told.ears[1].hears = {}
        await told.conversation.start(replace(OPTIONS, speak=False, hands_free=False))
        told.conversation.hear(b"11")
        await told.client.until(HeardInTurn)
        told.runs.admits.clear()
        told.conversation.end_turn()
        await told.runs.started.wait()
        told.ears[0].listenings[0].tell(UpstreamCut("It was cut.", provider="deepgram"))
        await told.client.until(ListeningBegan, 2)
        told.runs.admits.set()
        told.conversation.hear(b"22")
        told.conversation.end_turn()
        await told.client.until(TurnEnded, 2)
        turns = [(one.turn.number, one.turn.text) for one in told.client.all(TurnEnded)]
        assert turns == [(1, "What grows?"), (2, "")]
