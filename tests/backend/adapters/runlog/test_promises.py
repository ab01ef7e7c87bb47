"""One promise, one run: however often, wherever and whenever it is sent, whatever breaks."""

import asyncio
from typing import Any

import pytest
from tests.backend.adapters.runlog.bench import Bench, a_conversation, admission, retried
from tests.backend.adapters.runlog.proxy import Fate, Proxy
from tests.backend.adapters.runlog.scribes import begin, heard
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.log import RunLog
from cartrita.domain import endings
from cartrita.domain.errors import (
    CartritaError,
    IdempotencyMismatch,
    Unavailable,
)
from cartrita.domain.events import LoggedEvent
from cartrita.domain.runs import Admitted, BusyPolicy, Idempotency, RunStatus

KEY = Idempotency("chat", "key-1", b"body-1")


async def tried(
    logs: list[RunLog], times: int, **values: Any
) -> tuple[list[Admitted], list[Exception]]:
    """The same request many times at once, over all replicas."""
    tries = [logs[n % len(logs)].admission.admit(admission(**values)) for n in range(times)]
    found = await within(asyncio.gather(*tries, return_exceptions=True))
    failed = [item for item in found if isinstance(item, Exception)]
    return [item for item in found if isinstance(item, Admitted)], failed


@pytest.mark.parametrize(
    "promise",
    [
        {"idempotency": KEY},
        {"client_msg_id": "c-1"},
        {"idempotency": KEY, "client_msg_id": "c-1"},
    ],
    ids=["key", "client_msg_id", "both"],
)
@pytest.mark.parametrize("busy", [BusyPolicy.ENQUEUE, BusyPolicy.REJECT], ids=str)
async def test_one_run_under_a_hundred_tries(
    bench: Bench, promise: dict[str, Any], busy: BusyPolicy
) -> None:
    conversation = await a_conversation(bench)
    async with bench.replica(0) as here, bench.replica(1) as there:
        values: dict[str, Any] = {"conversation_id": conversation, "busy": busy, **promise}
        admitted, failed = await tried([here, there], 100, **values)
    assert failed == []
    assert len({item.run_id for item in admitted}) == 1
    assert [item.created for item in admitted].count(True) == 1
    assert await bench.value("SELECT count(*) FROM runs") == 1
    assert await bench.value("SELECT count(*) FROM messages") == 1


async def test_one_run_under_many_tries_that_each_would_make_a_conversation(bench: Bench) -> None:
    async with bench.replica(0) as here, bench.replica(1) as there:
        admitted, failed = await tried([here, there], 40, idempotency=KEY, client_msg_id="c")
    assert failed == []
    assert len({item.run_id for item in admitted}) == 1
    assert await bench.value("SELECT count(*) FROM conversations") == 1


async def test_a_key_attaches_to_its_run_at_every_age(bench: Bench) -> None:
    async with bench.replica() as log:
        first = await log.admission.admit(admission(idempotency=KEY))
        again = await log.admission.admit(admission(idempotency=KEY))
        assert again == Admitted(
            first.run_id, first.conversation_id, RunStatus.RUNNING, created=False
        )
        scribe = await begin(log)
        await scribe.say("done")
        await scribe.complete()
        later = await log.admission.admit(admission(idempotency=KEY))
        assert (later.run_id, later.status) == (first.run_id, RunStatus.COMPLETED)


async def test_a_key_used_with_another_body_is_refused(bench: Bench) -> None:
    async with bench.replica() as log:
        await log.admission.admit(admission(idempotency=KEY))
        with pytest.raises(IdempotencyMismatch):
            await log.admission.admit(admission(idempotency=Idempotency("chat", "key-1", b"other")))


async def test_a_key_counts_for_one_owner_and_one_route(bench: Bench) -> None:
    async with bench.replica() as log:
        first = await log.admission.admit(admission(idempotency=KEY))
        elsewhere = await log.admission.admit(
            admission(idempotency=Idempotency("edit", "key-1", b"other"))
        )
        stranger = await log.admission.admit(admission(owner_id="bob", idempotency=KEY))
    assert len({first.run_id, elsewhere.run_id, stranger.run_id}) == 3


