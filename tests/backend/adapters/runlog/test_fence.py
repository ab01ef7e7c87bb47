"""A deposed owner commits nothing, whichever of the two comes first; and it knows soon."""

import asyncio
import time
from collections.abc import Awaitable

import pytest
from tests.backend.adapters.runlog.bench import Bench, admission, lock_waits
from tests.backend.adapters.runlog.proxy import Fate, Proxy
from tests.backend.adapters.runlog.scribes import (
    Scribe,
    begin,
    deposed,
    following,
    heard,
    known,
    scribes,
    spoken_is,
    texts_of,
)
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.log import RunLog
from cartrita.domain.errors import LeaseLost
from cartrita.domain.events import LoggedEvent, RunStopped
from cartrita.domain.runs import RunAvailable


async def expired(bench: Bench) -> None:
    await bench.direct.execute(
        "UPDATE replicas SET expires_at = clock_timestamp() - interval '1 s'"
        " WHERE expires_at > clock_timestamp()"
    )


async def reaps(heir: RunLog) -> None:
    """As a reaper that has seen the database well for long."""
    heir._watch._healthy_since, heir._watch._looked_at = -3600.0, time.monotonic()
    await heir._reaper.reap()


async def test_a_take_over_waits_for_a_commit_that_is_on_its_way(
    bench: Bench, proxy: Proxy
) -> None:
    async with bench.frozen(1) as heir, bench.replica(0, dsn=proxy.dsn) as owner:
        [scribe] = await scribes(owner, 1)
        await scribe.say("one ")
        await until(lambda: spoken_is(bench, scribe))
        trap = proxy.trap(Fate.HELD, "two")
        await scribe.say("two")
        await within(trap.sprung.wait())
        await expired(bench)
        async with asyncio.TaskGroup() as tasks:
            reaping = tasks.create_task(reaps(heir))
            await until(lambda: lock_waits(bench))
            assert not reaping.done()
            assert await bench.status(scribe.run_id) == "running"
            trap.release()
        assert await bench.status(scribe.run_id) == "interrupted"
        said = [event for _, event in await bench.log(scribe.run_id)]
        assert [type(event).__name__ for event in said] == [
            "RunStarted",
            "TextAppended",
            "TextAppended",
            "RunStopped",
        ]
        kept = "SELECT cartrita_text(parts) FROM messages WHERE run_id = $1"
        assert await bench.value(kept, scribe.run_id) == "one two"


async def test_a_commit_that_comes_after_a_take_over_is_none(bench: Bench) -> None:
    async with bench.frozen(1) as heir, bench.frozen(2) as owner:
        scribe = await admitted(owner)
        await expired(bench)
        await reaps(heir)
        assert await bench.status(scribe.run_id) == "queued"
        await scribe.say("too late")
        await owner.writer._flush()
        assert await bench.texts(scribe.run_id) == ""
        assert known(owner, scribe.run_id) == []
        assert not owner._replica.held
        with pytest.raises(LeaseLost):
            await scribe.say("more")
        with pytest.raises(LeaseLost):
            await scribe.complete()


async def admitted(log: RunLog) -> Scribe:
    await log.admission.admit(admission())
    claim = await log.queue.claim()
    assert claim is not None
    return Scribe(log, claim)


async def test_a_take_over_between_a_lost_answer_and_the_question_for_it(
    bench: Bench, proxy: Proxy
) -> None:
    """What a successor wrote under the same number must not pass for ours."""
    async with bench.frozen(1) as heir, bench.frozen(2, dsn=proxy.dsn) as owner:
        scribe = await admitted(owner)
        await scribe.say("one ")
        await owner.writer._flush()
        trap = proxy.trap(Fate.NEVER_ARRIVES, "unsaid")
        await scribe.say("unsaid")
        async with owner.reader.tail(scribe.run_id, 0) as told, asyncio.TaskGroup() as tasks:
            heard_by_then = [await following(told), await following(told)]
            tasks.create_task(owner.writer._flush())
            await within(trap.sprung.wait())
            proxy.cut(refusing=True)
            await expired(bench)
            await reaps(heir)
            proxy.refusing = False
        assert [item.seq for item in heard_by_then if isinstance(item, LoggedEvent)] == [1, 2]
        assert known(owner, scribe.run_id) == []
        assert await bench.texts(scribe.run_id) == "one "
        last = (await bench.log(scribe.run_id))[-1][1]
        assert isinstance(last, RunStopped)


async def test_a_new_lease_is_no_key_to_the_runs_of_the_old_one(bench: Bench, proxy: Proxy) -> None:
    """A flush that hung while its lease was lost and another taken commits nothing."""
    async with bench.frozen(1) as heir, bench.frozen(2, dsn=proxy.dsn) as owner:
        scribe = await admitted(owner)
        old = owner._replica.identity
        trap = proxy.trap(Fate.NEVER_ARRIVES, "unsaid")
        await scribe.say("unsaid")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(owner.writer._flush())
            await within(trap.sprung.wait())
            owner._replica.depose(old)
            await owner._replica.register()
        assert owner._replica.identity != old
        assert await bench.texts(scribe.run_id) == ""
        assert owner._replica.held, "the new lease is as good as before"
        await reaps(heir)
        assert await bench.status(scribe.run_id) == "queued"


