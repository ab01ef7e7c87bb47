"""I1-I4, I10, I11: the log is what was seen, whole, in order, ended once, and never changed."""

from collections.abc import Iterator
from typing import Any

from tests.harness.evidence import Evidence, Logged, MessageRow, RunRow
from tests.harness.invariants.rendering import TERMINAL, expected, fold, text_of
from tests.harness.observations import Observations
from tests.harness.records import Connection, ReceivedFrame, Record

Json = dict[str, Any]
Found = Iterator[tuple[str, str]]
"""Subject and detail of each violation."""


def i1_received_is_logged(observed: Observations) -> Found:
    """Every event that a client received is in the log as it was received."""
    first_received: dict[tuple[str, int], str] = {}
    logs = {
        run: {event.seq: event.data for event in log} for run, log in observed.evidence.logs.items()
    }
    for record, frame in _frames(observed):
        log = logs.get(frame.run, {})
        first = first_received.setdefault((frame.run, frame.seq), frame.data)
        if frame.seq not in log:
            yield frame.id, f"{record.plan.name} received {frame.data[:200]}, the log lacks it"
        elif problem := _differs(frame, log[frame.seq]):
            yield frame.id, f"{record.plan.name}: {problem}"
        elif first != frame.data:
            yield frame.id, f"one client received {first[:200]} and another {frame.data[:200]}"


def _differs(frame: ReceivedFrame, event: Json) -> str:
    name, fields = expected(frame.run, event)
    payload = frame.payload
    if payload.get("event") != name:
        return f"sent as {payload.get('event')}, logged as {event['type']}"
    for key, value in fields.items():
        if payload["data"].get(key) != value:
            return f"{name}.{key} was sent as {payload['data'].get(key)!r}, logged as {value!r}"
    return ""


def _frames(observed: Observations) -> Iterator[tuple[Record, ReceivedFrame]]:
    for record in observed.records:
        for frame in record.logged():
            yield record, frame


def i2_in_order(observed: Observations) -> Found:
    """Seq is 1..n without gap or repeat, in the database and for every reader."""
    for run, log in observed.evidence.logs.items():
        seqs = [event.seq for event in log]
        if seqs != list(range(1, len(seqs) + 1)):
            yield run, f"the log is numbered {_shown(seqs)}"
        row = observed.evidence.runs.get(run)
        if row and row.ended and row.last_seq != len(seqs):
            yield run, f"last_seq is {row.last_seq}, the log holds {len(seqs)} events"
    for run in observed.evidence.twice:
        yield run, "its folded log differs from its live one"
    for record in observed.records:
        for connection in record.connections:
            yield from _reader_in_order(record, connection)


def _reader_in_order(record: Record, connection: Connection) -> Found:
    received = connection.frames
    if any(frame.event == "snapshot" for frame in received):
        return
    seqs = [frame.seq for frame in received if frame.logged]
    wanted = list(range(connection.cursor + 1, connection.cursor + 1 + len(seqs)))
    if seqs != wanted:
        yield (
            record.run,
            f"{record.plan.name} asked after {connection.cursor} and received {_shown(seqs)}",
        )
    runs = {frame.run for frame in received} - {""}
    if len(runs) > 1:
        yield record.run, f"{record.plan.name} received several runs on one stream: {sorted(runs)}"


def i3_message_is_the_fold(observed: Observations) -> Found:
    """The final message is the fold of the log, its usage the sum of the usage events."""
    for run, row in observed.evidence.runs.items():
        if not row.ended:
            continue
        log = [event.data for event in observed.evidence.logs[run]]
        message = observed.evidence.messages.get(row.message)
        yield from ((run, problem) for problem in _message_problems(row, log, message))
        yield from ((run, problem) for problem in _usage_problems(row, log, message))


def _message_problems(row: RunRow, log: list[Json], message: MessageRow | None) -> Iterator[str]:
    parts = fold(log)
    if message is None:
        if parts:
            yield f"{row.status}, but what was seen left no message"
        return
    stored = [_part(part) for part in message.parts]
    if stored != [_part(part) for part in parts]:
        yield f"the message holds {stored!r:.300}, the log adds up to {parts!r:.300}"
    whole = row.status == "completed"
    if whole != (message.status == "complete"):
        yield f"the run is {row.status}, its message {message.status}"
    end = log[-1] if log else {}
    if end.get("type") == "run_completed" and end["text"] != text_of(log):
        yield f"the terminal event says {end['text']!r:.200}, the log {text_of(log)!r:.200}"


def _part(part: Json) -> Json:
    named = {key: part[key] for key in ("type", "text", "call_id", "title") if key in part}
    return named if part["type"] != "tool_result" else {**named, "text": ""}


