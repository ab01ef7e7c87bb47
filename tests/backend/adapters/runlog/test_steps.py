"""Records of steps are written with their events, and tell who goes on where a run is."""

import msgspec
import pytest
from msgspec.structs import replace
from tests.backend.adapters.runlog.executions import Execution
from tests.backend.adapters.runlog.fixtures import Cluster, admission
from tests.backend.adapters.runlog.test_reaper import claim_manually, release_leases
from tests.backend.adapters.runlog.watchdog import within

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.begun_work import STOPPED_RESULT
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import (
    RunStopped,
    TaskStarted,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.messages import Text, ToolCall
from cartrita.domain.runs import Claim
from cartrita.domain.step_places import StepPlace
from cartrita.domain.step_records import (
    UNKNOWN_RESULT,
    ModelSaid,
    StepRecord,
    StepState,
    ToolBegun,
    ToolSaid,
)
from cartrita.domain.usage import Usage

SAID = ModelSaid(
    (Text("I act."), ToolCall("c1", "act", {"b": 1, "a": 2.50})), FinishReason.STOP, Usage()
)
MODEL = StepRecord(place=StepPlace.parse("1"), state=StepState.DONE, output=SAID)
INTENT = StepRecord(
    place=StepPlace.parse("1.1"),
    state=StepState.INTENT,
    output=ToolBegun("c1", "act"),
    input_hash="h",
)
DONE = StepRecord(
    place=StepPlace.parse("1.1"), state=StepState.DONE, output=ToolSaid("did"), input_hash=None
)
CALLED = ToolCalled("c1", "act", {"b": 1, "a": 2.50}, own=True)
RETURNED = ToolReturned("c1", "act", "did", True)


async def record(log: RunLog, run: Execution, events: list, *steps: StepRecord) -> None:  # type: ignore[type-arg]
    """Write events and records, and flush."""
    log.writer.record(run.run_id, events, steps)
    await log.writer._flush()
    await within(log.writer.commit(run.run_id))


async def first_step(log: RunLog) -> Execution:
    """A run whose first step is stored."""
    run = await claim_manually(log)
    await run.write("I act.")
    await record(log, run, [CALLED, UsageRecorded(Usage(1, 2), 0.5, agent="supervisor")], MODEL)
    return run


async def heir_of(cluster: Cluster, heir: RunLog) -> Claim:
    """The claim of the run whose owner is gone."""
    await release_leases(cluster)
    await heir._replica.register()
    await heir._reaper.reap()
    claim = await heir.queue.claim()
    assert claim is not None
    return claim


async def test_a_run_goes_on_after_its_last_stored_step(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        run = await first_step(dead)
        await record(dead, run, [], INTENT)
        claim = await heir_of(cluster, heir)
    assert (claim.run_id, claim.attempt, claim.last_seq) == (run.run_id, 2, 4)
    assert [type(event) for event in claim.logged[1:]] == [TextAppended, ToolCalled, UsageRecorded]
    model, intent = claim.steps
    assert model.output == SAID
    assert (intent.place.text, intent.state, intent.input_hash) == ("1.1", StepState.INTENT, "h")
    assert intent.output == ToolBegun("c1", "act")


async def test_an_intent_is_replaced_by_its_end_and_an_end_by_nothing(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run = await first_step(log)
        await record(log, run, [], INTENT)
        await record(log, run, [RETURNED], DONE)
        await record(log, run, [], INTENT)
        rows = await cluster.rows("SELECT * FROM run_steps ORDER BY idem_key")
    assert [(row["idem_key"], row["state"], row["kind"]) for row in rows] == [
        ("1", "done", "model"),
        ("1.1", "done", "tool"),
    ]
    assert [(row["seq"], row["owner_id"], row["step_no"]) for row in rows] == [
        (4, "ann", 1),
        (5, "ann", 1),
    ]
    assert rows[1]["input_hash"] == "h"
    arguments = msgspec.json.decode(rows[0]["output"])["parts"][1]["arguments"]
    assert list(arguments) == ["b", "a"], "as the model wrote it"


async def test_words_after_the_last_stored_step_end_a_run_that_lost_its_owner(
    cluster: Cluster,
) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        run = await first_step(dead)
        await record(dead, run, [RETURNED], DONE)
        await run.write("So I think")
        await dead.writer._flush()
        await release_leases(cluster)
        await heir._reaper.reap()
        assert await cluster.status(run.run_id) == "interrupted"
        (parts,) = [
            row["parts"]
            for row in await cluster.rows("SELECT parts FROM messages WHERE role = 'assistant'")
        ]
    kinds = [part["type"] for part in msgspec.json.decode(parts)]
    assert kinds == ["text", "tool_call", "tool_result", "text"]


async def test_what_is_told_of_a_task_does_not_end_it(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as dead, cluster.manual_replica(2) as heir:
        run = await first_step(dead)
        events = [
            TaskStarted("task_1_1", "c1", "writer", "Write."),
            ToolCalled("x", "calculator", {}, own=True, task_id="task_1_1"),
        ]
        await record(dead, run, events)
        assert (await heir_of(cluster, heir)).run_id == run.run_id


@pytest.mark.parametrize(
    ("begun", "told", "state"),
    [
        (INTENT, ToolReturned("c1", "act", UNKNOWN_RESULT, False, unknown=True), "unknown"),
        (
            replace(INTENT, output=ToolBegun("c1", "act", acts=False)),
            ToolReturned("c1", "act", STOPPED_RESULT, False),
            "done",
        ),
    ],
)
async def test_a_tool_that_was_at_work_is_reported_when_its_run_ends(
    cluster: Cluster, begun: StepRecord, told: ToolReturned, state: str
) -> None:
    async with (
        cluster.manual_replica(1) as dead,
        cluster.manual_replica(2, max_attempts=1) as heir,
    ):
        run = await first_step(dead)
        await record(dead, run, [], begun)
        await release_leases(cluster)
        await heir._reaper.reap()
        events = await cluster.events(run.run_id)
        states = {
            row["state"]
            for row in await cluster.rows("SELECT state FROM run_steps WHERE idem_key = '1.1'")
        }
    assert [seq for seq, _ in events] == list(range(1, 7))
    assert events[-2][1] == told
    assert isinstance(events[-1][1], RunStopped)
    assert states == {state}


async def test_a_cancelled_run_in_the_queue_keeps_what_it_did(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        run = await first_step(log)
        await log.queue.release(run.run_id)
        cancelled = await log.cancellation.cancel("ann", run.run_id)
        assert cancelled.status == "cancelled"
        (row,) = await cluster.rows("SELECT parts FROM messages WHERE role = 'assistant'")
    assert "I act." in row["parts"]


@pytest.mark.parametrize("table", ["run_steps", "approvals"])
async def test_records_go_with_their_run(cluster: Cluster, table: str) -> None:
    async with cluster.manual_replica(1) as log:
        run = await first_step(log)
        await cluster.connection.execute("DELETE FROM runs WHERE id = $1", run.run_id)
        assert await cluster.value(f"SELECT count(*) FROM {table}") == 0


async def test_a_commit_without_anything_new_returns_at_once(cluster: Cluster) -> None:
    async with cluster.manual_replica(1) as log:
        await log.admission.admit(admission())
        claim = await log.queue.claim()
        assert claim is not None
        await within(log.writer.commit(claim.run_id))
