"""When the server is about to stop, what was said is answered, and what was lost is told."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.backend.application.voice.live.scenes import OPTIONS, Scene, scene, words

from cartrita.application.voice.live.live_events import (
    HeardInTurn,
    ListeningBegan,
    ListeningEnded,
    LiveFailure,
    SomebodySpeaks,
    TurnEnded,
)
from cartrita.application.voice.live.options import LiveBounds
from cartrita.domain.speech import SpeechStarted

ASKED = replace(OPTIONS, speak=False, hands_free=False, transcriber="deepgram")
SOON = LiveBounds(ahead_s=600.0, final_words_s=0.01)


async def begun(told: Scene, audio: bytes) -> None:
    """It hears this and tells its last words only when `finishes` is set."""
    told.ears[0].finishes.clear()
    await told.conversation.start(ASKED)
    await told.client.until(ListeningBegan)
    told.conversation.hear(audio)


async def wound_up(told: Scene, tasks: asyncio.TaskGroup) -> asyncio.Task[None]:
    """It has begun to wind up."""
    winding = tasks.create_task(told.conversation.wind_up())
    await asyncio.sleep(0)
    return winding


def failures(told: Scene) -> list[str]:
    return [failure.error.code for failure in told.client.all(LiveFailure)]


async def test_a_turn_may_be_ended_meanwhile() -> None:
    async with scene() as told, asyncio.TaskGroup() as tasks:
        told.ears[0].hears = {b"11": [words("What grows?", ends=False)]}
        await begun(told, b"11")
        await told.client.until(HeardInTurn)
        winding = await wound_up(told, tasks)
        told.conversation.end_turn()
        told.ears[0].finishes.set()
        await winding
        assert [one.turn.text for one in told.client.all(TurnEnded)] == ["What grows?"]
        assert len(told.runs.commands) == 1
        assert not told.client.all(ListeningEnded)
        assert failures(told) == []


async def test_a_turn_in_which_nothing_was_said_is_told_to_who_ends_it_meanwhile() -> None:
    async with scene() as told, asyncio.TaskGroup() as tasks:
        await begun(told, b"11")
        winding = await wound_up(told, tasks)
        told.conversation.end_turn()
        told.ears[0].finishes.set()
        await winding
        assert [one.turn.text for one in told.client.all(TurnEnded)] == [""]


@pytest.mark.parametrize("before", [True, False])
async def test_who_asks_for_the_end_is_told_it(before: bool) -> None:
    async with scene() as told, asyncio.TaskGroup() as tasks:
        told.ears[0].hears = {b"11": [words("What grows?", ends=False)]}
        await begun(told, b"11")
        if before:
            await told.conversation.stop()
        winding = await wound_up(told, tasks)
        if not before:
            await told.conversation.stop()
        told.ears[0].finishes.set()
        await winding
        assert len(told.client.all(ListeningEnded)) == 1
        await told.conversation.stop()
        assert len(told.client.all(ListeningEnded)) == 2


async def test_sound_of_which_nothing_was_heard_is_lost_and_told() -> None:
    async with scene(SOON) as told:
        await begun(told, b"11")
        await told.conversation.wind_up()
        assert failures(told) == ["draining"]


async def test_nothing_is_lost_where_nothing_was_sent_after_the_last_words() -> None:
    async with scene(SOON) as told:
        audio = bytes(2 * OPTIONS.audio.sample_rate)
        told.ears[0].hears = {audio: [words("What grows?")]}
        await begun(told, audio)
        await told.client.until(HeardInTurn)
        await told.conversation.wind_up()
        assert [one.turn.text for one in told.client.all(TurnEnded)] == ["What grows?"]
        assert failures(told) == []


@pytest.mark.parametrize(("speaks", "lost"), [(True, ["draining"]), (False, [])])
async def test_what_is_said_meanwhile_is_told_to_be_lost(speaks: bool, lost: list[str]) -> None:
    """Where nobody speaks when it begins, what comes is as silent as what came."""
    async with scene() as told, asyncio.TaskGroup() as tasks:
        told.ears[0].hears = {b"11": [SpeechStarted(0.0)] if speaks else []}
        await begun(told, b"11")
        if speaks:
            await told.client.until(SomebodySpeaks)
        winding = await wound_up(told, tasks)
        told.conversation.hear(b"22")
        told.ears[0].finishes.set()
        await winding
        assert failures(told) == lost
