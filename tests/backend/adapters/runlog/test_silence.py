"""Tails that have nothing to tell: they say so, wait, or end, but hang for nobody."""

import asyncio

import pytest
from tests.backend.adapters.runlog.bench import Bench, admission
from tests.backend.adapters.runlog.proxy import Proxy
from tests.backend.adapters.runlog.scribes import all_of, following, heard, scribes, texts_of
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.domain.errors import NotFound, Unavailable
from cartrita.domain.runs import Queued
from cartrita.kit.ids import RunId, uuid7


async def test_a_run_that_never_was(bench: Bench) -> None:
    async with bench.replica(0) as log:
        with pytest.raises(NotFound):
            await heard(log, RunId(uuid7()))


async def test_a_run_that_is_deleted_while_it_is_read_ends_its_tails(bench: Bench) -> None:
    """Its last event may have gone with it before another replica's reader was told."""
    async with bench.replica(0) as owner, bench.replica(1, heartbeat_s=0.3) as elsewhere:
        [scribe] = await scribes(owner, 1)
        async with elsewhere.reader.tail(scribe.run_id, 0) as told:
            await following(told)
            await bench.direct.execute("DELETE FROM runs; DELETE FROM run_events")
            with pytest.raises(NotFound):
                await all_of(told)


async def test_silence_is_told_as_nothing_again_and_again(bench: Bench) -> None:
    async with (
        bench.replica(0, heartbeat_s=0.05) as owner,
        bench.replica(1, heartbeat_s=0.05) as elsewhere,
    ):
        [scribe] = await scribes(owner, 1)
        for seen, log in enumerate((owner, elsewhere), 1):
            async with log.reader.tail(scribe.run_id, seen) as told:
                assert [await following(told) for _ in range(3)] == [None] * 3
                await scribe.say("word ")
                while (item := await following(told)) is None:
                    pass
                assert texts_of([item])


async def test_a_queued_run_is_silent_too(bench: Bench) -> None:
    async with bench.replica(0, heartbeat_s=0.05, poll_s=0.02) as log:
        [first] = await scribes(log, 1)
        queued = await log.admission.admit(admission(conversation_id=first.claim.conversation_id))
        async with log.reader.tail(queued.run_id, 0) as told:
            assert await following(told) == Queued(queued.run_id, 1)
            assert await following(told) is None
            assert await following(told) is None


async def test_a_drain_sends_every_reader_away(bench: Bench) -> None:
    async with bench.replica(0) as log:
        [scribe] = await scribes(log, 1)
        async with log.reader.tail(scribe.run_id, 1) as told:
            waiting = asyncio.get_running_loop().create_task(following(told))
            await until(lambda: log._feeds._feeds[scribe.run_id]._changed)
            log.send_readers_away()
            with pytest.raises(Unavailable) as away:
                await within(waiting)
            assert away.value.code == "draining"
        with pytest.raises(Unavailable):
            await heard(log, scribe.run_id)
        await scribe.say("goes on")
        await scribe.complete()


async def test_an_outage_ends_no_tail_that_needs_no_database(bench: Bench, proxy: Proxy) -> None:
    async with bench.replica(0, dsn=proxy.dsn, heartbeat_s=0.05) as here, bench.replica(1) as owner:
        [scribe] = await scribes(owner, 1)
        async with here.reader.tail(scribe.run_id, 0) as told:
            await following(told)
            proxy.cut(refusing=True)
            assert [await following(told) for _ in range(3)] == [None] * 3
            with pytest.raises(Unavailable):
                await heard(here, scribe.run_id)
            await scribe.say("meanwhile")
            proxy.refusing = False
            while (item := await following(told)) is None:
                pass
            assert texts_of([item]) == ["meanwhile"]


async def test_a_reader_that_leaves_leaves_nothing(bench: Bench) -> None:
    async with bench.replica(0) as owner, bench.replica(1) as elsewhere:
        [scribe] = await scribes(owner, 1)
        for log in (owner, elsewhere):
            async with log.reader.tail(scribe.run_id, 0) as told:
                await following(told)
        assert elsewhere._feeds._feeds == {}
        assert set(owner._feeds._feeds) == {scribe.run_id}
        await scribe.complete()
        assert owner._feeds._feeds == {}
