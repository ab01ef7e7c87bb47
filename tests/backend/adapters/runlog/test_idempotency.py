"""Requests with the same key or client_msg_id make one run, even concurrently and after faults."""

import asyncio
from typing import Any

import pytest
from tests.backend.adapters.runlog.executions import claim_next, read_all
from tests.backend.adapters.runlog.fixtures import (
    Cluster,
    admission,
    admit_with_retries,
    insert_conversation,
)
from tests.backend.adapters.runlog.proxy import CommitFault, Proxy
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.run_log import RunLog
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
    """Send the same request many times concurrently, over all replicas."""
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
async def test_a_hundred_concurrent_requests_make_one_run(
    cluster: Cluster, promise: dict[str, Any], busy: BusyPolicy
) -> None:
    conversation = await insert_conversation(cluster)
    async with cluster.replica(0) as here, cluster.replica(1) as there:
        values: dict[str, Any] = {"conversation_id": conversation, "busy": busy, **promise}
        admitted, failed = await tried([here, there], 100, **values)
    assert failed == []
    assert len({item.run_id for item in admitted}) == 1
    assert [item.created for item in admitted].count(True) == 1
    assert await cluster.value("SELECT count(*) FROM runs") == 1
    assert await cluster.value("SELECT count(*) FROM messages") == 1


async def test_earlier_requests_are_known_before_their_message_is(cluster: Cluster) -> None:
    async with cluster.replica(0) as log:
        made = await log.admission.admit(admission(idempotency=KEY, client_msg_id="c-1"))
        owner = admission().owner_id
        earlier = log.admission.earlier
        for found in (await earlier(owner, KEY, None), await earlier(owner, None, "c-1")):
            assert found is not None
            assert (found.run_id, found.created) == (made.run_id, False)
        assert await earlier(owner, None, None) is None
        assert await earlier(owner, None, "c-2") is None
        assert await earlier("somebody-else", KEY, "c-1") is None
        with pytest.raises(IdempotencyMismatch):
            await earlier(owner, Idempotency(KEY.route, KEY.key, b"another"), None)


async def test_concurrent_requests_make_one_conversation(
    cluster: Cluster,
) -> None:
    async with cluster.replica(0) as here, cluster.replica(1) as there:
        admitted, failed = await tried([here, there], 40, idempotency=KEY, client_msg_id="c")
    assert failed == []
    assert len({item.run_id for item in admitted}) == 1
    assert await cluster.value("SELECT count(*) FROM conversations") == 1


async def test_a_key_finds_its_run_in_every_status(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission(idempotency=KEY))
        again = await log.admission.admit(admission(idempotency=KEY))
        assert again == Admitted(
            first.run_id, first.conversation_id, RunStatus.RUNNING, created=False
        )
        execution = await claim_next(log)
        await execution.write("done")
        await execution.complete()
        later = await log.admission.admit(admission(idempotency=KEY))
        assert (later.run_id, later.status) == (first.run_id, RunStatus.COMPLETED)


async def test_a_key_used_with_another_body_is_refused(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        await log.admission.admit(admission(idempotency=KEY))
        with pytest.raises(IdempotencyMismatch):
            await log.admission.admit(admission(idempotency=Idempotency("chat", "key-1", b"other")))


async def test_keys_are_separate_per_owner_and_route(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission(idempotency=KEY))
        elsewhere = await log.admission.admit(
            admission(idempotency=Idempotency("edit", "key-1", b"other"))
        )
        stranger = await log.admission.admit(admission(owner_id="bob", idempotency=KEY))
    assert len({first.run_id, elsewhere.run_id, stranger.run_id}) == 3


async def test_an_expired_key_makes_one_new_run(cluster: Cluster) -> None:
    async with cluster.replica(0) as here, cluster.replica(1) as there:
        first = await here.admission.admit(admission(idempotency=KEY))
        await cluster.connection.execute(
            "UPDATE idempotency SET expires_at = now() - interval '1 s'"
        )
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
async def test_a_failure_without_visible_output_releases_key_and_client_msg_id(
    cluster: Cluster, promise: dict[str, Any]
) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission(**promise))
        execution = await claim_next(log)
        await log.writer.end(
            execution.run_id, endings.failed(execution.answer, CartritaError("no", code="no"))
        )
        second = await log.admission.admit(admission(**promise))
        assert second.created
        assert second.run_id != first.run_id


async def test_a_failure_after_visible_output_keeps_the_key(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission(idempotency=KEY))
        execution = await claim_next(log)
        await execution.write("a word")
        await log.writer.end(
            execution.run_id, endings.failed(execution.answer, CartritaError("no"))
        )
        again = await log.admission.admit(admission(idempotency=KEY))
        assert (again.run_id, again.status) == (first.run_id, RunStatus.FAILED)


async def test_a_client_msg_id_finds_its_run_per_owner(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        first = await log.admission.admit(admission(client_msg_id="c"))
        execution = await claim_next(log)
        assert execution.run_id == first.run_id
        await execution.write("x")
        await execution.complete()
        again = await log.admission.admit(admission(client_msg_id="c"))
        stranger = await log.admission.admit(admission(owner_id="bob", client_msg_id="c"))
    assert (again.run_id, again.created) == (execution.run_id, False)
    assert stranger.run_id != execution.run_id


@pytest.mark.parametrize(
    "fault", [CommitFault.NEVER_ARRIVES, CommitFault.ANSWER_LOST], ids=lambda fault: fault.name
)
async def test_a_retry_after_a_lost_commit_answer_makes_one_run(
    cluster: Cluster, proxy: Proxy, fault: CommitFault
) -> None:
    """Whether or not the first try was committed, the caller's retry leads to one executed run."""
    async with cluster.replica(0, dsn=proxy.dsn) as log:
        trap = proxy.trap(fault, "lost words")
        with pytest.raises(Unavailable):
            await within(log.admission.admit(admission("lost words", idempotency=KEY)))
        assert trap.triggered.is_set()
        admitted = await within(admit_with_retries(log, text="lost words", idempotency=KEY))
        assert admitted.created == (fault is CommitFault.NEVER_ARRIVES)
        assert await cluster.value("SELECT count(*) FROM runs") == 1
        await log._reaper.reap()
        await log._reaper.reap()
        execution = await claim_next(log)
        assert execution.run_id == admitted.run_id
        assert execution.claim.attempt == (1 if fault is CommitFault.NEVER_ARRIVES else 2)
        await execution.write("here")
        await execution.complete()
        items = await read_all(log, admitted.run_id)
        assert [item.seq for item in items if isinstance(item, LoggedEvent)] == [1, 2, 3, 4]


async def test_a_late_commit_answer_does_not_start_a_run_twice(
    cluster: Cluster, proxy: Proxy
) -> None:
    """A second attempt has started meanwhile; two executions must not write one log."""
    async with cluster.replica(0, dsn=proxy.dsn) as log:
        trap = proxy.trap(CommitFault.ANSWER_HELD, "late words")
        work = log.admission.admit(admission("late words"))
        admitting = asyncio.get_running_loop().create_task(work)
        await within(trap.triggered.wait())
        await until(lambda: cluster.value("SELECT EXISTS (SELECT 1 FROM runs)"))
        await log._reaper.reap()
        await log._reaper.reap()
        second = await claim_next(log)
        assert second.claim.attempt == 2
        await second.write("mine")
        trap.release()
        admitted = await within(admitting)
        assert admitted.run_id == second.run_id
        await second.complete()
        assert await log.queue.claim() is None, "the first attempt is not executed too"
    assert await cluster.text(second.run_id) == "mine"
