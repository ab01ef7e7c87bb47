"""Runs whose owner is gone: who is believed to be dead, and what becomes of each run."""

import asyncio
import time
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.backend.adapters.runlog.bench import Bench, admission
from tests.backend.adapters.runlog.scribes import Scribe, begin, heard, scribes, spoken_is, texts_of
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.log import RunLog
from cartrita.domain.events import LoggedEvent, RunStopped, StopStatus
from cartrita.domain.runs import Idempotency, RunStatus
from cartrita.kit.ids import RunId

KEY = Idempotency("chat", "key", b"hash")


async def claimed(log: RunLog, **values: Any) -> Scribe:
    """A run of a replica whose loops do not run."""
    await log.admission.admit(admission(**values))
    claim = await log.queue.claim()
    assert claim is not None
    return Scribe(log, claim)


async def seen(log: RunLog, scribe: Scribe, text: str) -> None:
    await scribe.say(text)
    await log.writer._flush()


async def released(bench: Bench) -> None:
    """As a process restarted on its own data directory says it of its predecessor."""
    await bench.direct.execute("UPDATE replicas SET expires_at = '-infinity'")


async def expired(bench: Bench) -> None:
    await bench.direct.execute(
        "UPDATE replicas SET expires_at = clock_timestamp() - interval '1 s'"
    )


