"""The end of runs: message, status, usage and idempotency record, stored with the last event."""

from cartrita.adapters.runlog.connection import Connection
from cartrita.adapters.runlog.encoding import dump
from cartrita.domain.events import RunStopped
from cartrita.domain.runs import Ending
from cartrita.kit.ids import RunId

# The answer hangs below the message that it answers, and ends its branch unless the branch has
# moved on meanwhile; an answer given once more takes the place of the old one.
_MESSAGES = """
INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts, status,
                      run_id, model, provider, usage)
SELECT r.message_id, r.owner_id, r.conversation_id, r.user_message_id, u.depth + 1, 'assistant',
       e.parts, e.status, r.id, r.model, r.provider, e.usage
FROM unnest($1::uuid[], $2::jsonb[], $3::text[], $4::jsonb[]) AS e (run_id, parts, status, usage)
JOIN runs r ON r.id = e.run_id JOIN messages u ON u.id = r.user_message_id
"""
_HEADS = """
UPDATE conversations c SET head_message_id = r.message_id, updated_at = now()
FROM runs r WHERE r.id = ANY($1::uuid[]) AND c.id = r.conversation_id
  AND (c.head_message_id = r.user_message_id OR r.answers_again)
"""
_RUNS = """
UPDATE runs r SET status = e.status, last_seq = e.seq, usage = e.usage, error_code = e.code,
                  ended_at = now()
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::jsonb[], $5::text[])
  AS e (run_id, status, seq, usage, code)
WHERE r.id = e.run_id
"""
# What the caller promised counts for another run, should the same be sent again.
_KEYS = "DELETE FROM idempotency WHERE run_id = ANY($1::uuid[])"
_CLIENT_MSG_IDS = "UPDATE runs SET client_msg_id = NULL WHERE id = ANY($1::uuid[])"


async def store(connection: Connection, endings: list[tuple[RunId, int, Ending]]) -> None:
    """Store the ends of some runs, each with the number of its last event."""
    kept = [(run, end, end.message) for run, _, end in endings if end.message is not None]
    if kept:
        await connection.execute(
            _MESSAGES,
            [run for run, _, _ in kept],
            [dump(message.parts) for _, _, message in kept],
            [end.message_status for _, end, _ in kept],
            [dump(end.usage) for _, end, _ in kept],
        )
        await connection.execute(_HEADS, [run for run, _, _ in kept])
    await connection.execute(
        _RUNS,
        [run for run, _, _ in endings],
        [end.status for _, _, end in endings],
        [seq for _, seq, _ in endings],
        [dump(end.usage) for _, _, end in endings],
        [end.event.code if isinstance(end.event, RunStopped) else None for _, _, end in endings],
    )
    released = [run for run, _, end in endings if not end.keep_idempotency]
    if released:
        await connection.execute(_KEYS, released)
        await connection.execute(_CLIENT_MSG_IDS, released)
