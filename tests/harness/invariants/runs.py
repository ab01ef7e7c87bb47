"""I5-I9: a run has one owner, holds its conversation alone, keeps one promise, and can be ended."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from tests.harness.evidence import RunRow, StepRow
from tests.harness.observations import Call, Observations
from tests.harness.records import Cancelled, Record

Found = Iterator[tuple[str, str]]
_OVERDUE_S = 20.0
_OVERLAP_S = 1.0
_HELD = frozenset({"running", "waiting"})
_STOPPED = "It was stopped before it had a result."
_NO_WORDS = frozenset({"stream_start", "queued", "metrics", "error"})
_SEEN_NOTHING = frozenset({"run_started", "model_accepted", "call_measured", "run_stopped"})


def i5_no_orphaned_runs(observed: Observations) -> Found:
    """No run is `running` with a lease that expired long ago; in the end none is unfinished."""
    for late in observed.overdue:
        if late.expired_s > _OVERDUE_S:
            yield late.run, f"it was running {late.expired_s:.1f} s after its owner's lease"
    if not observed.settled:
        return
    for run, row in observed.evidence.runs.items():
        if row.status in ("running", "queued"):
            lease = row.lease_expired_s
            owner = "has no owner" if lease is None else f"lease expired {lease:.1f} s ago"
            yield run, f"it is {row.status} after everything settled ({owner})"


def i6_one_at_a_time(observed: Observations) -> Found:
    """At most one running run per conversation at any time."""
    together: defaultdict[str, list[RunRow]] = defaultdict(list)
    for row in observed.evidence.runs.values():
        if row.started_at is not None:
            together[row.conversation].append(row)
    for conversation, rows in together.items():
        held = [row.id for row in rows if row.status in _HELD]
        if len(held) > 1:
            yield conversation, f"{held} hold it at once"
        rows.sort(key=lambda row: row.started_at or 0.0)
        for earlier, later in pairwise(rows):
            # Both moments are starts of transactions: a few milliseconds may cross.
            over = (earlier.ended_at or 0.0) - (later.started_at or 0.0)
            if earlier.ended_at is not None and over > _OVERLAP_S:
                yield conversation, f"{earlier.id} ended {over:.3f} s after {later.id} began"


def i7_idempotent_requests(observed: Observations) -> Found:
    """One Idempotency-Key, or one client_msg_id, is one run, however often it was sent."""
    for (_, kind, token), runs in _runs_by_key(observed).items():
        # A key is released by a failure that nobody saw anything of, and may start another run.
        counted = runs if kind == "client_msg_id" else {r for r in runs if _seen(observed, r)}
        if len(counted) > 1:
            yield token, f"one {kind} made {len(counted)} runs: {sorted(counted)}"
    for key in observed.evidence.keys:
        row = observed.evidence.runs.get(key.run)
        if row is not None and row.owner != key.owner:
            yield key.key, f"its run {key.run} belongs to another owner"


def _runs_by_key(observed: Observations) -> dict[tuple[str, str, str], set[str]]:
    """The runs of each (owner, kind of key, key), as clients and the database saw them."""
    found: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for record in observed.records:
        plan = record.plan
        runs = {frame.run for frame in record.frames()} | {record.run}
        if plan.identity != "plain" and plan.follow is None:
            found[plan.owner, plan.identity, plan.token] |= runs - {""}
    for row in observed.evidence.runs.values():
        if row.client_msg_id is not None:
            found[row.owner, "client_msg_id", row.client_msg_id].add(row.id)
    return found


def _seen(observed: Observations, run: str) -> bool:
    log = observed.evidence.logs.get(run, [])
    row = observed.evidence.runs.get(run)
    whole = row is not None and row.status == "completed"
    return whole or any(event.data["type"] not in _SEEN_NOTHING for event in log)


def i8_done_once(observed: Observations) -> Found:
    """A step that is done is not done again; what acts has its intent first, and one end."""
    yield from _repeated_calls(observed)
    for run, row in observed.evidence.runs.items():
        log = [event.data for event in observed.evidence.logs[run]]
        yield from ((run, problem) for problem in _returned_twice(log))
        if not row.folded:  # which removes the records
            steps = observed.evidence.steps.get(run, [])
            yield from ((run, problem) for problem in _step_problems(row, log, steps))


def _returned_twice(log: list[dict[str, Any]]) -> Iterator[str]:
    called, returned = (
        Counter((event.get("task_id"), event["call_id"]) for event in log if event["type"] == kind)
        for kind in ("tool_called", "tool_returned")
    )
    for (task, call), times in returned.items():
        if times > called[task, call]:
            yield f"{call} of {task or 'the answer'} returned {times} times"


def _step_problems(row: RunRow, log: list[dict[str, Any]], steps: list[StepRow]) -> Iterator[str]:
    ends = [step for step in steps if step.kind == "tool" and step.state != "intent"]
    returned = [event for event in log if event["type"] == "tool_returned"]
    # What a run stops is told to have, and has no record: nobody knows a result of it.
    stopped = [event for event in returned if event["result"] == _STOPPED]
    if len(ends) != len(returned) - len(stopped):
        told = f"{len(returned)} are told to have returned, {len(stopped)} of them to be stopped"
        yield f"{len(ends)} tools have ended, {told}"
    if stopped and row.status == "completed":
        yield f"it is whole, and {len(stopped)} of its tools are told to be stopped"
    for step in steps:
        if step.state == "intent" and row.ended:
            yield f"it is {row.status}, and nobody knows of the end of {step.key}"
        if step.seq > len(log):
            yield f"{step.key} is recorded up to event {step.seq}, the log has {len(log)}"


def _repeated_calls(observed: Observations) -> Found:
    """Model calls whose output a client has received, and those of steps that are done."""
    if observed.calls is None:
        return
    for record in observed.records:
        if record.plan.identity == "plain" and record.asked_times > 1:
            continue  # asked again before it knew its run, without a promise: two runs, two calls
        calls = _calls_for(observed.calls, record.plan.message)
        yield from ((record.run, problem) for problem in _asked_after_words(record, calls))
    for row in observed.evidence.runs.values():
        # Without a key, the same message sent twice is two runs.
        calls = _calls_for(observed.calls, _asked(observed, row)) if row.client_msg_id else []
        yield from ((row.id, problem) for problem in _repeated_steps(row, calls))


def _asked_after_words(record: Record, calls: list[Call]) -> Iterator[str]:
    """Of the first step: what was seen of it is not made again."""
    first = _first_word(record)
    begun = min((call.messages for call in calls), default=0)
    for call in calls:
        # The two clocks are of one machine, but read at different times: a second of doubt.
        if call.messages == begun and first is not None and call.received_at > first.at + 1.0:
            late = call.received_at - first.at
            yield f"the model was asked again {late:.3f} s after its first {first.event}"


def _repeated_steps(row: RunRow, calls: list[Call]) -> Iterator[str]:
    for size, times in Counter(call.messages for call in calls).items():
        if times > row.attempt:
            told = f"with {size} messages in {row.attempt} attempts"
            yield f"the model was asked {times} times {told}"
    for earlier, later in pairwise(sorted(calls, key=lambda call: call.received_at)):
        if later.messages < earlier.messages:
            yield f"a step was done again after one with {earlier.messages} messages"


def _asked(observed: Observations, row: RunRow) -> str:
    message = observed.evidence.messages.get(row.user_message)
    parts = message.parts if message else []
    return "".join(part["text"] for part in parts if part["type"] == "text")


def _calls_for(calls: Sequence[Call], prompt: str) -> list[Call]:
    return [call for call in calls if prompt and call.prompt == prompt]


class _Seen(NamedTuple):
    """A frame that a client saw, and when, in seconds since 1970."""

    event: str
    at: float


def _first_word(record: Record) -> _Seen | None:
    """The first that this client saw of the answer; what a call has used is no part of it."""
    for frame in record.logged():
        if frame.event not in _NO_WORDS:
            return _Seen(frame.event, record.started_wall + (frame.at - record.started))
    return None


def i9_cancel_ends_the_run(observed: Observations) -> Found:
    """After an acknowledged cancel no text is added, and the model call is closed."""
    for record in observed.records:
        for cancelled in record.cancels:
            row = observed.evidence.runs.get(cancelled.run)
            if row is None:
                yield cancelled.run, "a cancel of a run that the database lacks was acknowledged"
                continue
            yield from ((row.id, problem) for problem in _cancel_problems(observed, row, cancelled))
            yield from ((row.id, problem) for problem in _hang_up(observed, record, cancelled))
            yield from ((row.id, problem) for problem in _text_after(observed, record, cancelled))
    if observed.settled and observed.streams_open:
        yield "upstream", f"{observed.streams_open} answers are still being read from the provider"


def _cancel_problems(observed: Observations, row: RunRow, cancelled: Cancelled) -> Iterator[str]:
    if row.ended_at is None:
        if observed.settled:
            yield f"it is {row.status} although its cancel was acknowledged"
        return
    late = row.ended_at - cancelled.acknowledged_wall
    if late > observed.patience_s:
        yield f"it ended {late:.1f} s after the acknowledged cancel, as {row.status}"


def _text_after(observed: Observations, record: Record, cancelled: Cancelled) -> Iterator[str]:
    """Words that came live, not replayed, long after the cancel."""
    for connection in record.connections:
        if connection.slow_read or connection.opened > cancelled.acknowledged:
            continue
        for frame in connection.frames:
            late = frame.at - cancelled.acknowledged
            if frame.event == "token" and late > observed.patience_s:
                yield f"{frame.id} came {late:.1f} s after its cancel was acknowledged"


def _hang_up(observed: Observations, record: Record, cancelled: Cancelled) -> Iterator[str]:
    for call in _calls_for(observed.calls or (), record.plan.message):
        end = call.ended_at
        if end is None and observed.settled:
            yield "the model is still being read although the run was cancelled"
        elif end is not None and end - cancelled.acknowledged_wall > observed.patience_s:
            yield f"the model was read for {end - cancelled.acknowledged_wall:.1f} s after a cancel"