async def test_a_run_given_to_a_lease_that_is_gone_is_not_taken(bench: Bench, proxy: Proxy) -> None:
    async with bench.frozen(1) as heir, bench.frozen(2, dsn=proxy.dsn) as owner:
        trap = proxy.trap(Fate.ANSWER_HELD, "late words")
        admitting = asyncio.get_running_loop().create_task(
            owner.admission.admit(admission("late words"))
        )
        await within(trap.sprung.wait())
        owner._replica.depose(owner._replica.identity)
        await owner._replica.register()
        trap.release()
        run = await within(admitting)
        assert await owner.queue.claim() is None
        await expired(bench)
        await reaps(heir)
        assert await bench.status(run.run_id) == "queued"


async def test_a_zombie_says_nothing_more_and_another_goes_on(bench: Bench) -> None:
    """Stopped in the middle, for longer than its lease; woken, it knows at its next flush."""
    async with bench.frozen(1) as zombie, bench.replica(0, lease_s=0.9) as heir:
        scribe = await admitted(zombie)
        await expired(bench)
        second = await begin(heir)
        assert second.run_id == scribe.run_id
        assert second.claim.attempt == 2
        assert second.claim.started == scribe.claim.started, "the same log goes on"
        await second.say("from the heir")
        await scribe.say("from the grave")
        await zombie.writer._flush()
        assert not zombie._replica.held
        await second.complete()
        told = await heard(heir, scribe.run_id)
        texts = texts_of(told)
        assert texts == ["from the heir"]


async def test_an_abandoned_transaction_does_not_hold_the_reaper(bench: Bench) -> None:
    """A process that is stopped with its fence open: the server ends it."""
    async with bench.frozen(1) as zombie, zombie._links[0].use() as connection:
        timeout = await connection.fetchval("SHOW idle_in_transaction_session_timeout")
    assert timeout == "5s"


async def test_silence_for_two_thirds_of_a_lease_is_the_end_of_it(
    bench: Bench, proxy: Proxy
) -> None:
    """Behind a partition, long before anybody else may act, nothing is written any more."""
    async with bench.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        [scribe] = await scribes(log, 1)
        await scribe.say("before")
        await until(lambda: spoken_is(bench, scribe))
        identity = log._replica.identity
        proxy.flowing.clear()
        await deposed(log)
        with pytest.raises(LeaseLost):
            await scribe.say("after")
        proxy.flowing.set()
        await until(lambda: log._replica.held)
        assert log._replica.identity.id != identity.id
        alive = "SELECT count(*) FROM replicas WHERE expires_at > now()"
        assert await bench.value(alive) == 1


async def test_after_a_new_lease_runs_go_on(bench: Bench, proxy: Proxy) -> None:
    async with bench.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        await log.admission.admit(admission("unseen"))
        unseen = await begin(log)
        proxy.cut(refusing=True)
        await deposed(log)
        proxy.refusing = False
        again = await begin(log)
        assert again.run_id == unseen.run_id
        assert again.claim.attempt == 2
        await again.say("at last")
        await within(again.complete())
        assert await bench.texts(again.run_id) == "at last"


async def test_a_flush_that_hangs_ends_with_its_lease(bench: Bench, proxy: Proxy) -> None:
    """Its statement may take thirty seconds to fail; the runs of the next lease do not wait."""
    async with bench.replica(dsn=proxy.dsn, lease_s=1.2) as log:
        [scribe] = await scribes(log, 1)
        trap = proxy.trap(Fate.HELD, "stuck")
        await scribe.say("stuck")
        await within(trap.sprung.wait())
        log._replica.depose(log._replica.identity)
        await deposed(log)
        await until(lambda: log._replica.held)
        while True:
            found = await begin(log)
            if found.run_id == scribe.run_id:
                break
        await found.say("free")
        await within(found.complete())
        trap.release()
        assert await bench.texts(found.run_id) == "free"


async def test_ends_and_appends_that_wait_hear_of_the_loss(bench: Bench, proxy: Proxy) -> None:
    async with bench.replica(dsn=proxy.dsn, lease_s=1.2, pending_bytes=10) as log:
        ending, loud = await scribes(log, 2)
        await ending.say("!")
        await until(lambda: spoken_is(bench, ending))
        proxy.flowing.clear()
        await loud.say("x" * 20)
        async with asyncio.TaskGroup() as tasks:
            works = [
                tasks.create_task(refused(ending.complete())),
                tasks.create_task(refused(until_refused(loud))),
            ]
            await within(asyncio.gather(*works))
            proxy.flowing.set()


async def refused(work: Awaitable[None]) -> None:
    with pytest.raises(LeaseLost):
        await work


async def until_refused(scribe: Scribe) -> None:
    while True:
        await scribe.say("y" * 20)
        await asyncio.sleep(0)


async def test_a_replica_without_a_lease_claims_nothing(bench: Bench) -> None:
    async with bench.frozen(1) as log, bench.frozen(2) as other:
        other.stop_claiming()
        await other.admission.admit(admission())
        log._replica.depose(log._replica.identity)
        assert await log.queue.claim() is None
        await log._replica.register()
        log.queue.tell(RunAvailable())
        assert await log.queue.claim() is not None