async def test_an_unseen_run_is_queued_again_and_the_same_log_goes_on(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.frozen(2) as heir:
        scribe = await claimed(dead, idempotency=KEY)
        await released(bench)
        await heir._replica.register()
        await heir._reaper.reap()
        assert await bench.status(scribe.run_id) == "queued"
        claim = await heir.queue.claim()
        assert claim is not None
        assert (claim.run_id, claim.attempt, claim.last_seq) == (scribe.run_id, 2, 1)
        assert claim.started == scribe.claim.started
        second = Scribe(heir, claim)
        await seen(heir, second, "at last")
        assert [seq for seq, _ in await bench.log(scribe.run_id)] == [1, 2]
        assert await bench.value("SELECT count(*) FROM idempotency") == 1


async def test_a_seen_run_is_interrupted_and_its_text_kept(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.frozen(2) as heir:
        scribe = await claimed(dead, idempotency=KEY)
        await seen(dead, scribe, "half an ans")
        await released(bench)
        await heir._reaper.reap()
        told = await heard(heir, scribe.run_id)
        last = told[-1]
        assert isinstance(last, LoggedEvent)
        assert isinstance(last.event, RunStopped)
        assert (last.seq, last.event.kind, last.event.recoverable) == (
            3,
            StopStatus.INTERRUPTED,
            True,
        )
    [message] = await bench.rows(
        "SELECT *, cartrita_text(parts) AS said FROM messages WHERE run_id IS NOT NULL"
    )
    assert (message["said"], message["status"]) == ("half an ans", "partial")
    [run] = await bench.rows("SELECT * FROM runs")
    assert (run["status"], run["last_seq"], run["error_code"]) == ("interrupted", 3, "interrupted")
    assert await bench.value("SELECT head_message_id FROM conversations") == message["id"]
    assert await bench.value("SELECT count(*) FROM idempotency") == 1


async def test_a_cancel_that_its_owner_never_heard_is_kept(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.frozen(2) as heir:
        unseen, half = await claimed(dead, idempotency=KEY), await claimed(dead)
        await seen(dead, half, "half")
        for scribe in (unseen, half):
            await heir.cancellation.cancel("ann", scribe.run_id)
        await released(bench)
        await heir._reaper.reap()
        for scribe in (unseen, half):
            assert await bench.status(scribe.run_id) == "cancelled"
        assert await bench.value("SELECT count(*) FROM idempotency") == 1, "nobody wants it again"


async def test_a_run_that_nobody_can_finish_is_not_tried_for_ever(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.frozen(2, max_attempts=2) as heir:
        scribe = await claimed(dead, idempotency=KEY)
        await bench.direct.execute("UPDATE runs SET attempt = 2")
        await released(bench)
        await heir._reaper.reap()
        assert await bench.status(scribe.run_id) == "interrupted"
    assert await bench.value("SELECT count(*) FROM messages") == 1
    assert await bench.value("SELECT count(*) FROM idempotency") == 0, "it may be tried again"


async def test_a_run_past_its_deadline_is_not_tried_again(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.frozen(2) as heir:
        scribe = await claimed(dead)
        await bench.direct.execute("UPDATE runs SET deadline_at = now() - interval '1 s'")
        await released(bench)
        await heir._reaper.reap()
        assert await bench.status(scribe.run_id) == "interrupted"


async def test_a_silent_owner_is_believed_dead_only_by_who_saw_the_database_well(
    bench: Bench,
) -> None:
    """An outage would look like many deaths."""
    async with bench.frozen(1) as silent, bench.frozen(2, lease_s=60) as watcher:
        scribe = await claimed(silent)
        await expired(bench)
        await watcher._reaper.reap()
        assert await bench.status(scribe.run_id) == "running", "it has seen nothing yet"
        now = time.monotonic()
        for well_s, status in ((0, "running"), (59, "running"), (61, "queued")):
            watcher._watch._healthy_since, watcher._watch._looked_at = now - well_s, now
            await watcher._reaper.reap()
            assert await bench.status(scribe.run_id) == status


async def test_a_lease_that_was_renewed_just_then_is_no_dead_ones(bench: Bench) -> None:
    async with bench.frozen(1) as alive, bench.frozen(2) as watcher:
        scribe = await claimed(alive)
        await watcher._reaper._depose(alive._replica.identity.id)
        await watcher._reaper.reap()
        assert await bench.status(scribe.run_id) == "running"


async def test_a_released_lease_is_believed_at_once(bench: Bench) -> None:
    async with bench.frozen(2) as heir:
        async with bench.replica(0) as leaving:
            [scribe] = await scribes(leaving, 1)
        await heir._reaper.reap()
        assert await bench.status(scribe.run_id) == "queued"


async def test_a_successor_in_the_same_place_waits_for_nothing(bench: Bench) -> None:
    async with bench.frozen(3) as other:
        await claimed(other)
        async with bench.frozen(1) as dead:
            scribe = await claimed(dead)
            await bench.direct.execute("UPDATE replicas SET instance = $1", bench.instance)
            async with bench.replica(1) as successor:
                again = await begin(successor)
                assert again.run_id == scribe.run_id
        held = await bench.value(
            "SELECT count(*) FROM replicas WHERE slot = 3 AND expires_at > now()"
        )
        assert held == 1, "its neighbour keeps what it has"


async def test_fewer_workers_than_before_inherit_from_all(bench: Bench) -> None:
    async with bench.frozen(8) as surplus:
        scribe = await claimed(surplus)
        await bench.direct.execute("UPDATE replicas SET instance = $1, slot = 9", bench.instance)
        async with bench.replica(0) as first:
            assert (await begin(first)).run_id == scribe.run_id


async def test_dead_replicas_are_forgotten_once_their_runs_are_settled(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.frozen(2) as heir, bench.session() as other:
        scribe = await claimed(dead)
        await bench.expire(dead)
        await bench.direct.execute(
            "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1",
            dead._replica.identity.id,
        )
        async with other.transaction():
            await other.execute("SELECT 1 FROM runs WHERE id = $1 FOR UPDATE", scribe.run_id)
            await heir._reaper.reap()
            assert await bench.value("SELECT count(*) FROM replicas") == 2
            assert await bench.status(scribe.run_id) == "running", "somebody else is at it"
        await heir._reaper.reap()
        assert await bench.status(scribe.run_id) == "queued"
        assert await bench.value("SELECT count(*) FROM replicas") == 1


async def test_two_reapers_share_the_work(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.frozen(2) as one, bench.frozen(3) as other:
        runs = [await claimed(dead) for _ in range(12)]
        for scribe in runs[:6]:
            await scribe.say("half")
        await dead.writer._flush()
        await bench.direct.execute(
            "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1",
            dead._replica.identity.id,
        )
        await within(asyncio.gather(*[log._reaper.reap() for log in (one, other, one, other)]))
        await one._reaper.reap()
        for n, scribe in enumerate(runs):
            [row] = await bench.rows("SELECT * FROM runs WHERE id = $1", scribe.run_id)
            assert row["status"] == ("interrupted" if n < 6 else "queued")
            assert row["attempt"] == (1 if n < 6 else 2)
            events = await bench.log(scribe.run_id)
            assert len(events) == (3 if n < 6 else 1)


async def test_one_that_cannot_be_settled_holds_up_no_other(bench: Bench) -> None:
    """An event that nobody here can read is left to whoever can."""
    async with bench.frozen(1) as dead, bench.frozen(2) as heir:
        runs = [await claimed(dead) for _ in range(3)]
        await bench.direct.execute(
            """INSERT INTO run_events (run_id, seq, data) VALUES"""
            """ ($1, 2, '{"type": "text_appended"}'), ($2, 2, '{"type": "of_2027"}')""",
            runs[0].run_id,
            runs[1].run_id,
        )
        await released(bench)
        with capture_logs() as logs:
            await heir._reaper.reap()
            await heir._reaper.reap()
        found = [await bench.status(scribe.run_id) for scribe in runs]
        assert found == ["running", "interrupted", "queued"], "of 2027 may have been seen"
        assert [e["event"] for e in logs].count("run_not_settled") == 1


async def test_it_goes_on_after_what_went_wrong(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.replica(0, lease_s=0.9) as heir:
        scribe = await claimed(dead)
        await bench.direct.execute("ALTER TABLE runs RENAME TO elsewhere")
        try:
            with capture_logs() as logs:
                await until(lambda: [e for e in logs if e["event"] == "reaper_waits"])
        finally:
            await bench.direct.execute("ALTER TABLE elsewhere RENAME TO runs")
        await bench.direct.execute(
            "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1",
            dead._replica.identity.id,
        )
        assert (await begin(heir)).run_id == scribe.run_id


async def test_a_run_that_the_database_says_is_ours_is_given_back_when_seen_twice(
    bench: Bench,
) -> None:
    async with bench.frozen(1) as log:
        known = await claimed(log)
        lost = await claimed(log)
        log.writer.forget(lost.run_id)
        await log._reaper.reap()
        assert await bench.status(lost.run_id) == "running", "its news may be on their way"
        await log._reaper.reap()
        assert await bench.status(lost.run_id) == "queued"
        assert await bench.status(known.run_id) == "running"
        again = await log.queue.claim()
        assert again is not None
        assert (again.run_id, again.attempt) == (lost.run_id, 2)


async def test_a_replica_without_a_lease_has_nothing_to_give_back(bench: Bench) -> None:
    async with bench.frozen(1) as log:
        await claimed(log)
        log._replica.depose(log._replica.identity)
        await log._reaper._strays.give_back()
        assert await bench.value("SELECT count(*) FROM runs WHERE replica_id IS NULL") == 0


async def test_readers_follow_a_run_from_owner_to_owner(bench: Bench) -> None:
    async with bench.frozen(1) as dead, bench.replica(0) as heir:
        scribe = await claimed(dead)
        reading = asyncio.get_running_loop().create_task(heard(heir, scribe.run_id))
        await until(lambda: RunId(scribe.run_id) in heir._feeds._feeds)
        await released(bench)
        await heir._replica.register()
        second = await begin(heir)
        await second.say("whole")
        await until(lambda: spoken_is(bench, second))
        await second.complete()
        told = await within(reading)
        texts = texts_of(told)
        assert texts == ["whole"]
        assert await bench.status(scribe.run_id) == RunStatus.COMPLETED


@pytest.mark.parametrize("status", ["waiting"])
async def test_a_run_that_waits_for_an_approval_needs_no_owner(bench: Bench, status: str) -> None:
    async with bench.frozen(1) as dead, bench.frozen(2) as heir:
        scribe = await claimed(dead)
        await bench.direct.execute("UPDATE runs SET status = $1", status)
        await released(bench)
        await heir._reaper.reap()
        assert await bench.status(scribe.run_id) == status
