"""What breaks between a writer and its database costs no word and repeats none."""

import asyncio

import pytest
from tests.backend.adapters.runlog.bench import Bench
from tests.backend.adapters.runlog.proxy import Fate, Proxy
from tests.backend.adapters.runlog.scribes import (
    deposed,
    ended_truthfully,
    following,
    heard,
    known,
    scribes,
    spoken_is,
    texts_of,
)
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.errors import LeaseLost
from cartrita.domain.events import (
    LoggedEvent,
    TextAppended,
)
from cartrita.kit.ids import RunId, uuid7


@pytest.mark.parametrize("fate", [Fate.NEVER_ARRIVES, Fate.ANSWER_LOST], ids=lambda fate: fate.name)
@pytest.mark.parametrize("runs", [1, 3])
async def test_a_lost_commit_loses_nothing_and_repeats_nothing(
    bench: Bench, proxy: Proxy, fate: Fate, runs: int
) -> None:
    async with bench.replica(dsn=proxy.dsn) as log:
        several = await scribes(log, runs)
        trap = proxy.trap(fate, "second")
        for word in ("first ", "second ", "third"):
            for scribe in several:
                await scribe.say(word)
            await until(lambda: bench.texts(several[0].run_id))
        await within(asyncio.gather(*[scribe.complete() for scribe in several]))
        assert trap.sprung.is_set()
        for scribe in several:
            assert await bench.texts(scribe.run_id) == "first second third"
            events = await bench.log(scribe.run_id)
            assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
            told = await heard(log, scribe.run_id)
            assert [item.event for item in told if isinstance(item, LoggedEvent)] == [
                event for _, event in events
            ]


@pytest.mark.parametrize("fate", [Fate.NEVER_ARRIVES, Fate.ANSWER_LOST], ids=lambda fate: fate.name)
async def test_a_lost_end_is_one_end(bench: Bench, proxy: Proxy, fate: Fate) -> None:
    async with bench.replica(dsn=proxy.dsn) as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("seen. ")
        await until(lambda: bench.texts(scribe.run_id))
        trap = proxy.trap(fate, "run_completed")
        await within(scribe.complete())
        assert trap.sprung.is_set()
        await ended_truthfully(bench, scribe, "completed")
        assert await bench.value("SELECT count(*) FROM messages") == 2


async def test_a_killed_backend_costs_nothing(bench: Bench) -> None:
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        for n in range(12):
            await scribe.say(f"word{n} ")
            await until(lambda: spoken_is(bench, scribe))
            await bench.value("SELECT pg_terminate_backend($1)", log.writer.backend_pid)
        await within(scribe.complete())
        told = await heard(log, scribe.run_id)
        texts = texts_of(told)
        assert "".join(texts) == scribe.answer.text


async def test_a_database_that_is_away_is_waited_for(bench: Bench, proxy: Proxy) -> None:
    """Deltas are held, unseen, and flushed when it is back."""
    async with bench.replica(dsn=proxy.dsn) as log:
        [scribe] = await scribes(log, 1)
        async with log.reader.tail(scribe.run_id, 1) as told:
            await scribe.say("before ")
            assert (await following(told)) is not None
            proxy.cut(refusing=True)
            for word in ("while ", "it ", "was ", "away "):
                await scribe.say(word)
            waiting = asyncio.get_running_loop().create_task(following(told))
            await bench.value("SELECT 1")
            assert known(log, scribe.run_id) == [1, 2]
            assert not waiting.done()
            proxy.refusing = False
            item = await within(waiting)
            assert isinstance(item, LoggedEvent)
            assert item.seq == 3
        await within(scribe.complete())
        assert await bench.texts(scribe.run_id) == "before while it was away "


async def test_a_flush_of_nothing_during_an_outage_is_nothing(bench: Bench, proxy: Proxy) -> None:
    """A run that was let go of leaves the writer with nothing to write."""
    async with bench.replica(dsn=proxy.dsn) as log:
        gone, scribe = await scribes(log, 2)
        await scribe.say("!")
        await until(lambda: bench.texts(scribe.run_id))
        proxy.cut(refusing=True)
        await gone.say("?")
        log.writer.forget(gone.run_id)
        await within(log.writer._next_flush())
        proxy.refusing = False
        await within(scribe.complete())


async def test_a_row_that_moves_house_is_no_offence(bench: Bench) -> None:
    """A partition that is attached just then makes its default refuse the row."""
    async with bench.replica() as log:
        [scribe] = await scribes(log, 1)
        await bench.direct.execute(
            "CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('tries') = 1 THEN"
            " RAISE EXCEPTION 'moved' USING ERRCODE = 'check_violation'; END IF;"
            " RETURN NEW; END $$;"
            "CREATE SEQUENCE tries;"
            "CREATE TRIGGER once BEFORE INSERT ON run_events FOR EACH ROW EXECUTE FUNCTION once()"
        )
        try:
            await scribe.say("seen. ")
            await within(scribe.complete())
        finally:
            await bench.direct.execute("DROP FUNCTION once() CASCADE; DROP SEQUENCE tries")
        await ended_truthfully(bench, scribe, "completed")


async def test_a_run_that_is_not_ours_is_not_written(bench: Bench) -> None:
    async with bench.replica() as log:
        stranger = RunId(uuid7())
        with pytest.raises(LeaseLost):
            await log.writer.append(stranger, TextAppended("x", 0))
        [scribe] = await scribes(log, 1)
        await scribe.complete()
        with pytest.raises(LeaseLost):
            await scribe.say("more")
        with pytest.raises(LeaseLost):
            await scribe.cancelled()


async def test_after_a_lost_lease_it_is_ready_again_though_nothing_is_written(
    bench: Bench, proxy: Proxy
) -> None:
    """Or nobody would send it anything to write."""
    async with bench.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        await until(lambda: log.ready)
        [scribe] = await scribes(log, 1)
        proxy.cut(refusing=True)
        await scribe.say("never written")
        await until(lambda: log.writer.failing and not log.ready)
        await deposed(log)
        log.stop_claiming()
        proxy.refusing = False
        await until(lambda: log._replica.held)
        log.queue.closed = False
        await until(lambda: log.ready)
