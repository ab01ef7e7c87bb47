"""Approvals in the database: asked by runs, which wait for them, and decided by people."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from cartrita.adapters.runlog.connection import Connection, ConnectionPool, Row
from cartrita.adapters.runlog.encoding import RUN_COLUMNS, dump, load_run
from cartrita.adapters.runlog.events import insert_events
from cartrita.domain.approvals import Approval, Decision, Verdict
from cartrita.domain.desktop_films import Shown
from cartrita.domain.errors import Conflict, NotFound
from cartrita.domain.events import ApprovalSettled, LoggedEvent
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.runs import Run, RunStatus
from cartrita.domain.step_places import StepPlace
from cartrita.kit.ids import public

_object = msgspec.json.Decoder(JsonObject)
_shown = msgspec.json.Decoder(Shown)
_COLUMNS = (
    "id, run_id, owner_id, idem_key, call_id, agent, tool, arguments, arguments_hash, asked_at,"
    " expires_at, decision, expires_at < now() AS late,"
    " decided_at > expires_at IS TRUE AS expired, shown, decided_by"
)
_INSERT = """
INSERT INTO approvals
  (id, owner_id, run_id, idem_key, call_id, agent, tool, arguments, arguments_hash, expires_at,
   shown)
SELECT a.id, r.owner_id, a.run_id, a.idem_key, a.call_id, a.agent, a.tool, a.arguments, a.hash, a.e,
  a.shown
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[],
            $8::text[], $9::timestamptz[], $10::json[])
  AS a (id, run_id, idem_key, call_id, agent, tool, arguments, hash, e, shown)
JOIN runs r ON r.id = a.run_id
ON CONFLICT (run_id, idem_key) DO NOTHING
"""
# A run that was cancelled meanwhile goes back to the queue, where its claim ends it.
_SUSPEND = """
UPDATE runs SET replica_id = NULL, replica_epoch = NULL, attempt = attempt + 1,
  worked = worked + coalesce(clock_timestamp() - claimed_at, '0'),
  status = CASE WHEN cancel_requested_at IS NULL THEN 'waiting' ELSE 'queued' END
WHERE id = ANY($1::uuid[]) AND status = 'running'
"""
_SELECT = f"""
SELECT {_COLUMNS} FROM approvals WHERE run_id = $1
ORDER BY asked_at, string_to_array(idem_key, '.')::int[]
"""
# Whoever cancels a run decides on nothing.
_WAITING = f"""
SELECT {_COLUMNS} FROM approvals WHERE run_id = $1 AND owner_id = $2 AND decision IS NULL
  AND EXISTS (SELECT FROM runs WHERE id = $1 AND status = 'waiting')
ORDER BY asked_at, string_to_array(idem_key, '.')::int[]
"""
_LOCK_RUN = f"SELECT {RUN_COLUMNS} FROM runs WHERE id = $1 AND owner_id = $2 FOR UPDATE"
_DECIDE = """
UPDATE approvals SET decision = $2, decided_at = now(), decided_by = $3 WHERE id = $1
"""
_COUNT_EVENTS = "SELECT count(*) FROM run_events WHERE run_id = $1"
# The time in which it waited for a person does not count against its deadline.
_RESUME = """
UPDATE runs SET status = 'queued', deadline_at = deadline_at + (now() - $2) WHERE id = $1
"""


class Approvals:
    """Implements ApprovalStore."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    async def waiting(self, owner_id: str, run_id: RunId) -> list[Approval]:
        """See ApprovalStore."""
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_WAITING, run_id, owner_id)
        return [load_approval(row) for row in rows]

    async def decide(
        self, owner_id: str, run_id: RunId, verdicts: Sequence[Verdict], key_id: str
    ) -> Run:
        """See ApprovalStore."""
        async with self._pool.transaction() as connection:
            row = await connection.fetchrow(_LOCK_RUN, run_id, owner_id)
            if row is None:
                raise NotFound.of("run")
            rows = await connection.fetch(_SELECT, run_id)
            run = load_run(row)
            new = _new_decisions(run, rows, verdicts)
            if not new:
                return run
            for approval_id, decision in new.items():
                await connection.execute(_DECIDE, approval_id, decision, key_id)
                await _log(connection, run_id, approval_id, decision)
            if all(one["decision"] or one["id"] in new for one in rows):
                await resume_run(connection, run_id, _asked_at(rows))
            decided = await connection.fetchrow(_LOCK_RUN, run_id, owner_id)
            return load_run(decided or row)


