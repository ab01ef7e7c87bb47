"""What the database refuses ends one answer, truthfully, and holds up no other."""

import asyncio

import pytest
from tests.backend.adapters.runlog.bench import Bench, held_flush, lock_waits
from tests.backend.adapters.runlog.scribes import Scribe, ended_truthfully, scribes
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.writer import Unstorable
from cartrita.domain import endings
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import (
    Event,
    TextAppended,
    ToolCalled,
    ToolReturned,
)
from cartrita.domain.json import JsonValue


def deep(levels: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(levels):
        value = [value]
    return value


UNSTORABLE: list[Event] = [
    ToolCalled("c", "n", {"a": "\x00"}),
    ToolCalled("c", "n", {"a": "\ud800"}),
    TextAppended("\x00", 0),
    TextAppended("\ud800", 0),
]


@pytest.mark.parametrize("event", UNSTORABLE, ids=["NUL", "surrogate", "NUL text", "half a pair"])
async def test_only_the_offender_fails(bench: Bench, event: Event) -> None:
    async with bench.replica() as log:
        offender, *others = await scribes(log, 4)
        await offender.say("seen. ")
        await until(lambda: bench.texts(offender.run_id))
        async with held_flush(bench):
            await others[0].say("x")
            await until(lambda: lock_waits(bench))
            await offender.add(event)
            for scribe in others:
                await scribe.say("fine")
        with pytest.raises(Unstorable) as refusal:
            await within(scribe_on(offender))
        await log.writer.end(offender.run_id, endings.unstorable(refusal.value))
        await within(asyncio.gather(*[scribe.complete() for scribe in others]))
        assert {await bench.status(scribe.run_id) for scribe in others} == {"completed"}
        assert [await bench.texts(scribe.run_id) for scribe in others] == ["xfine", "fine", "fine"]
        await ended_truthfully(bench, offender, "failed")


async def scribe_on(scribe: Scribe) -> None:
    while True:
        await scribe.say("on and on ")
        await asyncio.sleep(0)


async def test_an_answer_whose_end_follows_what_was_refused_does_not_count_as_whole(
    bench: Bench,
) -> None:
    """The executor hears of a refusal only at the end."""
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("seen. ")
        await until(lambda: bench.texts(scribe.run_id))
        await scribe.add(ToolReturned("c", "n", "\x00", success=True))
        await until(lambda: log.writer._runs[scribe.run_id].failure)
        whole = endings.completed(scribe.claim, scribe.answer, FinishReason.STOP, 1.0)
        with pytest.raises(Unstorable) as refusal:
            await within(log.writer.end(scribe.run_id, whole))
        await within(log.writer.end(scribe.run_id, endings.unstorable(refusal.value)))
        await ended_truthfully(bench, scribe, "failed")


async def test_an_end_that_is_refused_with_what_came_before_it_can_be_another(
    bench: Bench,
) -> None:
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("seen. ")
        await until(lambda: bench.texts(scribe.run_id))
        async with held_flush(bench):
            await scribe.add(ToolCalled("c", "n", {"a": "\x00"}))
            await until(lambda: lock_waits(bench))
            ending = asyncio.get_running_loop().create_task(scribe.complete())
            await until(lambda: log.writer._runs[scribe.run_id]._pending)
        with pytest.raises(Unstorable) as refusal:
            await within(ending)
        await within(log.writer.end(scribe.run_id, endings.unstorable(refusal.value)))
        await ended_truthfully(bench, scribe, "failed")


async def test_a_cancel_after_a_refusal_keeps_what_the_log_keeps(bench: Bench) -> None:
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("seen. ")
        await until(lambda: bench.texts(scribe.run_id))
        await scribe.add(ToolCalled("c", "n", {"a": "\x00"}))
        await until(lambda: log.writer._runs[scribe.run_id].failure)
        await within(scribe.cancelled())
        await ended_truthfully(bench, scribe, "cancelled")


@pytest.mark.parametrize("levels", [100_000, 900])
async def test_nesting_beyond_what_can_be_written_is_an_offence(bench: Bench, levels: int) -> None:
    async with bench.replica() as log:
        offender, other = await scribes(log, 2)
        await offender.say("seen. ")
        await until(lambda: bench.texts(offender.run_id))
        await offender.add(ToolCalled("c", "n", {"a": deep(levels)}))
        with pytest.raises(Unstorable) as refusal:
            await within(scribe_on(offender))
        await log.writer.end(offender.run_id, endings.unstorable(refusal.value))
        await ended_truthfully(bench, offender, "failed")
        await other.say("fine")
        await within(other.complete())


async def test_a_message_that_is_refused_leaves_the_log_to_end_without_it(bench: Bench) -> None:
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("seen. ")
        await until(lambda: bench.texts(scribe.run_id))
        scribe.answer.add(TextAppended("\x00", 6))
        with pytest.raises(Unstorable) as refusal:
            await within(log.writer.end(scribe.run_id, endings.cancelled(scribe.answer)))
        await within(log.writer.end(scribe.run_id, endings.unstorable(refusal.value)))
        await ended_truthfully(bench, scribe, "failed")


async def test_what_somebody_else_wrote_is_not_taken_for_ours(bench: Bench) -> None:
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        await bench.direct.execute(
            "INSERT INTO run_events (run_id, seq, data)"
            """ VALUES ($1, 2, '{"type": "reasoning_appended", "text": "of others"}')""",
            scribe.run_id,
        )
        await scribe.say("ours")
        with pytest.raises(Unstorable):
            await within(scribe_on(scribe))
