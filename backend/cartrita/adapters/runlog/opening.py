"""The beginning of a run: its message takes its place in the tree, its first event is written."""

from uuid import UUID

import msgspec

from cartrita.adapters.runlog.connection import Connection, Row
from cartrita.adapters.runlog.encoding import VERSION, dump, load_event, load_input
from cartrita.adapters.runlog.replica import Identity
from cartrita.domain.events import LoggedEvent, RunStarted
from cartrita.domain.runs import Claim, RunInput
from cartrita.kit.ids import ConversationId, MessageId, RunId, public

# How long a run may take is counted from its beginning, on the database's clock.
_TAKE = """
UPDATE runs SET status = 'running', replica_id = $2, replica_epoch = $3,
  deadline_at = CASE WHEN started_at IS NULL THEN deadline_at + (now() - created_at)
                ELSE deadline_at END,
  started_at = coalesce(started_at, now())
WHERE id = $1 AND status = 'queued'
RETURNING owner_id, conversation_id, user_message_id, message_id, answers_again, input, attempt,
          cancel_requested_at,
          extract(epoch FROM deadline_at - clock_timestamp())::float8 AS seconds_left,
          (SELECT external_id FROM conversations c WHERE c.id = conversation_id) AS external_id
"""
# The branch as it was goes into the message's place; locked, for a person may change it right now.
_HEAD = """
UPDATE conversations c SET head_message_id = $2, updated_at = now()
FROM (SELECT id, head_message_id FROM conversations WHERE id = $1 FOR UPDATE) AS before
WHERE c.id = before.id RETURNING before.head_message_id
"""
# A queued message goes to the end of the branch, unless its place was given.
_PLACE = """
UPDATE messages m SET status = 'complete',
  parent_id = CASE WHEN m.depth < 0 THEN $2 ELSE m.parent_id END,
  depth = CASE WHEN m.depth >= 0 THEN m.depth ELSE
    coalesce((SELECT h.depth + 1 FROM messages h WHERE h.id = $2), 0) END
WHERE m.id = $1 AND m.status = 'queued'
"""
_LOGGED = "SELECT seq, data FROM run_events WHERE run_id = $1 ORDER BY seq"
_FIRST = "INSERT INTO run_events (run_id, seq, version, data) VALUES ($1, 1, $2, $3)"


class Opened(msgspec.Struct, frozen=True):
    """A claimed run; `first` is its first event where it was written just now."""

    identity: Identity
    claim: Claim
    first: LoggedEvent | None


async def begin(connection: Connection, run_id: RunId, identity: Identity) -> Opened | None:
    """Make this replica the owner of a queued run, inside the caller's fenced transaction.

    The caller has locked the conversation. None where the run is queued no more. Raises
    UniqueViolationError where its conversation is busy after all.
    """
    row = await connection.fetchrow(_TAKE, run_id, identity.id, identity.epoch)
    if row is None:
        return None
    if not row["answers_again"]:
        await _place(connection, row["conversation_id"], row["user_message_id"])
    logged = await connection.fetch(_LOGGED, run_id) if row["attempt"] > 1 else []
    claim = _claim(run_id, row, logged)
    if logged:
        return Opened(identity, claim, None)
    await connection.execute(_FIRST, run_id, VERSION, dump(claim.started))
    return Opened(identity, claim, LoggedEvent(run_id, 1, claim.started))


async def _place(connection: Connection, conversation_id: UUID, message_id: UUID) -> None:
    """Put a new question at the end of the branch.

    A question that is answered once more stays where it is, and the branch ends where it did until
    there is another answer.
    """
    head: UUID | None = await connection.fetchval(_HEAD, conversation_id, message_id)
    await connection.execute(_PLACE, message_id, head)


def _claim(run_id: RunId, row: Row, logged: list[Row]) -> Claim:
    work: RunInput = load_input(row["input"])
    started = load_event(logged[0]["data"]) if logged else None
    if not isinstance(started, RunStarted):
        started = _started(row, work)
    return Claim(
        run_id=run_id,
        owner_id=row["owner_id"],
        conversation_id=ConversationId(row["conversation_id"]),
        user_message_id=MessageId(row["user_message_id"]),
        message_id=MessageId(row["message_id"]),
        input=work,
        attempt=row["attempt"],
        last_seq=len(logged) or 1,
        started=started,
        seconds_left=row["seconds_left"],
        cancelled=row["cancel_requested_at"] is not None,
    )


def _started(row: Row, work: RunInput) -> RunStarted:
    return RunStarted(
        conversation_id=row["external_id"] or public("conv", row["conversation_id"]),
        message_id=public("msg", row["message_id"]),
        agent=work.agent,
        model=work.model,
        provider=work.provider,
        resumed=bool(work.prefix),
    )
