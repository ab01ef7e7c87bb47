"""Finishing runs: storing their messages, status, usage and idempotency records."""

from collections.abc import Callable

from cartrita.adapters.runlog.connection import Connection
from cartrita.adapters.runlog.encoding import dump
from cartrita.adapters.runlog.events import insert_events
from cartrita.adapters.runlog.steps import select_steps
from cartrita.domain.events import LoggedEvent, RunStopped
from cartrita.domain.fold import Fold, fold
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Ending
from cartrita.domain.step_records import begun_calls

# The parent of an answer is the message that it answers. The answer becomes the conversation's head
# unless the head has changed meanwhile; a retry always becomes the head.
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
                  ended_at = clock_timestamp()
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::jsonb[], $5::text[])
  AS e (run_id, status, seq, usage, code)
WHERE r.id = e.run_id
"""
# Without visible output the caller may send the same request again and get a new run.
_RELEASE_KEYS = "DELETE FROM idempotency WHERE run_id = ANY($1::uuid[])"
_RELEASE_CLIENT_MSG_IDS = "UPDATE runs SET client_msg_id = NULL WHERE id = ANY($1::uuid[])"
# As of what this process stops itself: what only looked has an end that is known.
_END_STEPS = """
UPDATE run_steps SET state = CASE output->>'acts' WHEN 'false' THEN 'done' ELSE 'unknown' END
WHERE run_id = $1 AND state = 'intent'
"""


async def end_unowned(
    connection: Connection,
    run_id: RunId,
    logged: list[LoggedEvent],
    ending_of: Callable[[Fold], Ending],
) -> Ending:
    """End a run that nobody executes, with these events so far; the caller has locked it.

    Of the tools and tasks that have begun it is told that they end.
    """
    begun = begun_calls(await select_steps(connection, run_id))
    new = fold([one.event for one in logged]).begun.ends(begun)
    ending = ending_of(fold([*(one.event for one in logged), *new]))
    new.append(ending.event)
    numbered = [LoggedEvent(run_id, seq, event) for seq, event in enumerate(new, len(logged) + 1)]
    await insert_events(connection, numbered)
    await connection.execute(_END_STEPS, run_id)
    await finish_runs(connection, [(run_id, numbered[-1].seq, ending)])
    return ending


async def finish_runs(connection: Connection, endings: list[tuple[RunId, int, Ending]]) -> None:
    """Store the endings of runs, each with the number of its terminal event.

    The caller inserts the terminal events in the same transaction.
    """
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
        await connection.execute(_RELEASE_KEYS, released)
        await connection.execute(_RELEASE_CLIENT_MSG_IDS, released)