def _usage_problems(row: RunRow, log: list[Json], message: MessageRow | None) -> Iterator[str]:
    calls = [event["usage"] for event in log if event["type"] == "call_measured"]
    added = {key: sum(int(usage.get(key, 0)) for usage in calls) for key in _COUNTS}
    stored = {"the run": row.usage, "the terminal event": log[-1].get("usage") if log else None}
    if message is not None:
        stored["the message"] = message.usage
    for where, usage in stored.items():
        counted = {key: int((usage or {}).get(key, 0)) for key in _COUNTS}
        if counted != added:
            yield f"{where} counts {counted}, the calls add up to {added}"


_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


def i4_one_terminal_event(observed: Observations) -> Found:
    """Exactly one terminal event, last, in the transaction that sets the status."""
    for run, row in observed.evidence.runs.items():
        log = observed.evidence.logs[run]
        ends = [event for event in log if event.data["type"] in TERMINAL]
        if not row.ended:
            if ends:
                yield run, f"it is {row.status}, but its log has ended"
            continue
        if len(ends) != 1 or log[-1] is not ends[0]:
            kinds = [event.data["type"] for event in log[-3:]]
            yield run, f"it is {row.status} with {len(ends)} terminal events; last are {kinds}"
            continue
        yield from ((run, problem) for problem in _end_problems(observed.evidence, row, ends[0]))


def _end_problems(evidence: Evidence, row: RunRow, end: Logged) -> Iterator[str]:
    completed = end.data["type"] == "run_completed"
    ending = "completed" if completed else end.data["kind"]
    if ending != row.status:
        yield f"the status is {row.status}, the terminal event says {ending}"
    if row.folded or end.xmin is None:
        return  # folding writes both rows again
    if row.xmin != end.xmin:
        yield f"the status was set by transaction {row.xmin}, the event by {end.xmin}"
    message = evidence.messages.get(row.message)
    if message is not None and message.xmin != end.xmin:
        yield f"the message was stored by transaction {message.xmin}, the event by {end.xmin}"


def i10_resumes_exactly(observed: Observations) -> Found:
    """Resuming from any seq gives what is missing: prefix + rest == final."""
    for record in observed.records:
        for connection in record.connections:
            if not connection.frames or connection.frames[-1].event not in ("done", "error"):
                continue
            run = connection.frames[-1].run
            log = observed.evidence.logs.get(run, [])
            received = [frame.seq for frame in connection.frames if frame.logged]
            rest = [event.seq for event in log if event.seq > connection.cursor]
            if received != rest and not _snapshot(connection):
                yield run, f"after {connection.cursor} came {_shown(received)}, not {_shown(rest)}"
            end = connection.frames[-1].payload
            prefix = text_of([e.data for e in log if e.seq <= connection.cursor])
            text = prefix + _tokens(connection)
            if end["event"] == "done" and text != end["data"]["final_response"]:
                yield run, f"prefix and rest from {connection.cursor} are not the final text"


def _snapshot(connection: Connection) -> bool:
    return any(frame.event == "snapshot" for frame in connection.frames)


def _tokens(connection: Connection) -> str:
    payloads = [frame.payload for frame in connection.frames]
    return "".join(p["data"]["delta"] for p in payloads if p["event"] == "token")


def i11_log_is_immutable(observed: Observations) -> Found:
    """An owner without a lease commits nothing: events stay, and none follows the end."""
    for run, log in observed.evidence.logs.items():
        ended = [event.seq for event in log if event.data["type"] in TERMINAL]
        late = [event.seq for event in log if ended and event.seq > ended[0]]
        if late:
            yield run, f"events {_shown(late)} were written after its end at {ended[0]}"
    if observed.earlier is None:
        return
    for run, before in observed.earlier.logs.items():
        now = observed.evidence.logs.get(run)
        if now is None:
            continue  # deleted with its conversation
        if [e.data for e in now[: len(before)]] != [e.data for e in before]:
            yield run, "events that were in the log before have changed"
        if observed.earlier.runs[run].ended and len(now) != len(before):
            yield run, f"it had ended with {len(before)} events and has {len(now)} now"


def _shown(seqs: list[int]) -> str:
    """Long lists of numbers, shortened to where they are odd."""
    breaks = [i for i in range(1, len(seqs)) if seqs[i] != seqs[i - 1] + 1]
    if not seqs:
        return "nothing"
    near = [seqs[max(0, i - 2) : i + 2] for i in breaks[:3]]
    return f"{seqs[0]}..{seqs[-1]} ({len(seqs)} events)" + (f", broken at {near}" if near else "")
