"""Approvals: a run waits without an owner, a person decides once, and that is consumed once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from tests.backend.adapters.runlog.executions import Execution, maintain
from tests.backend.adapters.runlog.fixtures import Cluster
from tests.backend.adapters.runlog.test_steps import INTENT, first_step, heir_of, record
from tests.backend.adapters.runlog.watchdog import within

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.adapters.runlog.writer import Unstorable
from cartrita.agents.tool_approvals import asked_event
from cartrita.domain.approvals import Approval, Decision, Verdict, hash_arguments
from cartrita.domain.begun_work import STOPPED_RESULT
from cartrita.domain.errors import Conflict, NotFound
from cartrita.domain.events import ApprovalAsked, ApprovalSettled, RunStopped, ToolReturned
from cartrita.domain.step_places import StepPlace
from cartrita.kit.ids import uuid7

ARGUMENTS: Any = {"b": 1, "a": 2.50}
HASH = hash_arguments("act", ARGUMENTS)


def approval_of(run: Execution, place: str = "1.1", **values: Any) -> Approval:
    given: dict[str, Any] = {
        "id": uuid7(),
        "run_id": run.run_id,
        "owner_id": "ann",
        "place": StepPlace.parse(place),
        "call_id": "c1",
        "agent": "supervisor",
        "tool": "act",
        "arguments": ARGUMENTS,
        "arguments_hash": HASH,
        "expires_at": datetime.now(UTC) + timedelta(hours=1),
        **values,
    }
    return Approval(**given)


async def waiting(log: RunLog, *, places: tuple[str, ...] = ("1.1",), **values: Any) -> Any:
    """A run that waits for these approvals."""
    run = await first_step(log)
    approvals = tuple(approval_of(run, place, **values) for place in places)
    asked = [asked_event(one, None) for one in approvals]
    suspending = log.writer.suspend(run.run_id, asked, approvals)
    async with flushing(log):
        await within(suspending)
    return run, approvals


@asynccontextmanager
async def flushing(log: RunLog) -> AsyncGenerator[None]:
    """Flush while something waits for it."""
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(log.writer.run())
        yield
        writing.cancel()


async def decide(
    log: RunLog, run: Execution, approval: UUID, how: Decision, digest: str = HASH
) -> Any:
    verdict = Verdict(approval, how, digest)
    return await log.approvals.decide("ann", run.run_id, (verdict,), "key")


async def test_a_waiting_run_has_no_owner_and_holds_its_conversation(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run, (approval,) = await waiting(log)
        assert await cluster.status(run.run_id) == "waiting"
        assert run.run_id not in log.writer.owned
        await log._reaper.reap()
        assert await cluster.status(run.run_id) == "waiting"
        (found,) = await log.approvals.waiting("ann", run.run_id)
        assert found == approval
        assert await log.approvals.waiting("bob", run.run_id) == []
        assert isinstance((await cluster.events(run.run_id))[-1][1], ApprovalAsked)


@pytest.mark.parametrize("how", list(Decision))
async def test_a_decision_lets_the_run_go_on(cluster: Cluster, how: Decision) -> None:
    async with cluster.manual_replica(1) as log:
        run, (approval,) = await waiting(log)
        decided = await decide(log, run, approval.id, how)
        assert decided.status == "queued"
        assert (await decide(log, run, approval.id, how)).id == run.run_id, "the same is no other"
        claim = await log.queue.claim()
        assert claim is not None
        assert claim.approvals == (replace(approval, decision=how, decided_by="key"),)
        last = claim.logged[-1]
        assert isinstance(last, ApprovalSettled)
        assert last.decision == how


async def test_a_run_goes_on_after_the_last_decision(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run, (one, other) = await waiting(log, places=("1.1", "1.2"))
        assert (await decide(log, run, one.id, Decision.APPROVED)).status == "waiting"
        assert (await decide(log, run, other.id, Decision.DENIED)).status == "queued"


async def test_several_are_decided_together_or_not_at_all(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run, (one, other) = await waiting(log, places=("1.1", "1.2"))
        good = Verdict(one.id, Decision.APPROVED, HASH)
        bad = (
            (Verdict(other.id, Decision.APPROVED, "stale"), Conflict),
            (Verdict(uuid7(), Decision.APPROVED, HASH), NotFound),
            (Verdict(one.id, Decision.DENIED, HASH), Conflict),
        )
        for verdict, error in bad:
            with pytest.raises(error):
                await log.approvals.decide("ann", run.run_id, (good, verdict), "key")
            assert len(await log.approvals.waiting("ann", run.run_id)) == 2
        both = (good, good, Verdict(other.id, Decision.DENIED, HASH))
        decided = await log.approvals.decide("ann", run.run_id, both, "key")
        assert decided.status == "queued"
        claim = await log.queue.claim()
        assert claim is not None
        assert [each.decision for each in claim.approvals] == [Decision.APPROVED, Decision.DENIED]


async def test_what_cannot_be_decided(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run, (approval,) = await waiting(log)
        with pytest.raises(Conflict) as changed:
            await decide(log, run, approval.id, Decision.APPROVED, "other")
        assert changed.value.code == "arguments_changed"
        with pytest.raises(NotFound) as missing:
            await decide(log, run, uuid7(), Decision.APPROVED)
        assert missing.value.code == "approval_not_found"
        verdict = Verdict(approval.id, Decision.APPROVED, HASH)
        with pytest.raises(NotFound):
            await log.approvals.decide("bob", run.run_id, (verdict,), "key")
        await decide(log, run, approval.id, Decision.APPROVED)
        with pytest.raises(Conflict) as decided:
            await decide(log, run, approval.id, Decision.DENIED)
        assert decided.value.code == "approval_decided"


async def test_an_approval_expires_and_the_run_goes_on_without_it(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        late = datetime.now(UTC) - timedelta(seconds=1)
        run, (approval,) = await waiting(log, expires_at=late)
        with pytest.raises(Conflict) as over:
            await decide(log, run, approval.id, Decision.APPROVED)
        assert over.value.code == "approval_expired"
        await log._reaper.reap()
        claim = await log.queue.claim()
        assert claim is not None
        assert (claim.approvals[0].decision, claim.approvals[0].expired) == (Decision.DENIED, True)
        assert claim.logged[-1] == ApprovalSettled(f"appr_{approval.id.hex}", "expired")
        with pytest.raises(Conflict) as over:
            await decide(log, run, approval.id, Decision.APPROVED)
        assert over.value.code == "approval_expired", "nobody has denied it"


async def test_a_waiting_run_can_be_cancelled(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run, (approval,) = await waiting(log)
        assert (await log.cancellation.cancel("ann", run.run_id)).status == "cancelled"
        *_, returned, stopped = [event for _, event in await cluster.events(run.run_id)]
        assert returned == ToolReturned("c1", "act", STOPPED_RESULT, success=False)
        assert isinstance(stopped, RunStopped)
        with pytest.raises(Conflict):
            await decide(log, run, approval.id, Decision.APPROVED)


async def test_a_run_that_was_cancelled_before_it_could_wait_does_not(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run = await first_step(log)
        await log.cancellation.cancel("ann", run.run_id)
        approval = approval_of(run)
        async with flushing(log):
            await within(log.writer.suspend(run.run_id, [asked_event(approval, None)], (approval,)))
        claim = await log.queue.claim()
        assert claim is not None
        assert claim.cancelled


async def test_waiting_is_no_failure_and_takes_no_time(cluster: Cluster) -> None:
    async with (
        cluster.manual_replica(1, max_attempts=2) as log,
        cluster.manual_replica(2, max_attempts=2) as heir,
    ):
        run, (approval,) = await waiting(log)
        await cluster.connection.execute(
            "UPDATE approvals SET asked_at = asked_at - interval '1 hour'"
        )
        await decide(log, run, approval.id, Decision.APPROVED)
        claim = await log.queue.claim()
        assert claim is not None
        assert claim.attempt == 2
        assert claim.seconds_left > 3600
        assert claim.worked_s < 3600
        assert (await heir_of(cluster, heir)).attempt == 3, "the one crash is the first"


async def test_an_approval_is_consumed_once_by_its_own_call(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run, (approval,) = await waiting(log)
        await decide(log, run, approval.id, Decision.APPROVED)
        claim = await log.queue.claim()
        assert claim is not None
        again = Execution(log, claim)
        approved = replace(INTENT, input_hash=HASH, approval_id=approval.id)
        await record(log, again, [], approved)
        assert await cluster.value("SELECT consumed_at IS NOT NULL FROM approvals")
        with pytest.raises(Unstorable):
            await record(log, again, [], replace(approved, place=StepPlace((1, 2))))


@pytest.mark.parametrize("wrong", ["arguments", "decision"])
async def test_what_was_not_approved_is_refused_by_the_database(
    cluster: Cluster, wrong: str
) -> None:
    async with cluster.manual_replica(1) as log:
        run, (approval,) = await waiting(log)
        how = Decision.DENIED if wrong == "decision" else Decision.APPROVED
        await decide(log, run, approval.id, how)
        claim = await log.queue.claim()
        assert claim is not None
        digest = "other" if wrong == "arguments" else HASH
        with pytest.raises(Unstorable):
            await record(
                log,
                Execution(log, claim),
                [],
                replace(INTENT, input_hash=digest, approval_id=approval.id),
            )
        assert await cluster.value("SELECT count(*) FROM run_steps WHERE idem_key = '1.1'") == 0


async def test_arguments_are_kept_no_longer_than_the_steps(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run, (_,) = await waiting(log)
        await log.cancellation.cancel("ann", run.run_id)
        await cluster.connection.execute("UPDATE runs SET ended_at = now() - interval '1 day'")
        assert await cluster.value("SELECT count(*) FROM approvals") == 1
        await maintain(log)
        assert await cluster.value("SELECT count(*) FROM run_steps") == 0
        assert await cluster.value("SELECT count(*) FROM approvals") == 0
