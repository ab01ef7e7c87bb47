"""The database's rows, read in one transaction and decoded without the product's code."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from tests.harness.run_logs import unfold

Json = dict[str, Any]
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a database that is down, killed or being restarted makes of a question."""
ENDED = frozenset({"completed", "failed", "cancelled", "interrupted"})


@dataclass(frozen=True, slots=True)
class Logged:
    """One event of a log; `xmin` is the transaction that wrote it, None where it was folded."""

    seq: int
    data: Json
    xmin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run. Ids are 32 hexadecimal digits, moments are seconds since 1970 by the database."""

    id: str
    owner: str
    conversation: str
    user_message: str
    message: str
    status: str
    attempt: int = 1
    last_seq: int | None = None
    folded: bool = False
    usage: Json | None = None
    client_msg_id: str | None = None
    prefix: str = ""
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    cancel_requested_at: float | None = None
    lease_expired_s: float | None = None
    xmin: str = ""

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    id: str
    owner: str
    conversation: str
    role: str
    parts: list[Json]
    status: str
    run: str | None
    usage: Json | None
    xmin: str = ""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An Idempotency-Key and the run that it stands for."""

    owner: str
    route: str
    key: str
    run: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """What a run has recorded of a step or a call of a tool; `seq` is the last event of it."""

    key: str
    kind: str
    state: str
    seq: int


@dataclass(slots=True)
class Evidence:
    """One reading. Logs are by run, in the order of their seq, whether live or folded."""

    runs: dict[str, RunRow] = field(default_factory=dict[str, RunRow])
    logs: dict[str, list[Logged]] = field(default_factory=dict[str, list[Logged]])
    twice: list[str] = field(default_factory=list[str])
    """Runs that have both live and folded events with the same seq but different content."""
    messages: dict[str, MessageRow] = field(default_factory=dict[str, MessageRow])
    keys: list[KeyRow] = field(default_factory=list[KeyRow])
    steps: dict[str, list[StepRow]] = field(default_factory=dict[str, list[StepRow]])


async def read(dsn: str, runs: Sequence[str] | None = None) -> Evidence:
    """Everything, or what concerns some runs (and the others of their conversations)."""
    connection: Any = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await _read(connection, await _wanted(connection, runs))
    finally:
        await connection.close()


async def _wanted(connection: Any, runs: Sequence[str] | None) -> list[UUID]:
    if runs is None:
        return [row["id"] for row in await connection.fetch("SELECT id FROM runs")]
    return [row["id"] for row in await connection.fetch(_TOGETHER, [UUID(run) for run in runs])]


_TOGETHER = """
SELECT id FROM runs
WHERE conversation_id IN (SELECT conversation_id FROM runs WHERE id = ANY($1::uuid[]))
"""
_RUNS = """
SELECT r.*, r.xmin::text AS written,
       extract(epoch FROM clock_timestamp() - p.expires_at)::float8 AS lease_expired_s
FROM runs r LEFT JOIN replicas p ON p.id = r.replica_id WHERE r.id = ANY($1::uuid[])
"""
_EVENTS = """
SELECT run_id, seq, data, xmin::text AS written FROM run_events
WHERE run_id = ANY($1::uuid[]) ORDER BY run_id, seq
"""
_FOLDED = "SELECT run_id, items FROM run_logs WHERE run_id = ANY($1::uuid[])"
_MESSAGES = """
SELECT *, xmin::text AS written FROM messages
WHERE conversation_id IN (SELECT conversation_id FROM runs WHERE id = ANY($1::uuid[]))
"""
_STEPS = """
SELECT run_id, idem_key, kind, state, seq FROM run_steps WHERE run_id = ANY($1::uuid[])
"""
_KEYS = "SELECT owner_id, route, key, run_id FROM idempotency WHERE run_id = ANY($1::uuid[])"


async def _read(connection: Any, wanted: list[UUID]) -> Evidence:
    evidence = Evidence()
    for row in await connection.fetch(_RUNS, wanted):
        run = _run(row)
        evidence.runs[run.id] = run
        evidence.logs[run.id] = []
    for row in await connection.fetch(_FOLDED, wanted):
        events = unfold(json.loads(row["items"]))
        log = [Logged(seq, data) for seq, data in events]
        evidence.logs[row["run_id"].hex] = log
    for row in await connection.fetch(_EVENTS, wanted):
        event = Logged(row["seq"], json.loads(row["data"]), row["written"])
        _put(evidence, row["run_id"].hex, event)
    for row in await connection.fetch(_MESSAGES, wanted):
        message = _message(row)
        evidence.messages[message.id] = message
    for row in await connection.fetch(_KEYS, wanted):
        key = KeyRow(row["owner_id"], row["route"], row["key"], row["run_id"].hex)
        evidence.keys.append(key)
    for row in await connection.fetch(_STEPS, wanted):
        step = StepRow(row["idem_key"], row["kind"], row["state"], row["seq"])
        evidence.steps.setdefault(row["run_id"].hex, []).append(step)
    return evidence


def _put(evidence: Evidence, run: str, event: Logged) -> None:
    """A run being folded may stand in both places, but only with the same events."""
    log = evidence.logs.setdefault(run, [])
    known = {item.seq: item for item in log if item.xmin is None}
    if event.seq not in known:
        log.append(event)
        log.sort(key=lambda item: item.seq)
    elif known[event.seq].data != event.data:
        evidence.twice.append(run)


def _run(row: Any) -> RunRow:
    return RunRow(
        id=row["id"].hex,
        owner=row["owner_id"],
        conversation=row["conversation_id"].hex,
        user_message=row["user_message_id"].hex,
        message=row["message_id"].hex,
        status=row["status"],
        attempt=row["attempt"],
        last_seq=row["last_seq"],
        folded=row["folded"],
        usage=_json(row["usage"]),
        client_msg_id=row["client_msg_id"],
        prefix=json.loads(row["input"]).get("prefix", ""),
        created_at=row["created_at"].timestamp(),
        started_at=_moment(row["started_at"]),
        ended_at=_moment(row["ended_at"]),
        cancel_requested_at=_moment(row["cancel_requested_at"]),
        lease_expired_s=row["lease_expired_s"],
        xmin=row["written"],
    )


def _message(row: Any) -> MessageRow:
    return MessageRow(
        id=row["id"].hex,
        owner=row["owner_id"],
        conversation=row["conversation_id"].hex,
        role=row["role"],
        parts=json.loads(row["parts"]),
        status=row["status"],
        run=row["run_id"].hex if row["run_id"] else None,
        usage=_json(row["usage"]),
        xmin=row["written"],
    )


def load(text: str) -> Any:
    """A jsonb value as asyncpg hands it out."""
    return json.loads(text)


def _json(text: str | None) -> Json | None:
    return None if text is None else json.loads(text)


def _moment(value: datetime | None) -> float | None:
    return None if value is None else value.timestamp()
