"""Starting runs: placing the user's message in the message tree and logging the first event."""

from uuid import UUID

import msgspec

from cartrita.adapters.runlog.approvals import select_approvals
from cartrita.adapters.runlog.connection import Connection, Row
from cartrita.adapters.runlog.encoding import load_input
from cartrita.adapters.runlog.events import insert_events, select_events
from cartrita.adapters.runlog.new_messages import place_messages
from cartrita.adapters.runlog.replica import Lease
from cartrita.adapters.runlog.steps import select_steps
from cartrita.domain.events import LoggedEvent, RunStarted
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.runs import Claim, RunInput
from cartrita.kit.ids import public

HEARD = """
(SELECT jsonb_path_query_first(m.parts, '$[*] ? (exists(@.spoken)).text') #>> '{}'
 FROM messages m WHERE m.id = user_message_id) AS heard
"""
"""Of a row of runs: the message that it answers, where that was said."""
# The deadline counts from the first start, on the database's clock.
_START = f"""
UPDATE runs SET status = 'running', replica_id = $2, replica_epoch = $3,
  deadline_at = CASE WHEN started_at IS NULL THEN deadline_at + (now() - created_at)
                ELSE deadline_at END,
  started_at = coalesce(started_at, clock_timestamp()), claimed_at = clock_timestamp()
WHERE id = $1 AND status = 'queued'
RETURNING owner_id, surface, conversation_id, user_message_id, message_id, answers_again, input,
          attempt, cancel_requested_at, extract(epoch FROM worked)::float8 AS worked_s,
          extract(epoch FROM deadline_at - clock_timestamp())::float8 AS seconds_left,
          (SELECT external_id FROM conversations c WHERE c.id = conversation_id) AS external_id,
          {HEARD}
"""
# Returns the previous head. The row is locked, because a user may change the head right now.
_MOVE_HEAD = """
UPDATE conversations c SET head_message_id = $2, updated_at = now()
FROM (SELECT id, head_message_id FROM conversations WHERE id = $1 FOR NO KEY UPDATE) AS before
WHERE c.id = before.id RETURNING before.head_message_id
"""


class StartedRun(msgspec.Struct, frozen=True):
    """A run started under a lease; `first_event` is None if an earlier attempt logged it."""

    lease: Lease
    claim: Claim
    first_event: LoggedEvent | None


async def start_run(connection: Connection, run_id: RunId, lease: Lease) -> StartedRun | None:
    """Make this replica the owner of a queued run, inside the caller's fenced transaction.

    The caller has locked the conversation. None if the run is not queued any more. Raises
    UniqueViolationError if its conversation has an active run.
    """
    row = await connection.fetchrow(_START, run_id, lease.id, lease.epoch)
    if row is None:
        return None
    if not row["answers_again"]:
        await _append_to_branch(connection, row["conversation_id"], row["user_message_id"])
    logged = await select_events(connection, run_id) if row["attempt"] > 1 else []
    claim = _claim(run_id, row, logged)
    if logged:
        claim = msgspec.structs.replace(
            claim,
            logged=tuple(event.event for event in logged),
            steps=await select_steps(connection, run_id),
            approvals=await select_approvals(connection, run_id),
            worked_s=row["worked_s"],
        )
        return StartedRun(lease, claim, None)
    first_event = LoggedEvent(run_id, 1, claim.started)
    await insert_events(connection, [first_event])
    return StartedRun(lease, claim, first_event)


async def _append_to_branch(
    connection: Connection, conversation_id: UUID, message_id: UUID
) -> None:
    """Append the run's new messages to the current branch and make the last the head.

    Not used for retries: their message is in the tree, and the head stays until the new answer.
    """
    head: UUID | None = await connection.fetchval(_MOVE_HEAD, conversation_id, message_id)
    await place_messages(connection, message_id, head)


def _claim(run_id: RunId, row: Row, logged: list[LoggedEvent]) -> Claim:
    work: RunInput = load_input(row["input"])
    started = logged[0].event if logged else None
    if not isinstance(started, RunStarted):
        started = started_event(
            row["conversation_id"],
            row["external_id"],
            MessageId(row["message_id"]),
            agent=work.agent,
            provider=work.provider,
            model=work.model,
            resumed=bool(work.prefix),
            heard=row["heard"],
        )
    return Claim(
        run_id=run_id,
        owner_id=row["owner_id"],
        surface=row["surface"],
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


def started_event(
    conversation_id: UUID,
    external_id: str | None,
    message_id: MessageId,
    *,
    agent: str,
    provider: str,
    model: str,
    resumed: bool,
    heard: str | None,
) -> RunStarted:
    """The first event of a run; a conversation with an external id is named by that."""
    return RunStarted(
        conversation_id=external_id or public("conv", conversation_id),
        message_id=public("msg", message_id),
        agent=agent,
        model=model,
        provider=provider,
        resumed=resumed,
        heard=heard,
    )