async def suspend_runs(
    connection: Connection, asked: list[tuple[RunId, tuple[Approval, ...]]]
) -> None:
    """Let runs wait for these approvals; the caller inserts the events of them."""
    approvals = [one for _, each in asked for one in each]
    await connection.execute(
        _INSERT,
        [one.id for one in approvals],
        [one.run_id for one in approvals],
        [one.place.text for one in approvals],
        [one.call_id for one in approvals],
        [one.agent for one in approvals],
        [one.tool for one in approvals],
        [dump(one.arguments) for one in approvals],
        [one.arguments_hash for one in approvals],
        [one.expires_at for one in approvals],
        [None if one.shown is None else dump(one.shown) for one in approvals],
    )
    await connection.execute(_SUSPEND, [run_id for run_id, _ in asked])


async def select_approvals(connection: Connection, run_id: RunId) -> tuple[Approval, ...]:
    """All that a run has asked for."""
    return tuple(map(load_approval, await connection.fetch(_SELECT, run_id)))


async def expire_approvals(connection: Connection, run_id: RunId) -> None:
    """Deny what nobody decided on in time; the run goes on when it waits for nothing else.

    The caller has locked the run, which waits.
    """
    rows = await connection.fetch(_SELECT, run_id)
    for row in rows:
        if row["decision"] is None and row["late"]:
            await connection.execute(_DECIDE, row["id"], Decision.DENIED, None)
            await _log(connection, run_id, row["id"], "expired")
    if all(row["decision"] or row["late"] for row in rows):
        await resume_run(connection, run_id, _asked_at(rows))


async def resume_run(connection: Connection, run_id: RunId, since: datetime) -> None:
    """Queue a run that has waited since then."""
    await connection.execute(_RESUME, run_id, since)
    await connection.execute("NOTIFY cartrita_queue")


def load_approval(row: Row) -> Approval:
    """An approval from a row."""
    return Approval(
        id=row["id"],
        run_id=RunId(row["run_id"]),
        owner_id=row["owner_id"],
        place=StepPlace.parse(row["idem_key"]),
        call_id=row["call_id"],
        agent=row["agent"],
        tool=row["tool"],
        arguments=_object.decode(row["arguments"]),
        arguments_hash=row["arguments_hash"],
        expires_at=row["expires_at"],
        decision=None if row["decision"] is None else Decision(row["decision"]),
        expired=row["expired"],
        shown=None if row["shown"] is None else _shown.decode(row["shown"]),
        decided_by=row["decided_by"],
    )


def _new_decisions(
    run: Run, rows: Sequence[Row], verdicts: Sequence[Verdict]
) -> dict[UUID, Decision]:
    """What these decide that was open. Raises NotFound, and Conflict if one of them cannot be."""
    asked = {row["id"]: row for row in rows}
    new: dict[UUID, Decision] = {}
    for verdict in verdicts:
        row = asked.get(verdict.approval_id)
        if row is None:
            raise NotFound("There is no such approval.", code="approval_not_found")
        before = new.get(verdict.approval_id, row["decision"])
        if before == verdict.decision and row["arguments_hash"] == verdict.arguments_hash:
            continue
        _require_open(run, row, verdict.arguments_hash, before)
        new[verdict.approval_id] = verdict.decision
    return new


def _require_open(run: Run, asked: Row, arguments_hash: str, before: str | None) -> None:
    """Raises Conflict for what cannot be decided, or not like this."""
    if asked["arguments_hash"] != arguments_hash:
        raise Conflict(
            "The call has other arguments than those that were decided on: read it again.",
            code="arguments_changed",
        )
    if before is not None and not asked["expired"]:
        raise Conflict(f"It was {before} already.", code="approval_decided")
    if asked["late"] or run.status is not RunStatus.WAITING:
        raise Conflict(
            f"The time to decide is over; the run is {run.status}.", code="approval_expired"
        )


def _asked_at(rows: list[Row]) -> datetime:
    latest: datetime = max(row["asked_at"] for row in rows)
    return latest


async def _log(connection: Connection, run_id: RunId, approval_id: UUID, decision: str) -> None:
    logged: int = await connection.fetchval(_COUNT_EVENTS, run_id)
    event = ApprovalSettled(public("appr", approval_id), decision)
    await insert_events(connection, [LoggedEvent(run_id, logged + 1, event)])
    await connection.execute("NOTIFY cartrita_events")
