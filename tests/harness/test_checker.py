"""The checker finds every violation that is planted, and none where there is none."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.harness import evidence
from tests.harness.checker import INVARIANTS, assert_holds, violations
from tests.harness.database import Postgres
from tests.harness.observations import Call, Observations, Overdue, Stall
from tests.harness.records import Cancelled
from tests.harness.run_logs import unfold
from tests.harness.sample_run import ANSWER, PROMPT, SampleRun, store


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with Postgres() as postgres:
        yield postgres.create().dsn


@pytest.fixture
async def run(dsn: str) -> SampleRun:
    return await store(dsn)


async def plant(dsn: str, sql: str, *values: object) -> None:
    connection: Any = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql, *values)
    finally:
        await connection.close()


async def found(dsn: str, run: SampleRun, **observed: Any) -> set[str]:
    """The invariants that are broken, by the database as it is now."""
    read = await evidence.read(dsn, [run.run])
    return {
        violation.invariant for violation in violations(Observations(evidence=read, **observed))
    }


async def test_a_sound_run_is_sound(dsn: str, run: SampleRun) -> None:
    records = [run.record(), run.record(cursor=2), run.record(cursor=4)]
    read = await evidence.read(dsn, [run.run])
    call = Call(PROMPT, 0.5, 0.6, 0.9, 2, "complete")
    assert_holds(
        Observations(
            evidence=read,
            earlier=read,
            records=records,
            calls=[call],
            streams_open=0,
            answers={PROMPT: ANSWER},
            stalls=[Stall(4, 0, 4 * 100_000, others_finished=True)],
            overdue=[Overdue(run.run, 3.0)],
        )
    )


def test_every_promise_has_a_check() -> None:
    assert set(INVARIANTS) == {f"I{number}" for number in range(1, 16)} | {"28b", "text"}


async def test_i1_an_event_that_the_log_lacks(dsn: str, run: SampleRun) -> None:
    record = run.record(seen=4)
    await plant(dsn, "DELETE FROM run_events WHERE run_id = $1 AND seq = 3", UUID(run.run))
    assert "I1" in await found(dsn, run, records=[record])


async def test_i1_an_event_told_otherwise(dsn: str, run: SampleRun) -> None:
    record = run.record()
    record.connections[0].frames[1] = run.frame(2, delta="three ", content="three ")
    assert await found(dsn, run, records=[record]) == {"I1", "I10"}
    record.connections[0].frames[1] = run.frame(2, position=1)
    assert await found(dsn, run, records=[record]) == {"I1"}


async def test_i1_two_clients_are_told_different_bytes(dsn: str, run: SampleRun) -> None:
    other = run.record()
    other.connections[0].frames[4] = run.frame(5, extra=True)
    assert await found(dsn, run, records=[run.record(), other]) == {"I1"}


async def test_i2_a_gap_in_the_log(dsn: str, run: SampleRun) -> None:
    await plant(dsn, "DELETE FROM run_events WHERE run_id = $1 AND seq = 4", UUID(run.run))
    assert "I2" in await found(dsn, run)


async def test_i2_a_reader_hears_a_repeat_or_a_gap(dsn: str, run: SampleRun) -> None:
    record = run.record()
    record.connections[0].frames.insert(2, run.frame(2))
    assert "I2" in await found(dsn, run, records=[record])
    record = run.record()
    del record.connections[0].frames[2]
    assert "I2" in await found(dsn, run, records=[record])
    record = run.record(cursor=2)
    record.connections[0].cursor = 1
    assert "I2" in await found(dsn, run, records=[record])


async def test_i3_the_message_differs_from_the_log(dsn: str, run: SampleRun) -> None:
    parts = json.dumps([{"type": "text", "text": "two"}])
    await plant(dsn, "UPDATE messages SET parts = $2 WHERE id = $1", UUID(run.message), parts)
    assert "I3" in await found(dsn, run)


async def test_i3_the_message_is_missing(dsn: str, run: SampleRun) -> None:
    await plant(dsn, "DELETE FROM messages WHERE id = $1", UUID(run.message))
    assert "I3" in await found(dsn, run)


async def test_i3_usage_is_not_the_sum(dsn: str, run: SampleRun) -> None:
    usage = json.dumps({"input_tokens": 3, "output_tokens": 4})
    await plant(dsn, "UPDATE messages SET usage = $2 WHERE id = $1", UUID(run.message), usage)
    assert "I3" in await found(dsn, run)


async def test_i4_no_terminal_event(dsn: str, run: SampleRun) -> None:
    await plant(dsn, "DELETE FROM run_events WHERE run_id = $1 AND seq = 5", UUID(run.run))
    await plant(dsn, "UPDATE runs SET last_seq = 4 WHERE id = $1", UUID(run.run))
    assert "I4" in await found(dsn, run)


async def test_i4_the_status_says_otherwise(dsn: str, run: SampleRun) -> None:
    await plant(dsn, "UPDATE runs SET status = 'failed' WHERE id = $1", UUID(run.run))
    assert "I4" in await found(dsn, run)
    await plant(dsn, "UPDATE runs SET status = 'running' WHERE id = $1", UUID(run.run))
    assert "I4" in await found(dsn, run)


async def test_i4_status_and_event_in_two_transactions(dsn: str, run: SampleRun) -> None:
    await plant(dsn, "UPDATE runs SET error_code = NULL WHERE id = $1", UUID(run.run))
    assert await found(dsn, run) == {"I4"}


async def test_i5_a_run_that_nobody_owns(dsn: str, run: SampleRun) -> None:
    await plant(dsn, "DELETE FROM run_events WHERE run_id = $1 AND seq = 5", UUID(run.run))
    await plant(
        dsn, "UPDATE runs SET status = 'running', ended_at = NULL WHERE id = $1", UUID(run.run)
    )
    assert await found(dsn, run) == {"I5"}
    assert await found(dsn, run, settled=False) == set()
    overdue = [Overdue(run.run, 21.0)]
    assert await found(dsn, run, settled=False, overdue=overdue) == {"I5"}


async def test_i6_two_runs_hold_a_conversation(dsn: str, run: SampleRun) -> None:
    other = await store(dsn, conversation=run.conversation)
    assert await found(dsn, run) == set()
    sql = "UPDATE runs SET started_at = ended_at - interval '9 s' WHERE id = $1"
    for sample in (run, other):
        await plant(dsn, sql, UUID(sample.run))
    assert "I6" in await found(dsn, run)


async def test_i7_one_key_and_two_runs(dsn: str, run: SampleRun) -> None:
    other = await store(dsn, conversation=run.conversation)
    keyed: dict[str, Any] = {"identity": "idempotency_key", "http_method": "post", "token": "one"}
    records = [run.record(**keyed), other.record(**keyed)]
    assert await found(dsn, run, records=records) == {"I7"}
    by_id = [run.record(token="one"), other.record(token="one")]
    assert await found(dsn, run, records=by_id) == {"I7"}
    plain = [run.record(identity="plain"), other.record(identity="plain")]
    assert await found(dsn, run, records=plain) == set()


async def test_i8_the_model_is_asked_again(dsn: str, run: SampleRun) -> None:
    record = run.record()
    record.started_wall = 100.0
    first, second = (Call(PROMPT, at, at, at + 1, 2, "complete") for at in (100.2, 104.0))
    assert await found(dsn, run, records=[record], calls=[first]) == set()
    assert await found(dsn, run, records=[record], calls=[first, second]) == {"I8"}
    record.plan = replace(record.plan, identity="plain")
    assert await found(dsn, run, records=[record], calls=[first, second]) == {"I8"}
    asked_again = [replace(record.connections[0], frames=[]), *record.connections]
    twice = replace(record, connections=asked_again)  # two requests without a promise: two runs
    assert await found(dsn, run, records=[twice], calls=[first, second]) == set()
    both = [first, replace(first, received_at=100.3)]
    assert await found(dsn, run, calls=both) == set()
    await plant(dsn, "UPDATE runs SET client_msg_id = $2 WHERE id = $1", UUID(run.run), run.run)
    assert "I8" in await found(dsn, run, calls=both)


async def test_i8_a_step_that_is_done_is_done_again(dsn: str, run: SampleRun) -> None:
    await plant(dsn, "UPDATE runs SET client_msg_id = $2 WHERE id = $1", UUID(run.run), run.run)
    steps = [Call(PROMPT, at, at, at + 1, 2, "complete", at) for at in (2, 4)]
    assert "I8" not in await found(dsn, run, calls=steps)
    again = replace(steps[0], received_at=5)
    assert "I8" in await found(dsn, run, calls=[*steps, again])


@pytest.mark.parametrize(
    ("kind", "state", "seq", "sound"),
    [
        ("model", "done", 2, True),
        ("model", "done", 99, False),
        ("tool", "done", 2, False),
        ("tool", "unknown", 2, False),
        ("tool", "intent", 2, False),
    ],
)
async def test_i8_records_that_the_log_does_not_bear_out(
    dsn: str, run: SampleRun, kind: str, state: str, seq: int, sound: bool
) -> None:
    await plant(
        dsn,
        "INSERT INTO run_steps (run_id, owner_id, idem_key, step_no, kind, state, seq)"
        " VALUES ($1, $2, '1', 1, $3, $4, $5)",
        UUID(run.run),
        run.owner,
        kind,
        state,
        seq,
    )
    assert await found(dsn, run) == (set() if sound else {"I8"})


async def test_i8_a_tool_that_returns_twice(dsn: str, run: SampleRun) -> None:
    read = await evidence.read(dsn, [run.run])
    log = read.logs[run.run]
    told = {"call_id": "c", "name": "f", "arguments": {}, "result": "x", "success": True}
    for kind in ("tool_called", "tool_returned", "tool_returned"):
        log.append(evidence.Logged(len(log) + 1, {"type": kind, **told}))
    broken = {one.invariant: one.detail for one in violations(Observations(evidence=read))}
    assert "I8" in broken


@pytest.mark.parametrize("status", ["failed", "completed"])
async def test_i8_a_tool_is_stopped_by_the_end_of_its_run(
    dsn: str, run: SampleRun, status: str
) -> None:
    """It has no record, and is told of: where the run has not come to its own end."""
    read = await evidence.read(dsn, [run.run])
    log = read.logs[run.run]
    result = "It was stopped before it had a result."
    told = {"call_id": "c", "name": "f", "arguments": {}, "result": result, "success": False}
    for kind in ("tool_called", "tool_returned"):
        log.append(evidence.Logged(len(log) + 1, {"type": kind, **told}))
    read.runs[run.run] = replace(read.runs[run.run], status=status)
    broken = {one.invariant for one in violations(Observations(evidence=read))}
    assert ("I8" in broken) is (status == "completed")


async def test_i9_a_cancel_that_ends_nothing(dsn: str, run: SampleRun) -> None:
    read = await evidence.read(dsn, [run.run])
    ended = read.runs[run.run].ended_at or 0.0
    record = run.record()
    record.cancels = [Cancelled(run.run, 1.0, 1.1, ended - 0.2, 200, "running")]
    hung_up = Call(PROMPT, 1.0, 1.1, ended, 2, "disconnected")
    assert await found(dsn, run, records=[record], calls=[hung_up]) == set()
    late = replace(hung_up, ended_at=ended + 60)
    assert await found(dsn, run, records=[record], calls=[late]) == {"I9"}
    still = replace(hung_up, ended_at=None, outcome="open")
    assert await found(dsn, run, records=[record], calls=[still]) == {"I9"}
    assert await found(dsn, run, records=[record], streams_open=1) == {"I9"}
    record.cancels = [replace(record.cancels[0], acknowledged_wall=ended - 60.0)]
    assert await found(dsn, run, records=[record]) == {"I9"}
    live = replace(record, cancels=[replace(record.cancels[0], acknowledged=1.0)])
    live.connections[0].frames[1] = replace(run.frame(2), at=12.0)
    assert await found(dsn, run, records=[live]) == {"I9"}
    record.cancels = [replace(record.cancels[0], run=uuid4().hex)]
    assert await found(dsn, run, records=[record]) == {"I9"}


async def test_i10_a_resumed_stream_lacks_a_part(dsn: str, run: SampleRun) -> None:
    record = run.record(cursor=2)
    del record.connections[0].frames[0]
    record.connections[0].cursor = 3
    assert await found(dsn, run, records=[record]) == set()
    record.connections[0].cursor = 2
    assert "I10" in await found(dsn, run, records=[record])


async def test_i11_something_follows_the_end(dsn: str, run: SampleRun) -> None:
    data = json.dumps(run.events[1])
    sql = "INSERT INTO run_events (run_id, seq, data) VALUES ($1, 6, $2)"
    await plant(dsn, sql, UUID(run.run), data)
    assert "I11" in await found(dsn, run)


async def test_i11_what_was_written_changes(dsn: str, run: SampleRun) -> None:
    earlier = await evidence.read(dsn, [run.run])
    data = json.dumps({"type": "text_appended", "text": "new ", "position": 0})
    await plant(
        dsn, "UPDATE run_events SET data = $2 WHERE run_id = $1 AND seq = 2", UUID(run.run), data
    )
    assert "I11" in await found(dsn, run, earlier=earlier)
    earlier.logs[run.run].pop()
    await plant(
        dsn,
        "UPDATE run_events SET data = $2 WHERE run_id = $1 AND seq = 2",
        UUID(run.run),
        json.dumps(run.events[1]),
    )
    assert await found(dsn, run, earlier=earlier) == {"I11"}


async def test_i12_stalled_readers_cost_or_slow(dsn: str, run: SampleRun) -> None:
    dear = Stall(10, 0, 10 * 200_000, others_finished=True)
    assert await found(dsn, run, stalls=[dear]) == {"I12"}
    slow = Stall(10, 0, 0, others_finished=False)
    assert await found(dsn, run, stalls=[slow]) == {"I12"}


async def test_i13_silence(dsn: str, run: SampleRun) -> None:
    record = run.record()
    record.connections[0].longest_wait = 20.5
    assert await found(dsn, run, records=[record]) == {"I13"}
    record.connections[0].slow_read = True
    assert await found(dsn, run, records=[record]) == set()


async def test_i14_a_stranger_hears_it(dsn: str, run: SampleRun) -> None:
    record = run.record()
    stranger = replace(record, plan=replace(record.plan, owner="owner_other"))
    assert await found(dsn, run, records=[stranger]) == {"I14"}
    await plant(dsn, "UPDATE messages SET owner_id = 'x' WHERE id = $1", UUID(run.user_message))
    assert "I14" in await found(dsn, run)


async def test_i15_a_reader_without_an_end(dsn: str, run: SampleRun) -> None:
    for outcome in ("timed_out", "stopped", "stopped_by_error"):
        record = replace(run.record(seen=3), outcome=outcome)
        assert await found(dsn, run, records=[record]) == {"I15"}
    away = replace(run.record(seen=0), outcome="rejected")
    away.connections[0].status = 503
    assert await found(dsn, run, records=[away]) == set()
    away.connections[0].status = 500
    assert await found(dsn, run, records=[away]) == {"I15"}


async def test_28b_a_reconnect_is_refused(dsn: str, run: SampleRun) -> None:
    record = run.record(seen=3)
    record.connections.append(
        replace(record.connections[0], cursor=3, by_id=True, status=503, ended="status", frames=[])
    )
    assert "28b" in await found(dsn, run, records=[record])


async def test_words_that_the_model_never_said(dsn: str, run: SampleRun) -> None:
    assert await found(dsn, run, answers={PROMPT: "two words more"}) == {"text"}
    assert await found(dsn, run, answers={PROMPT: "other words"}) == {"text"}


async def test_a_folded_log_is_read_alike(dsn: str, run: SampleRun) -> None:
    before = await evidence.read(dsn, [run.run])
    items: list[dict[str, Any]] = [
        {"seq": 1, "event": run.events[0]},
        {"seq": 2, "event": {**run.events[1], "text": "two words"}, "ends": [4, 9]},
        {"seq": 4, "event": run.events[3]},
        {"seq": 5, "event": run.events[4]},
    ]
    sql = "INSERT INTO run_logs (run_id, owner_id, items) VALUES ($1, 'local', $2)"
    await plant(dsn, sql, UUID(run.run), json.dumps(items))
    read = await evidence.read(dsn, [run.run])
    assert [item.xmin for item in read.logs[run.run]] == [None] * 5
    assert_holds(Observations(evidence=read, earlier=before, records=[run.record()]))
    items[1]["ends"] = [3, 9]
    sql = "UPDATE run_logs SET items = $2 WHERE run_id = $1"
    await plant(dsn, sql, UUID(run.run), json.dumps(items))
    assert "I2" in await found(dsn, run, earlier=before)
    await plant(dsn, "DELETE FROM run_events WHERE run_id = $1", UUID(run.run))
    assert "I11" in await found(dsn, run, earlier=before)


def test_unfolding_counts_code_points() -> None:
    event = {"type": "text_appended", "text": "a𝄞é", "position": 7}
    events = unfold([{"seq": 4, "event": event, "ends": [2, 3]}])
    assert [(seq, e["text"], e["position"]) for seq, e in events] == [(4, "a𝄞", 7), (5, "é", 9)]
