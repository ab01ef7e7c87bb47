"""The writer: nothing is seen before it is committed, and many runs share a commit."""

import asyncio

from tests.backend.adapters.runlog.bench import Bench, held_flush, lock_waits
from tests.backend.adapters.runlog.scribes import following, known, scribes, spoken_is
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.events import (
    LoggedEvent,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.json import JsonValue
from cartrita.domain.messages import Text
from cartrita.domain.usage import Usage
from cartrita.kit.ids import RunId


async def test_nothing_is_told_before_it_is_committed(bench: Bench) -> None:
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        async with log.reader.tail(scribe.run_id, 1) as told:
            async with held_flush(bench):
                await scribe.say("secret")
                await until(lambda: lock_waits(bench))
                waiting = asyncio.get_running_loop().create_task(following(told))
                await bench.value("SELECT 1")
                assert known(log, scribe.run_id) == [1]
                assert not waiting.done()
                assert await bench.texts(scribe.run_id) == ""
            item = await within(waiting)
        assert isinstance(item, LoggedEvent)
        assert item.event == TextAppended("secret", 0)
        assert await bench.texts(scribe.run_id) == "secret"


async def test_what_gathers_during_a_flush_goes_with_the_next_one(bench: Bench) -> None:
    async with bench.replica() as log:
        runs = await scribes(log, 6)
        async with held_flush(bench):
            for scribe in runs:
                await scribe.say("first ")
            await until(lambda: lock_waits(bench))
            for word in ("and ", "then ", "more"):
                for scribe in runs:
                    await scribe.say(word)
        await within(asyncio.gather(*[scribe.complete() for scribe in runs]))
        for scribe in runs:
            spoken = [e for _, e in await bench.log(scribe.run_id) if isinstance(e, TextAppended)]
            assert "".join(event.text for event in spoken) == "first and then more"
            assert len(spoken) <= 3
        commits = await bench.rows(
            "SELECT xmin::text, count(DISTINCT run_id) AS runs FROM run_events GROUP BY 1"
        )
        assert max(row["runs"] for row in commits) == 6, "one transaction took them all"


async def test_the_first_word_and_what_is_no_text_go_at_once(bench: Bench) -> None:
    async with bench.replica(flush_s=3600) as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("first")
        await until(lambda: bench.texts(scribe.run_id))
        await scribe.say(" second")
        await scribe.add(ToolCalled("c", "look", {}))
        await until(lambda: logged(bench, scribe.run_id, 4))
        assert await bench.texts(scribe.run_id) == "first second"
        await scribe.say("third")
        await within(scribe.cancelled())
        assert await bench.texts(scribe.run_id) == "first secondthird"


async def test_enough_text_goes_at_once_and_less_waits(bench: Bench) -> None:
    async with bench.replica(flush_s=3600, flush_bytes=100) as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("!")
        await until(lambda: bench.texts(scribe.run_id))
        await scribe.say("x" * 60)
        assert scribe.run_id in log.writer._dirty, "it waits"
        await scribe.say("y" * 60)
        await until(lambda: logged(bench, scribe.run_id, 3))
        assert await bench.texts(scribe.run_id) == "!" + "x" * 60 + "y" * 60


async def test_text_that_waits_is_written_when_its_time_has_come(bench: Bench) -> None:
    async with bench.replica(flush_s=0.01) as log:
        [scribe] = await scribes(log, 1)
        for text in ("one ", "two ", "three"):
            await scribe.say(text)
            await until(lambda: spoken_is(bench, scribe))


async def logged(bench: Bench, run_id: RunId, seq: int) -> bool:
    return await bench.value(
        "SELECT EXISTS (SELECT 1 FROM run_events WHERE run_id = $1 AND seq = $2)", run_id, seq
    )


async def test_a_run_that_says_too_much_waits_and_no_other_does(bench: Bench) -> None:
    async with bench.replica(pending_bytes=1000) as log:
        loud, quiet = await scribes(log, 2)
        async with held_flush(bench):
            await loud.say("!")
            await until(lambda: lock_waits(bench))
            await loud.say("x" * 1000)
            stuck = asyncio.get_running_loop().create_task(loud.say("y"))
            await quiet.say("small")
            await bench.value("SELECT 1")
            assert not stuck.done()
        await within(stuck)
        await within(asyncio.gather(loud.complete(), quiet.complete()))
        assert await bench.texts(loud.run_id) == "!" + "x" * 1000 + "y"


async def test_values_told_live_and_read_later_are_the_same_bytes(bench: Bench) -> None:
    """jsonb sorts names and writes numbers its own way."""
    result: JsonValue = {"bb": 1e20, "a": [{"zz": 1, "y": -0.0}], "ä": 1.5, "c": 1e-7}
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        async with log.reader.tail(scribe.run_id, 1) as live:
            await scribe.add(ToolReturned("c", "n", result, success=True))
            await scribe.add(UsageRecorded(Usage(1), 1e20))
            told = [await following(live), await following(live)]
        read = [event for _, event in await bench.log(scribe.run_id)][1:]
        assert [repr(t.event) for t in told if isinstance(t, LoggedEvent)] == [
            repr(event) for event in read
        ]


async def test_usage_and_message_are_stored_with_the_end(bench: Bench) -> None:
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("seen. ")
        await scribe.complete()
        assert scribe.answer.parts == (Text("seen. "),)
    [run] = await bench.rows("SELECT * FROM runs")
    [message] = await bench.rows("SELECT * FROM messages WHERE role = 'assistant'")
    assert run["usage"] == message["usage"] == '{"input_tokens": 1, "output_tokens": 2}'
    assert message["id"] == run["message_id"]
    assert message["parent_id"] == run["user_message_id"]
    assert (message["model"], message["provider"]) == ("m", "p")
    assert (message["status"], run["last_seq"]) == ("complete", 4)
    assert run["ended_at"] is not None
