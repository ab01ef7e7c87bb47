"""Invariants of readers: I12-I15, accepted reconnects, and text equal to the model's."""

from collections.abc import Iterator

from tests.harness.observations import Observations
from tests.harness.records import Record

Found = Iterator[tuple[str, str]]
_STALLED_BYTES = 128 * 1024
_SILENCE_S = 20.0
_MAY_TURN_AWAY = frozenset({409, 429, 503})


def i12_stalled_reader_is_cheap(observed: Observations) -> Found:
    """A stalled subscriber holds at most 128 kB, and slows nobody."""
    for stall in observed.stalls:
        each = (stall.bytes_after - stall.bytes_before) / stall.readers
        if each > _STALLED_BYTES:
            yield "memory", f"{stall.readers} stalled readers hold {each / 1024:.0f} KiB each"
        if not stall.others_finished:
            yield "others", "a reader that kept up did not finish before those that stalled"


def i13_no_silence(observed: Observations) -> Found:
    """No client waits longer than 20 s without a frame; a comment is one."""
    for record in observed.records:
        for connection in record.connections:
            if connection.slow_read or connection.status is None:
                continue
            if connection.longest_wait > _SILENCE_S:
                wait = connection.longest_wait
                yield record.run, f"{record.plan.name} received nothing for {wait:.1f} s"


def i14_owner_isolation(observed: Observations) -> Found:
    """No event of one owner reaches another, and none of one run reaches readers of another."""
    for record in observed.records:
        for run in sorted({frame.run for frame in record.frames()} - {""}):
            row = observed.evidence.runs.get(run)
            if row is not None and row.owner != record.plan.owner:
                yield (
                    run,
                    f"{record.plan.name} of {record.plan.owner} received a run of {row.owner}",
                )
    for run, row in observed.evidence.runs.items():
        for message in (row.message, row.user_message):
            stored = observed.evidence.messages.get(message)
            if stored is not None and (stored.owner, stored.conversation) != (
                row.owner,
                row.conversation,
            ):
                yield run, f"its message {message} belongs to another owner or conversation"


def i15_every_reader_gets_the_end(observed: Observations) -> Found:
    """Every reader gets the terminal frame, also after lost wake-ups and killed processes."""
    for record in observed.records:
        if record.outcome == "rejected" and _rejected_rightly(record):
            continue
        if record.outcome == "ended" or (record.outcome == "running" and not observed.settled):
            continue
        yield record.run or record.plan.name, f"{record.plan.name}: {_history(record)}"


def _rejected_rightly(record: Record) -> bool:
    return record.connections[-1].status in _MAY_TURN_AWAY


def _history(record: Record) -> str:
    last = record.connections[-3:]
    return f"{record.outcome} after {len(record.connections)} connections: " + "; ".join(
        f"{c.status} {c.ended}, asked after {c.cursor}, {len(c.frames)} frames {c.problem[:200]}"
        for c in last
    )


def reconnects_are_accepted(observed: Observations) -> Found:
    """A reconnecting EventSource is answered 200 or 204, also in a drain or an outage."""
    for record in observed.records:
        for connection in record.connections:
            browser = (
                connection.by_id and record.plan.http_method == "get"
            )  # others read Retry-After
            if browser and connection.status not in (None, 200, 204):
                yield record.run, f"a reconnect was answered {connection.status}"


def stored_text_is_the_models(observed: Observations) -> Found:
    """The stored text is the model's: all of it where completed, else a prefix."""
    if not observed.answers:
        return
    for row in observed.evidence.runs.values():
        asked = observed.evidence.messages.get(row.user_message)
        prompt = "".join(p["text"] for p in asked.parts if p["type"] == "text") if asked else ""
        sent = observed.answers.get(prompt)
        answer = observed.evidence.messages.get(row.message)
        if sent is None or answer is None:
            continue
        text = "".join(part["text"] for part in answer.parts if part["type"] == "text")
        if row.status == "completed" and text != sent:
            yield row.id, f"completed as {text!r:.200}, the model sent {sent!r:.200}"
        elif not sent.startswith(text):
            yield row.id, f"{row.status} with {text!r:.200}, which the model never sent"