async def test_an_expired_key_begins_anew_and_only_once(bench: Bench) -> None:
    async with bench.replica(0) as here, bench.replica(1) as there:
        first = await here.admission.admit(admission(idempotency=KEY))
        await bench.direct.execute("UPDATE idempotency SET expires_at = now() - interval '1 s'")
        other = Idempotency("chat", "key-1", b"another body is fine now")
        admitted, failed = await tried([here, there], 20, idempotency=other)
    assert failed == []
    [second] = {item.run_id for item in admitted}
    assert second != first.run_id


@pytest.mark.parametrize(
    "promise",
    [{"idempotency": KEY}, {"client_msg_id": "c"}, {"idempotency": KEY, "client_msg_id": "c"}],
    ids=["key", "client_msg_id", "both"],
)
async def test_a_failure_before_anything_was_seen_releases_the_promise(
    bench: Bench, promise: dict[str, Any]
) -> None:
    async with bench.replica() as log:
        first = await log.admission.admit(admission(**promise))
        scribe = await begin(log)
        await log.writer.end(
            scribe.run_id, endings.failed(scribe.answer, CartritaError("no", code="no"))
        )
        second = await log.admission.admit(admission(**promise))
        assert second.created
        assert second.run_id != first.run_id


async def test_a_failure_after_something_was_seen_keeps_it(bench: Bench) -> None:
    async with bench.replica() as log:
        first = await log.admission.admit(admission(idempotency=KEY))
        scribe = await begin(log)
        await scribe.say("a word")
        await log.writer.end(scribe.run_id, endings.failed(scribe.answer, CartritaError("no")))
        again = await log.admission.admit(admission(idempotency=KEY))
        assert (again.run_id, again.status) == (first.run_id, RunStatus.FAILED)


async def test_a_client_msg_id_is_one_run_for_its_owner_for_ever(bench: Bench) -> None:
    async with bench.replica() as log:
        first = await log.admission.admit(admission(client_msg_id="c"))
        scribe = await begin(log)
        assert scribe.run_id == first.run_id
        await scribe.say("x")
        await scribe.complete()
        again = await log.admission.admit(admission(client_msg_id="c"))
        stranger = await log.admission.admit(admission(owner_id="bob", client_msg_id="c"))
    assert (again.run_id, again.created) == (scribe.run_id, False)
    assert stranger.run_id != scribe.run_id


@pytest.mark.parametrize("fate", [Fate.NEVER_ARRIVES, Fate.ANSWER_LOST], ids=lambda fate: fate.name)
async def test_a_commit_whose_answer_was_lost(bench: Bench, proxy: Proxy, fate: Fate) -> None:
    """Committed or not, one run is made by a caller who tries again, and somebody executes it."""
    async with bench.replica(0, dsn=proxy.dsn) as log:
        trap = proxy.trap(fate, "lost words")
        with pytest.raises(Unavailable):
            await within(log.admission.admit(admission("lost words", idempotency=KEY)))
        assert trap.sprung.is_set()
        admitted = await within(retried(log, text="lost words", idempotency=KEY))
        assert admitted.created == (fate is Fate.NEVER_ARRIVES)
        assert await bench.value("SELECT count(*) FROM runs") == 1
        await log._reaper.reap()
        await log._reaper.reap()
        scribe = await begin(log)
        assert scribe.run_id == admitted.run_id
        assert scribe.claim.attempt == (1 if fate is Fate.NEVER_ARRIVES else 2)
        await scribe.say("here")
        await scribe.complete()
        told = await heard(log, admitted.run_id)
        assert [item.seq for item in told if isinstance(item, LoggedEvent)] == [1, 2, 3, 4]


async def test_news_of_a_commit_that_come_too_late_are_no_use(bench: Bench, proxy: Proxy) -> None:
    """Another attempt has begun meanwhile: two would write one log."""
    async with bench.replica(0, dsn=proxy.dsn) as log:
        trap = proxy.trap(Fate.ANSWER_HELD, "late words")
        work = log.admission.admit(admission("late words"))
        admitting = asyncio.get_running_loop().create_task(work)
        await within(trap.sprung.wait())
        await until(lambda: bench.value("SELECT EXISTS (SELECT 1 FROM runs)"))
        await log._reaper.reap()
        await log._reaper.reap()
        second = await begin(log)
        assert second.claim.attempt == 2
        await second.say("mine")
        trap.release()
        admitted = await within(admitting)
        assert admitted.run_id == second.run_id
        await second.complete()
        assert await log.queue.claim() is None, "the first attempt is not executed too"
    assert await bench.texts(second.run_id) == "mine"
